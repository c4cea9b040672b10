// Every way round separation of duties: refused by the API, and, tried again by the service's own account, by the database.
import t, { type Test } from 'tap'
import { v7 as newId } from 'uuid'
import { ifMatch, type Person } from '../app.js'
import { giveSeat, register, revise, startCommittee, submit } from '../committee.js'
import { openClient } from '../database-run.js'
import { delegate, propose } from '../delegated.js'
import { everyRow, type Refusal, refuses } from '../unchanged.js'
import { say } from './world.js'

const committee = await startCommittee(t)
const { connections, owner, inUnit, member, unitId, businessOwner } = committee
const administrator = await committee.person('Adi', { rights: ['administrator'] })
const app = await openClient(connections.appConnection)
t.teardown(() => app.end())

type Statement = [text: string, values: unknown[]]
const party = (reviewId: string, person: Person): Statement => [
  `insert into review_party (review_id, person_id, part, because) values ($1, $2, 'elector', 'x')`,
  [reviewId, person.id],
]
const seat = (reviewId: string, name: string, person: Person): Statement => [
  'insert into review_seat (review_id, seat, person_id) values ($1, $2, $3)',
  [reviewId, name, person.id],
]
const cast = (reviewId: string, name: string, person: Person, onBehalfOf?: Person): Statement => [
  `insert into vote (id, review_id, seat, person_id, ordinal, choice, rationale, decision_right, cast_at, on_behalf_of)
    values ($1, $2, $3, $4, 9, 'approve', 'x', 'DR-32', now(), $5)`,
  [newId(), reviewId, name, person.id, onBehalfOf?.id ?? null],
]

const UNIQUE = '23505'
const CHECK = '23514'
const FOREIGN_KEY = '23503'
const DENIED = '42501'

/** None of these gets anywhere: each refused, in a transaction of all that comes before it, and nothing is left. */
async function assertHeld(t: Test, what: string, statements: Statement[], code: string): Promise<void> {
  const before = await everyRow(owner)
  await app.query('begin')
  try {
    const last = statements.at(-1) as Statement
    for (const [text, values] of statements.slice(0, -1)) await app.query(text, values)
    await t.rejects(app.query(...last), { code }, what)
  } finally {
    await app.query('rollback')
  }
  t.same(await everyRow(owner), before, 'nothing changed')
}

const inReview = async (facts: object = {}) => {
  const { id } = await register(committee, facts)
  return { id: String(id), reviewId: await submit(committee, id) }
}
const depart = async (person: Person) => {
  const place = `/v1/people/${person.id}`
  return await administrator.post(
    `${place}/departure`,
    { reason: 'left' },
    ifMatch(await administrator.get(place)),
  )
}
const refusesVote = async (t: Test, who: Person, reviewId: string, name: string, expected: Refusal) =>
  await refuses(t, committee, () => say(who, reviewId, { seat: name }), expected)

t.test('R-40: neither owner, nor who wrote or submitted it, votes', async (t) => {
  const [business, risk, writer, submitter] = [
    await inUnit('Ben', 'business_owner', 'committee_member'),
    await inUnit('Rob', 'risk_owner', 'committee_member'),
    await inUnit('Wes', 'business_owner', 'committee_member'),
    await inUnit('Sue', 'risk_owner', 'committee_member'),
  ]
  const { id } = await register(committee, { businessOwnerId: business.id, riskOwnerId: risk.id })
  for (const person of [business, risk, writer, submitter]) await giveSeat(committee, person, 'legal')
  await revise(committee, id, { benefits: 'Saves time' }, writer)
  const place = `/v1/use-cases/${id}`
  const { body } = await submitter.post(`${place}/reviews`, {}, ifMatch(await submitter.get(place)))
  for (const [who, rule] of [
    [submitter, 'DR-70'],
    [business, 'DR-71'],
    [risk, 'DR-72'],
    [writer, 'DR-73'],
  ] as const) {
    await refusesVote(t, who, body.id, 'legal', { status: 403, rule })
    await assertHeld(t, 'as an elector', [party(body.id, who)], UNIQUE)
    await assertHeld(t, 'in a seat', [seat(body.id, 'legal', who)], FOREIGN_KEY)
    await assertHeld(t, 'without one', [cast(body.id, 'legal', who)], FOREIGN_KEY)
  }
})

