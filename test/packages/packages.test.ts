import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { canonicalize } from '../../src/audit/canonical.js'
import { projectRoot } from '../../src/config.js'
import type { Person, TestApp } from '../app.js'
import { approved, register, startCommittee } from '../committee.js'
import { startWorld, trace, upload } from '../evidence/world.js'
import { checkSums, fetchPackage, type Records, readManifest, readRecords, unpack, verify } from './packed.js'

t.setTimeout(240_000)

t.test('a package of a use case is whole, verifies, and can be read without Assent', async (t) => {
  const committee = await startCommittee(t)
  const cleared = await approved(committee)
  await register(committee, { title: 'Another use' })
  const { bytes, headers } = await fetchPackage(committee, committee.auditor, `use-cases/${cleared.key}`)
  t.match(headers, {
    'content-type': 'application/x-tar',
    'content-disposition': `attachment; filename="assent-${cleared.key}-2026-03-01.tar"`,
    'assent-settled': 'false',
  })
  const folder = unpack(t, bytes)
  t.match(checkSums(folder), /^README\.txt: OK\n(.*: OK\n)+$/)
  t.same(listed(folder).sort(), [...named(folder), 'manifest.sha256'].sort(), 'every file has a sum')
  const records = readRecords(folder)
  t.match(records.register, [{ key: cleared.key, standing: 'cleared', title: cleared.title }])
  t.equal(records.register?.length, 1, 'and no other use case')
  const [decision] = records.decisions ?? []
  t.same(decision?.voteIds, records.votes?.map(({ id }) => id).sort())
  t.match(records.reviews, [{ outcome: 'approved', round: 1, useCase: cleared.key }])
  t.match(records.versions, [{ version: 1, facts: { title: cleared.title } }])
  t.same(
    records.events?.map(({ eventNo }) => eventNo),
    records.events?.map((_, index) => index + 1),
    'no event is missing',
  )
  for (const event of records.events ?? []) assertSealed(t, event)
  const manifest = readManifest(folder)
  const { digest } = committee.policies
  t.match(manifest, {
    ...{ format: 'assent-package', formatVersion: 2, of: { useCase: cleared.key }, madeBy: { name: 'Ada' } },
    policy: { inForceWhenMade: digest, named: [{ digest }] },
  })
  const [policy] = manifest.policy.named
  t.same(
    readFileSync(join(folder, policy.folder, 'lanes.json')),
    readFileSync(join(projectRoot, 'policies', 'lanes.json')),
    'with the policy in force',
  )
  t.equal(digestByGuide(folder, policy.folder), digest, 'whose digest can be told as README.txt says')
})

t.test('evidence comes as bytes or as digests, under names that are its digests', async (t) => {
  const world = await startWorld(t)
  const pdf = Buffer.from('%PDF-1.7 tested')
  t.equal((await upload(world, world.risk, { bytes: pdf, name: '../../etc/passwd.pdf' })).status, 201)
  await upload(world, world.business, { bytes: pdf })
  await upload(world, world.risk, { bytes: '%PDF-1.7 another' })
  const digest = createHash('sha256').update(pdf).digest('hex')
  const whole = unpack(t, (await fetchPackage(world, world.auditor, `use-cases/${world.useCaseId}`)).bytes)
  t.match(checkSums(whole), `evidence/${digest}: OK`)
  t.same(readdirSync(join(whole, 'evidence')).length, 2, 'the same file once')
  t.same(readFileSync(join(whole, 'evidence', digest)), pdf)
  t.equal(readRecords(whole).evidence?.length, 3)
  const query = `use-cases/${world.useCaseId}?evidence=digests`
  const light = unpack(t, (await fetchPackage(world, world.auditor, query)).bytes)
  t.notOk(listed(light).some((name) => name.startsWith('evidence/')))
  t.same(readRecords(light).evidence, readRecords(whole).evidence)
  t.ok(checkSums(light))
})

