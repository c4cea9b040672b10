// How far the controls of many use cases are: one list, one sum, and one way to count.

import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import t from 'tap'
import { CoverageSum, coverageOf } from '../../src/profiles/coverage.js'
import { type Person, policyAsking } from '../app.js'
import { register, startCommittee } from '../committee.js'
import { asking, look, say } from './world.js'

const unitRule = {
  ...{
    id: 'RQ-04',
    when: { orgUnits: ['sales'], answers: { personal_data: ['special'] } },
    because: 'Sales.',
  },
  ...{ controls: { catalog: 'nist-ai-600-1', version: '1.0', ids: ['GOVERN'] }, ifMissing: 'refuse' },
}
const policies = policyAsking(...asking, unitRule)
const committee = await startCommittee(t, {}, policies)
const { riskOwner, auditor, owner, app } = committee
const sales = await committee.unit('sales')
const overall = await committee.person('Ava', { rights: ['auditor'] })
const salesRisk = await committee.person('Sal', { rights: ['risk_owner', 'business_owner'], unitId: sales })

const limited = await register(committee, { channels: ['e-mail'] })
const high = await register(committee, { answers: { decision_role: 'assists', affected: 'customers' } })
const nothing = await register(committee)
const gone = await register(committee)
const { body: far } = await salesRisk.post('/v1/use-cases', {
  ...{ title: '=1+1', purpose: 'Ranks leads', orgUnitId: sales, riskOwnerId: salesRisk.id },
  answers: { customer_facing: 'yes' },
})
await say(riskOwner, limited.id, { category: 'GOVERN 1', state: 'in_place' })
await say(riskOwner, high.id, { function: 'MAP', state: 'planned' })
await say(riskOwner, high.id, { control: 'MEASURE 2.11', state: 'not_applicable', note: 'no people' })
await riskOwner.post(
  `/v1/use-cases/${gone.id}/retirement`,
  { reason: 'out of use' },
  { 'if-match': `"${gone.revision}"` },
)

// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
async function listed(as: Person, query = ''): Promise<any[]> {
  return (await as.get(`/v1/profiles${query}`)).body.items
}

async function streamed(format: string, query = ''): Promise<string> {
  const { payload } = await app.inject({
    url: `/v1/profiles?format=${format}${query}`,
    headers: { authorization: `Bearer ${overall.token}` },
  })
  return payload
}

t.test('each use case in a list is covered as far as its profile says', async (t) => {
  const entries = await listed(overall)
  t.same(
    entries.map(({ key }) => key),
    [limited, high, nothing, far].map(({ key }) => key),
    'retired ones have no controls any more',
  )
  for (const entry of entries) {
    const { coverage, tier } = await look(overall, entry.id)
    const { withEvidence: _shown, beyond: _more, functions, ...total } = coverage
    t.match(entry, { ...total, tier })
    t.match(functions, entry.functions, 'and so is each function')
  }
  t.match(entries[0], { applicable: 8, covered: 7, share: 0.875, unmet: 1, standing: 'unreviewed' })
  t.match(entries[1], { tier: 'high', states: { not_applicable: 1 } })
})

