// Rounds of several stages, on a policy of the test's own.
import t from 'tap'
import { addDays, addSeconds } from '../../src/instant.js'
import { LanesFile } from '../../src/policy/lanes.js'
import { ifMatch, policyAsking } from '../app.js'
import {
  answersFor,
  register,
  type Seat,
  START,
  standing,
  startCommittee,
  submit,
  vote,
} from '../committee.js'
import { refuses } from '../unchanged.js'
import { eventsOf } from './world.js'

const shipped = policyAsking()
const place = (seat: Seat, part?: 'required' | 'veto') => ({
  seat,
  required: part === 'required',
  veto: part === 'veto',
})
const stages = [
  { id: 'experts', seats: [place('legal', 'veto'), place('security')], quorum: 1, dueInDays: 5 },
  {
    id: 'committee',
    seats: [place('risk', 'required'), place('business'), place('compliance')],
    quorum: 2,
    dueInDays: 10,
  },
]
const order = { limited: 'in_order', high: 'at_once' } as Record<string, string>
const kept = ['prohibited', 'high', 'limited', 'minimal', 'minimal-sample']
/** What is limited is decided stage by stage, what is high in both at once. */
const lanes = LanesFile.parse({
  ...shipped.lanes,
  lanes: shipped.lanes.lanes
    .filter(({ id }) => kept.includes(id))
    .map((lane) =>
      order[lane.id]
        ? { ...lane, stages, order: order[lane.id], reReview: undefined, precedent: undefined }
        : lane,
    ),
})
const committee = await startCommittee(t, {}, { ...shipped, lanes })
const { clock, auditor, seats, member } = committee

const look = async (reviewId: string) => (await auditor.get(`/v1/reviews/${reviewId}`)).body
const inOrder = async () => {
  const { id } = await register(committee)
  return { id, reviewId: await submit(committee, id) }
}
const atOnce = async () => {
  const { id } = await register(committee, { answers: answersFor.high })
  return { id, reviewId: await submit(committee, id) }
}
const statesOf = (review: { stages: { id: string; state: string }[] }) =>
  review.stages.map(({ id, state }) => `${id} ${state}`)

t.test('R-23: in order, the second stage opens as the first one passes, and is due from then', async (t) => {
  const { id, reviewId } = await inOrder()
  t.match(await look(reviewId), {
    dueAt: addDays(START, 5),
    openSeats: ['legal', 'security'],
    approvals: 0,
    needed: 3,
    stages: [
      { id: 'experts', state: 'open', openedAt: START, dueAt: addDays(START, 5) },
      { id: 'committee', state: 'waiting', openedAt: null, dueAt: null, openSeats: [] },
    ],
  })
  await refuses(t, committee, () => vote(committee, reviewId, 'risk', 'approve'), {
    status: 409,
    detail: 'the stage of the risk seat is not open; legal, security vote now',
  })

  clock.at = addDays(START, 3)
  const { review } = (await vote(committee, reviewId, 'security', 'approve')).body
  t.match(review, {
    outcome: null,
    dueAt: addDays(START, 13),
    openSeats: ['risk', 'business', 'compliance'],
    stages: [
      { state: 'passed', closedAt: clock.at, openSeats: [] },
      { state: 'open', openedAt: clock.at, dueAt: addDays(START, 13) },
    ],
  })
  t.same(await look(reviewId), review)

  await t.test(
    'R-23: a stage that passed takes no vote any more, nor another one of those cast',
    async (t) => {
      for (const seat of ['legal', 'security'] as const) {
        await refuses(t, committee, () => vote(committee, reviewId, seat, 'block'), {
          status: 409,
          detail: `the stage of the ${seat} seat is not open; risk, business, compliance vote now`,
        })
      }
    },
  )

  await t.test('R-35, R-37: with the last stage it is approved, by the votes of all stages', async (t) => {
    t.equal((await vote(committee, reviewId, 'risk', 'approve')).body.decision, null)
    const { decision, review } = (await vote(committee, reviewId, 'business', 'approve')).body
    t.match(decision, {
      outcome: 'approved',
      reason: '3 of 5 seats approved, 3 were needed',
      votes: [{ seat: 'security' }, { seat: 'risk' }, { seat: 'business' }],
    })
    t.same(statesOf(review), ['experts passed', 'committee passed'])
    t.match(await standing(committee, id), { standing: 'cleared', decisionId: decision.id })
  })
  clock.at = START
})

t.test('R-36: a stage out of reach ends the round, and the next one never opens', async (t) => {
  const { reviewId } = await inOrder()
  await vote(committee, reviewId, 'legal', 'request_changes')
  const { decision, review } = (await vote(committee, reviewId, 'security', 'abstain')).body
  t.match(decision, {
    outcome: 'changes_requested',
    reason: 'in the experts stage, 1 approval is out of reach',
  })
  t.same(statesOf(review), ['experts not_passed', 'committee waiting'])
  t.match(review.stages[1], { openedAt: null, openSeats: [], isOverdue: false })
})

