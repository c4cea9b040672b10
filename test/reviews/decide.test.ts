import t from 'tap'
import { addDays } from '../../src/instant.js'
import { vote as castVote } from '../../src/reviews/voting.js'
import { ifMatch } from '../app.js'
import {
  act,
  answersFor,
  approve,
  approved,
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
const { clock, owner, riskOwner, businessOwner, auditor, seats } = committee

const eventsOf = async (useCaseId: string) => {
  const { rows } = await owner.query<{ type: string }>(
    'select type from audit_event where aggregate_id = $1 order by event_no',
    [useCaseId],
  )
  return rows.map(({ type }) => type)
}

for (const [tier, votes, validForDays] of [
  ['limited', ['compliance', 'risk'], 548],
  ['high', ['business', 'security', 'risk'], 365],
] as const) {
  t.test(`a ${tier} use case is approved by its lane's quorum, and stands for its lane's time`, async (t) => {
    const { id } = await register(committee, { answers: answersFor[tier] })
    const reviewId = await submit(committee, id)
    t.match(await standing(committee, id), { standing: 'in_review', openReviewId: reviewId })
    for (const seat of votes.slice(0, -1)) {
      t.match(await vote(committee, reviewId, seat, 'approve'), { status: 201, body: { decision: null } })
    }
    const { body } = await vote(committee, reviewId, votes.at(-1) as Seat, 'approve')
    t.match(body.decision, {
      outcome: 'approved',
      tier,
      laneId: tier,
      version: 1,
      validUntil: addDays(START, validForDays),
      decidedAt: START,
      votes: votes.map((seat) => ({ seat, choice: 'approve', decisionRight: 'DR-32' })),
    })
    t.match(body.review, { outcome: 'approved', closedAt: START, openSeats: [] })
    t.match(await standing(committee, id), {
      standing: 'cleared',
      reasons: [],
      decisionId: body.decision.id,
      validUntil: body.decision.validUntil,
      openReviewId: null,
    })
    t.same((await auditor.get(`/v1/decisions/${body.decision.id}`)).body, body.decision)
    t.same((await auditor.get(`/v1/use-cases/${id}/decisions`)).body.items, [body.decision])
    t.same(await eventsOf(id), [
      ...['use_case.registered', 'review.opened', ...votes.map(() => 'vote.cast'), 'decision.made'],
    ])
  })
}

t.test('R-26: a prohibited use case is never approved, and one seat blocks it', async (t) => {
  const { id, key } = await register(committee, { answers: answersFor.prohibited })
  const reviewId = await submit(committee, id)
  await refuses(t, committee, () => vote(committee, reviewId, 'risk', 'approve'), {
    status: 422,
    detail: 'a prohibited use case cannot be approved; block it or request changes',
  })
  const { body } = await vote(committee, reviewId, 'legal', 'block')
  t.match(body.decision, {
    outcome: 'blocked',
    validUntil: null,
    reason: 'blocked by the legal seat, which has a veto',
  })
  t.match((await riskOwner.get(`/v1/use-cases/${key}`)).body.standing, {
    standing: 'blocked',
    decisionId: body.decision.id,
  })
})

t.test('R-34: a veto closes at once; any other block is a dissent', async (t) => {
  const high = { answers: answersFor.high }
  const vetoed = await submit(committee, (await register(committee, high)).id)
  await vote(committee, vetoed, 'risk', 'approve')
  await vote(committee, vetoed, 'business', 'approve')
  t.equal((await vote(committee, vetoed, 'compliance', 'block')).body.decision.outcome, 'blocked')

  const dissented = await submit(committee, (await register(committee, high)).id)
  t.equal((await vote(committee, dissented, 'security', 'block')).body.decision, null)
  await vote(committee, dissented, 'business', 'approve')
  await vote(committee, dissented, 'legal', 'approve')
  const { decision } = (await vote(committee, dissented, 'risk', 'approve')).body
  t.match(decision, { outcome: 'approved', reason: '3 of 5 seats approved, 3 were needed' })
})

t.test('R-33: a quorum without the seat that is required does not close', async (t) => {
  const reviewId = await submit(committee, (await register(committee)).id)
  for (const seat of ['business', 'legal', 'compliance'] as const) {
    t.equal((await vote(committee, reviewId, seat, 'approve')).body.decision, null)
  }
  const { decision } = (await vote(committee, reviewId, 'risk', 'abstain')).body
  t.match(decision, {
    outcome: 'changes_requested',
    reason: 'the risk seat is required and did not approve',
  })
})

t.test('R-36: out of reach ends it: blocked if anyone said so, else changes are requested', async (t) => {
  const first = await register(committee, { answers: answersFor.high })
  const asked = await submit(committee, first.id)
  await vote(committee, asked, 'business', 'request_changes')
  await vote(committee, asked, 'security', 'abstain')
  const { decision } = (await vote(committee, asked, 'legal', 'request_changes')).body
  t.match(decision, { outcome: 'changes_requested', reason: '3 approvals are out of reach' })
  t.match(await standing(committee, first.id), {
    standing: 'unreviewed',
    reasons: ['changes_requested'],
    decisionId: null,
  })

  const second = await submit(committee, (await register(committee, { answers: answersFor.high })).id)
  await vote(committee, second, 'business', 'block')
  await vote(committee, second, 'security', 'abstain')
  t.equal((await vote(committee, second, 'legal', 'request_changes')).body.decision.outcome, 'blocked')
})

t.test('R-30: a seat may change its mind while the round is open; all stay, the last counts', async (t) => {
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'legal', 'approve')
  await vote(committee, reviewId, 'legal', 'block')
  t.equal((await vote(committee, reviewId, 'risk', 'approve')).body.decision, null)
  const { review, decision } = (await vote(committee, reviewId, 'legal', 'approve')).body
  t.match(
    review.votes.map((cast: { seat: string; ordinal: number }) => `${cast.seat} ${cast.ordinal}`),
    ['legal 1', 'legal 2', 'risk 1', 'legal 3'],
  )
  t.same(
    decision.votes.map((cast: { seat: string; ordinal: number }) => `${cast.seat} ${cast.ordinal}`).sort(),
    ['legal 3', 'risk 1'],
  )
  await refuses(t, committee, () => vote(committee, reviewId, 'legal', 'block'), {
    status: 409,
    detail: 'this review was approved on 2026-03-01; nothing more to do',
  })
})

