// What a package tells of what happened, now and as of the days before; and that every lie in it is found.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkSums, fetchPackage, readManifest, readRecords, unpack, verify } from './packed.js'
import { startAudited } from './world.js'

const world = await startAudited(t)
const { useCase, evidenceId, decision, everywhere } = world
const whole = (await fetchPackage(world, everywhere, `use-cases/${useCase.key}`)).bytes

t.test('all that a decision rests on comes along, and is found in order', async (t) => {
  const { findings, notes } = await verify(whole)
  t.same({ findings, notes }, { findings: [], notes: [] })
  const folder = unpack(t, whole)
  t.ok(checkSums(folder))
  const records = readRecords(folder)
  const { risk, legal } = world.seats
  t.match(records.profiles, [
    { control: 'MANAGE 2.4', ordinal: 1, state: 'planned', evidenceIds: [], counts: false },
    { control: 'MANAGE 2.4', ordinal: 2, state: 'in_place', evidenceIds: [evidenceId], counts: true },
    { catalog: 'house', control: 'H-1', counts: true },
  ])
  t.match(records.evidence, [
    { id: evidenceId, verdict: 'accepted', judgedBy: risk.id, seats: ['risk'], content: 'kept' },
  ])
  t.match(records.decisions, [
    {
      ...{ id: decision.id, evidence: [{ id: evidenceId }] },
      required: [
        { requirement: 'RQ-10', taken: 'met' },
        { requirement: 'RQ-20', taken: 'met' },
        { requirement: 'RQ-30', taken: 'excepted' },
      ],
    },
  ])
  t.match(records.exceptions, [
    { decisionId: decision.id, requirement: 'RQ-30', compensating: 'A clerk reads every letter' },
  ])
  t.equal(records.exceptions?.[0]?.id, records.decisions?.[0]?.required[2].exceptionId)
  t.match(records.delegations, [{ fromId: legal.id, toId: world.deputy.id, useCases: [useCase.key] }])
  t.match(
    records.votes?.find(({ seat }) => seat === 'legal'),
    { personId: world.deputy.id, onBehalfOf: legal.id },
  )
  t.match(records.retention, [{ evidenceId, ordinal: 1, because: 'attached' }])
  t.match(records.holds, [{ key: 'M-1', title: 'A matter', evidenceId: null, liftedAt: null }])
  t.match(records['gate-answers'], [{ useCase: useCase.key, decision: 'deny', environment: 'production' }])
  t.match(records.refusals, [{ personId: world.auditor.id, action: 'attach', subjectId: useCase.id }])
  t.match(records.catalogs, [{ key: 'house', version: '1', controls: [{ id: 'H-1', title: 'Ask first' }] }])
  t.same(readFileSync(join(folder, 'evidence', evidenceHex(records))), world.file)
  const [only] = records.register ?? []
  t.equal(only?.lastEventNo, records.events?.length)
})

t.test('a package of the past tells what was so then', async (t) => {
  const asOf = async (day: number) => {
    const at = new Date(Date.parse('2026-03-01T09:00:00.000Z') + day * 86_400_000).toISOString()
    const path = `use-cases/${useCase.key}?asOf=${at}`
    const { bytes } = await fetchPackage(world, everywhere, path)
    t.same((await verify(bytes)).findings, [], `day ${day} is in order`)
    return readRecords(unpack(t, bytes))
  }
  const registered = await asOf(0)
  t.match(registered.evidence, [{ verdict: null, judgedBy: null, seats: null }])
  t.same([registered.profiles, registered.decisions, registered.catalogs], [[], [], []])
  const planned = await asOf(1)
  t.match(planned.profiles, [{ state: 'planned', counts: true }])
  const decided = await asOf(3)
  t.match(decided.conditions, [{ ownerId: world.riskOwner.id, state: 'open' }], 'whose it was then')
  t.same([decided.incidents, decided['gate-answers'], decided.refusals], [[], [], []])
  const reported = await asOf(4)
  t.match(reported.conditions, [{ ownerId: world.businessOwner.id }])
  t.match(reported.incidents, [{ severity: 'minor', entries: [{ ordinal: 1 }] }], 'as severe as it was')
  const continued = await asOf(5)
  t.match(continued.incidents, [{ severity: 'serious', entries: [{}, { severity: 'serious' }] }])
  t.match(continued.suspensions, [{ incidentId: world.incidentId, liftedAt: null }])
  t.same([continued.holds, continued.register?.[0]?.standing], [[], 'suspended'])
})