t.test('R-34, R-36: a block in a stage that passed is dissent, and told at the end', async (t) => {
  const { reviewId } = await inOrder()
  t.equal((await vote(committee, reviewId, 'security', 'block')).body.decision, null)
  await vote(committee, reviewId, 'legal', 'approve')
  t.match((await vote(committee, reviewId, 'risk', 'request_changes')).body.decision, {
    outcome: 'blocked',
    reason: 'in the committee stage, the risk seat is required and did not approve',
  })
})

t.test('R-23: at once, every stage is open from the start and closes by itself', async (t) => {
  const { id, reviewId } = await atOnce()
  t.match(await look(reviewId), {
    dueAt: addDays(START, 5),
    openSeats: ['legal', 'security', 'risk', 'business', 'compliance'],
  })
  await vote(committee, reviewId, 'risk', 'approve')
  const { review } = (await vote(committee, reviewId, 'business', 'approve')).body
  t.same(statesOf(review), ['experts open', 'committee passed'])
  await refuses(t, committee, () => vote(committee, reviewId, 'compliance', 'block'), {
    status: 409,
    detail: 'the stage of the compliance seat is not open; legal, security vote now',
  })
  const { decision } = (await vote(committee, reviewId, 'legal', 'approve')).body
  t.match(decision, { outcome: 'approved', votes: { length: 3 } })
  t.match(await standing(committee, id), { standing: 'cleared' })
})

t.test('R-34: a veto ends all stages at once', async (t) => {
  const { id, reviewId } = await atOnce()
  await vote(committee, reviewId, 'risk', 'approve')
  const { decision, review } = (await vote(committee, reviewId, 'legal', 'block')).body
  t.match(decision, { outcome: 'blocked', reason: 'blocked by the legal seat, which has a veto' })
  t.same(statesOf(review), ['experts not_passed', 'committee not_passed'])
  t.match(await standing(committee, id), { standing: 'blocked', decisionId: decision.id })
})

t.test('R-35: the conditions of every counted vote of all stages hold, and of no other vote', async (t) => {
  const { id, reviewId } = await inOrder()
  const approve = async (seat: Seat, text: string) =>
    await seats[seat].post(`/v1/reviews/${reviewId}/votes`, {
      ...{ seat, choice: 'approve_with_conditions', rationale: 'as discussed' },
      conditions: [{ type: 'obligation', text, satisfiedBy: 'test_report', dueInDays: 30 }],
    })
  await approve('security', 'A test of what it lets through.')
  await approve('business', 'Taken back before the stage closed.')
  const early = await look(reviewId)
  t.same(
    early.votes.map(({ seat }: { seat: Seat }) => seat),
    ['security', 'business'],
  )
  await vote(committee, reviewId, 'business', 'abstain')
  await vote(committee, reviewId, 'compliance', 'approve')
  const { decision } = (await approve('risk', 'A report on each quarter.')).body
  t.match(decision, {
    outcome: 'approved_with_conditions',
    reason: '3 of 5 seats approved, 2 with conditions, 3 were needed',
  })
  t.same(decision.conditions.map(({ text }: { text: string }) => text).sort(), [
    'A report on each quarter.',
    'A test of what it lets through.',
  ])
  t.match(await standing(committee, id), { standing: 'cleared_with_conditions' })
})

t.test('R-32: a seat whose holder recused waits for another holder, and nothing is lowered', async (t) => {
  const other = await member('Rob', 'risk')
  const { id, reviewId } = await inOrder()
  await vote(committee, reviewId, 'security', 'approve')
  const recusal = (await vote(committee, reviewId, 'risk', 'recuse')).body
  t.equal(recusal.decision, null)
  t.match(recusal.review, { approvals: 1, needed: 3, openSeats: ['risk', 'business', 'compliance'] })
  await vote(committee, reviewId, 'business', 'approve')
  t.match((await vote(committee, reviewId, 'compliance', 'approve')).body, { decision: null })
  await refuses(t, committee, () => vote(committee, reviewId, 'risk', 'approve'), {
    status: 409,
    detail: 'you gave up your seat in this round; another holder of it votes now',
  })
  const ballot = { seat: 'risk', choice: 'approve', rationale: 'as discussed' }
  const { decision } = (await other.post(`/v1/reviews/${reviewId}/votes`, ballot)).body
  t.match(decision, { outcome: 'approved', reason: '4 of 5 seats approved, 3 were needed' })
  t.match(await standing(committee, id), { standing: 'cleared' })
  t.match((await look(reviewId)).votes, [
    { seat: 'security' },
    { seat: 'risk', choice: 'recuse', ordinal: 1 },
    { seat: 'business' },
    { seat: 'compliance' },
    { seat: 'risk', choice: 'approve', ordinal: 2, personId: other.id },
  ])
})

t.test('R-32: a recusal takes the earlier vote back, and closes nothing', async (t) => {
  const { reviewId } = await inOrder()
  await vote(committee, reviewId, 'security', 'approve')
  await vote(committee, reviewId, 'risk', 'approve')
  await vote(committee, reviewId, 'risk', 'recuse')
  t.match((await vote(committee, reviewId, 'business', 'approve')).body, {
    decision: null,
    review: { approvals: 2, openSeats: ['risk', 'compliance'] },
  })
})

