import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { annexColumns } from '../../src/registers/annex-viii-columns.js'
import { register, startWorld } from '../standing/world.js'
import { cellsOf, csv, fetchRegister, ndjson } from './exports.js'

t.setTimeout(120_000)

const folder = process.env.ASSENT_TEST_DATA
const skip = folder ? false : 'set ASSENT_TEST_DATA to the folder that holds frameworks/'

t.test('the columns are the points of sections A and C, all of them', { skip }, async (t) => {
  const file = join(folder ?? '', 'frameworks', 'eu-ai-act-extract.json')
  const { annexVIII } = JSON.parse(readFileSync(file, 'utf8'))
  const points = ['A', 'C'].flatMap((section) =>
    annexVIII[`Section ${section}`].items.map(({ n }: { n: number }) => `${section}${n}`),
  )
  t.same(
    annexColumns.map(({ field }) => field),
    ['key', 'area', ...points],
  )
})

t.test('what the register knows is filled in, and every gap says that it is one', async (t) => {
  const world = await startWorld(t)
  const { owner, units, salesRisk, salesOwner } = world
  const low = {
    customer_facing: 'no',
    omb_high_impact: 'no',
    autonomy: 'human_in_loop',
    affected: 'employees',
    vulnerable_people: 'no',
  }
  const high = { ...low, annex_iii_area: 'employment', decision_role: 'assists', personal_data: 'personal' }
  const systemId = '00000000-0000-7000-8000-000000000901'
  await owner.query(
    `insert into system (id, key, name, kind, vendor, created_at)
      values ($1, 'screener', 'Screener', 'vendor_product', 'Acme', '2026-01-01')`,
    [systemId],
  )
  await owner.query(`update person set email = 'sam@example.org' where id = $1`, [salesOwner.id])
  const inEu = { orgUnitId: units.salesDe, jurisdictions: ['DE-BY', 'FR', 'US'], answers: high }
  await register(world, salesRisk, [
    {
      ...inEu,
      ...{ title: '=Screening', purpose: 'Sorts applications', outputs: 'A list', stage: 'pilot' },
      ...{ systemIds: [systemId], businessOwnerId: salesOwner.id, technique: 'nlp' },
    },
    { ...inEu, title: 'In the US only', jurisdictions: ['US'] },
    { ...inEu, title: 'Of the limited tier', answers: { ...high, decision_role: 'informs' } },
    { ...inEu, title: 'Border', answers: { ...high, annex_iii_area: 'migration', personal_data: 'none' } },
  ])
  const exported = await fetchRegister(world, world.auditor, 'use-cases?columns=eu-annex-viii', csv)
  t.match(exported.headers, {
    'content-disposition': 'attachment; filename="eu-annex-viii-use-cases-2026-03-01.csv"',
  })
  const rows = cellsOf(exported).map((row) =>
    Object.fromEntries(annexColumns.map(({ field, header }) => [field, row[header] ?? ''])),
  )
  t.equal(rows.length, 2, 'use cases of the high tier that are used in the EU')
  const [first, border] = rows
  t.match(first, {
    ...{
      area: 'employment',
      A1: 'Acme; address, contact: [to be added]',
      A4: /^Screener \(screener\); UC-\d+$/,
    },
    ...{ A2: '[to be added]', A5: 'Sorts applications\nGives: A list\nRuns on: Screener (screener)' },
    ...{
      A6: /Technique: nlp\nPersonal data: personal\nAutonomy: human in loop\nData and inputs: \[to be added\]/,
    },
    ...{ A7: 'In service, as a pilot', A10: 'DE; FR', A12: '[to be added]', C5: '[to be added]' },
    ...{ C1: /sam@example\.org; address: \[to be added\]/, C2: /^Sam; sam@example\.org/ },
  })
  t.match(border, {
    A1: '[to be added]',
    A4: /^Border; UC-/,
    A12: '[not asked of this one]',
    C5: /not asked/,
  })
  t.same(
    rows.flatMap((row) => Object.values(row).filter((cell) => cell === '')),
    [],
    'nothing is just empty',
  )
  const refused = await fetchRegister(world, world.auditor, 'use-cases?columns=eu-annex-viii', ndjson)
  t.match(JSON.parse(refused.text), { status: 422, detail: /as CSV or XLSX only/ })
  const other = await fetchRegister(world, world.claimsRisk, 'use-cases?columns=eu-annex-viii', csv)
  t.same(cellsOf(other), [], 'those of other units stay out of sight')
  const past = await fetchRegister(
    world,
    world.auditor,
    `use-cases?columns=eu-annex-viii&asOf=${world.clock.at}`,
    csv,
  )
  t.equal(past.text, exported.text, 'and they come as of an instant')
})
