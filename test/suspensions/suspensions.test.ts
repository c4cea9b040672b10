import pg from 'pg'
import t, { type Test } from 'tap'
import { v7 as newId } from 'uuid'
import { ifMatch, type Person } from '../app.js'
import {
  answersFor,
  approve,
  approved,
  register,
  revise,
  standing,
  startCommittee,
  submit,
} from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { owner, clock, businessOwner, riskOwner, seats, auditor } = committee
const because = { reason: 'it names prices that we do not give' }
const mended = { reason: 'the passage is gone' }

const suspend = async (by: Person, useCaseId: string) =>
  await by.post(`/v1/use-cases/${useCaseId}/suspensions`, because)
const lift = async (by: Person, id: string) => await by.post(`/v1/suspensions/${id}/lifting`, mended)

/** A use case of its own for a test, suspended by its risk owner. */
async function suspended(facts: object = {}): Promise<{ id: string; suspensionId: string }> {
  const { id } = await register(committee, facts)
  return { id, suspensionId: (await suspend(riskOwner, id)).body.id }
}

async function eventsOf(id: string): Promise<{ type: string; leaf: string }[]> {
  const { rows } = await owner.query(
    `select type, convert_from(leaf, 'utf8') as leaf from audit_event where aggregate_id = $1 order by event_no`,
    [id],
  )
  return rows
}

async function lastOutcomeAtGate(useCaseId: string): Promise<{ decision: string; codes: string[] }> {
  const { body } = await riskOwner.post('/v1/gate/answers', { useCase: useCaseId, environment: 'production' })
  return { decision: body.decision, codes: body.reasons.map(({ code }: { code: string }) => code) }
}

t.test('R-90: a suspension counts at once, whatever was edited meanwhile', async (t) => {
  const { id, key } = await approved(committee)
  t.equal((await standing(committee, id)).standing, 'cleared')
  clock.at = '2026-03-02T07:00:00.000Z'
  const { status, body, headers } = await suspend(seats.legal, id)
  t.equal(status, 201)
  t.match(body, {
    ...{ useCaseId: id, useCase: { key, title: 'Triage of incoming claims' }, incidentId: null },
    ...{ suspendedBy: seats.legal.id, suspendedAt: clock.at, ...because, lifting: null },
  })
  t.equal(headers.location, `/v1/suspensions/${body.id}`)
  clock.at = '2026-03-03T07:00:00.000Z'
  t.match(await standing(committee, id), { standing: 'suspended', suspendedAt: '2026-03-02T07:00:00.000Z' })
  const { decision, codes } = await lastOutcomeAtGate(id)
  t.equal(decision, 'deny')
  t.ok(codes.includes('suspended'))
  t.same((await auditor.get(`/v1/suspensions/${body.id}`)).body, body)
  t.same((await auditor.get(`/v1/use-cases/${id}/suspensions`)).body, { items: [body], next: null })
  const { rows } = await owner.query(
    'select suspended_at is null as free from use_case_state where use_case_id = $1 order by revision desc limit 2',
    [id],
  )
  t.same(rows, [{ free: false }, { free: true }], 'and the register of any past instant knows')
})

t.test('R-90: another person lifts it, and then it stands as before', async (t) => {
  const { id } = await approved(committee)
  const { body: suspension } = await suspend(riskOwner, id)
  await refuses(t, committee, () => lift(riskOwner, suspension.id), {
    ...{ status: 403, rule: 'DR-78', detail: /Another person lifts a suspension/ },
  })
  clock.at = '2026-03-04T07:00:00.000Z'
  const lifted = await lift(seats.risk, suspension.id)
  t.equal(lifted.status, 200)
  t.same(lifted.body, {
    ...suspension,
    lifting: { liftedBy: seats.risk.id, liftedAt: clock.at, ...mended },
  })
  t.match(await standing(committee, id), { standing: 'cleared', suspendedAt: null })
  t.same((await riskOwner.get(`/v1/suspensions/${suspension.id}`)).body, lifted.body)
  await refuses(t, committee, () => lift(seats.legal, suspension.id), {
    ...{ status: 409, detail: /was lifted on 2026-03-04/ },
  })
  const events = await eventsOf(id)
  t.same(
    events.slice(-2).map(({ type }) => type),
    ['use_case.suspended', 'suspension.lifted'],
  )
  t.notMatch(events.map(({ leaf }) => leaf).join(), /prices|passage/, 'reasons are sealed')
  t.match(
    events.slice(-2).map(({ leaf }) => JSON.parse(leaf)),
    [{ right: /^DR-/ }, { right: 'DR-61' }],
  )
})

