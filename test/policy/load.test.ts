import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { RegistryError } from '../../src/errors.js'
import { parseJson } from '../../src/policy/json-text.js'
import { loadPolicies } from '../../src/policy/load.js'

const rights = {
  version: 1,
  allow: [
    { id: 'DR-01', roles: ['anyone'], may: 'read', a: ['Policy'], because: 'Everyone may read policy.' },
  ],
  deny: [],
}
const SHIPPED = [
  ...['risk-tiers.json', 'lanes.json', 'gate.json'],
  ...['overlays.json', 'conditions.json', 'incidents.json', 'evidence.json'],
  ...['retention.json'],
]

/** A policy folder of its own, with these files changed: `null` leaves one out. */
function folder(t: Test, changes: Record<string, string | Buffer | null> = {}): string {
  const dir = t.testdir()
  for (const name of ['imports', 'catalogs', 'mappings']) mkdirSync(join(dir, name))
  for (const name of SHIPPED) cpSync(join('policies', name), join(dir, name))
  writeFileSync(join(dir, 'requirements.json'), '{ "version": 1, "requirements": [] }')
  writeFileSync(join(dir, 'decision-rights.json'), JSON.stringify(rights))
  for (const [name, content] of Object.entries(changes)) {
    if (content === null) rmSync(join(dir, name))
    else writeFileSync(join(dir, name), content)
  }
  return dir
}

function refusal(work: () => unknown): RegistryError {
  try {
    work()
  } catch (error) {
    if (error instanceof RegistryError) return error
    throw error
  }
  throw new Error('was not refused')
}

/** What loading this folder finds, as `path: message`. */
const issuesOf = (dir: string) =>
  refusal(() => loadPolicies(dir)).issues.map((i) => `${i.path}: ${i.message}`)

t.test('the policy as shipped is in force', async (t) => {
  const policies = loadPolicies('policies')
  t.match(policies.digest, /^sha256:[0-9a-f]{64}$/)
  t.ok(policies.decisionRights.allow.length > 0)
})

t.test('the digest names every byte of every policy file, and nothing else', async (t) => {
  const digest = loadPolicies(folder(t)).digest
  t.equal(loadPolicies(folder(t)).digest, digest)
  t.equal(loadPolicies(folder(t, { 'README.md': 'words' })).digest, digest)
  t.not(loadPolicies(folder(t, { 'decision-rights.json': JSON.stringify(rights, null, 1) })).digest, digest)
  const profile = loadPolicies(folder(t, { 'imports/a.json': '{}' })).digest
  t.not(profile, digest)
  t.not(loadPolicies(folder(t, { 'imports/b.json': '{}' })).digest, profile)

  const shell = readFileSync('policies/README.md', 'utf8').match(/^ {4}(sha256sum .*)$/m)?.[1] ?? ''
  const printed = execFileSync('sh', ['-c', shell], { cwd: 'policies', encoding: 'utf8' })
  t.equal(loadPolicies('policies').digest, `sha256:${printed.slice(0, 64)}`, 'as anyone can compute it')
})

t.test('policy in force cannot be changed by the code that reads it', async (t) => {
  const policies = loadPolicies(folder(t, { 'imports/a.json': '{"columns":{}}' }))
  const [question] = policies.riskTiers.questions
  t.throws(() => Object.assign(policies, { digest: '' }), TypeError)
  t.throws(() => Object.assign(question ?? {}, { text: '' }), TypeError)
  t.throws(() => policies.lanes.lanes[0]?.materialFacts.push('title'), TypeError)
  t.ok(Object.isFrozen(policies.importProfiles[0]))
})

t.test('import profiles come in the order of their names, checked by the shape they are given', async (t) => {
  const Profile = z.strictObject({ id: z.string() })
  const dir = folder(t, { 'imports/b.json': '{"id":"b"}', 'imports/a.json': '{"id":"a"}' })
  t.same(
    loadPolicies(dir, Profile).importProfiles.map(({ id }) => id),
    ['a', 'b'],
  )
  writeFileSync(join(dir, 'imports/b.json'), '{"id":7,"x":1}')
  const { issues } = refusal(() => loadPolicies(dir, Profile))
  t.same(issues.map(({ path }) => path).sort(), ['imports/b.json#/id', 'imports/b.json#/x'])
})