t.test(
  'R-24: time never decides: what is overdue says so, stays open, and can still be decided',
  async (t) => {
    const { id } = await register(committee)
    const reviewId = await submit(committee, id)
    const look = async () => (await auditor.get(`/v1/reviews/${reviewId}`)).body
    const { dueAt } = await look()
    clock.at = new Date(Date.parse(dueAt) - 1).toISOString()
    t.match(await look(), { isOverdue: false, outcome: null })
    clock.at = dueAt
    t.match(await look(), { isOverdue: true, outcome: null, stages: [{ isOverdue: true, state: 'open' }] })
    t.match(await standing(committee, id), { standing: 'in_review' })
    clock.at = addDays(dueAt, 400)
    t.match(await look(), { isOverdue: true, outcome: null })
    const { decision } = (await approve(committee, reviewId)).body
    t.match(decision, { outcome: 'approved', decidedAt: clock.at })
    t.match(await look(), { isOverdue: false, outcome: 'approved' })
    clock.at = START
  },
)

t.test('R-03: a review needs two owners who are two people, and one round at a time', async (t) => {
  for (const owners of [
    { riskOwnerId: null },
    { businessOwnerId: null },
    { businessOwnerId: riskOwner.id, riskOwnerId: riskOwner.id },
  ]) {
    const useCase = await register(committee, owners)
    const ask = () =>
      riskOwner.post(`/v1/use-cases/${useCase.id}/reviews`, {}, { 'if-match': `"${useCase.revision}"` })
    await refuses(t, committee, ask, { status: 409, detail: /two people; name both first$/ })
  }
  const { id, key } = await register(committee)
  await submit(committee, id)
  const place = `/v1/use-cases/${id}`
  const again = async () => riskOwner.post(`${place}/reviews`, {}, ifMatch(await riskOwner.get(place)))
  await refuses(t, committee, again, {
    status: 409,
    detail: `a review of ${key} is open; withdraw it first`,
  })
})

