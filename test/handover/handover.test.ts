import t from 'tap'
import { v7 as newId } from 'uuid'
import { MOVED } from '../../src/handover/handover.js'
import type { Answer, Person } from '../app.js'
import { register, START, startCommittee, submit, vote } from '../committee.js'
import { delegate } from '../delegated.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'

const committee = await startCommittee(t)
const { clock, inUnit, owner, seats, unitId } = committee
const admin = await committee.person('Ann', { rights: ['administrator'] })
const newRiskOwner = await inUnit('Nora', 'risk_owner')
const newBusinessOwner = await inUnit('Nils', 'business_owner')

type Shown = Record<string, unknown> & { id: string; key: string }

/** A risk owner with use cases of their own, who is about to leave. */
async function leaver(name: string, count = 2): Promise<{ person: Person; cases: Shown[] }> {
  const person = await inUnit(name, 'risk_owner', 'committee_member', 'seat:legal')
  const cases: Shown[] = []
  for (let index = 0; index < count; index += 1) {
    cases.push(await register(committee, { title: `${name} ${index}`, riskOwnerId: person.id }))
  }
  return { person, cases }
}

const handOver = async (by: Person, of: { id: string }, to: object): Promise<Answer> =>
  await by.post(`/v1/people/${of.id}/handover`, { reason: 'moves on', ...to })
const leave = async ({ id }: { id: string }): Promise<Answer> => {
  const place = `/v1/people/${id}`
  const { body } = await admin.get(place)
  return await admin.post(`${place}/departure`, { reason: 'left' }, { 'if-match': `"${body.revision}"` })
}
const dutiesOf = async (by: Person, { id }: { id: string }) => await by.get(`/v1/people/${id}/duties`)
const ownersOf = async (id: string) => {
  const { rows } = await owner.query('select business_owner_id, risk_owner_id from use_case where id = $1', [
    id,
  ])
  return rows[0]
}
/** Approves with one obligation, which this person owns. */
async function withCondition(by: Person, useCaseId: string, ownerId: string): Promise<string> {
  const place = `/v1/use-cases/${useCaseId}`
  const { revision } = (await by.get(place)).body
  const { body } = await by.post(`${place}/reviews`, {}, { 'if-match': `"${revision}"` })
  await vote(committee, body.id, 'legal', 'approve')
  const asked = { type: 'obligation', text: 'Sample fifty letters a month', satisfiedBy: 'test_report' }
  await seats.risk.post(`/v1/reviews/${body.id}/votes`, {
    ...{ seat: 'risk', choice: 'approve_with_conditions', rationale: 'as discussed' },
    conditions: [{ ...asked, ownerId, dueInDays: 30 }],
  })
  const { rows } = await owner.query('select id from condition where use_case_id = $1', [useCaseId])
  return rows[0].id
}
t.beforeEach(() => {
  clock.at = START
})