t.test('R-41: no delegate of an owner votes, nor anybody for an owner', async (t) => {
  const risk = await inUnit('Rob', 'risk_owner', 'committee_member')
  const standIn = await member('Sta', 'legal')
  const { id } = await register(committee, { riskOwnerId: risk.id })
  await giveSeat(committee, risk, 'legal')
  t.equal((await delegate(risk, standIn)).status, 201)
  const reviewId = await submit(committee, id)
  await refusesVote(t, standIn, reviewId, 'legal', { status: 403, rule: 'DR-72' })
  const forOwner = () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: risk.id })
  await refuses(t, committee, forOwner, { status: 403 })
  await assertHeld(t, 'the delegate as an elector', [party(reviewId, standIn)], UNIQUE)
  await assertHeld(t, 'the delegate in a seat', [seat(reviewId, 'legal', standIn)], FOREIGN_KEY)

  const stranger = await member('Str', 'legal')
  const seatedStranger = [party(reviewId, stranger), seat(reviewId, 'legal', stranger)]
  await assertHeld(
    t,
    'somebody for the owner',
    [...seatedStranger, cast(reviewId, 'legal', stranger, risk)],
    FOREIGN_KEY,
  )
  const represented: Statement = [
    'insert into review_seat (review_id, seat, person_id, represented_by) values ($1, $2, $3, $4)',
    [reviewId, 'legal', risk.id, stranger.id],
  ]
  await assertHeld(t, 'the owner as represented', [...seatedStranger, represented], FOREIGN_KEY)
})

t.test('R-42: nobody fills two seats, for themselves or for another', async (t) => {
  const both = await inUnit('Bob', 'committee_member', 'seat:legal', 'seat:compliance')
  const { reviewId } = await inReview()
  t.equal((await say(both, reviewId, { seat: 'legal' })).status, 201)
  await refusesVote(t, both, reviewId, 'compliance', { status: 409 })
  await assertHeld(t, 'a second seat', [seat(reviewId, 'compliance', both)], UNIQUE)
  await assertHeld(t, 'a vote from it', [cast(reviewId, 'compliance', both)], FOREIGN_KEY)

  const holder = await inUnit('Hol', 'seat:business', 'seat:risk')
  const standIn = await member('Sta', 'compliance')
  t.equal((await delegate(holder, standIn)).status, 201)
  t.equal((await say(standIn, reviewId, { seat: 'business', onBehalfOf: holder.id })).status, 201)
  await refusesVote(t, standIn, reviewId, 'compliance', { status: 409 })
  await refusesVote(t, holder, reviewId, 'risk', { status: 409 })
  await assertHeld(t, 'the delegate in an own seat', [seat(reviewId, 'compliance', standIn)], UNIQUE)
  await assertHeld(t, 'the holder in another seat', [seat(reviewId, 'risk', holder)], UNIQUE)
  await assertHeld(t, 'a vote of the holder from it', [cast(reviewId, 'risk', holder)], FOREIGN_KEY)
  await assertHeld(
    t,
    'a vote for somebody who is not in that seat',
    [cast(reviewId, 'legal', both, holder)],
    FOREIGN_KEY,
  )
  await assertHeld(t, 'a vote for oneself as for another', [cast(reviewId, 'legal', both, both)], CHECK)
  const other = await member('Oth', 'legal')
  await assertHeld(
    t,
    'a second person in a seat',
    [party(reviewId, other), seat(reviewId, 'legal', other)],
    UNIQUE,
  )
})

