import pg from 'pg'
import t from 'tap'
import { v7 as newId } from 'uuid'
import { ifMatch, type Person } from '../app.js'
import { register, START, standing, startCommittee } from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { owner, clock, businessOwner, riskOwner, seats, auditor } = committee
const wrongLetter = {
  title: 'A wrong letter',
  description: 'It named a discount that we do not give',
  severity: 'minor',
  occurredAt: '2026-02-28T09:00:00.000Z',
}
const learned = { learned: 'Passages with numbers are read twice now' }

const report = async (by: Person, useCaseId: string, other: object = {}) =>
  await by.post(`/v1/use-cases/${useCaseId}/incidents`, { ...wrongLetter, ...other })
const enter = async (by: Person, id: string, entry: object) =>
  await by.post(`/v1/incidents/${id}/entries`, { text: 'more is known', ...entry })
const close = async (by: Person, id: string) => await by.post(`/v1/incidents/${id}/closing`, learned)
const lift = async (by: Person, id: string) =>
  await by.post(`/v1/suspensions/${id}/lifting`, { reason: 'mended' })

/** A use case of its own with one incident, that its business owner reported. */
async function reported(severity: string) {
  const { id: useCaseId } = await register(committee)
  const { body } = await report(businessOwner, useCaseId, { severity })
  return { useCaseId, id: String(body.id), suspensionId: String(body.suspensionId) }
}

async function retire(id: string): Promise<void> {
  const place = `/v1/use-cases/${id}`
  await riskOwner.post(`${place}/retirement`, { reason: 'replaced' }, ifMatch(await riskOwner.get(place)))
}

async function eventsOf(id: string): Promise<string[]> {
  const { rows } = await owner.query(
    'select type from audit_event where aggregate_id = $1 order by event_no',
    [id],
  )
  return rows.map(({ type }) => type)
}

t.test('an incident is reported, carried on, and closed with what was learned', async (t) => {
  const { id: useCaseId, key } = await register(committee)
  const { status, body, headers } = await report(businessOwner, useCaseId)
  t.equal(status, 201)
  t.equal(headers.location, `/v1/incidents/${body.id}`)
  t.match(body, {
    ...{ ...wrongLetter, useCaseId, useCase: { key }, ordinal: 1, suspensionId: null, closing: null },
    ...{ reportedBy: businessOwner.id, reportedAt: START },
  })
  const first = { ordinal: 1, enteredBy: businessOwner.id, enteredAt: START }
  const told = { ...first, text: wrongLetter.description, severity: 'minor' }
  t.same(body.timeline, [told], 'the timeline begins with the report')
  t.equal((await standing(committee, useCaseId)).standing, 'unreviewed', 'this severity suspends nothing')

  clock.at = '2026-03-02T09:00:00.000Z'
  await enter(businessOwner, body.id, { text: 'eleven letters' })
  const lowered = await enter(seats.risk, body.id, { text: 'none was sent', severity: 'observation' })
  t.equal(lowered.status, 201)
  t.equal(lowered.body.severity, 'observation')
  const same = await enter(seats.risk, body.id, { text: 'as before', severity: 'observation' })
  t.same(
    same.body.timeline.map((entry: { severity: string | null }) => entry.severity),
    ['minor', null, 'observation', null],
    'only a change is one',
  )
  const closed = await close(seats.risk, body.id)
  t.equal(closed.status, 200)
  t.same(closed.body.closing, { closedBy: seats.risk.id, closedAt: clock.at, ...learned })
  t.same((await auditor.get(`/v1/incidents/${body.id}`)).body, closed.body)
  t.same((await eventsOf(useCaseId)).slice(1), [
    'incident.reported',
    ...Array(3).fill('incident.continued'),
    'incident.closed',
  ])
  const { rows } = await owner.query(
    `select string_agg(convert_from(leaf, 'utf8'), ' ') as leaves from audit_event where aggregate_id = $1`,
    [useCaseId],
  )
  t.notMatch(rows[0].leaves, /discount|eleven|numbers/, 'what was said is sealed')

  const over = { status: 409, detail: /was closed on 2026-03-02 and stays so/ }
  await refuses(t, committee, () => enter(seats.risk, body.id, {}), over)
  await refuses(t, committee, () => close(riskOwner, body.id), over)
  t.equal((await report(riskOwner, useCaseId)).body.ordinal, 2)
})

