// What policy asks of a tier and of facts: which file comes into force, and what it then asks of whom.
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { projectRoot } from '../../src/config.js'
import { explain, issuesOf, pointer } from '../../src/issues.js'
import { findMisfits } from '../../src/policy/cross-checks.js'
import { loadPolicies } from '../../src/policy/load.js'
import { askWords, requirementWords } from '../../src/policy/requirement-words.js'
import {
  asksOf,
  controlsOf,
  factsAskedAbout,
  type RequirementPolicies,
  RequirementsFile,
  type RequiringFacts,
  unstatedFor,
} from '../../src/policy/requirements.js'
import { Technique, Tier } from '../../src/use-cases/use-case.js'
import { answersFor } from '../answers.js'

const shipped = loadPolicies(join(projectRoot, 'policies'))
const { catalogs, riskTiers } = shipped

// biome-ignore lint/suspicious/noExplicitAny: what a policy file may say is what is tested
type Draft = any

const report: Draft = {
  id: 'RQ-10',
  when: { tiers: ['high'] },
  because: 'It was tried',
  evidence: { kind: 'test_report' },
  ifMissing: 'refuse',
}
const ai = { catalog: 'nist-ai-rmf', version: '1.0' }
const switchOff: Draft = {
  id: 'RQ-20',
  when: { tiers: ['high'] },
  because: 'It can be switched off',
  controls: { ...ai, ids: ['MANAGE 2.4'] },
  ifMissing: { dueInDays: 60, owner: 'risk_owner' },
}

const file = (...requirements: Draft[]) => RequirementsFile.parse({ version: 1, requirements })
const policy = (...requirements: Draft[]): RequirementPolicies => ({
  requirements: file(...requirements),
  catalogs,
})

/** What is wrong with these, as `pointer: message`. */
function flaws(...requirements: Draft[]): string[] {
  const read = RequirementsFile.safeParse({ version: 1, requirements }, { error: explain })
  return read.success ? [] : issuesOf(read.error).map(({ path, message }) => `${path}: ${message}`)
}

/** What does not fit the questions and catalogs that are shipped. */
function misfits(...requirements: Draft[]): string[] {
  return findMisfits({ requirements: file(...requirements), riskTiers, catalogs }).map(
    ({ file: name, path, message }) => `${name}#${pointer(path)}: ${message}`,
  )
}

const facts: RequiringFacts = {
  ...{
    technique: 'generative',
    channels: ['web'],
    jurisdictions: ['US-NY', 'DE'],
    unitKeys: ['life', 'all'],
  },
  answers: answersFor.high,
}
const asked = (policies: RequirementPolicies, tier: Tier, given: Partial<RequiringFacts> = {}) =>
  asksOf(policies, tier, { ...facts, ...given })
const ids = (...given: Parameters<typeof asked>) => [
  ...new Set(asked(...given).map((one) => one.requirement.id)),
]

t.test('what is shipped asks nothing of minimal, little of limited, and much of high', async (t) => {
  const { requirements } = shipped.requirements
  t.ok(requirements.length <= 25, 'no more than people can know')
  t.same(ids(shipped, 'minimal', { answers: answersFor.minimal }), [])
  const limited = ids(shipped, 'limited', {
    answers: answersFor.limited,
    technique: 'nlp',
    jurisdictions: ['US'],
  })
  const high = ids(shipped, 'high')
  t.ok(limited.length < high.length / 2 || high.length === 0)
  for (const one of asked(shipped, 'limited', { answers: answersFor.limited, technique: 'nlp' })) {
    t.not(one.requirement.ifMissing, 'refuse', 'limited is never held up')
  }
  for (const { id, because } of requirements)
    t.match(because, /NIST|AI 600-1|EU AI Act|NAIC|NYDFS|SB 21-169/, id)
})