t.test('R-46: what somebody answers for is listed, for themselves and for who hands it over', async (t) => {
  const { person, cases } = await leaver('Lara', 2)
  const [first, second] = cases as [Shown, Shown]
  const conditionId = await withCondition(person, first.id, person.id)
  const { body: delegation } = await delegate(person, newRiskOwner)
  const other = await register(committee)
  const voted = await submit(committee, other.id)
  await person.post(`/v1/reviews/${voted}/votes`, { seat: 'legal', choice: 'abstain', rationale: 'new here' })
  const { body: suspension } = await person.post(`/v1/use-cases/${other.id}/suspensions`, {
    reason: 'wrong letters',
  })
  const revision = (await person.get(`/v1/use-cases/${second.id}`)).body.revision
  const { body: review } = await person.post(
    `/v1/use-cases/${second.id}/reviews`,
    {},
    { 'if-match': `"${revision}"` },
  )

  for (const reader of [person, admin]) {
    t.match((await dutiesOf(reader, person)).body, {
      useCases: {
        ...{ total: 2, more: false },
        items: [
          { key: first.key, owns: ['risk'], openReviewId: null },
          { key: second.key, owns: ['risk'], openReviewId: review.id },
        ],
      },
      conditions: { total: 1, items: [{ id: conditionId, useCaseId: first.id, key: first.key }] },
      seats: { total: 1, items: [{ seat: 'legal', orgUnitId: unitId }] },
      votes: { total: 1, items: [{ reviewId: voted, seat: 'legal', key: other.key }] },
      submitted: { total: 1, items: [{ reviewId: review.id, key: second.key }] },
      suspensions: { total: 1, items: [{ id: suspension.id, key: other.key }] },
      delegations: { total: 1, items: [{ id: delegation.id, toId: newRiskOwner.id }] },
    })
  }
  await refuses(t, committee, () => dutiesOf(newRiskOwner, person), { status: 403, rule: 'DR-95' })
  const stranger = await inUnit('Nia', 'committee_member')
  await refuses(t, committee, () => dutiesOf(stranger, person), { status: 404 })

  await t.test('and nobody leaves before it is handed over', async (t) => {
    await refuses(t, committee, () => leave(person), {
      status: 409,
      detail: `Lara answers for 2 use cases and 1 open condition; hand them over first, with POST /v1/people/${person.id}/handover`,
    })
    const to = { toRiskOwnerId: newRiskOwner.id, toConditionOwnerId: newRiskOwner.id }
    const answer = await handOver(admin, person, to)
    t.match(answer, {
      status: 200,
      body: {
        useCases: [{ key: first.key, version: 2, riskOwnerId: newRiskOwner.id }, { key: second.key }],
        conditions: [{ id: conditionId, key: first.key, ownerId: newRiskOwner.id }],
        refused: [],
        left: { useCases: 0, conditions: 0 },
      },
    })
    t.equal((await leave(person)).status, 200)
    t.equal((await newRiskOwner.get(`/v1/conditions/${conditionId}`)).body.ownerId, newRiskOwner.id)
    t.match((await newRiskOwner.get(`/v1/use-cases/${first.id}`)).body, {
      riskOwnerId: newRiskOwner.id,
      version: 2,
      standing: { standing: 'cleared_with_conditions' },
    })
  })

  await t.test('and all of it is on record', async (t) => {
    const typesOf = async (id: string) =>
      (await admin.get(`/v1/events?aggregate=${id}&limit=3`)).body.items.map(
        (one: { type: string }) => one.type,
      )
    t.same(await typesOf(person.id), ['person.left', 'delegation.ended', 'right.revoked'])
    t.same(await typesOf(first.id), ['condition.reassigned', 'use_case.revised', 'condition.imposed'])
    const { body } = await admin.get(`/v1/events?aggregate=${person.id}&type=person.handed_over`)
    t.match(body.items, [{ actorId: admin.id, data: { useCases: 2, conditions: 1, toId: newRiskOwner.id } }])
  })

  await t.test('what they were part of goes on without them', async (t) => {
    const { body } = await newRiskOwner.get(`/v1/reviews/${voted}`)
    t.equal(body.outcome, null)
    const successor = await inUnit('Lex', 'committee_member', 'seat:legal')
    t.equal(
      (
        await successor.post(`/v1/reviews/${voted}/votes`, {
          ...{ seat: 'legal', choice: 'approve', rationale: 'as discussed' },
        })
      ).status,
      201,
    )
  })
})