t.test('a package of the register is as of an instant, and holds what its maker may read', async (t) => {
  const committee = await startCommittee(t)
  const first = await approved(committee)
  const then = committee.clock.at
  committee.clock.at = '2026-03-05T09:00:00.000Z'
  const second = await register(committee, { title: 'A later use' })
  const elsewhere = await committee.unit('elsewhere')
  const outsider = await committee.person('Otto', { rights: ['auditor'], unitId: elsewhere })
  const keysIn = async (person: Person, query = '') => {
    const folder = unpack(t, (await fetchPackage(committee, person, `register${query}`)).bytes)
    t.ok(checkSums(folder))
    const records = readRecords(folder)
    const ids = new Set(records.register?.map(({ id }) => id))
    for (const [name, rows] of Object.entries(records)) {
      if (name === 'grants') continue
      const strangers = rows.filter((row) => !ids.has(row.useCaseId ?? row.aggregateId ?? row.id))
      t.same(strangers, [], `${name} is of these use cases only`)
    }
    return { keys: records.register?.map(({ key }) => key), records }
  }
  t.same((await keysIn(committee.auditor)).keys, [first.key, second.key])
  const past = await keysIn(committee.auditor, `?asOf=${then}`)
  t.same(past.keys, [first.key])
  t.same((await keysIn(committee.auditor, `?orgUnit=${elsewhere}`)).keys, [])
  const { records } = await keysIn(outsider)
  t.same(records.register, [])
  t.same(
    records.grants?.map(({ person }) => person),
    ['Otto'],
  )
  t.same((await keysIn(committee.riskOwner)).keys, [first.key, second.key], 'a risk owner of the unit')
})

t.test('who may not export or not read the log gets none, and strangers learn nothing', async (t) => {
  const committee = await startCommittee(t)
  const cleared = await approved(committee)
  const outsider = await committee.person('Otto', {
    rights: ['auditor'],
    unitId: await committee.unit('other'),
  })
  const nobody = await committee.person('Nia', { rights: [] })
  const place = `/v1/packages/use-cases/${cleared.id}`
  t.match(await outsider.get(place), { status: 404, body: { code: 'not_found' } })
  t.match(await nobody.get(place), { status: 404 })
  t.match(await committee.seats.legal.get(place), { status: 403, body: { rule: 'DR-09' } })
  t.match(await committee.businessOwner.get(place), { status: 403 })
  t.match(await nobody.get('/v1/packages/register'), { status: 403 })
  t.match(await committee.auditor.get(`${place}?asOf=2030-01-01T00:00:00.000Z`), { status: 422 })
})

t.test(
  'missing or altered evidence breaks the package off, which says why, and connections come back',
  async (t) => {
    const world = await startWorld(t)
    await upload(world, world.risk, { bytes: `%PDF-1.7 ${'x'.repeat(1000)}` })
    const place = `use-cases/${world.useCaseId}`
    t.ok((await trace(world)).files.length > 0)
    const [path = ''] = execFileSync('find', [world.folder, '-type', 'f', '-size', '+0'])
      .toString()
      .split('\n')
    const whole = readFileSync(path)
    execFileSync('chmod', ['u+w', path])
    await world.app.listen({ port: 0, host: '127.0.0.1' })
    for (const [damage, why] of [
      [() => writeFileSync(path, Buffer.from(whole).fill('y', 100, 101)), /altered in its store/],
      [() => rmSync(path), /missing from the evidence store/],
    ] as const) {
      damage()
      // More often than there are connections for exports.
      for (let turn = 0; turn < 4; turn += 1) {
        const { isWhole, bytes } = await receive(world, world.auditor, place)
        t.equal(isWhole, false)
        t.match((await verify(bytes)).findings, [{ code: 'TRUNCATED', message: why }])
        t.notMatch(bytes.toString('latin1'), '/manifest.sha256', 'without sums nobody takes it for whole')
      }
    }
    const light = await fetchPackage(world, world.auditor, `${place}?evidence=digests`)
    t.ok(checkSums(unpack(t, light.bytes)), 'digests can be had still')
    await world.owner.query(
      `update stored_blob set checked_at = now(), soundness = 'missing', damaged_at = now()`,
    )
    const known = await fetchPackage(world, world.auditor, place)
    const folder = unpack(t, known.bytes)
    t.match(readManifest(folder), { evidence: { form: 'bytes', files: 0, withheld: { damaged: 1 } } })
    t.match(readRecords(folder).evidence, [{ content: 'damaged' }], 'what is known to be damaged is said')
    const { findings, notes } = await verify(known.bytes)
    t.same(
      { findings, notes },
      { findings: [], notes: [...notes.slice(0, -1), 'evidence without its content: 1 damaged'] },
    )
  },
)

