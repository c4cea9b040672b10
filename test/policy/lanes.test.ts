import { readFileSync } from 'node:fs'
import t from 'tap'
import { enforcementOf, GateFile } from '../../src/policy/gate-policy.js'
import { chooseLane, LanesFile } from '../../src/policy/lanes.js'
import { Tier } from '../../src/use-cases/use-case.js'

const read = (name: string): unknown => JSON.parse(readFileSync(`policies/${name}`, 'utf8'))
const shipped = LanesFile.parse(read('lanes.json'))
const nothingStated = { technique: null, channels: [], jurisdictions: [] }

const seat = (name: string, required = false) => ({ seat: name, required, veto: false })
const stage = (quorum: number, ...seats: object[]) => ({ id: 'committee', seats, quorum, dueInDays: 10 })
const lane = (id: string, when: object, stages: object[], rest: object = {}) => ({
  id,
  title: 'A lane',
  when,
  stages,
  outcomes: ['blocked', 'changes_requested'],
  validForDays: 365,
  materialFacts: ['purpose', 'answers.decision_role'],
  ...rest,
})
const two = [stage(2, seat('risk', true), seat('legal'), seat('business'))]
const all = lane('all', { tiers: Tier.options }, two)

t.test('each tier goes through its own lane', async (t) => {
  for (const tier of Tier.options) t.equal(chooseLane(shipped, tier, nothingStated).id, tier)
  const quorums = Tier.options.map((tier) => chooseLane(shipped, tier, nothingStated).stages[0]?.quorum)
  t.same(quorums, [1, 2, 3, 2])
})

t.test('what is prohibited cannot be approved, and high risk stands for a year at most', async (t) => {
  t.same(chooseLane(shipped, 'prohibited', nothingStated).outcomes, ['blocked', 'changes_requested'])
  t.ok(chooseLane(shipped, 'high', nothingStated).validForDays <= 365)
  t.ok(chooseLane(shipped, 'high', nothingStated).stages[0]?.seats.find((s) => s.seat === 'risk')?.required)
})

t.test('a change of answers or purpose is material in every lane', async (t) => {
  for (const { id, materialFacts } of shipped.lanes) {
    t.ok(materialFacts.includes('answers') && materialFacts.includes('purpose'), id)
  }
})

t.test('the first lane that fits is taken, and a fact left blank does not dodge a lane', async (t) => {
  const agents = lane('agents', { tiers: ['high'], techniques: ['agentic'], jurisdictions: ['EU'] }, [
    stage(3, seat('risk'), seat('security'), seat('legal')),
  ])
  const file = LanesFile.parse({ version: 1, lanes: [agents, all] })
  const chosen = (technique: 'agentic' | 'nlp' | null, ...jurisdictions: string[]) =>
    chooseLane(file, 'high', { technique, channels: [], jurisdictions }).id
  t.equal(chosen('agentic', 'DE'), 'agents')
  t.equal(chosen(null), 'agents')
  t.equal(chosen('nlp', 'DE'), 'all')
  t.equal(chosen('agentic', 'US-NY'), 'all')
  t.equal(chooseLane(file, 'limited', { ...nothingStated, technique: 'agentic' }).id, 'all')
})

t.test('a file of lanes with a hole in it does not pass', async (t) => {
  const refuses = (lanes: object[], path: string, words: RegExp) => {
    const { error } = LanesFile.safeParse({ version: 1, lanes })
    const issues = error?.issues.map((issue) => `${issue.path.join('/')}: ${issue.message}`) ?? []
    t.ok(
      issues.some((issue) => issue.startsWith(`${path}: `) && words.test(issue)),
      `${path} ${words}: ${issues}`,
    )
  }
  const rest = { tiers: Tier.options }
  t.ok(LanesFile.safeParse({ version: 1, lanes: [all] }).success)
  refuses([lane('a', { tiers: ['minimal', 'limited', 'high'] }, two)], 'lanes', /tier prohibited/)
  refuses([lane('a', { ...rest, channels: ['phone'] }, two)], 'lanes', /tier minimal/)
  refuses([all, all], 'lanes/1/id', /give each its own/)
  refuses(
    [lane('light', { ...rest, channels: ['phone'] }, [stage(1, seat('risk'))]), all],
    'lanes/0',
    /a stricter lane of tier minimal stands below/,
  )
  refuses([lane('a', rest, [stage(3, seat('risk'), seat('legal'))])], 'lanes/0/stages/0/quorum', /2 seats/)
  refuses(
    [lane('a', rest, [stage(1, seat('risk', true), seat('legal', true))])],
    'lanes/0/stages/0/quorum',
    /2 seats are required/,
  )
  refuses([lane('a', rest, [stage(1, seat('risk'), seat('risk'))])], 'lanes/0/stages/0/seats/1', /twice/)
  refuses([lane('a', rest, [stage(1, seat('chair'))])], 'lanes/0/stages/0/seats/0/seat', /business/)
  refuses([lane('a', rest, [...two, ...two])], 'lanes/0/stages', /exactly one/)
  refuses([lane('a', rest, two, { outcomes: ['blocked'] })], 'lanes/0/outcomes', /changes_requested/)
  refuses(
    [lane('a', rest, two, { outcomes: ['approved', 'blocked', 'changes_requested'] })],
    'lanes/0/outcomes',
    /prohibited/,
  )
  refuses([lane('a', rest, two, { materialFacts: ['porpoise'] })], 'lanes/0/materialFacts/0', /name a fact/)
  refuses([lane('a', rest, two, { validForDays: 0 })], 'lanes/0/validForDays', /./)
  refuses([lane('a', rest, two, { vetoes: [] })], 'lanes/0', /vetoes/)
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
