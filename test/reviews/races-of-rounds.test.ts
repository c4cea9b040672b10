// Rounds that meet with what else happens to a use case and its committee. Each waits on a connection of its own.
import t, { type Test } from 'tap'
import { addDays, addSeconds } from '../../src/instant.js'
import { type Answer, ifMatch, type Person } from '../app.js'
import { answersFor, register, START, standing, startCommittee, submit, vote } from '../committee.js'
import { delegate } from '../delegated.js'
import { assertGapless } from '../gapless.js'
import { meeting } from '../waiting.js'
import { ask, say, see, shipped, show, withLanes } from './world.js'

const place = (seat: string, required = false) => ({ seat, required, veto: false })
/** What is limited is decided in two stages; of what is minimal, each is drawn. */
const policies = withLanes(shipped(), (lanes) =>
  lanes.map((lane) => {
    if (lane.attestation) return { ...lane, attestation: { ...lane.attestation, sampleShare: 1 } }
    if (lane.id !== 'limited') return lane
    const stages = [
      { id: 'experts', seats: [place('legal'), place('compliance')], quorum: 1, dueInDays: 5 },
      { id: 'committee', seats: [place('risk', true), place('business')], quorum: 1, dueInDays: 5 },
    ]
    return { ...lane, stages }
  }),
)
const committee = await startCommittee(t, {}, policies)
const { owner, clock, riskOwner, inUnit, member } = committee
const administrator = await committee.person('Adi', { rights: ['administrator'] })
t.beforeEach(() => {
  clock.at = START
})

type Deed = () => Promise<Answer>
const statuses = (answers: Answer[]) => answers.map(({ status }) => status)
const meet = async (id: string, ...deeds: Deed[]) =>
  await meeting(committee, { table: 'use_case', id }, deeds)
const inReview = async (facts: object = {}) => {
  const { id } = await register(committee, facts)
  return { id: String(id), reviewId: await submit(committee, id) }
}
const decisionsOn = async (id: string): Promise<number> =>
  (await owner.query('select count(*)::int as n from decision where use_case_id = $1', [id])).rows[0].n
async function assertSound(t: Test, id: string, decisions: number): Promise<void> {
  t.equal(await decisionsOn(id), decisions)
  await assertGapless(t, committee, id)
}
const casting =
  (reviewId: string, seat: 'legal' | 'compliance' | 'risk' | 'business', choice = 'approve'): Deed =>
  async () =>
    await vote(committee, reviewId, seat, choice)
const leaving =
  (person: Person): Deed =>
  async () => {
    const url = `/v1/people/${person.id}`
    const seen = ifMatch(await administrator.get(url))
    return await administrator.post(`${url}/departure`, { reason: 'left' }, seen)
  }

t.test('R-23: a stage that closes meanwhile takes no vote, and the next takes it', async (t) => {
  const closed = await inReview()
  const answers = await meet(
    closed.id,
    casting(closed.reviewId, 'legal'),
    casting(closed.reviewId, 'compliance', 'block'),
  )
  t.same(statuses(answers), [201, 409])
  t.match(answers[1]?.body.detail, /^the stage of the compliance seat is not open; risk, business vote now$/)

  const opened = await inReview()
  const [, second] = await meet(
    opened.id,
    casting(opened.reviewId, 'legal'),
    casting(opened.reviewId, 'risk'),
  )
  t.match(second, { status: 201, body: { decision: { outcome: 'approved' } } })
  await assertSound(t, opened.id, 1)

  const early = await inReview()
  t.same(
    statuses(await meet(early.id, casting(early.reviewId, 'risk'), casting(early.reviewId, 'legal'))),
    [409, 201],
  )
  await assertSound(t, early.id, 0)
})

t.test('R-37: the last vote and the change of an earlier one: whichever is first', async (t) => {
  const first = await inReview({ answers: answersFor.high })
  await vote(committee, first.reviewId, 'business', 'approve')
  await vote(committee, first.reviewId, 'legal', 'approve')
  const late = await meet(
    first.id,
    casting(first.reviewId, 'risk'),
    casting(first.reviewId, 'business', 'block'),
  )
  t.same(statuses(late), [201, 409])
  await assertSound(t, first.id, 1)

  const second = await inReview({ answers: answersFor.high })
  await vote(committee, second.reviewId, 'business', 'approve')
  await vote(committee, second.reviewId, 'legal', 'approve')
  const intime = await meet(
    second.id,
    casting(second.reviewId, 'business', 'block'),
    casting(second.reviewId, 'risk'),
  )
  t.same(statuses(intime), [201, 201])
  t.equal(intime[1]?.body.decision, null)
  await assertSound(t, second.id, 0)
})

