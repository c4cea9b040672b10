// Ways that look shorter than the committee, and are none.
import t from 'tap'
import type { Policies } from '../../src/policy/load.js'
import { submit as submitUseCase } from '../../src/reviews/service.js'
import { Submission } from '../../src/reviews/submission.js'
import {
  act,
  answersFor,
  approved,
  register,
  revise,
  standing,
  startCommittee,
  submit,
  vote,
} from '../committee.js'
import { refuses } from '../unchanged.js'
import { all, ask, say, see, show } from './world.js'

const committee = await startCommittee(t)
const { riskOwner, policies } = committee

/** The policy in force, with this share of attestations drawn for a review. */
const drawing = (sampleShare: number): Policies => ({
  ...policies,
  lanes: {
    ...policies.lanes,
    lanes: policies.lanes.lanes.map((lane) =>
      lane.attestation ? { ...lane, attestation: { ...lane.attestation, sampleShare } } : lane,
    ),
  },
})
const submitUnder = async (other: Policies, id: string, asks: object) => {
  const { revision } = await see(committee, id)
  return await act(committee, riskOwner, (tx) =>
    submitUseCase(tx, other, id, revision, Submission.parse(asks)),
  )
}
const attested = async (sampleShare: number) => {
  const { id } = await register(committee, { answers: answersFor.minimal })
  return { id: String(id), review: await submitUnder(drawing(sampleShare), id, { attest: true }) }
}

t.test('R-25: an owner does not attest what people decided on and did not approve', async (t) => {
  const { id, review } = await attested(1)
  await all(committee, review.id, [
    ['business', 'block'],
    ['risk', 'block'],
  ])
  const { decisionId: supersedesId } = await standing(committee, id)
  const { body: again } = await ask(committee, id, { supersedesId })
  const { outcome } = await all(committee, again.id, [
    ['business', 'request_changes'],
    ['risk', 'request_changes'],
  ])
  t.equal(outcome, 'changes_requested', 'the block is taken back, and nothing is approved')
  for (const round of ['the first time', 'and the next']) {
    await refuses(t, committee, () => ask(committee, id, { attest: true }), {
      status: 422,
      detail: /by a vote/,
    })
    const { body: review } = await ask(committee, id)
    t.match(review, { route: 'full', lane: { id: 'minimal-sample' } }, round)
    await all(committee, review.id, [
      ['business', 'request_changes'],
      ['risk', 'request_changes'],
    ])
  }
  t.match(await standing(committee, id), { standing: 'unreviewed', reasons: ['changes_requested'] })

  await t.test('R-25: but again once they approved it', async (t) => {
    const { body: review } = await ask(committee, id)
    t.match(await all(committee, review.id, [['risk', 'approve']]), { outcome: 'approved' })
    t.match(await submitUnder(drawing(0), id, { attest: true }), { outcome: 'approved' })
  })
})

t.test('R-53: a precedent lifts no block', async (t) => {
  const { standing: granted } = await approved(committee, { title: 'Triage of claims in Ohio' })
  const { id } = await register(committee, { title: 'Triage of claims in Iowa' })
  await vote(committee, await submit(committee, id), 'risk', 'block')
  t.match(await standing(committee, id), { standing: 'blocked' })
  await refuses(t, committee, () => ask(committee, id, { precedentId: granted.decisionId }), {
    status: 409,
    detail: /what was blocked is decided in full again/,
  })
  const { precedents } = (await riskOwner.get(`/v1/use-cases/${id}/next-review`)).body
  t.same(precedents, [], 'none is offered either')
})

t.test('R-14: a tier that was lowered for one use is lowered for no other', async (t) => {
  const lowered = async () => {
    const { id } = await register(committee, { answers: answersFor.high, technique: 'classical_ml' })
    const { body: review } = await ask(committee, id, { lowerTierTo: 'minimal' })
    await all(committee, review.id, [
      ['business', 'approve'],
      ['security', 'approve'],
      ['risk', 'approve'],
    ])
    return String(id)
  }
  for (const facts of [
    { purpose: 'Decides whom we insure' },
    { jurisdictions: ['EU'] },
    { technique: 'other' },
  ]) {
    const id = await lowered()
    await revise(committee, id, { outputs: 'A list for the clerk', channels: ['phone'] })
    t.match((await see(committee, id)).tier, { effective: 'minimal', lowered: 'minimal' })
    await revise(committee, id, facts)
    t.match((await see(committee, id)).tier, { effective: 'high', lowered: null })
    await refuses(t, committee, () => ask(committee, id, { attest: true }), { status: 422 })
  }

  await t.test('R-14: nor from a tier that policy has raised since, applied or not', async (t) => {
    const id = await lowered()
    const { rules } = policies.riskTiers
    const prohibits = rules.map((rule) =>
      rule.tier === 'high' ? { ...rule, tier: 'prohibited' as const } : rule,
    )
    const stricter = { ...policies, riskTiers: { ...policies.riskTiers, rules: prohibits } }
    const review = await submitUnder(stricter, id, {})
    t.match(review, { outcome: null, tier: 'prohibited', lane: { id: 'prohibited' } })
  })
})

t.test('R-40: whoever wrote while the round was open does not vote on that in the next one', async (t) => {
  const author = await committee.inUnit('Wim', 'business_owner', 'seat:risk')
  const { id } = await register(committee)
  const first = await submit(committee, id)
  const written = { outputs: 'Letters that turn people down', stage: 'deployed' }
  t.equal((await revise(committee, id, written, author)).status, 200)
  t.match(
    await all(committee, first, [
      ['legal', 'approve'],
      ['risk', 'approve'],
    ]),
    { version: 1 },
  )
  const { body: review } = await ask(committee, id)
  t.match(review, { route: 'adaptive', version: 2 })
  t.ok(review.excluded.some(({ personId }: { personId: string }) => personId === author.id))
  await refuses(t, committee, () => say(author, review.id, { seat: 'risk' }), { status: 403 })
  t.equal((await show(committee, review.id)).outcome, null)
})

t.test('R-30: a vote is changed often, and not without end', async (t) => {
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  for (let votes = 1; votes <= 50; votes += 1) {
    t.equal((await vote(committee, reviewId, 'business', votes % 2 ? 'abstain' : 'approve')).status, 201)
  }
  await refuses(t, committee, () => vote(committee, reviewId, 'business', 'abstain'), {
    status: 409,
    detail: /you have voted 50 times in this round; your last vote counts/,
  })
  t.match(await all(committee, reviewId, [['risk', 'approve']]), { outcome: 'approved' })
})
