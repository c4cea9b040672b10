import { readFileSync } from 'node:fs'
import t from 'tap'
import { enforcementOf, GateFile } from '../../src/policy/gate-policy.js'
import { chooseLane, classOf, LanesFile, laneById } from '../../src/policy/lanes.js'
import { Tier } from '../../src/use-cases/use-case.js'

const read = (name: string): unknown => JSON.parse(readFileSync(`policies/${name}`, 'utf8'))
const shipped = LanesFile.parse(read('lanes.json'))
const nothingStated = { technique: null, channels: [], jurisdictions: [] }

const seat = (name: string, required = false) => ({ seat: name, required, veto: false })
const stage = (quorum: number, ...seats: object[]) => ({ id: 'committee', seats, quorum, dueInDays: 10 })
const lane = (id: string, when: object | undefined, stages: object[], rest: object = {}) => ({
  id,
  title: 'A lane',
  ...(when && { when }),
  stages,
  outcomes: ['blocked', 'changes_requested'],
  validForDays: 365,
  materialFacts: ['purpose', 'answers.decision_role'],
  ...rest,
})
const two = [stage(2, seat('risk', true), seat('legal'), seat('business'))]
const all = lane('all', { tiers: Tier.options }, two)
const fileOf = (lanes: object[], classes: object = {}) => ({
  version: 2,
  changeClasses: { minor: [], adaptive: [], ...classes },
  lanes,
})

t.test('R-21: each tier goes through its own lane', async (t) => {
  for (const tier of Tier.options) t.match(chooseLane(shipped, tier, nothingStated).when?.tiers, [tier])
  const votes = Tier.options.map((tier) =>
    chooseLane(shipped, tier, nothingStated).stages.reduce((sum, { quorum }) => sum + quorum, 0),
  )
  t.ok(
    votes[0] === Math.min(...votes) && votes[2] === Math.max(...votes),
    `the riskier, the more votes: ${votes}`,
  )
})

t.test('R-26: what is prohibited cannot be approved, and high risk stands for a year at most', async (t) => {
  t.same(chooseLane(shipped, 'prohibited', nothingStated).outcomes, ['blocked', 'changes_requested'])
  const high = shipped.lanes.filter(({ when, id }) => when?.tiers?.includes('high') || id.startsWith('high'))
  for (const { id, validForDays, stages } of high) {
    t.ok(validForDays <= 365, id)
    t.ok(stages.flatMap(({ seats }) => seats).find((place) => place.seat === 'risk')?.required, id)
  }
})

t.test('a change of answers or purpose is material in every lane', async (t) => {
  for (const { id, materialFacts } of shipped.lanes) {
    t.ok(materialFacts.includes('answers') && materialFacts.includes('purpose'), id)
  }
})

t.test('R-21: the first lane that fits is taken, and a fact left blank does not dodge a lane', async (t) => {
  const agents = lane('agents', { tiers: ['high'], techniques: ['agentic'], jurisdictions: ['EU'] }, [
    stage(3, seat('risk'), seat('security'), seat('legal')),
  ])
  const file = LanesFile.parse(fileOf([agents, all]))
  const chosen = (technique: 'agentic' | 'nlp' | null, ...jurisdictions: string[]) =>
    chooseLane(file, 'high', { technique, channels: [], jurisdictions }).id
  t.equal(chosen('agentic', 'DE'), 'agents')
  t.equal(chosen(null), 'agents')
  t.equal(chosen('nlp', 'DE'), 'all')
  t.equal(chosen('agentic', 'US-NY'), 'all')
  t.equal(chooseLane(file, 'limited', { ...nothingStated, technique: 'agentic' }).id, 'all')
})

t.test('R-21: a lane for a unit takes what lies below it too, and what no unit is known of', async (t) => {
  const life = lane('life', { tiers: ['high'], orgUnits: ['life'] }, two)
  const file = LanesFile.parse(fileOf([life, all]))
  const chosen = (unitKeys?: string[]) => chooseLane(file, 'high', { ...nothingStated, unitKeys }).id
  t.equal(chosen(['life']), 'life')
  t.equal(chosen(['life-claims', 'life', 'organisation']), 'life')
  t.equal(chosen(['auto', 'organisation']), 'all')
  t.equal(chosen([]), 'life')
  t.equal(chosen(), 'life')
  t.equal(chooseLane(file, 'limited', { ...nothingStated, unitKeys: ['life'] }).id, 'all')
})

