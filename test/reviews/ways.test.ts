// Ways to a decision beside the full review: shorter lanes, precedents, and what a submission may ask for.
import t from 'tap'
import { addDays } from '../../src/instant.js'
import { type Answer, ifMatch, type Person } from '../app.js'
import {
  answersFor,
  approved,
  type Committee,
  register,
  revise,
  type Seat,
  START,
  standing,
  startCommittee,
  submit,
  vote,
} from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { clock, riskOwner, auditor, seats } = committee

async function ask(
  { riskOwner }: Committee,
  id: string,
  asks: object,
  by: Person = riskOwner,
): Promise<Answer> {
  const place = `/v1/use-cases/${id}`
  return await by.post(`${place}/reviews`, asks, ifMatch(await by.get(place)))
}
const show = async (id: string) => (await riskOwner.get(`/v1/use-cases/${id}`)).body
const decisionOf = async (id: string) => (await auditor.get(`/v1/decisions/${id}`)).body
const wayOf = async (id: string) => {
  const { id: reviewId, route, lane, sinceVersion } = (await ask(committee, id, {})).body
  return { reviewId, route, laneId: lane.id, sinceVersion }
}
const voteAll = async (reviewId: string, choice: string, ...who: Seat[]) => {
  let last: Answer['body'] = null
  for (const seat of who) last = (await vote(committee, reviewId, seat, choice)).body
  return last
}

t.test('R-51: a re-review starts from the last decision', async (t) => {
  await t.test('R-51: without a material difference one signature does, and says since when', async (t) => {
    const { id } = await approved(committee)
    await revise(committee, id, { title: 'Triage of claims, by urgency' })
    const way = await wayOf(id)
    t.match(way, { route: 'minor', laneId: 'limited-minor', sinceVersion: 1 })
    const { decision } = await voteAll(way.reviewId, 'approve', 'legal')
    t.match(decision, { outcome: 'approved', route: 'minor', version: 2, basisVersion: 1 })
    t.equal(decision.validUntil, addDays(START, 365))
    t.match(await standing(committee, id), { standing: 'cleared', decisionId: decision.id })
  })

  await t.test('R-51: an adaptive difference takes the lane for those', async (t) => {
    const { id } = await approved(committee)
    await revise(committee, id, { channels: ['phone'] })
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['material_change'] })
    const way = await wayOf(id)
    t.match(way, { route: 'adaptive', laneId: 'limited-adaptive', sinceVersion: 1 })
    const { decision } = await voteAll(way.reviewId, 'approve', 'risk')
    t.match(decision, { outcome: 'approved', version: 2, basisVersion: 1 })
    t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })

    await t.test('R-51: and many small steps count from the last full review, together', async (t) => {
      await revise(committee, id, { benefits: 'Saves an hour a day' })
      const next = await wayOf(id)
      t.match(next, { route: 'adaptive', sinceVersion: 2 })
      t.match((await voteAll(next.reviewId, 'approve', 'risk')).decision, { basisVersion: 1 })
    })
  })

  await t.test('R-51: anything else is decided in full', async (t) => {
    const { id } = await approved(committee)
    await revise(committee, id, { purpose: 'Pays claims' })
    t.match(await wayOf(id), { route: 'full', laneId: 'limited', sinceVersion: 1 })
  })

  await t.test('R-51: so is what never was approved, or was approved for another tier', async (t) => {
    const refused = await register(committee)
    await vote(committee, await submit(committee, refused.id), 'risk', 'request_changes')
    t.match(await wayOf(refused.id), { route: 'full', sinceVersion: 1 })
    const raised = await approved(committee)
    const place = `/v1/use-cases/${raised.id}`
    const raise = { tier: 'high', reason: 'a complaint came in' }
    await riskOwner.post(`${place}/tier`, raise, ifMatch(await riskOwner.get(place)))
    t.match(await wayOf(raised.id), { route: 'full', laneId: 'high' })
  })

  await t.test('R-52: the short lane can refuse as well, and leaves the approval alone', async (t) => {
    const { id, standing: before } = await approved(committee)
    const { reviewId } = await wayOf(id)
    await voteAll(reviewId, 'request_changes', 'legal', 'risk')
    t.same(await standing(committee, id), before)
  })
})