t.test('the policies that were in force come along, and what was never kept is said', async (t) => {
  const { policies, owner } = world
  const unheard = `sha256:${'0'.repeat(64)}`
  await owner.query('update use_case_version set policy_digest = $1', [unheard])
  t.teardown(async () => {
    await owner.query('update use_case_version set policy_digest = $1', [policies.digest])
  })
  const { bytes } = await fetchPackage(world, everywhere, `use-cases/${useCase.key}`)
  const { notes } = await verify(bytes)
  t.match(notes, [`the files of the policy ${unheard} were never kept`])
  t.match(readManifest(unpack(t, bytes)).policy.named, [
    { digest: unheard, folder: null },
    { digest: policies.digest, folder: `policies/${policies.digest.slice(7, 23)}` },
  ])
})

/** What somebody alters, and what is said of it, even when everything is summed anew. */
const lies: [lie: string, alter: (folder: string) => void, finding: object][] = [
  [
    'the rationale of a vote',
    inFile('votes.ndjson', (text) => text.replace('the wording is plain', 'the wording is fine!')),
    { code: 'RECORD_MISMATCH', message: /rationale/ },
  ],
  [
    'the outcome of a decision',
    inFile('decisions.ndjson', (text) =>
      text.replace('"outcome":"approved_with_conditions"', '"outcome":"blocked"'),
    ),
    { code: 'RECORD_MISMATCH', message: /outcome/ },
  ],
  [
    'a fact',
    inFile('versions.ndjson', (text) => text.replace('how urgent', 'how usual!')),
    { code: 'RECORD_MISMATCH', message: /factsDigest/ },
  ],
  [
    'the state of a control',
    inFile('profiles.ndjson', (text) => text.replace('"planned"', '"in_place"')),
    { code: 'RECORD_MISMATCH', message: /state/ },
  ],
  ['no assessment', inFile('profiles.ndjson', () => ''), { code: 'REQUIRED_MISSING', message: /MANAGE 2.4/ }],
  ['no exception', inFile('exceptions.ndjson', () => ''), { code: 'REQUIRED_MISSING', message: /RQ-30/ }],
  [
    'no evidence',
    inFile('evidence.ndjson', () => ''),
    { code: 'RECORD_MISSING', where: /^(decision|assessment)/ },
  ],
  [
    'evidence of another digest',
    inFile('evidence.ndjson', (text) => text.replace(/sha256:..../, 'sha256:0000')),
    { code: 'RECORD_MISMATCH', message: /digest/ },
  ],
  [
    'evidence that nobody has',
    (folder) => rmSync(join(folder, 'evidence'), { recursive: true }),
    { code: 'EVIDENCE_MISSING' },
  ],
  ['no catalog', inFile('catalogs.ndjson', () => ''), { code: 'CATALOG_MISSING', message: /house@1/ }],
  ['no decision', inFile('decisions.ndjson', () => ''), { code: 'RECORD_MISSING', where: /^exception/ }],
  ['no vote', inFile('votes.ndjson', () => ''), { code: 'VOTE_MISSING' }],
  ['no incident', inFile('incidents.ndjson', () => ''), { code: 'RECORD_MISSING', where: /^incident/ }],
  [
    'until when something is kept',
    inFile('retention.ndjson', (text) => text.replace(/"retainUntil":"..../, '"retainUntil":"2000')),
    { code: 'RECORD_MISMATCH', message: /retainUntil/ },
  ],
  [
    'the matter of a hold',
    inFile('holds.ndjson', (text) => text.replace('A matter', 'No matter')),
    { code: 'RECORD_MISMATCH', message: /title/ },
  ],
  [
    'that a hold was lifted',
    inFile('holds.ndjson', (text) =>
      text.replace('"liftedAt":null', '"liftedAt":"2026-03-07T09:00:00.000Z"'),
    ),
    { code: 'EVENT_MISSING', where: /lifting/ },
  ],
  [
    'the last event',
    inFile('events.ndjson', (text) => lines(text).slice(0, -1).join('')),
    { code: 'EVENT_NO_GAP', where: /^use case/ },
  ],
  [
    'the first event',
    inFile('events.ndjson', (text) => lines(text).slice(1).join('')),
    { code: 'EVENT_NO_GAP' },
  ],
  [
    'the order of events',
    inFile('events.ndjson', (text) => lines(text).reverse().join('')),
    { code: 'EVENT_NO_GAP' },
  ],
  [
    'what the gate answered',
    inFile('gate-answers.ndjson', (text) => text.replace('"decision":"deny"', '"decision":"allow"')),
    { code: 'RECORD_MISMATCH', message: /decision/ },
  ],
  [
    'who was refused',
    inFile('refusals.ndjson', (text) => text.replace('"action":"attach"', '"action":"submit"')),
    { code: 'RECORD_MISMATCH', message: /action/ },
  ],
  [
    'that a piece was disposed of',
    inFile('evidence.ndjson', (text) => text.replace('"content":"kept"', '"content":"disposed"')),
    { code: 'CERTIFICATE_MISSING' },
  ],
  [
    'a rule of policy',
    (folder) => {
      const [policy = ''] = readdirSync(join(folder, 'policies'))
      inFile(`policies/${policy}/lanes.json`, (text) => text.replace('"quorum": 2', '"quorum": 1'))(folder)
    },
    { code: 'POLICY_MISMATCH' },
  ],
  [
    'half a character',
    inFile('votes.ndjson', (text) => text.replace('plain', '\\ud800')),
    { code: 'UNREADABLE' },
  ],
]

t.test('whoever alters a package and sums it anew is found', async (t) => {
  for (const [lie, alter, finding] of lies) {
    const folder = unpack(t, whole)
    alter(folder)
    sumAnew(folder)
    t.ok(checkSums(folder), `${lie}: the sums are right again`)
    const { findings } = await verify(packAgain(folder))
    const [expected] = findings.filter(({ code }) => code === Reflect.get(finding, 'code'))
    t.match(expected, finding, lie)
  }
})

t.test('a package of the first version is still read, for what it promised', async (t) => {
  const first = (alter: (folder: string) => void) => {
    const folder = unpack(t, whole)
    const { policy, evidence, ...manifest } = readManifest(folder)
    const { withheld: _none, ...files } = evidence
    const named = { inForce: policy.inForceWhenMade, named: [policy.inForceWhenMade] }
    const before = { ...manifest, formatVersion: 1, policy: named, evidence: files }
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(before))
    alter(folder)
    sumAnew(folder)
    return packAgain(folder)
  }
  t.match(await verify(first(() => {})), { findings: [], manifest: { formatVersion: 1 } })
  const withoutFile = first((folder) => rmSync(join(folder, 'evidence'), { recursive: true }))
  t.match((await verify(withoutFile)).findings, [{ code: 'EVIDENCE_MISSING' }])
  const withoutVote = first(inFile('votes.ndjson', () => ''))
  t.match((await verify(withoutVote)).findings, [{ code: 'VOTE_MISSING' }])
})

t.test('whoever alters a package and leaves its sums is found by sha256sum as well', async (t) => {
  const names = readdirSync(unpack(t, whole)).filter((name) => /\.(ndjson|json|txt)$/.test(name))
  for (const name of names) {
    const folder = unpack(t, whole)
    const place = join(folder, name)
    const bytes = readFileSync(place)
    if (bytes.length === 0) continue
    bytes[0] = (bytes[0] ?? 0) ^ 1
    writeFileSync(place, bytes)
    t.throws(() => checkSums(folder), name)
    t.match((await verify(packAgain(folder))).findings.at(-1) ?? {}, { code: String })
    rmSync(place)
    t.throws(() => checkSums(folder), `${name} is missing`)
    t.match(codesOf(await verify(packAgain(folder))), ['FILE_MISSING'], `${name} is missing`)
  }
})

function codesOf({ findings }: { findings: { code: string }[] }): string[] {
  return findings.map(({ code }) => code).filter((code) => code === 'FILE_MISSING')
}

function inFile(name: string, change: (text: string) => string): (folder: string) => void {
  return (folder) => {
    const place = join(folder, name)
    const text = readFileSync(place, 'utf8')
    const changed = change(text)
    if (changed === text) throw new Error(`nothing was altered in ${name}`)
    writeFileSync(place, changed)
  }
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => `${line}\n`)
}

/** The manifest counts what is there now, and all has the sum that it has. */
function sumAnew(folder: string): void {
  const manifest = readManifest(folder)
  for (const file of manifest.records) {
    const text = readFileSync(join(folder, file.name), 'utf8')
    Object.assign(file, { rows: lines(text).length, size: Buffer.byteLength(text) })
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  const sums = `find . -type f ! -name manifest.sha256 -printf '%P\\n' | xargs sha256sum > manifest.sha256`
  execFileSync('sh', ['-c', sums], { cwd: folder })
}

function packAgain(folder: string): Buffer {
  const list = execFileSync('find', ['.', '-type', 'f', '-printf', 'again/%P\\n'], { cwd: folder })
  const transform = ['--transform', 's,^again/,,;s,^,again/,']
  const names = list
    .toString()
    .trim()
    .split('\n')
    .map((name) => name.slice('again/'.length))
  return execFileSync('tar', ['--format=ustar', ...transform, '-cf', '-', ...names], {
    ...{ cwd: folder, maxBuffer: 2 ** 28 },
  })
}

function evidenceHex(records: ReturnType<typeof readRecords>): string {
  return String(records.evidence?.[0]?.digest).slice('sha256:'.length)
}