t.test('R-46: people hand over themselves, and nobody does it for them but who administers', async (t) => {
  const { person, cases } = await leaver('Mona', 1)
  const to = { toRiskOwnerId: newRiskOwner.id }
  await refuses(t, committee, () => handOver(newRiskOwner, person, to), { status: 403 })
  await refuses(t, committee, () => handOver(seats.legal, person, to), { status: 403, rule: 'DR-95' })
  const local = await inUnit('Lola', 'administrator')
  await refuses(t, committee, () => handOver(local, person, to), { status: 403, rule: 'DR-95' })

  await t.test('to somebody who can take it', async (t) => {
    const machine = await committee.person('deploy', { rights: ['pipeline'], kind: 'service' })
    const gone = await inUnit('Gus')
    await leave(gone)
    for (const { id } of [machine, gone, { id: newId() }]) {
      await refuses(t, committee, () => handOver(person, person, { toRiskOwnerId: id }), {
        status: 422,
        detail: 'an owner must be a person who is registered here and has not left; choose another',
      })
    }
    await refuses(t, committee, () => handOver(person, person, { toRiskOwnerId: person.id }), {
      status: 422,
      detail: 'hand over to somebody else; it is theirs already',
    })
    await refuses(t, committee, () => handOver(person, person, {}), {
      status: 422,
      detail: 'say who takes over: toBusinessOwnerId, toRiskOwnerId or toConditionOwnerId',
    })
  })

  await t.test('and only what there is', async (t) => {
    const detail = 'there is nothing of this kind to hand over'
    for (const wrong of [
      { toBusinessOwnerId: newBusinessOwner.id },
      { toConditionOwnerId: newBusinessOwner.id },
      { ...to, useCaseIds: [newId(), (await register(committee)).id] },
    ]) {
      await refuses(t, committee, () => handOver(person, person, wrong), { status: 409, detail })
    }
  })
  t.match(await handOver(person, person, to), { status: 200, body: { useCases: [{ key: cases[0]?.key }] } })
  await refuses(t, committee, () => handOver(person, person, to), { status: 409 })
})

t.test('a use case that cannot change hands stays, with the reason, and the others go through', async (t) => {
  const { person, cases } = await leaver('Olga', 4)
  const [free, voted, same, retired] = cases as [Shown, Shown, Shown, Shown]
  const taker = await inUnit('Tia', 'risk_owner', 'committee_member', 'seat:compliance')
  const place = (id: string) => `/v1/use-cases/${id}`
  const ifMatch = async (id: string) => ({ 'if-match': `"${(await person.get(place(id))).body.revision}"` })
  const { body: review } = await person.post(`${place(voted.id)}/reviews`, {}, await ifMatch(voted.id))
  const ballot = { seat: 'compliance', choice: 'abstain', rationale: 'not my field' }
  t.equal((await taker.post(`/v1/reviews/${review.id}/votes`, ballot)).status, 201)
  const change = { facts: { businessOwnerId: taker.id }, reason: 'as it is' }
  t.equal((await person.patch(place(same.id), change, await ifMatch(same.id))).status, 200)
  await person.post(`${place(retired.id)}/retirement`, { reason: 'replaced' }, await ifMatch(retired.id))

  const inTheWay = {
    voted:
      'somebody who would write or own this, or their delegate, has voted in the open review; withdraw it first',
    same: 'its business owner and its risk owner would be one person; name somebody else for one of the two',
  }
  await refuses(
    t,
    committee,
    () => handOver(person, person, { toRiskOwnerId: taker.id, useCaseIds: [voted.id] }),
    { status: 409, detail: `${voted.key} stays as it is: ${inTheWay.voted}` },
  )
  const { body } = await handOver(person, person, { toRiskOwnerId: taker.id })
  t.match(body.useCases, [{ key: free.key }])
  t.equal(body.useCases.length, 1)
  t.match(
    body.refused.toSorted((a: Shown, b: Shown) => (a.key < b.key ? -1 : 1)),
    [
      { key: voted.key, reason: inTheWay.voted },
      { key: same.key, reason: inTheWay.same },
    ],
  )
  t.same(body.left, { useCases: 2, conditions: 0 })
  t.equal((await ownersOf(voted.id)).risk_owner_id, person.id)
  t.equal((await ownersOf(same.id)).risk_owner_id, person.id)
  t.equal((await ownersOf(retired.id)).risk_owner_id, person.id, 'what is retired stays as it was')

  await t.test('nothing of a refusal is left in the round', async (t) => {
    const { rows } = await owner.query(
      'select version from use_case_version where use_case_id = $1 order by version',
      [voted.id],
    )
    t.same(rows, [{ version: 1 }])
    t.same((await person.get(`/v1/events?aggregate=${voted.id}&type=use_case.revised`)).body.items, [])
  })
})