t.test('a policy with an error does not come into force, and every problem is named at once', async (t) => {
  const broken = folder(t, {
    'risk-tiers.json': '{\n  "version": 1,\n  "questions": [}\n',
    'lanes.json': '{"version":1,"changeClasses":{"minor":[],"adaptive":[]},"lanes":[],"lane":{}}',
    'gate.json': null,
    'lane.json': '{}',
    'decision-rights.json': JSON.stringify({ ...rights, deny: rights.allow }),
  })
  t.same(issuesOf(broken).sort(), [
    'decision-rights.json#/deny/0/id: Another right has this id; give each its own.',
    'gate.json: This file is missing; add it.',
    'lane.json: This is no policy file; they are conditions.json, decision-rights.json, evidence.json, gate.json, incidents.json, lanes.json, overlays.json, requirements.json, retention.json, risk-tiers.json.',
    'lanes.json#/lane: Is not a field here; correct its name or remove it.',
    'lanes.json#/lanes: Must have at least 1 entry.',
    'lanes.json#/version: Must be 2.',
    'risk-tiers.json: Line 3: a value is missing, before }.',
  ])
  t.match(refusal(() => loadPolicies(broken)).message, 'risk-tiers.json: Line 3')
  t.equal(issuesOf(join(broken, 'nowhere')).length, 10)
})

t.test('a file that is empty, not UTF-8 or no object is refused in a sentence', async (t) => {
  const one = (content: string | Buffer) => issuesOf(folder(t, { 'gate.json': content })).join()
  t.equal(one(''), 'gate.json: Line 1: a value is missing.')
  t.equal(one(Buffer.from([0x22, 0xe9, 0x22])), 'gate.json: This file is not UTF-8; save it as UTF-8.')
  t.match(one('[]'), /^gate.json: Must be an object/)
  t.equal(one('{"version":1,"environments":{}}'), 'gate.json#/answersValidForMinutes: Is missing; add it.')
})

t.test('files that contradict each other are refused', async (t) => {
  const file = loadPolicies(folder(t)).lanes
  const lanes = file.lanes.map((lane) => ({
    ...lane,
    materialFacts: ['purpose', 'answers.favourite_colour'],
    environments: ['production', 'prod'],
    ...(lane.precedent && { precedent: { ...lane.precedent, sameFacts: ['answers.favourite_colour'] } }),
  }))
  const changeClasses = { minor: ['answers.shoe_size'], adaptive: [] }
  const issues = issuesOf(folder(t, { 'lanes.json': JSON.stringify({ ...file, lanes, changeClasses }) }))
  const precedents = lanes.filter(({ precedent }) => precedent).length
  t.equal(issues.length, 2 * lanes.length + precedents + 1)
  t.match(issues.join(), 'lanes.json#/changeClasses/minor/0: No such question')
  t.match(issues.join(), 'precedent/sameFacts/0: No such question')
  t.ok(
    issues.includes(
      'lanes.json#/lanes/0/materialFacts/1: No such question in risk-tiers.json; correct one of them.',
    ),
  )
  t.ok(
    issues.includes(
      'lanes.json#/lanes/0/environments/1: No such environment in gate.json; correct one of them.',
    ),
  )
})