t.test('R-100: what nobody stated is required', async () => {
  const scopes = [
    { techniques: ['agentic', 'generative'] },
    { channels: ['phone'] },
    { jurisdictions: ['EU'] },
    { orgUnits: ['life'] },
    { answers: { autonomy: ['autonomous'], decision_role: ['decides', 'assists'] } },
  ]
  const every = policy(...scopes.map((when, at) => ({ ...report, id: `RQ-1${at}`, when })))
  const answer = fc.constantFrom(undefined, 'unknown', 'autonomous', 'human_in_loop')
  const stated = fc.record({
    technique: fc.constantFrom(null, ...Technique.options),
    channels: fc.subarray(['phone', 'web']),
    jurisdictions: fc.subarray(['US', 'DE', 'Europe']),
    unitKeys: fc.constantFrom([], ['life', 'all'], ['sales', 'all']),
    answers: fc.record({ autonomy: answer, decision_role: fc.constantFrom('decides', 'none') }),
  })
  const blanks = {
    ...{ technique: null, channels: [], jurisdictions: [], unitKeys: [] },
    answers: {},
  }
  const names = fc.subarray(Object.keys(blanks) as (keyof typeof blanks)[])
  fc.assert(
    fc.property(fc.constantFrom(...Tier.options), stated, names, (tier, given, left) => {
      const known = given as unknown as RequiringFacts
      const blank = Object.fromEntries(left.map((name) => [name, blanks[name]]))
      const less = new Set(ids(every, tier, { ...known, ...blank }))
      return ids(every, tier, known).every((id) => less.has(id))
    }),
  )
})

t.test('R-100: a requirement is for tiers, facts and answers, all of them together', async (t) => {
  const when = {
    ...{ tiers: ['high'], techniques: ['generative'], jurisdictions: ['EU'], orgUnits: ['life'] },
    ...{ channels: ['Web'], answers: { personal_data: ['personal', 'special'] } },
  }
  const narrow = policy({ ...report, when })
  t.same(ids(narrow, 'high'), ['RQ-10'])
  t.same(ids(narrow, 'limited'), [])
  for (const given of [
    { technique: 'nlp' },
    { jurisdictions: ['US'] },
    { unitKeys: ['sales'] },
    { channels: ['phone'] },
    { answers: { personal_data: 'none' } },
  ] as Partial<RequiringFacts>[]) {
    t.same(ids(narrow, 'high', given), [], JSON.stringify(given))
  }
  t.same(ids(narrow, 'high', { answers: { personal_data: 'unknown' } }), ['RQ-10'])
  t.same(ids(narrow, 'high', { answers: {} }), ['RQ-10'])
  t.same(ids(narrow, 'high', { answers: Object.create({ personal_data: 'none' }) }), ['RQ-10'])
})

t.test('R-60, R-100: the facts on which what is asked for rests are named for each tier', async (t) => {
  const channels = { ...report, id: 'RQ-11', when: { channels: ['web'], answers: { affected: ['public'] } } }
  const units = { ...report, id: 'RQ-12', when: { tiers: ['limited'], orgUnits: ['claims'] } }
  t.same(factsAskedAbout(file(channels, units, report), 'limited'), [
    ...['channels', 'answers.affected', 'orgUnitId'],
  ])
  t.same(factsAskedAbout(file(channels, units, report), 'high'), ['channels', 'answers.affected'])
  for (const tier of ['limited', 'high'] as const) {
    const lanes = shipped.lanes.lanes.filter(({ when }) => when?.tiers?.includes(tier))
    for (const { id, materialFacts } of lanes) {
      const unseen = factsAskedAbout(shipped.requirements, tier).filter(
        (name) => !materialFacts.some((fact) => name === fact || name.startsWith(`${fact}.`)),
      )
      t.same(unseen, [], `${id} says itself all that is material to what is shipped`)
    }
  }
})

t.test('what was left open is named, as a requirement may go with it', async (t) => {
  const when = { tiers: ['high'], techniques: ['agentic'], jurisdictions: ['EU'], orgUnits: ['life'] }
  const [wide] = file({
    ...report,
    when: { ...when, channels: ['web'], answers: { autonomy: ['autonomous'] } },
  }).requirements
  if (!wide) throw new Error('no requirement')
  t.same(unstatedFor(wide, 'high', { ...facts, answers: { autonomy: 'autonomous' } }), [])
  const blank = { technique: null, channels: [], jurisdictions: [], unitKeys: [], answers: {} }
  const all = ['technique', 'channels', 'jurisdictions', 'orgUnit', 'answers.autonomy']
  t.same(unstatedFor(wide, 'high', blank), all)
  t.same(unstatedFor(wide, 'high', { ...blank, jurisdictions: ['FR'] }), all.toSpliced(2, 1))
})