t.test(
  'R-46: whoever leaves after their stage passed has voted; it is neither reopened nor lost',
  async (t) => {
    const sam = await member('Sam', 'security')
    const { reviewId } = await inOrder()
    const ballot = { seat: 'security', choice: 'approve', rationale: 'as discussed' }
    t.equal((await sam.post(`/v1/reviews/${reviewId}/votes`, ballot)).status, 201)
    const administrator = await committee.person('Adi', { rights: ['administrator'] })
    const place = `/v1/people/${sam.id}`
    const seen = ifMatch(await administrator.get(place))
    t.equal((await administrator.post(`${place}/departure`, { reason: 'left' }, seen)).status, 200)
    await vote(committee, reviewId, 'risk', 'approve')
    const { decision, review } = (await vote(committee, reviewId, 'business', 'approve')).body
    t.match(decision, { outcome: 'approved', reason: '3 of 5 seats approved, 3 were needed' })
    t.same(statesOf(review), ['experts passed', 'committee passed'])
  },
)

t.test('R-34: a veto ends a round of which the other stage passed', async (t) => {
  const { id, reviewId } = await atOnce()
  await vote(committee, reviewId, 'risk', 'approve')
  await vote(committee, reviewId, 'business', 'approve')
  const { decision, review } = (await vote(committee, reviewId, 'legal', 'block')).body
  t.match(decision, { outcome: 'blocked', reason: 'blocked by the legal seat, which has a veto' })
  t.same(statesOf(review), ['experts not_passed', 'committee passed'])
  t.match(await standing(committee, id), { standing: 'blocked' })
})

t.test('R-33: a required seat whose only holder recused keeps the stage open, however late', async (t) => {
  const { id, reviewId } = await inOrder()
  await vote(committee, reviewId, 'legal', 'approve')
  await vote(committee, reviewId, 'risk', 'recuse')
  await vote(committee, reviewId, 'business', 'approve')
  t.equal((await vote(committee, reviewId, 'compliance', 'approve')).body.decision, null)
  clock.at = addDays(START, 400)
  t.match(await look(reviewId), {
    outcome: null,
    isOverdue: true,
    openSeats: ['risk'],
    stages: [{ isOverdue: false }, { isOverdue: true, approvals: 2, quorum: 2 }],
  })
  t.match(await standing(committee, id), { standing: 'in_review' })
  clock.at = START
})

t.test('R-24: a stage is overdue from the instant it is due, and only while it is open', async (t) => {
  const { reviewId } = await inOrder()
  const overdue = async () =>
    (await look(reviewId)).stages.map(({ isOverdue }: { isOverdue: boolean }) => isOverdue)
  clock.at = addSeconds(addDays(START, 5), -1)
  t.same(await overdue(), [false, false])
  clock.at = addDays(START, 5)
  t.same(await overdue(), [true, false])
  t.match(await look(reviewId), { isOverdue: true, outcome: null })
  const { review } = (await vote(committee, reviewId, 'legal', 'approve')).body
  t.match(review, { isOverdue: false, dueAt: addDays(START, 15) })
  clock.at = addDays(START, 15)
  t.same(await overdue(), [false, true])
  clock.at = START
})

t.test('R-23: the log says when each stage opened and closed', async (t) => {
  const { id, reviewId } = await inOrder()
  await vote(committee, reviewId, 'legal', 'approve')
  await vote(committee, reviewId, 'risk', 'approve')
  await vote(committee, reviewId, 'business', 'approve')
  t.same(await eventsOf(committee, id), [
    ...['use_case.registered', 'review.opened', 'vote.cast', 'stage.closed', 'stage.opened'],
    ...['vote.cast', 'vote.cast', 'decision.made'],
  ])
  const { rows } = await committee.owner.query(
    `select leaf from audit_event where aggregate_id = $1 and type like 'stage.%' order by event_no`,
    [id],
  )
  t.match(
    rows.map(({ leaf }) => JSON.parse(String(leaf))),
    [
      { type: 'stage.closed', reviewId, stage: 'experts', passed: true },
      { type: 'stage.opened', reviewId, stage: 'committee', dueAt: addDays(START, 10) },
    ],
  )
})

t.test('R-27: a round that is withdrawn between two stages leaves neither open', async (t) => {
  const { id, reviewId } = await inOrder()
  await vote(committee, reviewId, 'legal', 'approve')
  const withdrawal = { reason: 'too early' }
  const { body } = await committee.riskOwner.post(`/v1/reviews/${reviewId}/withdrawal`, withdrawal)
  t.same(statesOf(body), ['experts passed', 'committee not_passed'])
  t.match(body, { outcome: 'withdrawn', openSeats: [], isOverdue: false })
  await refuses(t, committee, () => vote(committee, reviewId, 'risk', 'approve'), { status: 409 })
  const again = await look(await submit(committee, id))
  t.match(again, { round: 2, votes: [], openSeats: ['legal', 'security'] })
})