t.test('a lane without conditions of its own is reached by its id alone', async (t) => {
  const short = lane('short', undefined, [stage(1, seat('risk'))])
  const file = LanesFile.parse(fileOf([short, { ...all, reReview: { minor: 'short' } }]))
  for (const tier of Tier.options) t.equal(chooseLane(file, tier, nothingStated).id, 'all')
  t.equal(laneById(file, 'short').id, 'short')
  t.equal(laneById(file, 'all').order, 'in_order')
  t.throws(() => laneById(file, 'shirt'), /no lane shirt/)
  t.throws(() => chooseLane({ lanes: [] }, 'high', nothingStated), /no lane for tier high/)
})

t.test('R-51: a change is of the class of its weightiest fact', async (t) => {
  const { changeClasses } = fileOf([], { minor: ['title'], adaptive: ['systemIds', 'answers.autonomy'] })
  const file = { changeClasses }
  t.equal(classOf(shipped, []), 'minor')
  t.equal(classOf(file, ['title']), 'minor')
  t.equal(classOf(file, ['title', 'systemIds', 'answers.autonomy']), 'adaptive')
  t.equal(classOf(file, ['title', 'answers.affected']), 'transformative')
  t.equal(classOf({ changeClasses: { minor: ['answers'], adaptive: [] } }, ['answers.affected']), 'minor')
  for (const fact of ['answers.affected', 'purpose', 'technique', 'orgUnitId', 'jurisdictions', 'no_such']) {
    t.equal(classOf(shipped, ['title', fact]), 'transformative', fact)
  }
})

const refuses = (t: Tap, file: object, path: string, words: RegExp) => {
  const { error } = LanesFile.safeParse(file)
  const issues = error?.issues.map((issue) => `${issue.path.join('/')}: ${issue.message}`) ?? []
  t.ok(
    issues.some((issue) => issue.startsWith(`${path}: `) && words.test(issue)),
    `${path} ${words}: ${issues}`,
  )
}
type Tap = Pick<typeof t, 'ok'>

const rest = { tiers: Tier.options }
const approving = ['approved', 'blocked', 'changes_requested']

t.test('a file of lanes with a hole in it does not pass', async (t) => {
  const refusesLanes = (lanes: object[], path: string, words: RegExp) =>
    refuses(t, fileOf(lanes), path, words)
  t.ok(LanesFile.safeParse(fileOf([all])).success)
  t.ok(LanesFile.safeParse(fileOf([lane('a', {}, two)])).success, 'conditions without any are met by all')
  refusesLanes([lane('a', { tiers: ['minimal', 'limited', 'high'] }, two)], 'lanes', /tier prohibited/)
  refusesLanes([lane('a', { ...rest, channels: ['phone'] }, two)], 'lanes', /tier minimal/)
  refusesLanes([all, all], 'lanes/1/id', /give each its own/)
  refusesLanes([lane('a', rest, two, { outcomes: ['blocked'] })], 'lanes/0/outcomes', /changes_requested/)
  refusesLanes([lane('a', rest, two, { outcomes: approving })], 'lanes/0/outcomes', /prohibited/)
  refusesLanes([lane('a', {}, two, { outcomes: approving })], 'lanes/0/outcomes', /prohibited/)
  refusesLanes(
    [lane('a', rest, two, { outcomes: ['approved_with_conditions', 'blocked', 'changes_requested'] })],
    'lanes/0/outcomes',
    /add approved$/,
  )
  refusesLanes(
    [lane('a', rest, two, { materialFacts: ['porpoise'] })],
    'lanes/0/materialFacts/0',
    /name a fact/,
  )
  refusesLanes([lane('a', rest, two, { validForDays: 0 })], 'lanes/0/validForDays', /./)
  refusesLanes([lane('a', rest, two, { vetoes: [] })], 'lanes/0', /vetoes/)
  refusesLanes([lane('a', { ...rest, orgUnits: ['Life & Health'] }, two)], 'lanes/0/when/orgUnits/0', /key/)
  const weighs = (minor: string[], adaptive: string[], words: RegExp) =>
    refuses(t, fileOf([all], { minor, adaptive }), 'changeClasses/adaptive/0', words)
  weighs(['title'], ['title'], /title is minor already/)
  weighs(['answers'], ['answers.autonomy'], /answers.autonomy is minor already/)
  weighs(['answers.autonomy'], ['answers'], /answers is minor already/)
  weighs([], ['porpoise'], /name a fact/)
})