t.test('controls are asked for by themselves, or by the category or function that holds them', async (t) => {
  const controls = (...wanted: string[]) => controlsOf(catalogs, { ...ai, ids: wanted })
  t.same(controls('MANAGE 2.4'), ['MANAGE 2.4'])
  t.same(controls('MANAGE 2'), ['MANAGE 2.1', 'MANAGE 2.2', 'MANAGE 2.3', 'MANAGE 2.4'])
  t.equal(controls('MEASURE').length, 22)
  t.same(controls('MANAGE 2.4', 'MANAGE 2').length, 4, 'each once')
  t.same(controlsOf(catalogs, { ...ai, version: '9', ids: ['MANAGE 2.4'] }), [])
  const asks = asked(
    policy(report, { ...switchOff, controls: { ...switchOff.controls, ids: ['MANAGE 2'] } }),
    'high',
  )
  t.same(
    asks.map(({ ask }) => (ask.type === 'control' ? ask.control : ask.kind)),
    ['test_report', 'MANAGE 2.1', 'MANAGE 2.2', 'MANAGE 2.3', 'MANAGE 2.4'],
    'in the order of the file and of the catalog',
  )
  t.same(asks[0]?.ask, { type: 'evidence', kind: 'test_report', freshForDays: null, acceptedBy: [] })
  t.same(asks[1]?.ask, {
    ...{ type: 'control', ...ai, control: 'MANAGE 2.1', withEvidence: false },
    states: ['in_place', 'not_applicable'],
  })
})

t.test('a requirement that contradicts itself does not come into force', async (t) => {
  const controls = (change: Draft) => ({ ...switchOff, controls: { ...switchOff.controls, ...change } })
  const place = '/requirements/0'
  for (const [requirement, said] of [
    [{ ...report, controls: switchOff.controls }, `${place}: ask either for evidence or for controls`],
    [{ ...report, evidence: undefined }, `${place}: ask either for evidence or for controls`],
    [{ ...switchOff, when: {} }, `${place}/when/tiers: what is attested as minimal carries no conditions`],
    [{ ...switchOff, when: { tiers: ['minimal'] } }, `${place}/when/tiers: what is attested as minimal`],
    [
      { ...report, when: { tiers: ['prohibited'] } },
      `${place}/when/tiers: what is prohibited is never approved`,
    ],
    [
      { ...report, when: { tiers: ['minimal', 'prohibited'] }, exception: { longestDays: 9 } },
      `${place}/exception: only a review grants exceptions`,
    ],
    [
      controls({ states: ['in_place', 'not_assessed'] }),
      `${place}/controls/states/1: not_assessed is no ground`,
    ],
    [controls({ states: ['not_effective'] }), `${place}/controls/states/0: not_effective is no ground`],
    [
      controls({ states: ['not_applicable'] }),
      `${place}/controls/states: a control that applies could never`,
    ],
    [
      controls({ states: ['planned'], withEvidence: true }),
      `${place}/controls/withEvidence: only a control in place`,
    ],
    [controls({ ids: ['MAP 1.1', 'MAP 1.1'] }), `${place}/controls/ids/1: is there before`],
    [{ ...report, id: 'R-1' }, `${place}/id: number requirements as RQ-01`],
    [{ ...report, id: 'XRQ-10' }, `${place}/id: number requirements as RQ-01`],
    [{ ...report, id: 'RQ-1000' }, `${place}/id: number requirements as RQ-01`],
    [{ ...report, because: ' ' }, `${place}/because: write the sentence`],
    [{ ...report, ifMissing: 'warn' }, `${place}/ifMissing: say "refuse", or with which due date`],
    [
      { ...report, ifMissing: { dueInDays: 5, beforeDeploy: true, owner: 'risk_owner' } },
      `${place}/ifMissing: `,
    ],
    [{ ...report, evidence: { kind: 'hearsay' } }, `${place}/evidence/kind: `],
    [{ ...report, evidence: { kind: 'test_report', freshForDays: 0 } }, `${place}/evidence/freshForDays: `],
    [
      { ...report, evidence: { kind: 'test_report', acceptedBy: ['chair'] } },
      `${place}/evidence/acceptedBy/0: `,
    ],
    [{ ...report, exception: { longestDays: 4000 } }, `${place}/exception/longestDays: `],
    [{ ...report, when: { answers: { autonomy: [] } } }, `${place}/when/answers/autonomy: `],
  ] as [Draft, string][]) {
    const found = flaws(requirement)
    t.equal(found.length, 1, said)
    t.ok(found[0]?.startsWith(said), `${found[0]}`)
  }
  t.same(flaws(report, { ...switchOff, id: 'RQ-10' }), [
    '/requirements/1/id: another requirement has this id; give each its own',
  ])
  t.same(flaws(report, switchOff, { ...report, id: 'RQ-11' }), [], 'the same may be asked for twice')
  t.same(flaws({ ...switchOff, ifMissing: { dueInDays: 9, owner: 'business_owner' } }), [])
  t.same(flaws({ ...report, when: { tiers: ['minimal', 'high'] }, exception: { longestDays: 9 } }), [])
})