t.test(
  'R-91: a severity that policy names suspends in the same moment, and until it is closed',
  async (t) => {
    const { id: useCaseId } = await register(committee)
    const { body: incident } = await report(businessOwner, useCaseId, { severity: 'serious' })
    t.match(await standing(committee, useCaseId), { standing: 'suspended', suspendedAt: clock.at })
    t.same((await eventsOf(useCaseId)).slice(1), ['incident.reported', 'use_case.suspended'])
    const place = `/v1/suspensions/${incident.suspensionId}`
    t.match((await auditor.get(place)).body, {
      ...{ incidentId: incident.id, suspendedBy: businessOwner.id, lifting: null },
      reason: 'Incident, Serious: A wrong letter',
    })
    await enter(seats.risk, incident.id, { severity: 'minor' })
    t.equal((await standing(committee, useCaseId)).standing, 'suspended', 'a lower severity lifts nothing')
    await refuses(t, committee, () => lift(seats.risk, incident.suspensionId), {
      ...{ status: 409, detail: /the incident "A wrong letter" is still open; close it first/ },
    })
    await close(seats.risk, incident.id)
    t.equal((await standing(committee, useCaseId)).standing, 'suspended', 'and closing lifts nothing')
    t.equal((await lift(seats.risk, incident.suspensionId)).status, 200)
    t.equal((await standing(committee, useCaseId)).standing, 'unreviewed')
  },
)

t.test('R-90: whoever reported what suspends does not lift it', async (t) => {
  const { id: useCaseId } = await register(committee)
  const { body: incident } = await report(riskOwner, useCaseId, { severity: 'critical' })
  await close(seats.risk, incident.id)
  await refuses(t, committee, () => lift(riskOwner, incident.suspensionId), { status: 403, rule: 'DR-78' })
})

t.test('R-91: an incident that turns out worse suspends then, once', async (t) => {
  const { useCaseId, id } = await reported('observation')
  clock.at = '2026-03-03T09:00:00.000Z'
  const { body } = await enter(seats.legal, id, { severity: 'serious' })
  t.match((await auditor.get(`/v1/suspensions/${body.suspensionId}`)).body, {
    ...{ incidentId: id, suspendedBy: seats.legal.id, suspendedAt: clock.at },
  })
  await enter(seats.risk, id, { severity: 'critical' })
  const { items } = (await auditor.get(`/v1/use-cases/${useCaseId}/suspensions`)).body
  t.equal(items.length, 1)
  await close(riskOwner, id)
  await refuses(t, committee, () => lift(seats.legal, body.suspensionId), { status: 403, rule: 'DR-78' })
  t.equal((await lift(seats.risk, body.suspensionId)).status, 200)
})

t.test(
  'two incidents suspend beside each other and beside a person’s order, of one person too',
  async (t) => {
    const { id: useCaseId } = await register(committee)
    const one = (await report(riskOwner, useCaseId, { severity: 'serious' })).body
    const other = (await report(riskOwner, useCaseId, { severity: 'serious' })).body
    const order = await riskOwner.post(`/v1/use-cases/${useCaseId}/suspensions`, { reason: 'looked odd' })
    t.equal(order.status, 201)
    for (const incident of [one, other]) {
      await close(seats.risk, incident.id)
      await lift(seats.risk, incident.suspensionId)
      t.equal((await standing(committee, useCaseId)).standing, 'suspended')
    }
    await lift(seats.risk, order.body.id)
    t.equal((await standing(committee, useCaseId)).standing, 'unreviewed')
  },
)

t.test('harm shows late: a retired use case takes reports and is not suspended', async (t) => {
  const { useCaseId, id: earlier } = await reported('minor')
  await retire(useCaseId)
  const late = await report(riskOwner, useCaseId, { severity: 'critical' })
  t.equal(late.status, 201)
  t.equal(late.body.suspensionId, null)
  t.equal((await enter(riskOwner, earlier, { severity: 'critical' })).body.suspensionId, null)
  t.equal((await close(riskOwner, earlier)).status, 200)
  t.same((await riskOwner.get(`/v1/use-cases/${useCaseId}/suspensions`)).body.items, [])
  t.equal((await standing(committee, useCaseId)).standing, 'retired')
})

t.test('what did not happen, and what policy does not know, is not reported', async (t) => {
  const { useCaseId, id } = await reported('minor')
  const tomorrow = '2026-03-04T09:00:00.001Z'
  clock.at = '2026-03-04T09:00:00.000Z'
  for (const [other, detail] of [
    [{ occurredAt: tomorrow }, /an incident has happened/],
    [{ occurredAt: '2026-03-04T10:30:00+01:29' }, /an incident has happened/],
    [{ severity: 'apocalyptic' }, /no severity apocalyptic in the policy; choose one of observation, minor/],
    [{ severity: 'Minor!' }, /\/severity/],
    [{ title: 'x' }, /\/title/],
    [{ description: 'bad' }, /\/description/],
    [{ occurredAt: 'yesterday' }, /\/occurredAt/],
    [{ suspends: false }, /\/suspends/],
  ] as const) {
    await refuses(t, committee, () => report(riskOwner, useCaseId, other), { status: 422, detail })
  }
  await refuses(t, committee, () => enter(riskOwner, id, { severity: 'apocalyptic' }), { status: 422 })
  await refuses(t, committee, () => enter(riskOwner, id, { text: ' ' }), { status: 422 })
  await refuses(t, committee, () => riskOwner.post(`/v1/incidents/${id}/closing`, { learned: 'nothing' }), {
    ...{ status: 422, detail: /say what was learned/ },
  })
  t.equal((await report(riskOwner, useCaseId, { occurredAt: clock.at })).status, 201, 'this very moment has')
})