t.test('overlays and conditions that other files know nothing of are refused', async (t) => {
  const overlays = (when: object, add: object, lanes?: object) => {
    const overlay = { id: 'OV-10', when, because: 'The law asks for it.', add }
    const files = { 'overlays.json': JSON.stringify({ version: 1, overlays: [overlay] }) }
    return issuesOf(folder(t, { ...files, ...(lanes && { 'lanes.json': JSON.stringify(lanes) }) })).join()
  }
  const unit = { orgUnits: ['life'] }
  const seats = [{ stage: 'third-line', seat: 'legal', required: true, veto: false }]
  t.match(overlays(unit, { seats }), 'overlays.json#/overlays/0/add/seats/0/stage: No lane in lanes.json has')
  t.match(overlays(unit, { conditions: ['pray'] }), 'overlays/0/add/conditions/0: No such condition')
  t.match(overlays(unit, { environments: ['prod'] }), 'overlays/0/add/environments/0: No such environment')
  t.match(
    overlays(unit, { materialFacts: ['answers.mood'] }),
    'overlays/0/add/materialFacts/0: No such question',
  )

  const file = loadPolicies(folder(t)).lanes
  const attested = {
    ...{ id: 'attested', title: 'Attested', when: { tiers: ['minimal'] }, outcomes: ['approved'] },
    attestation: { statement: 'It is as I say.', sampleShare: 0.1, sampleLane: 'limited-minor' },
    ...{ validForDays: 365, materialFacts: ['answers'] },
  }
  const lanes = { ...file, lanes: [...file.lanes, attested] }
  t.match(overlays(unit, { quorum: 1 }, lanes), 'overlays/0/when/tiers: Nobody votes on what is attested')
  t.match(overlays({ tiers: ['minimal'] }, { conditions: ['drift-watched'] }, lanes), 'tiers: Nobody votes')
  t.notMatch(issuesOf(folder(t, { 'lanes.json': '{}' })).join(), 'Nobody votes')

  const limit = { id: 'us', title: 'US', type: 'limit', text: 'There.', on: 'environment', values: ['prod'] }
  const conditions = JSON.stringify({ version: 1, conditions: [limit] })
  const issues = issuesOf(folder(t, { 'conditions.json': conditions })).join('\n')
  t.match(issues, 'conditions.json#/conditions/0/values/0: No such environment in gate.json')
  t.match(issues, 'add/conditions/0: No such condition in conditions.json')
})

t.test('decision rights hold no word that could be read two ways', async (t) => {
  const allow = (right: object) =>
    issuesOf(
      folder(t, {
        'decision-rights.json': JSON.stringify({ ...rights, allow: [{ ...rights.allow[0], ...right }] }),
      }),
    ).join()
  t.match(allow({ id: 'R1' }), /allow\/0\/id: Number rights as DR-01/)
  t.match(allow({ roles: [] }), /allow\/0\/roles/)
  t.match(allow({ because: ' ' }), /allow\/0\/because: Write the sentence/)
  t.match(allow({ when: { $or: [] } }), /allow\/0\/when/)
  t.match(allow({ when: { id: { $regex: '.*' } } }), /allow\/0\/when\/id/)
  t.match(allow({ when: { id: {} } }), /allow\/0\/when\/id/)
  t.match(allow({ wenn: {} }), /wenn: Is not a field here/)
})

t.test('JSON is read as the standard has it, with the line of the first fault', async (t) => {
  const accepted = (text: string) => {
    try {
      parseJson(text)
      return true
    } catch {
      return false
    }
  }
  const standard = (text: string) => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  t.test('whatever can be written is read back', async (t) => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent)
        t.same(parseJson(text), JSON.parse(text))
      }),
    )
  })

  t.test('a text with a slip in it is accepted exactly when the standard accepts it', async () => {
    const slip = fc.constantFrom(
      '',
      ',',
      '"',
      '{',
      '}',
      '[',
      ']',
      ':',
      '\\',
      '\n',
      '-',
      '0',
      '.',
      'e',
      'u',
      'x',
      '\u007f',
    )
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(2), slip, (json, at, cut, piece) => {
        const index = at % (json.length + 1)
        const text = json.slice(0, index) + piece + json.slice(index + cut)
        const names = standard(text) && JSON.stringify(JSON.parse(text)).length !== 0
        return accepted(text) === standard(text) || (names && faultOf(text).includes('there twice'))
      }),
      { numRuns: 2000 },
    )
  })

  const faultOf = (text: string) => refusal(() => parseJson(text)).message
  const faults: [text: string, sentence: string][] = [
    ['{"a": 1\n "b": 2}', 'Line 2: a comma or } is missing, before "b".'],
    ['{"a": 1,\n}', 'Line 2: a name in double quotes is missing, before }.'],
    ['[1\n,\n]', 'Line 3: a value is missing, before ].'],
    ['{"a"\n 1}', 'Line 2: a colon is missing after the name, before 1.'],
    ['{"a": 1,\n"a": 2}', 'Line 2: the name "a" is there twice in one object, before "a".'],
    ['{"a": "x\ny"}', 'Line 1: a string holds a line break or an escape that JSON does not know, before "x.'],
    ['{"a": tru}', 'Line 1: tru} is not JSON.'],
    ['{"a": // why\n1}', 'Line 1: // why is not JSON.'],
    ['{} {}', 'Line 1: the text goes on after its end, before {.'],
    ['{"a": [1', 'Line 1: a comma or ] is missing.'],
  ]
  for (const [text, sentence] of faults) t.equal(faultOf(text), sentence)
})

