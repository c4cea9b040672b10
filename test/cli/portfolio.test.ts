import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import t from 'tap'
import { computeTier, RiskTiersFile, validateAnswers } from '../../src/policy/tiering.js'
import { Facts, Tier } from '../../src/use-cases/use-case.js'

const policy = RiskTiersFile.parse(JSON.parse(readFileSync('policies/risk-tiers.json', 'utf8')))
const rows: Row[] = parse(readFileSync('src/cli/demo/portfolio.csv'), { columns: true })

type Row = Record<string, string>

function cell(row: Row, column: string): string {
  const value = row[column]
  if (value === undefined) throw new Error(`no column ${column}`)
  return value
}
const list = (row: Row, column: string) => cell(row, column).split('; ').filter(Boolean)

/** A row as the facts of a use case, references aside. */
const factsOf = (row: Row) =>
  Facts.parse({
    title: row.title,
    purpose: row.purpose,
    benefits: row.benefits,
    outputs: row.outputs,
    orgUnitId: '01890a5d-ac96-774b-bcce-b302099a8057',
    jurisdictions: list(row, 'jurisdictions'),
    channels: list(row, 'channels'),
    stage: row.stage,
    technique: row.technique || null,
    answers: Object.fromEntries(policy.questions.map(({ id }) => [id, cell(row, `answer.${id}`)])),
    tags: list(row, 'tags'),
  })
const portfolio = rows.map((row) => ({ row, key: cell(row, 'key'), facts: factsOf(row) }))
const tierOf = (facts: Facts) => computeTier(policy, facts.answers, facts).tier

t.test('every row of the sample portfolio is a use case, with answers that are on the list', async (t) => {
  t.equal(new Set(portfolio.map(({ key }) => key)).size, rows.length)
  for (const { facts } of portfolio) validateAnswers(policy, facts.answers)
  for (const { key, facts } of portfolio)
    t.ok(facts.benefits && facts.outputs && facts.channels.length > 0, key)
})

t.test('its tiers are spread as an insurer would find them', async (t) => {
  const counted = (tier: Tier) => portfolio.filter(({ facts }) => tierOf(facts) === tier).length
  t.same(
    Tier.options.map((tier) => [tier, counted(tier)]),
    [
      ['minimal', 19],
      ['limited', 31],
      ['high', 12],
      ['prohibited', 3],
    ],
  )
})

t.test('the cases that stories are told about have the tier that the story needs', async (t) => {
  const told: [title: RegExp, tier: Tier][] = [
    [/^Mood of contact-centre agents/, 'prohibited'],
    [/^Applicants rated by their social media/, 'prohibited'],
    [/^Medical underwriting risk score/, 'high'],
    [/^Credit-based pricing factor/, 'high'],
    [/^Small glass and travel claims settled/, 'high'],
    [/^Hiring screen/, 'high'],
    [/^Agent that negotiates renewals/, 'high'],
    [/^Call and meeting summaries/, 'limited'],
    [/^Churn and lapse prediction/, 'limited'],
    [/^Code assistant/, 'minimal'],
  ]
  for (const [title, tier] of told) {
    const [told, ...others] = portfolio.filter(({ facts }) => title.test(facts.title))
    t.same(others, [])
    t.equal(told && tierOf(told.facts), tier, String(title))
  }
})

t.test('it holds what nobody had approved, what nobody knows, and what is there twice', async (t) => {
  const shadow = portfolio.filter(({ facts }) => facts.tags.includes('shadow-ai'))
  const open = portfolio.filter(({ facts }) => Object.values(facts.answers).includes('unknown'))
  const summaries = portfolio.filter(({ facts }) => facts.tags.includes('call-summaries'))
  t.equal(shadow.length, 5)
  t.ok(open.length >= 5 && shadow.every((one) => open.includes(one)))
  t.ok(summaries.length >= 4)
  t.equal(
    rows.filter((row) => /^(call summaries for the )?contact cent(re|er)/i.test(cell(row, 'title'))).length,
    2,
  )
})

t.test('owners and units are those that the demo creates', async (t) => {
  const owners = (part: string) => new Set(rows.map((row) => cell(row, part)).filter(Boolean))
  t.same([...owners('businessOwner')].sort(), ['Business owner, Claims', 'Business owner, Sales'])
  t.same([...owners('riskOwner')].sort(), ['Risk owner, Claims', 'Risk owner, Sales'])
  t.same([...owners('orgUnit')].sort(), [
    'claims',
    'hr',
    'it',
    'marketing',
    'sales',
    'service',
    'underwriting',
  ])
  for (const row of rows.filter((row) => !list(row, 'tags').includes('shadow-ai'))) {
    t.ok(row.businessOwner && row.riskOwner, cell(row, 'key'))
  }
})
