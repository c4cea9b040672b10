import t from 'tap'
import { startApp } from '../app.js'

const world = await startApp(t)
const claims = await world.unit('claims')
const sales = await world.unit('sales')
const owner = await world.person('Business owner', { rights: ['business_owner'] })
const risk = await world.person('Risk owner', { rights: ['risk_owner'], unitId: claims })
const auditor = await world.person('Auditor', { rights: ['auditor'] })
const ofSales = await world.person('Auditor of sales', { rights: ['auditor'], unitId: sales })

const facts = { title: 'Claims triage', purpose: 'Sort claims by urgency', riskOwnerId: risk.id }
const { body: useCase } = await owner.post('/v1/use-cases', { ...facts, orgUnitId: claims })
const change = { facts: { purpose: 'Sort claims by urgency and place' }, reason: 'It sorts by place now' }
await owner.patch(`/v1/use-cases/${useCase.id}`, change, { 'if-match': '"1"' })
await owner.post('/v1/use-cases', { title: 'Lead scoring', purpose: 'Rank leads', orgUnitId: sales })

t.test('the events of a use case come in order, with what is sealed beside what the log holds', async (t) => {
  const { status, body } = await auditor.get(`/v1/use-cases/${useCase.key}/events`)
  t.equal(status, 200)
  t.same(
    body.items.map((event: { aggregate: { no: number }; type: string }) => [event.aggregate.no, event.type]),
    [
      [1, 'use_case.registered'],
      [2, 'use_case.revised'],
    ],
  )
  t.match(body.items[1], { actorId: owner.id, data: { version: 2, changed: ['purpose'] }, leaf: null })
  t.match(body.items[1].sealed, { reason: change.reason, facts: { purpose: change.facts.purpose } })
})

t.test('the exact form gives the bytes that are in the log', async (t) => {
  const { body } = await auditor.get(`/v1/use-cases/${useCase.key}/events?form=exact`)
  const { rows } = await world.owner.query(
    'select leaf from audit_event where aggregate_id = $1 order by event_no',
    [useCase.id],
  )
  t.same(
    body.items.map(({ leaf }: { leaf: string }) => leaf),
    rows.map(({ leaf }) => leaf.toString('base64')),
  )
  t.notMatch(rows[1].leaf.toString(), /by place/)
})

t.test('pages of a history follow one another without a gap', async (t) => {
  const first = await auditor.get(`/v1/use-cases/${useCase.key}/events?limit=1`)
  const second = await auditor.get(`/v1/use-cases/${useCase.key}/events?limit=1&cursor=${first.body.next}`)
  t.same(
    [first, second].map(({ body }) => body.items[0].aggregate.no),
    [1, 2],
  )
  t.equal(second.body.next, null)
})

t.test('an auditor of one unit reads the events of that unit alone', async (t) => {
  const all = await auditor.get('/v1/events?type=use_case.registered')
  const own = await ofSales.get('/v1/events?type=use_case.registered')
  t.equal(all.body.items.length, 2)
  t.same(
    own.body.items.map(({ data }: { data: { orgUnitId: string } }) => data.orgUnitId),
    [sales],
  )
  t.equal((await ofSales.get(`/v1/use-cases/${useCase.id}/events`)).status, 404)
  t.equal((await ofSales.get(`/v1/events/${all.body.items[1].id}`)).status, 404)
  t.equal((await auditor.get(`/v1/events/${all.body.items[1].id}`)).status, 200)
})

t.test('whoever owns a use case reads its events, wherever it lies, and those of no other', async (t) => {
  const other = await world.person('Somebody else', { rights: ['business_owner'] })
  const named = await world.person('Named', { rights: [] })
  const owned = { title: 'Fraud alerts', purpose: 'Mark doubtful claims', orgUnitId: claims }
  const { body } = await other.post('/v1/use-cases', {
    ...owned,
    businessOwnerId: named.id,
    riskOwnerId: risk.id,
  })
  for (const person of [named, risk]) {
    const { items } = (await person.get(`/v1/use-cases/${body.key}/events`)).body
    t.match(items, [{ type: 'use_case.registered', aggregate: { id: body.id } }])
    t.equal((await person.get(`/v1/events/${items[0].id}`)).status, 200)
  }
  const all = (await named.get('/v1/events')).body.items
  t.same(
    all.map(({ aggregate }: { aggregate: { id: string } }) => aggregate.id),
    [body.id],
  )
  const refused = await other.get(`/v1/use-cases/${body.key}/events`)
  t.match(refused, { status: 403, body: { rule: 'DR-08' } })
  const { items } = (await auditor.get(`/v1/use-cases/${useCase.key}/events`)).body
  t.equal((await named.get(`/v1/events/${items[0].id}`)).status, 404)
})

t.test('whoever may read no events is told who may', async (t) => {
  const nobody = await world.person('deploy', { rights: ['pipeline'], kind: 'service' })
  const { status, body } = await nobody.get('/v1/events')
  t.equal(status, 403)
  t.match(body.detail, /auditor/i)
  const { rows } = await world.owner.query(
    `select leaf from audit_event where type = 'access.denied' and actor_id = $1`,
    [nobody.id],
  )
  const denial = { rule: 'DR-08', action: 'read', kind: 'Event', subjectId: nobody.id }
  t.match(
    rows.map(({ leaf }) => JSON.parse(String(leaf))),
    [denial],
  )
})

t.test('an event holds no id that a client chose', async (t) => {
  const mine = 'ana-private-4711'
  const made = await owner.post('/v1/use-cases', { ...facts, orgUnitId: claims }, { 'x-request-id': mine })
  t.equal(made.headers['x-request-id'], mine)
  const { rows } = await world.owner.query('select leaf from audit_event where aggregate_id = $1', [
    made.body.id,
  ])
  t.ok(rows.length > 0)
  for (const { leaf } of rows)
    t.match(JSON.parse(String(leaf)).request, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
})

t.test('events are found by who acted and when', async (t) => {
  const { body } = await auditor.get(
    `/v1/events?actor=${owner.id}&from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z`,
  )
  t.same(body.items, [])
  const day = '1970-01-02T00:00:00%2B01:00'
  t.equal((await auditor.get(`/v1/events?actor=${owner.id}&from=${day}`)).body.items.length > 0, true)
  const outOfTime = [
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-23:59',
    `2026-01-01T00:00:00.${'0'.repeat(300)}Z`,
  ]
  for (const at of outOfTime) {
    for (const name of ['from', 'to']) t.equal((await auditor.get(`/v1/events?${name}=${at}`)).status, 422)
  }
  const found = await auditor.get(`/v1/events?actor=${owner.id}&aggregate=${useCase.id}`)
  t.equal(found.body.items.length, 2)
})