const small = {
  id: 'house',
  version: '1',
  title: 'House rules',
  source: { title: 'The board', date: '2026-01-01' },
  functions: [{ id: 'H', title: 'House' }],
  categories: [{ id: 'H1', function: 'H', title: 'First' }],
  controls: [{ id: 'H1.1', function: 'H', category: 'H1', title: 'Lock the door' }],
}
const other = { ...small, id: 'other' }
const pair = { from: 'H1.1', to: 'H1.1', relation: 'intersects' }
const joined = { from: 'house', to: 'other', title: 'Both', source: small.source, pairs: [pair] }

t.test('catalogs and mappings are policy: part of the digest, and frozen', async (t) => {
  const changes = {
    'catalogs/a.json': JSON.stringify(small),
    'catalogs/b.json': JSON.stringify(other),
    'mappings/a.json': JSON.stringify(joined),
  }
  const policies = loadPolicies(folder(t, changes))
  t.same(
    policies.catalogs.map(({ id }) => id),
    ['house', 'other'],
  )
  t.same(policies.mappings, [joined])
  t.ok(Object.isFrozen(policies.catalogs[0]?.controls))
  const { digest } = loadPolicies(
    folder(t, { ...changes, 'mappings/a.json': JSON.stringify(joined, null, 1) }),
  )
  t.not(policies.digest, digest)
})

t.test('a catalog or mapping with a loose end does not come into force', async (t) => {
  const found = (changes: Record<string, object>) =>
    issuesOf(
      folder(
        t,
        Object.fromEntries(Object.entries(changes).map(([name, one]) => [name, JSON.stringify(one)])),
      ),
    )
  const tied = { ...other, tiesTo: 'house', controls: [{ ...other.controls[0], ties: ['H9'] }] }
  t.same(found({ 'catalogs/a.json': small, 'catalogs/b.json': tied, 'catalogs/c.json': small }), [
    'catalogs/c.json#/version: Is in catalogs/a.json already; once is enough.',
    'catalogs/b.json#/controls/0/ties/0: Is H9, which is no control of house.',
  ])
  t.same(found({ 'catalogs/b.json': tied }), [
    'catalogs/b.json#/tiesTo: Is house, which is no catalog of this policy.',
  ])
  const reversed = { ...joined, from: 'other', to: 'house' }
  const stray = { ...joined, to: 'nist', pairs: [{ ...pair, from: 'H2' }] }
  t.same(
    found({
      ...{ 'catalogs/a.json': small, 'catalogs/b.json': other },
      ...{ 'mappings/a.json': joined, 'mappings/b.json': reversed, 'mappings/c.json': stray },
    }),
    [
      'mappings/b.json#/to: Is in mappings/a.json already; once is enough.',
      'mappings/c.json#/pairs/0/from: Is H2, which is no control of house.',
      'mappings/c.json#/to: Is nist, which is no catalog of this policy.',
    ],
  )
  const broken = { ...small, controls: [{ ...small.controls[0], parent: 'H1.1', risks: ['none'] }] }
  t.same(found({ 'catalogs/a.json': broken, 'mappings/a.json': joined }), [
    'catalogs/a.json#/controls/0/risks/0: Is none, which is no risk here.',
    'catalogs/a.json#/controls/0/parent: Comes back to this control; parents must end at a control without one.',
  ])
})