t.test('R-90: an approval never lifts it, and the review goes on', async (t) => {
  const { id } = await approved(committee)
  const before = (await standing(committee, id)).decisionId
  const reviewId = await submit(committee, id)
  const { body: suspension } = await suspend(riskOwner, id)
  t.match(await standing(committee, id), { standing: 'suspended', openReviewId: reviewId })
  await refuses(t, committee, () => revise(committee, id, { purpose: 'Pays claims' }), {
    ...{ status: 409, detail: /review/ },
  })
  t.equal(
    (await revise(committee, id, { benefits: 'Saves time' })).status,
    200,
    'what is not material may move',
  )
  await approve(committee, reviewId)
  const after = await standing(committee, id)
  t.match(after, { standing: 'suspended', openReviewId: null })
  t.not(after.decisionId, before, 'the new approval is in force, and waits')
  t.match((await riskOwner.get(`/v1/decisions/${after.decisionId}`)).body, { reviewId, outcome: 'approved' })
  t.equal((await lastOutcomeAtGate(id)).decision, 'deny')
  await lift(seats.compliance, suspension.id)
  t.equal((await standing(committee, id)).standing, 'cleared')
  t.equal((await lastOutcomeAtGate(id)).decision, 'allow')
})

t.test('R-70: a suspended use case tells every reason why its approval lapsed', async (t) => {
  const { id } = await approved(committee)
  await suspend(riskOwner, id)
  t.same((await standing(committee, id)).reasons, [])
  await revise(committee, id, { answers: answersFor.high })
  const { standing: word, reasons } = await standing(committee, id)
  t.equal(word, 'suspended')
  t.same(reasons, ['material_change', 'tier_raised'])
})

t.test('several people suspend beside each other, and each is lifted on its own', async (t) => {
  clock.at = '2026-03-05T07:00:00.000Z'
  const { id, suspensionId: first } = await suspended()
  clock.at = '2026-03-05T08:00:00.000Z'
  const { body: second } = await suspend(seats.legal, id)
  clock.at = '2026-03-05T09:00:00.000Z'
  const { body: third } = await suspend(seats.risk, id)
  const since = async () => (await standing(committee, id)).suspendedAt
  t.equal(await since(), '2026-03-05T07:00:00.000Z')
  await lift(riskOwner, second.id)
  t.equal(await since(), '2026-03-05T07:00:00.000Z')
  await lift(seats.legal, first)
  t.equal(await since(), '2026-03-05T09:00:00.000Z', 'since the earliest that is left')
  await lift(seats.legal, third.id)
  t.match(await standing(committee, id), { standing: 'unreviewed', suspendedAt: null })
  const { items } = (await riskOwner.get(`/v1/use-cases/${id}/suspensions`)).body
  t.same(
    items.map((item: { id: string; lifting: object | null }) => [item.id, item.lifting !== null]),
    [third.id, second.id, first].map((one) => [one, true]),
  )
})

t.test('one person suspends once, until that is lifted', async (t) => {
  clock.at = '2026-03-06T07:00:00.000Z'
  const { id, suspensionId } = await suspended()
  await refuses(t, committee, () => suspend(riskOwner, id), {
    ...{ status: 409, detail: /you suspended this on 2026-03-06 and it is still in force; another person/ },
  })
  await lift(seats.risk, suspensionId)
  t.equal((await suspend(riskOwner, id)).status, 201)
  t.equal((await standing(committee, id)).standing, 'suspended')
})

t.test('the same request under its Idempotency-Key is one suspension', async (t) => {
  const { id } = await register(committee)
  const ask = async () =>
    await riskOwner.post(`/v1/use-cases/${id}/suspensions`, because, { 'idempotency-key': `once-${id}` })
  const [first, again] = [await ask(), await ask()]
  t.same([again.status, again.body], [201, first.body])
  t.equal((await riskOwner.get(`/v1/use-cases/${id}/suspensions`)).body.items.length, 1)
})