t.test('R-53: a precedent', async (t) => {
  const { id: cited, standing: granted } = await approved(committee, { title: 'Triage of claims in Ohio' })
  const citing = { precedentId: granted.decisionId }
  const alike = async (facts: object = {}) =>
    (await register(committee, { title: 'Triage of claims in Iowa', ...facts })).id as string
  const refusesCitation = async (id: string, detail: RegExp, asks: object = citing) =>
    await refuses(t, committee, () => ask(committee, id, asks), { status: 409, detail })

  await t.test('R-53: of the same pattern saves the committee, and the decision names it', async (t) => {
    const id = await alike({ purpose: 'Sorts claims of another state' })
    const { body: review } = await ask(committee, id, citing)
    t.match(review, { route: 'precedent', lane: { id: 'limited-precedent' }, asks: citing })
    const { decision } = await voteAll(review.id, 'approve', 'risk')
    t.match(decision, { outcome: 'approved', route: 'precedent', precedentId: granted.decisionId })

    await t.test('R-53: but is none for a third one', async () => {
      await refusesCitation(await alike(), /it was not decided in a full review itself/, {
        precedentId: decision.id,
      })
    })
  })

  await t.test('R-53: of another pattern, or tier, counts for nothing', async () => {
    await refusesCitation(await alike({ channels: ['phone'] }), /channels differ/)
    await refusesCitation(
      await alike({ answers: { ...answersFor.limited, personal_data: 'personal' } }),
      /answers.*differ/,
    )
    await refusesCitation(await alike({ answers: answersFor.high }), /policy lets no precedent count/)
  })

  await t.test('R-53: cannot be cited by the use case itself', async () => {
    await refusesCitation(cited, /no precedent for itself/)
  })

  await t.test('R-53: lends its conditions, too', async (t) => {
    const { id: strict } = await register(committee, { title: 'Triage of claims in Utah' })
    const reviewId = await submit(committee, strict)
    await vote(committee, reviewId, 'legal', 'approve')
    const ballot = { seat: 'risk', choice: 'approve_with_conditions', rationale: 'as discussed' }
    const conditions = [
      { type: 'obligation', text: 'A report.', satisfiedBy: 'test_report', dueInDays: 30 },
      { type: 'limit', on: 'channel', values: ['mail'] },
    ]
    const { decision } = (await seats.risk.post(`/v1/reviews/${reviewId}/votes`, { ...ballot, conditions }))
      .body
    const id = await alike()
    clock.at = addDays(START, 10)
    const { body: review } = await ask(committee, id, { precedentId: decision.id })
    const { decision: followed } = await voteAll(review.id, 'approve', 'risk')
    t.match(followed, {
      outcome: 'approved_with_conditions',
      limits: [{ on: 'channel', values: ['mail'] }],
    })
    t.match(
      followed.conditions.find(({ type }: { type: string }) => type === 'obligation'),
      { text: 'A report.', dueAt: addDays(clock.at, 30) },
    )
    clock.at = START
  })

  await t.test('R-53: counts while it is recent, and in force', async () => {
    const id = await alike()
    clock.at = addDays(START, 366)
    await refusesCitation(id, /older than 365 days/)
    clock.at = START
    await revise(committee, cited, { channels: ['mail'] })
    await refusesCitation(id, /not in force/)
  })

  await t.test('R-53: is not asked for beside what takes the full way', async (t) => {
    const id = await alike()
    await refuses(t, committee, () => ask(committee, id, { ...citing, lowerTierTo: 'minimal' }), {
      status: 422,
      detail: /leave out one of them/,
    })
  })
})

