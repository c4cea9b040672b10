// Requests that meet on one use case. Each waits for its lock on a connection of its own.
import t from 'tap'
import type { Answer } from '../app.js'
import { register, standing, startCommittee, submit, vote } from '../committee.js'
import { assertGapless } from '../gapless.js'
import { meeting } from '../waiting.js'

const committee = await startCommittee(t)
const { owner, businessOwner, riskOwner } = committee

const statuses = (answers: Answer[]) => answers.map(({ status }) => status)
const meet = async (id: string, ...asks: (() => Promise<Answer>)[]) =>
  await meeting(committee, { table: 'use_case', id }, asks)

async function inReview(): Promise<{ id: string; reviewId: string }> {
  const { id } = await register(committee)
  return { id, reviewId: await submit(committee, id) }
}

t.test('R-37: of the last two votes at once, exactly one decides', async (t) => {
  const { id, reviewId } = await inReview()
  const answers = await meet(
    id,
    () => vote(committee, reviewId, 'legal', 'approve'),
    () => vote(committee, reviewId, 'risk', 'approve'),
  )
  t.same(statuses(answers), [201, 201])
  t.same(
    answers.map(({ body }) => body.decision?.outcome),
    [undefined, 'approved'],
  )
  t.equal((await standing(committee, id)).standing, 'cleared')
  await assertGapless(t, committee, id)
})

t.test('a vote that comes after the deciding one is told so, and does not count', async (t) => {
  const { id, reviewId } = await inReview()
  await vote(committee, reviewId, 'legal', 'approve')
  const answers = await meet(
    id,
    () => vote(committee, reviewId, 'risk', 'approve'),
    () => vote(committee, reviewId, 'compliance', 'block'),
  )
  t.same(statuses(answers), [201, 409])
  t.same(answers[0]?.body.decision.votes.length, 2)
  await assertGapless(t, committee, id)
})

t.test('a vote and a withdrawal at once: whoever is first settles it', async (t) => {
  const withdrawal = (reviewId: string) => () =>
    riskOwner.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'too early' })

  const decided = await inReview()
  await vote(committee, decided.reviewId, 'legal', 'approve')
  const first = await meet(
    decided.id,
    () => vote(committee, decided.reviewId, 'risk', 'approve'),
    withdrawal(decided.reviewId),
  )
  t.same(statuses(first), [201, 409])
  t.equal((await standing(committee, decided.id)).standing, 'cleared')
  await assertGapless(t, committee, decided.id)

  const withdrawn = await inReview()
  await vote(committee, withdrawn.reviewId, 'legal', 'approve')
  const second = await meet(withdrawn.id, withdrawal(withdrawn.reviewId), () =>
    vote(committee, withdrawn.reviewId, 'risk', 'approve'),
  )
  t.same(statuses(second), [200, 409])
  t.equal((await standing(committee, withdrawn.id)).standing, 'unreviewed')
  const { rows } = await owner.query('select 1 from decision where use_case_id = $1', [withdrawn.id])
  t.equal(rows.length, 0)
  await assertGapless(t, committee, withdrawn.id)
})

t.test('of two edits of one revision, one counts and the other is told', async (t) => {
  const { id } = await register(committee)
  const edit = (benefits: string) => () =>
    businessOwner.patch(
      `/v1/use-cases/${id}`,
      { facts: { benefits }, reason: 'as it is' },
      { 'if-match': '"1"' },
    )
  const answers = await meet(id, edit('Saves time'), edit('Saves money'))
  t.same(statuses(answers), [200, 412])
  t.match((await riskOwner.get(`/v1/use-cases/${id}`)).body, { benefits: 'Saves time', version: 2 })
  await assertGapless(t, committee, id)
})

t.test('R-20: an edit and a submission at once never leave a review of facts that nobody saw', async (t) => {
  const { id } = await register(committee)
  const answers = await meet(
    id,
    () =>
      businessOwner.patch(
        `/v1/use-cases/${id}`,
        { facts: { purpose: 'Pays claims' }, reason: 'as it is' },
        { 'if-match': '"1"' },
      ),
    () => riskOwner.post(`/v1/use-cases/${id}/reviews`, {}, { 'if-match': '"1"' }),
  )
  t.same(statuses(answers), [200, 412])
  t.equal((await standing(committee, id)).standing, 'unreviewed')
  await assertGapless(t, committee, id)
})

t.test('two submissions at once open one round', async (t) => {
  const { id } = await register(committee)
  const submission = () => riskOwner.post(`/v1/use-cases/${id}/reviews`, {}, { 'if-match': '"1"' })
  t.same(statuses(await meet(id, submission, submission)), [201, 412])
  await assertGapless(t, committee, id)
})

t.test('one Idempotency-Key twice at once is one deed with one answer', async (t) => {
  const { id, reviewId } = await inReview()
  const ballot = { seat: 'legal', choice: 'approve', rationale: 'as discussed' }
  const ask = () =>
    committee.seats.legal.post(`/v1/reviews/${reviewId}/votes`, ballot, { 'idempotency-key': 'once' })
  const [first, second] = await meet(id, ask, ask)
  t.same(second?.body, first?.body)
  t.same(
    [first?.headers['idempotency-replayed'], second?.headers['idempotency-replayed']],
    [undefined, 'true'],
  )
  t.equal(first?.body.review.votes.length, 1)
  await assertGapless(t, committee, id)
})

t.test('R-01, R-37: eight of each at once leave one decision and no gap', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const { id, reviewId } = await inReview()
    const asks = (['risk', 'legal', 'business', 'compliance'] as const).flatMap((seat) => [
      vote(committee, reviewId, seat, 'approve'),
      vote(committee, reviewId, seat, 'block'),
    ])
    const answers = await Promise.all(asks)
    t.ok(answers.every(({ status }) => status === 201 || status === 409))
    t.equal(answers.filter(({ body }) => body.decision).length, 1)
    const { rows } = await owner.query('select 1 from decision where review_id = $1', [reviewId])
    t.equal(rows.length, 1)
    await assertGapless(t, committee, id)
  }
})