t.test('R-32: a recusal and the vote of another holder: the seat is free once it is given up', async (t) => {
  for (const isRecusalFirst of [true, false]) {
    const [first, second] = [await member('Fay', 'risk'), await member('Sam', 'risk')]
    const { id, reviewId } = await inReview()
    await vote(committee, reviewId, 'legal', 'approve')
    await say(first, reviewId, { seat: 'risk', choice: 'abstain' }).then(({ body }) =>
      t.equal(body.decision?.outcome, 'changes_requested'),
    )
    const { body: again } = await ask(committee, id)
    await vote(committee, again.id, 'legal', 'approve')
    const recuse = () => say(first, again.id, { seat: 'risk', choice: 'recuse' })
    const take = () => say(second, again.id, { seat: 'risk' })
    const answers = await meet(id, ...(isRecusalFirst ? [recuse, take] : [take, recuse]))
    t.same(statuses(answers), isRecusalFirst ? [201, 201] : [201, 409])
    t.match(await standing(committee, id), { standing: 'cleared' })
    await assertSound(t, id, 2)
  }
})

t.test('R-46: the last vote and the departure of an earlier voter: whichever is first', async (t) => {
  const highVotes = async () => {
    const leaver = await member('Lev', 'business')
    const { id, reviewId } = await inReview({ answers: answersFor.high })
    await say(leaver, reviewId, { seat: 'business' })
    await vote(committee, reviewId, 'legal', 'approve')
    return { leaver, id, reviewId }
  }
  const before = await highVotes()
  t.equal((await leaving(before.leaver)()).status, 200)
  t.equal((await vote(committee, before.reviewId, 'risk', 'approve')).body.decision, null)

  const during = await highVotes()
  const [voted, left] = await meeting(committee, { table: 'person', id: during.leaver.id }, [
    leaving(during.leaver),
    casting(during.reviewId, 'risk'),
  ])
  t.equal(voted?.status, 200)
  t.match(left, { status: 201, body: { decision: null } }, 'who has left by then counts no more')
  await assertSound(t, during.id, 0)
})

t.test('R-45: a vote for somebody and the end of their delegation', async (t) => {
  const holder = await member('Hol', 'legal')
  const standIn = await inUnit('Sta')
  const { body } = await delegate(holder, standIn)
  const cast =
    (reviewId: string): Deed =>
    () =>
      say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id })
  const end: Deed = () => holder.post(`/v1/delegations/${body.id}/ending`)
  const { id, reviewId } = await inReview()
  const [answer] = await meeting(committee, { table: 'use_case', id }, [cast(reviewId)], async () => {
    t.equal((await end()).status, 200)
  })
  t.ok([403, 404].includes(answer?.status ?? 0), 'it ended while the vote waited')
  t.same((await show(committee, reviewId)).votes, [])
  await assertSound(t, id, 0)

  await t.test('also by the clock, to the millisecond', async (t) => {
    const endsAt = addDays(START, 1)
    t.equal((await delegate(holder, standIn, { endsAt })).status, 201)
    for (const [at, status] of [
      [addSeconds(endsAt, -1), 201],
      [endsAt, 403],
    ] as const) {
      clock.at = START
      const { id, reviewId } = await inReview()
      const [answer] = await meeting(committee, { table: 'use_case', id }, [cast(reviewId)], async () => {
        clock.at = at
      })
      t.ok(status === 201 ? answer?.status === 201 : [403, 404].includes(answer?.status ?? 0))
      t.equal((await show(committee, reviewId)).votes.length, status === 201 ? 1 : 0)
    }
  })
})

t.test(
  'R-63: a vote that waits while the approval before expires decides as of when it is cast',
  async (t) => {
    const { id, standing: before } = await approvedInStages()
    clock.at = addDays(before.validUntil, -1)
    const { body: review } = await ask(committee, id)
    t.equal(review.lane.id, 'limited-minor')
    const [answer] = await meeting(
      committee,
      { table: 'use_case', id },
      [casting(review.id, 'legal')],
      async () => {
        clock.at = before.validUntil
        t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['expired'] })
      },
    )
    t.match(answer?.body.decision, {
      decidedAt: before.validUntil,
      validUntil: addDays(before.validUntil, 365),
    })
    t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
    await assertSound(t, id, 2)
  },
)

async function approvedInStages(facts: object = {}) {
  const { id, reviewId } = await inReview(facts)
  await vote(committee, reviewId, 'legal', 'approve')
  await vote(committee, reviewId, 'risk', 'approve')
  return await see(committee, id)
}