t.test('R-14: a tier is lowered by the committee of the higher one', async (t) => {
  const { id } = await register(committee, { answers: answersFor.high })
  for (const lowerTierTo of ['high', 'prohibited']) {
    await refuses(t, committee, () => ask(committee, id, { lowerTierTo }), { status: 422 })
  }
  const { body: review } = await ask(committee, id, { lowerTierTo: 'limited' })
  t.match(review, { tier: 'high', route: 'full', lane: { id: 'high' }, asks: { lowerTierTo: 'limited' } })
  const { decision } = await voteAll(review.id, 'approve', 'business', 'security', 'risk')
  t.match(decision, { outcome: 'approved', tier: 'high', loweredTier: 'limited' })
  t.match(await show(id), {
    tier: { effective: 'limited', computed: 'high', lowered: 'limited' },
    standing: { standing: 'cleared' },
  })

  await t.test(
    'R-14: which ends when an answer changes, and with it the ground of the approval',
    async (t) => {
      await revise(committee, id, { benefits: 'Saves time' })
      t.match((await show(id)).tier, { effective: 'limited' })
      await revise(committee, id, { answers: { customer_facing: 'yes' } })
      t.match(await show(id), {
        tier: { effective: 'high', lowered: null },
        standing: { standing: 'lapsed', reasons: ['material_change'] },
      })
    },
  )

  await t.test('R-14: which ends when another fact gives it another tier', async (t) => {
    const answers = { ...answersFor.limited, autonomy: 'autonomous' }
    const { id, tier } = await register(committee, { answers, technique: 'generative' })
    t.equal(tier.computed, 'limited')
    const { body: review } = await ask(committee, id, { lowerTierTo: 'minimal' })
    await voteAll(review.id, 'approve', 'legal', 'risk')
    t.match((await show(id)).tier, { effective: 'minimal', computed: 'limited' })
    await revise(committee, id, { technique: 'agentic' })
    t.match((await show(id)).tier, { effective: 'high', computed: 'high', lowered: null })
  })

  await t.test('R-13, R-14: which ends when somebody raises it', async (t) => {
    const { id } = await register(committee, { answers: answersFor.high })
    const { body: review } = await ask(committee, id, { lowerTierTo: 'limited' })
    await voteAll(review.id, 'approve', 'business', 'security', 'risk')
    const place = `/v1/use-cases/${id}`
    const raise = { tier: 'high', reason: 'a complaint came in' }
    await riskOwner.post(`${place}/tier`, raise, ifMatch(await riskOwner.get(place)))
    t.match(await show(id), { tier: { effective: 'high', raised: 'high', lowered: null } })
  })

  await t.test('R-14: and not when they refuse', async (t) => {
    const { id } = await register(committee, { answers: answersFor.high })
    const { body: review } = await ask(committee, id, { lowerTierTo: 'limited' })
    await voteAll(review.id, 'block', 'compliance')
    t.match(await show(id), { tier: { effective: 'high', lowered: null }, standing: { standing: 'blocked' } })
  })
})

t.test(
  'R-26: what is prohibited is lowered first, and approved in another review, as what it then is',
  async (t) => {
    const { id } = await register(committee, { answers: answersFor.prohibited })
    const { body: review } = await ask(committee, id, { lowerTierTo: 'high' })
    t.match(review, { tier: 'prohibited', lane: { id: 'prohibited' } })
    const { decision } = await voteAll(review.id, 'approve', 'legal', 'compliance')
    t.match(decision, {
      outcome: 'changes_requested',
      reason: 'the tier is lowered to high; submit it again as that',
      loweredTier: 'high',
      validUntil: null,
    })
    t.match(await show(id), { tier: { effective: 'high' }, standing: { standing: 'unreviewed' } })
    const again = await wayOf(id)
    t.match(again, { route: 'full', laneId: 'high' })
    t.match((await voteAll(again.reviewId, 'approve', 'business', 'security', 'risk')).decision, {
      outcome: 'approved',
      tier: 'high',
    })
  },
)

t.test('R-50: a wrong decision is superseded by a new one, and itself stays as it was', async (t) => {
  const { id, standing: before } = await approved(committee)
  const wrong = await decisionOf(before.decisionId)
  const other = await approved(committee, { title: 'Letters to brokers' })
  await refuses(t, committee, () => ask(committee, id, { supersedesId: other.standing.decisionId }), {
    status: 409,
    detail: /only the decision that is in force can be superseded/,
  })
  const { body: review } = await ask(committee, id, { supersedesId: wrong.id })
  t.match(review, { route: 'full', lane: { id: 'limited' } })
  t.match(await standing(committee, id), { standing: 'cleared' })
  const { decision } = await voteAll(review.id, 'request_changes', 'risk')
  t.match(decision, { outcome: 'changes_requested', supersedesId: wrong.id })
  t.match(await standing(committee, id), {
    standing: 'unreviewed',
    reasons: ['changes_requested'],
    decisionId: null,
    validUntil: null,
  })
  t.same(await decisionOf(wrong.id), { ...wrong, supersededById: decision.id })

  await t.test('R-50: a wrong block, too', async (t) => {
    await vote(committee, await submit(committee, id), 'risk', 'block')
    const { decisionId: supersedesId } = await standing(committee, id)
    const { body: again } = await ask(committee, id, { supersedesId })
    const { decision } = await voteAll(again.id, 'approve', 'legal', 'risk')
    t.match(await standing(committee, id), { standing: 'cleared', decisionId: decision.id })
  })
})