t.test('R-41: the new owner and their delegate are excluded from the open round', async (t) => {
  const { person, cases } = await leaver('Pia', 1)
  const taker = await inUnit('Tom', 'risk_owner', 'committee_member', 'seat:legal')
  const standIn = await inUnit('Stu', 'committee_member', 'seat:compliance')
  t.equal((await delegate(taker, standIn)).status, 201)
  const [{ id }] = cases as [Shown]
  const { revision } = (await person.get(`/v1/use-cases/${id}`)).body
  const opened = await person.post(`/v1/use-cases/${id}/reviews`, {}, { 'if-match': `"${revision}"` })
  t.equal((await handOver(admin, person, { toRiskOwnerId: taker.id })).status, 200)
  for (const [who, seat] of [
    [taker, 'legal'],
    [standIn, 'compliance'],
    [person, 'legal'],
  ] as const) {
    const ballot = { seat, choice: 'approve', rationale: 'as discussed' }
    await refuses(t, committee, () => who.post(`/v1/reviews/${opened.body.id}/votes`, ballot), {
      status: 403,
    })
  }
})

t.test('one handover moves so many at most, and says how many are left', async (t) => {
  const { person, cases } = await leaver('Quentin', 1)
  const [{ id }] = cases as [Shown]
  const { rows } = await owner.query<{ names: string }>(
    `select string_agg(column_name, ', ') as names from information_schema.columns
      where table_name = 'use_case' and is_generated = 'NEVER' and column_name not in ('id', 'number', 'last_event_no')`,
  )
  const names = rows[0]?.names
  await owner.query(
    `insert into use_case (id, number, last_event_no, ${names})
      select gen_random_uuid(), nextval('use_case_number'), 0, ${names} from use_case, generate_series(1, $2)
      where id = $1`,
    [id, MOVED],
  )
  const to = { toRiskOwnerId: newRiskOwner.id }
  const first = await handOver(admin, person, to)
  t.equal(first.body.useCases?.length, MOVED)
  t.same(first.body.left, { useCases: 1, conditions: 0 })
  t.same((await dutiesOf(admin, person)).body.useCases.total, 1)
  t.equal((await handOver(admin, person, to)).body.useCases.length, 1)
})

t.test('of two deeds at once, one comes first and the other follows it', async (t) => {
  await t.test('a handover and a submission', async (t) => {
    for (const isHandoverFirst of [true, false]) {
      const { person, cases } = await leaver('Rita', 1)
      const taker = await inUnit('Tea', 'risk_owner', 'committee_member', 'seat:legal')
      const [{ id }] = cases as [Shown]
      const { revision } = (await person.get(`/v1/use-cases/${id}`)).body
      const deeds = [
        () => handOver(admin, person, { toRiskOwnerId: taker.id }),
        () => person.post(`/v1/use-cases/${id}/reviews`, {}, { 'if-match': `"${revision}"` }),
      ]
      const answers = await meeting(
        committee,
        { table: 'use_case', id },
        isHandoverFirst ? deeds : deeds.toReversed(),
      )
      t.same(
        answers.map(({ status }) => status),
        isHandoverFirst ? [200, 412] : [201, 200],
      )
      if (isHandoverFirst) continue
      const { openReviewId } = (await taker.get(`/v1/use-cases/${id}`)).body.standing
      const ballot = { seat: 'legal', choice: 'approve', rationale: 'as discussed' }
      await refuses(t, committee, () => taker.post(`/v1/reviews/${openReviewId}/votes`, ballot), {
        status: 403,
        rule: 'DR-72',
      })
    }
  })

  await t.test('R-46: somebody leaves while a use case is given to them', async (t) => {
    for (const isLeavingFirst of [true, false]) {
      const person = await inUnit('Sven', 'risk_owner')
      const place = `/v1/people/${person.id}`
      const deeds = [
        () => admin.post(`${place}/departure`, { reason: 'left' }, { 'if-match': '"1"' }),
        () =>
          committee.businessOwner.post('/v1/use-cases', {
            ...{ title: 'Letters', purpose: 'Rewrites letters', orgUnitId: unitId },
            ...{ businessOwnerId: committee.businessOwner.id, riskOwnerId: person.id },
          }),
      ]
      const answers = await meeting(
        committee,
        { table: 'person', id: person.id },
        isLeavingFirst ? deeds : deeds.toReversed(),
      )
      t.same(
        answers.map(({ status }) => status),
        isLeavingFirst ? [200, 422] : [201, 409],
      )
    }
  })
})