t.test('a requirement that other files know nothing of does not come into force', async (t) => {
  const answers = (given: Draft) => misfits({ ...report, when: { ...report.when, answers: given } })
  const controls = (change: Draft) =>
    misfits({ ...switchOff, controls: { ...switchOff.controls, ...change } })
  const place = 'requirements.json#/requirements/0'
  t.same(answers({ mood: ['good'] }), [
    `${place}/when/answers/mood: no such question in risk-tiers.json; correct one of them`,
  ])
  t.same(answers({ autonomy: ['autonomous', 'free'] }), [
    `${place}/when/answers/autonomy/1: no such answer to this question in risk-tiers.json; correct one of them`,
  ])
  t.same(answers({ autonomy: ['unknown', 'autonomous'] }), [
    `${place}/when/answers/autonomy/0: what nobody answered meets every requirement already; leave it out`,
  ])
  t.same(answers({ autonomy: ['human_in_loop', 'human_on_loop', 'autonomous'] }), [
    `${place}/when/answers/autonomy: every answer is named, so that this rules nothing out; leave the question out`,
  ])
  t.same(controls({ catalog: 'house' }), [
    `${place}/controls/catalog: no such catalog in catalogs/; correct one of them`,
  ])
  t.same(controls({ version: '2.0' }), [
    `${place}/controls/version: no such version in catalogs/; correct one of them`,
  ])
  t.same(controls({ ids: ['MANAGE 2', 'MANAGE 9'] }), [
    `${place}/controls/ids/1: no such control, category or function in this catalog; correct it`,
  ])
  t.same(misfits(report, switchOff), [])
  const all = { ...shipped, catalogs: undefined, riskTiers: undefined }
  t.same(
    findMisfits({
      ...all,
      requirements: file({ ...switchOff, controls: { ...switchOff.controls, version: '2.0' } }),
    }),
    [],
  )
})

t.test('what is asked for is said in words', async (t) => {
  const words = (requirement: Draft) => file(requirement).requirements.map(requirementWords)[0]
  t.equal(
    words({
      ...report,
      evidence: { kind: 'test_report', freshForDays: 365, acceptedBy: ['risk', 'security'] },
    }),
    'a test report of the last 365 days, accepted by the seat risk or security; nothing is approved without it',
  )
  t.equal(
    words({
      ...report,
      evidence: { kind: 'other' },
      ifMissing: { beforeDeploy: true, owner: 'business_owner' },
    }),
    'an other, accepted by somebody other than its giver; without it an approval has a condition for the business owner, to be met before a deploy',
  )
  t.equal(
    words({ ...switchOff, controls: { ...ai, ids: ['MANAGE 2', 'MAP 1.1'], withEvidence: true } }),
    'MANAGE 2, MAP 1.1 in place or not applicable with accepted evidence; without it an approval has a condition for the risk owner, due in 60 days',
  )
  const [one] = asked(policy(switchOff), 'high')
  t.equal(one && askWords(one.ask), 'MANAGE 2.4 in place or not applicable')
})