t.test('stages that cannot come to an end do not pass', async (t) => {
  const refusesStages = (stages: object[], path: string, words: RegExp) =>
    refuses(t, fileOf([lane('a', rest, stages)]), `lanes/0/stages${path}`, words)
  const then = { ...stage(1, seat('legal')), id: 'then' }
  t.ok(LanesFile.safeParse(fileOf([lane('a', rest, [stage(1, seat('risk')), then])])).success)
  refusesStages([], '', /at least one stage/)
  refusesStages([stage(1, seat('risk')), { ...then, id: 'committee' }], '/1/id', /give each its own/)
  refusesStages([stage(1, seat('risk'), seat('legal')), then], '/1/seats/0', /twice/)
  refusesStages([stage(1, seat('risk'), seat('risk'))], '/0/seats/1', /twice/)
  refusesStages([stage(3, seat('risk'), seat('legal'))], '/0/quorum', /2 seats/)
  refusesStages([stage(1, seat('risk')), { ...then, quorum: 2 }], '/1/quorum', /1 seats cannot give 2/)
  refusesStages([stage(1, seat('risk', true), seat('legal', true))], '/0/quorum', /2 seats are required/)
  refusesStages([stage(1, seat('chair'))], '/0/seats/0/seat', /business/)
})

t.test('no lane stands above one that asks for more votes, in all its stages together', async (t) => {
  const phone = { ...rest, channels: ['phone'] }
  const one = stage(1, seat('risk'))
  const refusesAbove = (stages: object[], below: object) =>
    refuses(t, fileOf([lane('light', phone, stages), below]), 'lanes/0', /stricter lane of tier minimal/)
  refusesAbove([one], all)
  refusesAbove([one], lane('b', rest, [one, { ...stage(1, seat('legal')), id: 'then' }]))
  const twice = [one, { ...stage(1, seat('legal')), id: 'then' }]
  t.ok(LanesFile.safeParse(fileOf([lane('heavy', phone, twice), all])).success)
})

t.test('R-25: only what is minimal is attested, in a lane in which nobody votes', async (t) => {
  const attestation = { statement: 'It is as I say.', sampleShare: 0.1, sampleLane: 'sample' }
  const sample = lane('sample', undefined, [stage(1, seat('risk'))])
  const attested = (change: object = {}) =>
    lane('attested', { tiers: ['minimal'] }, [], { attestation, outcomes: ['approved'], ...change })
  const above = lane('above', { tiers: ['limited', 'high', 'prohibited'] }, two)
  const refusesAttested = (change: object, path: string, words: RegExp) =>
    refuses(t, fileOf([attested(change), above, all, sample]), `lanes/0/${path}`, words)

  t.ok(LanesFile.safeParse(fileOf([attested(), above, sample])).success)
  refusesAttested({ when: { tiers: ['minimal', 'limited'] } }, 'when/tiers', /only what is minimal/)
  refusesAttested({ when: { channels: ['phone'] } }, 'when/tiers', /only what is minimal/)
  refusesAttested({ stages: two }, 'stages', /remove the stages/)
  refusesAttested({ outcomes: approving }, 'outcomes', /only approve/)
  refusesAttested({ outcomes: ['blocked'] }, 'outcomes', /add approved/)
  refusesAttested({ reReview: { minor: 'sample' } }, 'attestation', /attesting again/)
  refusesAttested(
    { attestation: { ...attestation, sampleLane: 'sampler' } },
    'attestation/sampleLane',
    /no lane/,
  )
  refusesAttested({ attestation: { ...attestation, sampleShare: 10 } }, 'attestation/sampleShare', /./)
  refusesAttested({ attestation: { ...attestation, statement: ' ' } }, 'attestation/statement', /declares/)
  const voted = lane('voted', { tiers: ['minimal'], channels: ['phone'] }, [stage(1, seat('risk'))])
  t.ok(LanesFile.safeParse(fileOf([voted, attested(), above, sample])).success)
  refuses(t, fileOf([attested(), all, sample]), 'lanes/0', /stricter lane of tier minimal stands below/)
})