t.test('what a scanner holds back or rejected is never in a package', async (t) => {
  const world = await startWorld(t)
  const held = Buffer.from('%PDF-1.7 held back')
  const { body } = await upload(world, world.risk, { bytes: held })
  await world.owner.query(
    `insert into evidence_scan (evidence_id, state, tries, next_at) values ($1, 'quarantined', 0, now())`,
    [body.id],
  )
  const contents = async () => {
    const { bytes } = await fetchPackage(world, world.auditor, `use-cases/${world.useCaseId}`)
    t.same((await verify(bytes)).findings, [])
    t.notOk(bytes.includes(held), 'not a byte of it')
    return readRecords(unpack(t, bytes)).evidence
  }
  t.match(await contents(), [{ id: body.id, content: 'quarantined', digest: body.digest }])
  await world.owner.query(`update evidence_scan set state = 'rejected', finding = 'Eicar', ended_at = now()`)
  t.match(await contents(), [{ id: body.id, content: 'rejected' }])
})

t.test('who leaves in the middle frees the connection, and one too many is told to come again', async (t) => {
  const world = await startWorld(t)
  // More than buffers on the way hold, and nothing that two of the same would share.
  for (let turn = 0; turn < 3; turn += 1) {
    await upload(world, world.risk, {
      bytes: Buffer.concat([Buffer.from('%PDF-1.7'), randomBytes(8_000_000)]),
    })
  }
  await world.app.listen({ port: 0, host: '127.0.0.1' })
  const place = `use-cases/${world.useCaseId}`
  const slow = await Promise.all([1, 2].map(async () => await begin(world, world.auditor, place)))
  const { status, headers, body } = await world.auditor.get(`/v1/packages/${place}`)
  t.match({ status, code: body.code }, { status: 503, code: 'unavailable' })
  t.ok(Number(headers['retry-after']) > 0)
  t.equal((await world.auditor.get(`/v1/use-cases/${world.useCaseId}`)).status, 200, 'nobody else is held up')
  for (const response of slow) response.destroy()
  for (let turn = 0; turn < 3; turn += 1) {
    const { isWhole, bytes } = await receive(world, world.auditor, place)
    t.equal(isWhole, true)
    t.same((await verify(bytes)).findings, [])
  }
})

t.test('one altered byte is found by sha256sum', async (t) => {
  const committee = await startCommittee(t)
  const cleared = await approved(committee)
  const folder = unpack(
    t,
    (await fetchPackage(committee, committee.auditor, `use-cases/${cleared.key}`)).bytes,
  )
  appendFileSync(join(folder, 'votes.ndjson'), ' ')
  t.throws(() => checkSums(folder))
})

/** The command of README.txt, as it stands there. */
function digestByGuide(folder: string, policy: string): string {
  const [command = ''] = /cd policies.FOLDER .*/.exec(readFileSync(join(folder, 'README.txt'), 'utf8')) ?? []
  const shell = command.replace('policies/FOLDER', policy)
  return `sha256:${execFileSync('sh', ['-c', shell], { cwd: folder }).toString().slice(0, 64)}`
}

function named(folder: string): string[] {
  const lines = readFileSync(join(folder, 'manifest.sha256'), 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => line.slice(66))
}

function listed(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

/** As README.txt of a package says it. */
function assertSealed(t: Test, event: Records[string][number]): void {
  const leaf = JSON.parse(Buffer.from(event.leaf, 'base64').toString())
  t.same([leaf.id, leaf.type, leaf.aggregate.no], [event.id, event.type, event.eventNo])
  for (const [name, { salt, value }] of Object.entries<{ salt: string; value: unknown }>(
    event.sealed ?? {},
  )) {
    const hash = createHash('sha256').update(Buffer.from(salt, 'base64url')).update(canonicalize(value))
    t.equal(leaf.sealed[name], hash.digest('base64url'))
  }
}

/** The beginning of an answer whose bytes nobody reads. */
async function begin(
  { app }: Pick<TestApp, 'app'>,
  { token }: Person,
  place: string,
): Promise<IncomingMessage> {
  const { port } = app.server.address() as AddressInfo
  const headers = { authorization: `Bearer ${token}` }
  return await new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${port}/v1/packages/${place}`, { headers, agent: false }, (response) => {
      resolve(response.once('error', () => {}))
    }).once('error', reject)
  })
}

/** What arrives of a package over a real connection, and whether that is all of it. */
async function receive(
  server: Pick<TestApp, 'app'>,
  person: Person,
  place: string,
): Promise<{ isWhole: boolean; bytes: Buffer }> {
  const response = await begin(server, person, place)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response) chunks.push(chunk)
  } catch {}
  return { isWhole: response.complete, bytes: Buffer.concat(chunks) }
}