t.test('whoever has no say suspends and lifts nothing', async (t) => {
  const { id, suspensionId } = await suspended()
  const member = await committee.inUnit('Cem', 'committee_member')
  const elsewhere = await committee.unit('elsewhere')
  const stranger = await committee.person('Sam', { rights: ['risk_owner', 'seat:risk'], unitId: elsewhere })
  const machine = await committee.person('deploy', {
    ...{ rights: ['pipeline', 'risk_owner'], unitId: committee.unitId, kind: 'service' },
  })
  const admin = await committee.person('Ann', { rights: ['administrator'] })
  for (const [person, suspending, lifting] of [
    [businessOwner, { status: 403, rule: 'DR-22' }, { status: 403, rule: 'DR-61' }],
    [admin, { status: 403, rule: 'DR-22' }, { status: 403, rule: 'DR-61' }],
    [auditor, { status: 403, rule: 'DR-85' }, { status: 403, rule: 'DR-85' }],
    [machine, { status: 403, rule: 'DR-80' }, { status: 403, rule: 'DR-80' }],
    [stranger, { status: 404, detail: /no such use case/ }, { status: 404, detail: /no such suspension/ }],
  ] as const) {
    await refuses(t, committee, () => suspend(person, id), suspending)
    await refuses(t, committee, () => lift(person, suspensionId), lifting)
  }
  await refuses(t, committee, () => stranger.get(`/v1/suspensions/${suspensionId}`), { status: 404 })
  await refuses(t, committee, () => stranger.get(`/v1/use-cases/${id}/suspensions`), { status: 404 })
  await refuses(t, committee, () => lift(riskOwner, newId()), { status: 404 })
  for (const body of [{}, { reason: ' ' }, { reason: 'so', by: riskOwner.id }]) {
    await refuses(t, committee, () => riskOwner.post(`/v1/use-cases/${id}/suspensions`, body), {
      status: 422,
    })
    await refuses(t, committee, () => seats.risk.post(`/v1/suspensions/${suspensionId}/lifting`, body), {
      status: 422,
    })
  }
  t.equal((await suspend(member, id)).status, 201, 'a committee member without a seat may')
})

t.test('a retired use case is not suspended any more, nor freed', async (t) => {
  const { id, suspensionId } = await suspended()
  const place = `/v1/use-cases/${id}`
  await riskOwner.post(`${place}/retirement`, { reason: 'replaced' }, ifMatch(await riskOwner.get(place)))
  t.equal((await standing(committee, id)).standing, 'retired')
  const retired = { status: 409, detail: /is retired and stays as it is/ }
  await refuses(t, committee, () => suspend(seats.legal, id), retired)
  await refuses(t, committee, () => lift(seats.legal, suspensionId), retired)
  const { body } = await riskOwner.get('/v1/suspensions?limit=200')
  t.notOk(body.items.some((item: { id: string }) => item.id === suspensionId))
})

t.test('the suspensions in force are listed for whoever may see them, page by page', async (t) => {
  const own = await committee.person('Olu', { rights: ['auditor'], unitId: await committee.unit('pensions') })
  t.same((await own.get('/v1/suspensions')).body, { items: [], next: null })
  const { suspensionId: gone } = await suspended()
  await lift(seats.risk, gone)
  const ids: string[] = []
  for (let hour = 10; hour < 13; hour += 1) {
    clock.at = `2026-03-07T${hour}:00:00.000Z`
    ids.unshift((await suspended()).suspensionId)
  }
  const whole = (await auditor.get('/v1/suspensions?limit=200')).body.items.map(
    ({ id }: { id: string }) => id,
  )
  t.same(whole.slice(0, 3), ids)
  t.notOk(whole.includes(gone))
  const seen: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const { body } = await auditor.get(`/v1/suspensions?limit=2${next && `&cursor=${next}`}`)
    seen.push(...body.items.map(({ id }: { id: string }) => id))
    next = body.next
  }
  t.same(seen, whole)
})

t.test('R-90: the database itself lets nobody lift their own, nor rewrite what was said', async (t) => {
  const { id, suspensionId } = await suspended()
  const attacker = await attack(t)
  const before = (await riskOwner.get(`/v1/suspensions/${suspensionId}`)).body
  for (const statement of [
    `update suspension set suspended_by = '${seats.risk.id}'`,
    `update suspension set reason = 'never mind'`,
    'delete from suspension',
    'truncate suspension cascade',
    `update suspension_lifting set lifted_by = '${seats.risk.id}'`,
    'delete from suspension_lifting',
  ]) {
    await t.rejects(attacker.query(statement), { code: '42501' }, statement)
  }
  const liftAs = async (suspendedBy: string, liftedBy: string) =>
    await attacker.query(
      `insert into suspension_lifting (suspension_id, suspended_by, lifted_by, lifted_at, reason)
        values ($1, $2, $3, now(), 'mine')`,
      [suspensionId, suspendedBy, liftedBy],
    )
  await t.rejects(liftAs(riskOwner.id, riskOwner.id), { code: '23514' }, 'one’s own')
  await t.rejects(liftAs(seats.risk.id, riskOwner.id), { code: '23503' }, 'as if somebody else had suspended')
  await t.rejects(liftAs(riskOwner.id, newId()), { code: '23503' }, 'by nobody')
  t.same((await riskOwner.get(`/v1/suspensions/${suspensionId}`)).body, before)
  t.equal((await lift(seats.risk, suspensionId)).status, 200)
  await t.rejects(liftAs(riskOwner.id, seats.legal.id), { code: '23505' }, 'a second time')
  t.equal((await standing(committee, id)).standing, 'unreviewed')
})

async function attack(t: Test): Promise<pg.Client> {
  const attacker = new pg.Client(committee.connections.appConnection)
  await attacker.connect()
  t.teardown(() => attacker.end())
  return attacker
}