t.test('R-43: no service account votes', async (t) => {
  const machine = await committee.person('robot', {
    rights: ['committee_member', 'seat:legal'],
    unitId,
    kind: 'service',
  })
  const { reviewId } = await inReview()
  await refusesVote(t, machine, reviewId, 'legal', { status: 403, rule: 'DR-80' })
  const [text, values] = seat(reviewId, 'legal', machine)
  await assertHeld(t, 'in a seat', [party(reviewId, machine), [text, values]], FOREIGN_KEY)
  const asService: Statement = [
    `insert into review_seat (review_id, seat, person_id, person_kind) values ($1, $2, $3, 'service')`,
    values,
  ]
  await assertHeld(t, 'in a seat, as what it is', [party(reviewId, machine), asService], CHECK)
})

t.test('R-46: nobody votes who has left', async (t) => {
  const early = await member('Eve', 'legal')
  const voter = await member('Vic', 'compliance')
  const { reviewId } = await inReview()
  t.equal((await say(voter, reviewId, { seat: 'compliance' })).status, 201)
  for (const who of [early, voter]) t.equal((await depart(who)).status, 200)
  await refusesVote(t, early, reviewId, 'legal', { status: 401 })
  await refusesVote(t, voter, reviewId, 'compliance', { status: 401 })
  const anew = party(reviewId, early)
  await assertHeld(t, 'from a new seat', [anew, seat(reviewId, 'legal', early)], FOREIGN_KEY)
  await assertHeld(t, 'from the seat they had', [cast(reviewId, 'compliance', voter)], FOREIGN_KEY)
  const asLeft: Statement = [
    `insert into review_seat (review_id, seat, person_id, person_status) values ($1, 'legal', $2, 'left')`,
    [reviewId, early.id],
  ]
  await assertHeld(t, 'seated as somebody who left', [anew, asLeft], DENIED)
  await assertHeld(
    t,
    'made active again in the round',
    [[`update review_seat set person_status = 'active' where review_id = $1`, [reviewId]]],
    DENIED,
  )
  const { rows } = await owner.query('select choice from vote where review_id = $1', [reviewId])
  t.same(rows, [{ choice: 'approve' }], 'what they said stays on record')
})

t.test('R-44: nobody votes by a right that they gave themselves', async (t) => {
  const admin = await committee.person('Ann', { rights: ['administrator'] })
  const { reviewId } = await inReview()
  for (const [kind, name] of [
    ['seat', 'legal'],
    ['role', 'committee_member'],
  ]) {
    const grant = { kind, name, orgUnitId: unitId }
    const granting = () => admin.post(`/v1/people/${admin.id}/grants`, grant)
    await refuses(t, committee, granting, { status: 403 })
    await refusesVote(t, admin, reviewId, 'legal', { status: 403 })
    const own: Statement = [
      `insert into rights_grant (id, person_id, kind, name, org_unit_id, granted_by, granted_at)
        values ($1, $2, $3, $4, $5, $2, now())`,
      [newId(), admin.id, kind, name, unitId],
    ]
    await assertHeld(t, `${name} granted to oneself`, [own], CHECK)
  }
  await refuses(t, committee, () => propose(businessOwner, admin), { status: 409 })
})

t.test('R-30, R-37, R-50: nothing of it is undone or done again', async (t) => {
  const { reviewId } = await inReview()
  const { legal, risk } = committee.seats
  await say(legal, reviewId, { seat: 'legal' })
  await say(risk, reviewId, { seat: 'risk' })
  const change = (text: string): Statement => [text, []]
  for (const text of [
    `update vote set choice = 'block'`,
    'update vote set on_behalf_of = null',
    'delete from vote',
    'delete from review_party',
    `update review_party set part = 'elector'`,
    'update review_seat set represents = null',
    'update review_seat set person_kind = null',
    `update decision set outcome = 'blocked'`,
    'delete from decision',
    'update review set route = null',
    'update review_stage set quorum = 1',
    `update condition set text = 'x'`,
    'delete from condition_ending',
    'update delegation set to_id = from_id',
    'update delegation set created_at = now()',
  ]) {
    await assertHeld(t, text, [change(text)], DENIED)
  }
})