t.test('pages, streams and filters tell of the same use cases', async (t) => {
  const entries = await listed(overall)
  const first = (await overall.get('/v1/profiles?limit=3')).body
  const second = (await overall.get(`/v1/profiles?limit=3&cursor=${first.next}`)).body
  t.same([...first.items, ...second.items], entries)
  t.equal(second.next, null)
  const lines = (await streamed('ndjson')).split('\n').slice(0, -1)
  t.same(
    lines.map((line) => JSON.parse(line)),
    entries,
  )
  const rows: Record<string, string>[] = parse(await streamed('csv'), { columns: true })
  t.match(rows[0], { key: limited.key, share: '0.875', in_place: '7', 'nist-ai-rmf@1.0 GOVERN': '1' })
  t.match(rows[3], { title: `'=1+1`, 'nist-ai-600-1@1.0 GOVERN': '0' })
  const keys = async (query: string) => (await listed(overall, query)).map(({ key }) => key)
  t.same(
    await keys('?below=0.5'),
    [high, nothing, far].map(({ key }) => key),
  )
  t.same(await keys('?below=0.5&limit=1'), [high.key])
  t.same(await keys('?tier=high'), [high.key, far.key])
  t.same(await keys('?tier=limited'), [limited.key, nothing.key])
  t.same(await keys(`?orgUnit=${sales}`), [far.key])
  t.match(await listed(overall, `?catalog=nist-ai-600-1&orgUnit=${sales}`), [
    { functions: [{ catalog: 'nist-ai-600-1' }] },
  ])
  t.equal((await streamed('ndjson', '&below=0.5')).split('\n').length - 1, 3)
})

t.test('nobody sees, or counts, what they may not read', async (t) => {
  t.same(
    (await listed(salesRisk)).map(({ key }) => key),
    [far.key],
  )
  t.match((await salesRisk.get('/v1/coverage')).body, { useCases: 1, assessed: 0 })
  t.match((await auditor.get('/v1/coverage')).body, { useCases: 3, assessed: 2 })
})

t.test('the sum of a register is the sum of its list', async (t) => {
  const { body } = await overall.get('/v1/coverage')
  const entries = await listed(overall)
  const sum = (name: string) => entries.reduce((all, entry) => all + entry[name], 0)
  t.match(body, { useCases: 4, asked: 4, assessed: 2, whole: 0 })
  for (const name of ['applicable', 'covered', 'unmet']) t.equal(body.total[name], sum(name), name)
  const govern = body.functions.find(
    (one: { catalog: string; function: string }) =>
      one.catalog === 'nist-ai-rmf' && one.function === 'GOVERN',
  )
  t.match(govern, { applicable: 28, covered: 7, share: 0.25 })
})

t.test('a share is 1 where all is covered, and nowhere else', async (t) => {
  const states = ['not_assessed', 'planned', 'in_place', 'not_effective', 'not_applicable'] as const
  const name = 'c@1'
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.constantFrom(...states), { maxLength: 400 }), { maxLength: 8 }),
      (lists) => {
        const sum = new CoverageSum()
        for (const list of lists) {
          const controls = list.map((_, at) => ({ name, control: `${at}`, at: 0, wanted: new Set(states) }))
          const functions = [{ catalog: 'c', version: '1', function: 'F', title: 'F' }]
          const said = { [name]: Object.fromEntries(list.map((state, at) => [`${at}`, state])) }
          const covered = coverageOf({ functions, controls }, said)
          const { total } = covered
          const all = list.every((state) => state === 'in_place' || state === 'not_applicable')
          if ((total.share === 1) !== (all && list.length > 0)) return false
          if ((total.share === null) !== (list.length === 0)) return false
          sum.add(covered)
        }
        return sum.result().total.applicable === lists.flat().length
      },
    ),
  )
  const odd = { functions: [], controls: [{ name, control: 'constructor', at: 0, wanted: new Set(states) }] }
  t.match(coverageOf(odd, JSON.parse('{}')).total, { states: { not_assessed: 1 } })
})

t.test('the states that lists read are those of the last assessments', async (t) => {
  const { rows } = await owner.query(`
    select use_case_id as id, catalog || '@' || version as name, jsonb_object_agg(control_id, state) as states
      from (select distinct on (use_case_id, catalog, version, control_id) * from control_assessment
        order by use_case_id, catalog, version, control_id, ordinal desc) c group by 1, 2`)
  t.ok(rows.length > 1)
  for (const { id, name, states } of rows) {
    const { rows: kept } = await owner.query('select states from control_profile where use_case_id = $1', [
      id,
    ])
    t.same(kept[0].states[name], states)
  }
})