t.test('while a round is open', async (t) => {
  const { id, key } = await register(committee)
  const reviewId = await submit(committee, id)
  const place = `/v1/use-cases/${id}`

  await t.test('R-20: what it rests on stays; anything else may change', async (t) => {
    await refuses(t, committee, () => revise(committee, id, { purpose: 'Pays claims' }), {
      status: 409,
      detail: 'a review that rests on purpose is open; withdraw it first',
    })
    t.equal((await revise(committee, id, { benefits: 'Saves time' })).status, 200)
  })

  await t.test('R-27: it is neither retired nor raised', async (t) => {
    const { headers } = await riskOwner.get(place)
    const seen = { 'if-match': String(headers.etag) }
    const detail = `a review of ${key} is open; withdraw it first`
    await refuses(t, committee, () => riskOwner.post(`${place}/retirement`, { reason: 'over' }, seen), {
      status: 409,
      detail,
    })
    const raise = () => riskOwner.post(`${place}/tier`, { tier: 'high', reason: 'to be safe' }, seen)
    await refuses(t, committee, raise, { status: 409, detail })
  })

  await t.test('it can be withdrawn, once, and its votes stay for the next round', async (t) => {
    await vote(committee, reviewId, 'legal', 'request_changes')
    const stranger = () => seats.legal.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'not ours' })
    await refuses(t, committee, stranger, { status: 403, rule: 'DR-33' })
    const withdrawal = () => businessOwner.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'too early' })
    t.match(await withdrawal(), { status: 200, body: { outcome: 'withdrawn', closingReason: 'too early' } })
    await refuses(t, committee, withdrawal, { status: 409, detail: /^this review was withdrawn on/ })
    await refuses(t, committee, () => vote(committee, reviewId, 'risk', 'approve'), { status: 409 })
    t.match(await standing(committee, id), { standing: 'unreviewed', openReviewId: null })

    const next = await submit(committee, id)
    const { items } = (await auditor.get(`${place}/reviews`)).body
    t.match(items, [
      { id: next, round: 2, version: 2, votes: [] },
      { id: reviewId, round: 1, version: 1, votes: [{ seat: 'legal', choice: 'request_changes' }] },
    ])
  })
})

t.test('a review shows what a committee needs: the use case, how far it is, and the evidence', async (t) => {
  const { id, key, title } = await register(committee)
  const attest = async (name: string) =>
    await riskOwner.post(`/v1/use-cases/${id}/evidence`, {
      kind: 'test_report',
      title: name,
      statement: 'I looked at two hundred of them.',
    })
  const [good, bad, late] = [await attest('Good'), await attest('Bad'), await attest('Unread')]
  const judge = async (answer: typeof good, verdict: string) =>
    await seats.legal.post(`/v1/evidence/${answer.body.id}/verdict`, { verdict, note: 'as read' })
  t.equal((await judge(good, 'accepted')).status, 201)
  t.equal((await judge(bad, 'refused')).status, 201)
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'legal', 'approve')
  const { body } = await seats.legal.get(`/v1/reviews/${reviewId}`)
  t.match(body, { useCase: { key, title }, approvals: 1, needed: 2, votes: [{ seat: 'legal' }] })
  const shown = (answer: typeof good, verdict: unknown) => {
    const { id, kind, title, digest } = answer.body
    return { id, kind, title, digest, verdict }
  }
  const { verdict } = (await seats.legal.get(`/v1/evidence/${good.body.id}`)).body
  t.equal(verdict.verdict, 'accepted')
  t.same(body.evidence, [shown(good, verdict), shown(late, null)])
  const { items } = (await seats.legal.get('/v1/reviews')).body
  t.same(
    items.find((review: { id: string }) => review.id === reviewId),
    { ...body, missing: null },
  )

  await t.test('and, once closed, what it was closed on', async (t) => {
    const { body: closed } = await vote(committee, reviewId, 'risk', 'approve')
    committee.clock.at = addDays(START, 1)
    await attest('Too late')
    t.equal((await judge(late, 'accepted')).status, 201)
    const { body: again } = await seats.legal.get(`/v1/reviews/${reviewId}`)
    t.same(again, closed.review)
    t.match(again, { approvals: 2, outcome: 'approved', evidence: [{ title: 'Good' }, { verdict: null }] })
    committee.clock.at = START
  })
})

t.test('in a re-review', async (t) => {
  await t.test(
    'R-52, R-71: it stays cleared while the round is open, and when changes are requested',
    async (t) => {
      const { id, standing: before } = await approved(committee)
      const reviewId = await submit(committee, id)
      t.match(await standing(committee, id), { ...before, openReviewId: reviewId })
      await vote(committee, reviewId, 'legal', 'abstain')
      await vote(committee, reviewId, 'risk', 'request_changes')
      t.same(await standing(committee, id), before)
    },
  )

  await t.test('R-52: a block ends the approval', async (t) => {
    const { id } = await approved(committee)
    const again = await submit(committee, id)
    await vote(committee, again, 'legal', 'abstain')
    const { decision } = (await vote(committee, again, 'risk', 'block')).body
    t.match(await standing(committee, id), {
      standing: 'blocked',
      decisionId: decision.id,
      validUntil: null,
    })
    const { body } = await approve(committee, await submit(committee, id))
    t.match(await standing(committee, id), { standing: 'cleared', decisionId: body.decision.id })
  })
})