t.test('a lane refers to one in which people vote, and which refers no further', async (t) => {
  const short = lane('short', undefined, [stage(1, seat('risk'))])
  const refusesFrom = (change: object, path: string, words: RegExp, ...others: object[]) =>
    refuses(t, fileOf([{ ...all, ...change }, ...others]), `lanes/0/${path}`, words)
  const precedent = (to: string) => ({ precedent: { lane: to, sameFacts: ['answers'], withinDays: 365 } })

  t.ok(LanesFile.safeParse(fileOf([{ ...all, ...precedent('short') }, short])).success)
  refusesFrom({ reReview: { minor: 'shirt' } }, 'reReview/minor', /no lane shirt/, short)
  refusesFrom({ reReview: { adaptive: 'shirt' } }, 'reReview/adaptive', /no lane shirt/, short)
  refusesFrom(precedent('shirt'), 'precedent/lane', /no lane shirt/, short)
  refusesFrom({ reReview: { minor: 'all' } }, 'reReview/minor', /refers to another one itself/)
  const onward = { ...lane('onward', undefined, two), reReview: { minor: 'short' } }
  refusesFrom({ reReview: { minor: 'onward' } }, 'reReview/minor', /refers to another/, onward, short)
  refusesFrom({ reReview: { minor: 'empty' } }, 'reReview/minor', /nobody votes/, {
    ...short,
    id: 'empty',
    stages: [],
  })
  const approves = { ...short, outcomes: approving }
  refusesFrom(
    { reReview: { minor: 'short' } },
    'reReview/minor',
    /prohibited use cannot be approved/,
    approves,
  )
  refuses(t, fileOf([all, short]), 'lanes/1/id', /no lane refers to this one/)
})

t.test('what a shorter lane approves stands on no less, nor longer, nor in more places', async (t) => {
  const short = { ...lane('short', undefined, [stage(1, seat('risk'))]), environments: ['staging'] }
  const full = { ...all, environments: ['staging', 'production'], reReview: { adaptive: 'short' } }
  const refusesShort = (change: object, words: RegExp) =>
    refuses(t, fileOf([full, { ...short, ...change }]), 'lanes/0/reReview/adaptive', words)
  t.ok(LanesFile.safeParse(fileOf([full, short])).success)
  t.ok(
    LanesFile.safeParse(fileOf([full, { ...short, materialFacts: ['purpose', 'answers', 'stage'] }])).success,
  )
  refusesShort({ validForDays: 366 }, /stand 365 days at most/)
  refusesShort({ materialFacts: ['answers.decision_role'] }, /in lane short purpose may change unseen/)
  refusesShort({ materialFacts: ['purpose', 'answers.autonomy'] }, /answers.decision_role may change unseen/)
  refusesShort({ environments: ['development'] }, /in more environments/)
  refusesShort({ environments: undefined }, /in more environments/)
})

t.test('an environment that policy does not name enforces', async (t) => {
  const gate = GateFile.parse(read('gate.json'))
  t.equal(enforcementOf(gate, 'production'), 'enforce')
  t.equal(enforcementOf(gate, 'staging'), 'warn')
  for (const name of ['prod', 'Staging', '', 'constructor', '__proto__']) {
    t.equal(enforcementOf(gate, name), 'enforce', name)
  }
  t.notOk(GateFile.safeParse({ ...gate, environments: { production: 'ignore' } }).success)
})