t.test('R-90: a vote and a suspension: both hold, whichever is first', async (t) => {
  for (const isVoteFirst of [true, false]) {
    const { id, reviewId } = await inReview()
    await vote(committee, reviewId, 'legal', 'approve')
    const suspend: Deed = () => riskOwner.post(`/v1/use-cases/${id}/suspensions`, { reason: 'a complaint' })
    const deeds = [casting(reviewId, 'risk'), suspend]
    t.same(statuses(await meet(id, ...(isVoteFirst ? deeds : deeds.toReversed()))), [201, 201])
    const now = await standing(committee, id)
    t.match(now, { standing: 'suspended', reasons: [] })
    t.ok(now.decisionId, 'the approval is there, and does not lift it')
    await assertSound(t, id, 1)
  }
})

t.test('R-25: two attestations at once are one, and one is drawn', async (t) => {
  const { id } = await register(committee, { answers: answersFor.minimal })
  const attest: Deed = () =>
    riskOwner.post(`/v1/use-cases/${id}/reviews`, { attest: true }, { 'if-match': '"1"' })
  t.same(statuses(await meet(id, attest, attest)), [201, 412])
  await assertSound(t, id, 1)

  await t.test('and an edit before it is seen first', async (t) => {
    const { id } = await register(committee, { answers: answersFor.minimal })
    const edit: Deed = () =>
      riskOwner.patch(
        `/v1/use-cases/${id}`,
        { facts: { answers: answersFor.high }, reason: 'as it is' },
        { 'if-match': '"1"' },
      )
    const attest: Deed = () =>
      riskOwner.post(`/v1/use-cases/${id}/reviews`, { attest: true }, { 'if-match': '"1"' })
    t.same(statuses(await meet(id, edit, attest)), [200, 412])
    t.match(await standing(committee, id), { standing: 'unreviewed' })
    await assertSound(t, id, 0)
  })
})

t.test('R-50: of two submissions that supersede one decision, one is decided', async (t) => {
  const { id, standing: before } = await approvedInStages()
  const { revision } = await see(committee, id)
  const supersede: Deed = () =>
    riskOwner.post(
      `/v1/use-cases/${id}/reviews`,
      { supersedesId: before.decisionId },
      { 'if-match': `"${revision}"` },
    )
  t.same(statuses(await meet(id, supersede, supersede)), [201, 412])
  await assertSound(t, id, 1)
})

t.test('R-53: a precedent that is blocked while its follower waits saves nothing', async (t) => {
  const cited = await approvedInStages({ title: 'Triage of claims in Ohio' })
  const { id } = await register(committee, { title: 'Triage of claims in Iowa' })
  const { body: review } = await ask(committee, id, { precedentId: cited.standing.decisionId })
  t.equal(review.route, 'precedent')
  const suspend = () => riskOwner.post(`/v1/use-cases/${cited.id}/suspensions`, { reason: 'a complaint' })
  const [answer] = await meeting(
    committee,
    { table: 'use_case', id },
    [casting(review.id, 'risk')],
    async () => {
      t.equal((await suspend()).status, 201)
    },
  )
  t.match(answer?.body.decision, {
    outcome: 'changes_requested',
    reason: 'the approval that it cites is not in force any more; submit it again',
  })
  t.match(await standing(committee, id), { standing: 'unreviewed' })
})

t.test('R-37: of everything at once nothing breaks: one decision or none, and no gap', async (t) => {
  for (let round = 0; round < 6; round += 1) {
    const { id, reviewId } = await inReview({ title: `Triage ${round}` })
    const holder = await member('Hol', 'legal')
    const standIn = await inUnit('Sta')
    const { body } = await delegate(holder, standIn)
    const leaver = await member('Lev', 'business')
    const deeds: Deed[] = [
      casting(reviewId, 'legal', round % 2 === 0 ? 'recuse' : 'approve'),
      () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id }),
      () => holder.post(`/v1/delegations/${body.id}/ending`),
      casting(reviewId, 'compliance', round % 3 === 0 ? 'block' : 'approve'),
      casting(reviewId, 'risk'),
      () => say(leaver, reviewId, { seat: 'business', choice: 'block' }),
      leaving(leaver),
      casting(reviewId, 'risk', 'abstain'),
      () => riskOwner.post(`/v1/use-cases/${id}/suspensions`, { reason: 'a complaint' }),
      ...(round > 3 ? [() => riskOwner.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'early' })] : []),
    ]
    const answers = await Promise.all(deeds.map((deed) => deed()))
    const strange = answers.filter(({ status }) => ![200, 201, 401, 403, 404, 409].includes(status))
    t.same(strange, [])
    const decided = answers.filter((answer) => answer.body.decision)
    t.equal(await decisionsOn(id), decided.length)
    t.ok(decided.length <= 1)
    const { stages, votes } = await show(committee, reviewId)
    t.equal(
      new Set(votes.map(({ seat, ordinal }: { seat: string; ordinal: number }) => `${seat} ${ordinal}`)).size,
      votes.length,
    )
    t.ok(stages[1].openedAt === null || stages[0].state === 'passed')
    await assertGapless(t, committee, id)
  }
})