t.test('whoever has no say reports, continues and closes nothing', async (t) => {
  const { useCaseId, id } = await reported('minor')
  const elsewhere = await committee.unit('elsewhere')
  const stranger = await committee.person('Sam', { rights: ['risk_owner', 'seat:risk'], unitId: elsewhere })
  const machine = await committee.person('deploy', {
    ...{ rights: ['pipeline', 'risk_owner'], unitId: committee.unitId, kind: 'service' },
  })
  const other = await committee.inUnit('Obi', 'business_owner')
  for (const [person, reporting, closing] of [
    [other, { status: 403, rule: 'DR-22' }, { status: 403, rule: 'DR-63' }],
    [auditor, { status: 403, rule: 'DR-85' }, { status: 403, rule: 'DR-85' }],
    [machine, { status: 403, rule: 'DR-80' }, { status: 403, rule: 'DR-80' }],
    [stranger, { status: 404, detail: /no such use case/ }, { status: 404, detail: /no such incident/ }],
  ] as const) {
    await refuses(t, committee, () => report(person, useCaseId), reporting)
    await refuses(t, committee, () => enter(person, id, {}), closing)
    await refuses(t, committee, () => close(person, id), closing)
  }
  await refuses(t, committee, () => close(businessOwner, id), { status: 403, rule: 'DR-63' })
  await refuses(t, committee, () => stranger.get(`/v1/incidents/${id}`), { status: 404 })
  await refuses(t, committee, () => stranger.get(`/v1/use-cases/${useCaseId}/incidents`), { status: 404 })
  await refuses(t, committee, () => close(riskOwner, newId()), { status: 404 })
  t.equal((await enter(businessOwner, id, {})).status, 201, 'whoever reported it adds to it')
})

t.test('incidents are listed for whoever may see them, filtered and page by page', async (t) => {
  const { id: useCaseId, key } = await register(committee)
  const ids: string[] = []
  for (const [hour, severity] of ['minor', 'observation', 'minor'].entries()) {
    clock.at = `2026-03-05T1${hour}:00:00.000Z`
    ids.unshift((await report(riskOwner, useCaseId, { severity })).body.id)
  }
  await close(riskOwner, String(ids[2]))
  const listed = async (query: string, by = auditor) =>
    (await by.get(`/v1/incidents?${query}`)).body.items.map(({ id }: { id: string }) => id)
  t.same(await listed(`useCase=${key}`), ids)
  t.same(await listed(`useCase=${useCaseId}&severity=minor`), [ids[0], ids[2]])
  t.same(await listed(`useCase=${key}&state=closed`), [ids[2]])
  t.same(await listed(`useCase=${key}&state=open&severity=minor`), [ids[0]])
  t.same(await listed(`useCase=${newId()}`), [])
  const stranger = await committee.person('Sue', { rights: ['auditor'], unitId: await committee.unit('far') })
  t.same(await listed(`useCase=${key}`, stranger), [])
  const of = await auditor.get(`/v1/use-cases/${key}/incidents?limit=2`)
  t.same(
    of.body.items.map(({ id }: { id: string }) => id),
    ids.slice(0, 2),
  )
  const rest = await auditor.get(`/v1/use-cases/${key}/incidents?limit=2&cursor=${of.body.next}`)
  t.match(rest.body, { items: [{ id: ids[2], closing: learned }], next: null })
  t.notOk('timeline' in of.body.items[0])
  for (const query of ['state=lost', 'severity=%00', 'useCase=x']) {
    await refuses(t, committee, () => auditor.get(`/v1/incidents?${query}`), { status: 422 })
  }
})

t.test('the database itself keeps what was reported as it was', async (t) => {
  const { id, useCaseId } = await reported('serious')
  const attacker = new pg.Client(committee.connections.appConnection)
  await attacker.connect()
  t.teardown(() => attacker.end())
  const before = (await riskOwner.get(`/v1/incidents/${id}`)).body
  for (const statement of [
    `update incident set reported_by = '${riskOwner.id}'`,
    `update incident set title = 'never mind'`,
    `update incident set occurred_at = '2020-01-01'`,
    `update incident set use_case_id = use_case_id`,
    'delete from incident',
    `update incident_entry set text = 'never mind'`,
    'delete from incident_entry',
    'update suspension set incident_id = null',
  ]) {
    await t.rejects(attacker.query(statement), { code: '42501' }, statement)
  }
  await t.rejects(
    attacker.query('update incident set closed_at = now() where id = $1', [id]),
    { code: '23514' },
    'closed by nobody, with nothing learned',
  )
  const other = await register(committee)
  await t.rejects(
    attacker.query(
      `insert into suspension (id, use_case_id, incident_id, suspended_by, suspended_at, reason)
        values ($1, $2, $3, $4, now(), 'mine')`,
      [newId(), other.id, id, riskOwner.id],
    ),
    { code: '23503' },
    'an incident suspends its own use case only',
  )
  t.same((await riskOwner.get(`/v1/incidents/${id}`)).body, before)
  t.equal((await standing(committee, useCaseId)).standing, 'suspended')
})
