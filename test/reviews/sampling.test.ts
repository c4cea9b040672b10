// What an owner's word cannot do, and the share of them that people look at.
import fc from 'fast-check'
import t from 'tap'
import { v7 as newId } from 'uuid'
import { addDays } from '../../src/instant.js'
import { isDrawn } from '../../src/reviews/sample.js'
import { ifMatch } from '../app.js'
import { answersFor, register, revise, START, standing, startCommittee, vote } from '../committee.js'
import { refuses } from '../unchanged.js'
import { all, ask, conditionsOn, eventsOf, say, see, shipped, show, withLanes } from './world.js'

/** Every attestation is drawn. */
const policies = withLanes(shipped(), (lanes) =>
  lanes.map((lane) =>
    lane.attestation ? { ...lane, attestation: { ...lane.attestation, sampleShare: 1 } } : lane,
  ),
)
const committee = await startCommittee(t, {}, policies)
const { businessOwner, riskOwner, seats, inUnit, clock } = committee

const attest = async (id: string) => await ask(committee, id, { attest: true })
const attested = async (facts: object = {}) => {
  const { id } = await register(committee, { answers: answersFor.minimal, ...facts })
  const { body } = await attest(id)
  return { id: String(id), reviewId: String(body.id) }
}

t.test('R-25: a draw takes its share, whatever the ids, and anybody can draw again', (t) => {
  const ids = Array.from({ length: 20_000 }, () => newId())
  for (const share of [0.01, 0.1, 0.5]) {
    const drawn = ids.filter((id) => isDrawn(id, share)).length
    const spread = Math.sqrt(ids.length * share * (1 - share))
    t.ok(Math.abs(drawn - ids.length * share) < 5 * spread, `${drawn} of ${ids.length} at ${share}`)
  }
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(fc.uuid(), share, share, (id, a, b) => {
      const [less, more] = [isDrawn(id, Math.min(a, b)), isDrawn(id, Math.max(a, b))]
      return !isDrawn(id, 0) && isDrawn(id, 1) && (more || !less)
    }),
  )
  t.end()
})

t.test('R-25: what is drawn is decided twice: by its owner, then by others', async (t) => {
  const { id, reviewId } = await attested()
  const { items } = (await riskOwner.get(`/v1/use-cases/${id}/reviews`)).body
  t.match(items, [
    { id: reviewId, round: 2, route: 'sample', outcome: null, lane: { id: 'minimal-sample' } },
    { round: 1, route: 'attestation', outcome: 'approved', stages: [] },
  ])
  t.same(await eventsOf(committee, id), [
    ...['use_case.registered', 'review.opened', 'decision.made', 'review.opened'],
  ])
  const withdrawal = () => riskOwner.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'no need' })
  await refuses(t, committee, withdrawal, { status: 409, detail: /drawn as a sample/ })
  const before = await standing(committee, id)
  t.match(before, { standing: 'cleared', openReviewId: reviewId })

  await t.test('R-24: however long that takes', async (t) => {
    clock.at = addDays(START, 100)
    t.match(await standing(committee, id), { standing: 'cleared' })
    t.match(await show(committee, reviewId), { isOverdue: true, outcome: null })
    clock.at = START
  })

  await t.test('R-52: a request for changes leaves the approval alone', async (t) => {
    const decision = await all(committee, reviewId, [
      ['risk', 'request_changes'],
      ['business', 'abstain'],
    ])
    t.match(decision, { outcome: 'changes_requested', route: 'sample', attestedBy: null })
    t.same(await standing(committee, id), { ...before, openReviewId: null })
  })
})