t.test('R-22: the policy in force at closing may ask for more than the round did', async (t) => {
  const { policies } = committee
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'legal', 'approve')
  const ballot = {
    seat: 'risk',
    choice: 'approve',
    rationale: 'as discussed',
    conditions: [] as never[],
  } as const

  await t.test('a larger quorum', async (t) => {
    const lanes = policies.lanes.lanes.map((lane) => ({
      ...lane,
      stages: lane.stages.map((stage) => ({ ...stage, quorum: stage.quorum + 1 })),
    }))
    const stricter = { ...policies, lanes: { ...policies.lanes, lanes } }
    const { decision } = await act(committee, seats.risk, (tx) => castVote(tx, stricter, reviewId, ballot))
    t.match(decision, {
      outcome: 'changes_requested',
      reason: 'the policy in force asks for more than this review did; submit it again',
      validUntil: null,
    })
    t.match(await standing(committee, id), { standing: 'unreviewed', reasons: ['changes_requested'] })
  })

  await t.test('a higher tier', async (t) => {
    const again = await submit(committee, id)
    await vote(committee, again, 'legal', 'approve')
    const rules = policies.riskTiers.rules.map((rule) => ({ ...rule, tier: 'high' as const }))
    const stricter = { ...policies, riskTiers: { ...policies.riskTiers, rules } }
    const { decision } = await act(committee, seats.risk, (tx) => castVote(tx, stricter, again, ballot))
    t.match(decision, {
      outcome: 'changes_requested',
      reason: 'the tier is high now, above limited as submitted; submit it again',
    })
  })
})

t.test('an approval ends', async (t) => {
  await t.test('R-63: at the very instant, not a millisecond before', async (t) => {
    const { id, standing: now } = await approved(committee)
    clock.at = new Date(Date.parse(now.validUntil) - 1).toISOString()
    t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
    clock.at = now.validUntil
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['expired'] })
    clock.at = START
  })

  await t.test('R-60: when a fact it rests on changes, for good', async (t) => {
    const { id } = await approved(committee)
    await revise(committee, id, { purpose: 'Pays claims' })
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['material_change'] })
    await revise(committee, id, { purpose: 'Sorts claims by how urgent they are' })
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['material_change'] })
    await approve(committee, await submit(committee, id))
    t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
  })

  await t.test('R-61: not when another fact changes, nor when a set only changes its order', async (t) => {
    const { id } = await approved(committee, { channels: ['phone', 'mail'] })
    await revise(committee, id, { benefits: 'Saves time', tags: ['claims'], channels: ['mail', 'phone'] })
    t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
  })

  await t.test('R-62: when the tier rises above the one that was approved', async (t) => {
    const { id } = await approved(committee)
    const place = `/v1/use-cases/${id}`
    const raise = { tier: 'high', reason: 'a complaint came in' }
    await riskOwner.post(`${place}/tier`, raise, ifMatch(await riskOwner.get(place)))
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['tier_raised'] })
    const { body } = await auditor.get(`/v1/reviews/${await submit(committee, id)}`)
    t.match(body, { tier: 'high', lane: { id: 'high' } })
  })
})

t.test('a vote sent twice under one key is one vote', async (t) => {
  const reviewId = await submit(committee, (await register(committee)).id)
  const ballot = { seat: 'legal', choice: 'approve', rationale: 'as discussed' }
  const key = { 'idempotency-key': 'vote-1' }
  const first = await seats.legal.post(`/v1/reviews/${reviewId}/votes`, ballot, key)
  const second = await seats.legal.post(`/v1/reviews/${reviewId}/votes`, ballot, key)
  t.same(second.body, first.body)
  t.equal(second.headers['idempotency-replayed'], 'true')
  t.equal((await auditor.get(`/v1/reviews/${reviewId}`)).body.votes.length, 1)
})

t.test(
  'R-63: an approval ends when its decision says so, whatever the head of the use case says',
  async (t) => {
    const { id, standing } = await approved(committee)
    await owner.query(`update use_case set valid_until = valid_until + interval '5 years' where id = $1`, [
      id,
    ])
    const { at } = clock
    clock.at = standing.validUntil
    const { body } = await riskOwner.get(`/v1/gate?useCase=${id}&environment=production`)
    t.match(body, { decision: 'deny', reasons: [{ code: 'expired' }] })
    clock.at = at
  },
)