t.test('R-40: whoever wrote what was attested votes neither on the sample nor on what follows', async (t) => {
  const writer = await inUnit('Wes', 'business_owner', 'committee_member', 'seat:risk')
  const { id } = await register(committee, { answers: answersFor.minimal })
  t.equal((await revise(committee, id, { benefits: 'Saves time' }, writer)).status, 200)
  const { body: sample } = await attest(id)
  await refuses(t, committee, () => say(writer, sample.id, { seat: 'risk' }), { status: 403, rule: 'DR-73' })
  for (const owner of [businessOwner, riskOwner]) {
    await refuses(t, committee, () => say(owner, sample.id, { seat: 'risk' }), { status: 403 })
  }
  await all(committee, sample.id, [
    ['risk', 'block'],
    ['business', 'abstain'],
  ])
  t.match(await standing(committee, id), { standing: 'blocked' })
  const { body: next } = await ask(committee, id)
  await refuses(t, committee, () => say(writer, next.id, { seat: 'risk' }), { status: 403, rule: 'DR-73' })
  t.equal((await vote(committee, next.id, 'risk', 'approve')).body.decision.outcome, 'approved')
  const { body: later } = await ask(committee, id, {
    supersedesId: (await standing(committee, id)).decisionId,
  })
  t.equal((await say(writer, later.id, { seat: 'risk' })).status, 201, 'others approved since')
})

t.test('R-25: the word of an owner lifts no block', async (t) => {
  const { id, reviewId } = await attested()
  await all(committee, reviewId, [
    ['risk', 'block'],
    ['business', 'block'],
  ])
  t.match(await standing(committee, id), { standing: 'blocked' })
  await refuses(t, committee, () => attest(id), {
    status: 422,
    detail: 'this is decided by a vote; submit it without "attest"',
  })
  const { body: review } = await ask(committee, id)
  t.match(review, { route: 'full', outcome: null, lane: { id: 'minimal-sample' } })
  t.match(await standing(committee, id), { standing: 'blocked', openReviewId: review.id })
  t.match((await vote(committee, review.id, 'business', 'approve')).body.decision, { outcome: 'approved' })
  t.match(await standing(committee, id), { standing: 'cleared' })

  await t.test('also of what was blocked at a higher tier', async (t) => {
    const { id } = await register(committee)
    const { body } = await ask(committee, id)
    t.equal((await vote(committee, body.id, 'risk', 'block')).body.decision.outcome, 'blocked')
    t.equal((await revise(committee, id, { answers: answersFor.minimal })).status, 200)
    t.match((await see(committee, id)).tier, { effective: 'minimal' })
    await refuses(t, committee, () => attest(id), { status: 422, detail: /decided by a vote/ })
  })
})

t.test('R-25, R-83: the word of an owner renews nothing that people made conditional', async (t) => {
  const { id, reviewId } = await attested()
  const conditions = [
    { type: 'obligation', text: 'A report.', satisfiedBy: 'test_report', dueInDays: 30 } as const,
  ]
  t.match((await say(seats.risk, reviewId, { seat: 'risk', conditions })).body.decision, {
    outcome: 'approved_with_conditions',
    route: 'sample',
  })
  t.match(await standing(committee, id), { standing: 'cleared_with_conditions' })
  await refuses(t, committee, () => attest(id), { status: 422, detail: /decided by a vote/ })
  const { body: review } = await ask(committee, id)
  t.match((await vote(committee, review.id, 'risk', 'approve')).body.decision, {
    outcome: 'approved_with_conditions',
  })

  await t.test('until they are met', async (t) => {
    const [{ id: conditionId }] = await conditionsOn(committee, id)
    const evidence = { kind: 'test_report', title: 'March', statement: 'I read 200 of them.' }
    const { body } = await riskOwner.post(`/v1/use-cases/${id}/evidence`, evidence)
    await seats.legal.post(`/v1/evidence/${body.id}/verdict`, { verdict: 'accepted', note: 'as read' })
    const fulfilment = { evidenceId: body.id, note: 'done' }
    t.equal((await riskOwner.post(`/v1/conditions/${conditionId}/fulfilment`, fulfilment)).status, 200)
    t.equal((await attest(id)).status, 201)
    t.match(await standing(committee, id), { standing: 'cleared' })
  })
})

t.test('R-27: a sample under way keeps what it rests on, and the use case itself', async (t) => {
  const { id } = await attested()
  await refuses(t, committee, () => revise(committee, id, { purpose: 'Pays claims' }), { status: 409 })
  t.equal((await revise(committee, id, { benefits: 'Saves time' })).status, 200)
  const place = `/v1/use-cases/${id}`
  const seen = ifMatch(await riskOwner.get(place))
  await refuses(t, committee, () => riskOwner.post(`${place}/retirement`, { reason: 'over' }, seen), {
    status: 409,
  })
})
