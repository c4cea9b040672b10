import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  type Counted,
  openStages,
  outlook,
  type Plan,
  type RoundResult,
  type Stage,
  tallyRound,
  tallyStage,
} from '../../src/reviews/arithmetic.js'

type Choice = Counted['choice']
const choices: Choice[] = [
  ...(['approve', 'approve_with_conditions', 'block', 'request_changes', 'abstain', 'recuse'] as const),
]
const isApproval = (choice: string | undefined) => /^approve/.test(choice ?? '')

/** Up to four stages of up to four seats, no seat twice. */
const planArb: fc.Arbitrary<Plan> = fc
  .array(
    fc
      .array(fc.record({ required: fc.boolean(), veto: fc.boolean() }), { minLength: 1, maxLength: 4 })
      .chain((places) =>
        fc.record({ places: fc.constant(places), quorum: fc.integer({ min: 1, max: places.length }) }),
      ),
    { minLength: 1, maxLength: 4 },
  )
  .chain((stages) =>
    fc.record({
      order: fc.constantFrom('in_order' as const, 'at_once' as const),
      stages: fc.constant(
        stages.map(({ places, quorum }, at) => ({
          id: `stage${at}`,
          quorum,
          seats: places.map((place, index) => ({ seat: `${at}.${index}`, ...place })),
        })),
      ),
    }),
  )
const seatsOf = (plan: Plan) => plan.stages.flatMap(({ seats }) => seats.map(({ seat }) => seat))
/** Approvals more often than not, so that late stages are reached too. */
const choiceArb = fc.oneof(
  fc.constantFrom<Choice>('approve', 'approve', 'approve', 'approve_with_conditions'),
  fc.constantFrom(...choices),
)
const voteOn = (seat: string) => choiceArb.map((choice): Counted => ({ seat, choice }))
const votesOn = (seats: string[]): fc.Arbitrary<Counted[]> =>
  fc.tuple(...seats.map(voteOn)).chain((all) => fc.shuffledSubarray(all))
const roundArb = planArb.chain((plan) =>
  fc.record({ plan: fc.constant(plan), votes: votesOn(seatsOf(plan)) }),
)
const fullRoundArb = planArb.chain((plan) =>
  fc.record({ plan: fc.constant(plan), votes: fc.tuple(...seatsOf(plan).map(voteOn)) }),
)
type Round = { plan: Plan; votes: Counted[] }
const isApproved = ({ result }: { result: RoundResult | null }) => isApproval(result?.outcome)
const holds = (arb: fc.Arbitrary<Round>, law: (round: Round) => void) =>
  fc.assert(fc.property(arb, law), { numRuns: 500 })

/** The same arithmetic as the rules tell it: what could still be, tried out for every way the rest may vote. */
function oracle({ plan, votes }: Round): { outcome: string | null; passed: string[]; open: string[] } {
  const said = new Map(votes.filter(({ choice }) => choice !== 'recuse').map((v) => [v.seat, v.choice]))
  const passes = ({ seats, quorum }: Stage, approving: Set<string>) =>
    seats.filter(({ seat }) => approving.has(seat)).length >= quorum &&
    seats.every(({ seat, required }) => !required || approving.has(seat))
  const stateOf = (stage: Stage) => {
    if (stage.seats.some(({ seat, veto }) => veto && said.get(seat) === 'block')) return 'vetoed'
    const sure = stage.seats.map(({ seat }) => seat).filter((seat) => isApproval(said.get(seat)))
    const free = stage.seats.map(({ seat }) => seat).filter((seat) => !said.has(seat))
    if (passes(stage, new Set(sure))) return 'passed'
    const ways = Array.from({ length: 2 ** free.length }, (_, way) =>
      free.filter((_, bit) => (way >> bit) & 1),
    )
    return ways.some((more) => passes(stage, new Set([...sure, ...more]))) ? 'open' : 'lost'
  }
  const passed: string[] = []
  const open: string[] = []
  const heard: Choice[] = []
  let worst: 'vetoed' | 'lost' | null = null
  for (const stage of plan.stages) {
    const state = stateOf(stage)
    for (const { seat } of stage.seats) heard.push(said.get(seat) ?? 'abstain')
    if (state === 'passed') passed.push(stage.id)
    else if (state === 'open') open.push(stage.id)
    else worst = state === 'vetoed' ? 'vetoed' : (worst ?? 'lost')
    if (state !== 'passed' && plan.order === 'in_order') break
  }
  if (worst === 'vetoed' || (worst === 'lost' && heard.includes('block'))) {
    return { outcome: 'blocked', passed, open: [] }
  }
  if (worst === 'lost') return { outcome: 'changes_requested', passed, open: [] }
  if (open.length > 0) return { outcome: null, passed, open }
  const outcome = heard.includes('approve_with_conditions') ? 'approved_with_conditions' : 'approved'
  return { outcome, passed, open }
}

t.test('R-31..R-37: every round comes to what trying out all that may come says', async () => {
  fc.assert(
    fc.property(fc.oneof(roundArb, fullRoundArb), (round) => {
      const { open, passed, result } = tallyRound(round.plan, round.votes)
      assert.deepEqual({ outcome: result?.outcome ?? null, passed, open }, oracle(round))
    }),
    { numRuns: 3000 },
  )
})

t.test('R-30: the order in which different seats voted plays no part', async () => {
  const arb = roundArb.chain((round) =>
    fc.tuple(fc.constant(round), fc.shuffledSubarray(round.votes, { minLength: round.votes.length })),
  )
  fc.assert(
    fc.property(arb, ([{ plan, votes }, shuffled]) => {
      assert.deepEqual(tallyRound(plan, shuffled), tallyRound(plan, votes))
    }),
  )
})

t.test('R-31: an approval more never turns approved into not approved', async () => {
  const arb = roundArb.chain((round) =>
    fc.record({ round: fc.constant(round), seat: fc.constantFrom(...seatsOf(round.plan)) }),
  )
  fc.assert(
    fc.property(
      arb,
      fc.constantFrom<Choice>('approve', 'approve_with_conditions'),
      ({ round, seat }, choice) => {
        const others = round.votes.filter((vote) => vote.seat !== seat)
        const after = tallyRound(round.plan, [...others, { seat, choice }])
        if (isApproved(tallyRound(round.plan, round.votes))) assert.ok(isApproved(after))
        for (const stage of round.plan.stages) {
          const state = (votes: Counted[]) => tallyStage(stage, votes).state
          if (state(round.votes) === 'passed') assert.equal(state([...others, { seat, choice }]), 'passed')
        }
      },
    ),
  )
})

t.test('R-32: a recusal is as good as a vacancy, and neither lowers the quorum', async () => {
  holds(roundArb, ({ plan, votes }) => {
    const present = votes.filter(({ choice }) => choice !== 'recuse')
    const tally = tallyRound(plan, votes)
    assert.deepEqual(tally, tallyRound(plan, present))
    for (const { id, seats, quorum } of plan.stages) {
      const approvals = present.filter(
        (v) => isApproval(v.choice) && seats.some(({ seat }) => seat === v.seat),
      )
      if (tally.passed.includes(id)) assert.ok(approvals.length >= quorum)
    }
  })
  holds(fullRoundArb, ({ plan, votes }) => {
    const nobody = votes.map((vote): Counted => ({ ...vote, choice: 'recuse' }))
    assert.equal(tallyRound(plan, nobody).result, null, 'a committee that recused decides nothing')
  })
})

t.test('R-33: nothing passes without the seats that are required', async () => {
  holds(fc.oneof(roundArb, fullRoundArb), ({ plan, votes }) => {
    const { passed } = tallyRound(plan, votes)
    for (const { seats } of plan.stages.filter(({ id }) => passed.includes(id))) {
      for (const { seat } of seats.filter(({ required }) => required)) {
        assert.ok(isApproval(votes.find((vote) => vote.seat === seat)?.choice))
      }
    }
  })
})

t.test('R-34: a veto always wins, whatever else was said', async () => {
  holds(roundArb, ({ plan, votes }) => {
    for (const { id, seats } of plan.stages) {
      for (const { seat } of seats.filter(({ veto }) => veto)) {
        if (!tallyRound(plan, votes).open.includes(id)) continue
        const blocking: Counted[] = [...votes.filter((vote) => vote.seat !== seat), { seat, choice: 'block' }]
        const { result, open } = tallyRound(plan, blocking)
        assert.equal(result?.outcome, 'blocked')
        assert.match(result.reason, /which has a veto$/)
        assert.deepEqual(open, [])
      }
    }
  })
})

t.test(
  'R-36, R-37: with every vote in there is one result, and stages are open only without one',
  async () => {
    holds(fullRoundArb, ({ plan, votes }) => {
      const present = votes.map(
        (vote): Counted => (vote.choice === 'recuse' ? { ...vote, choice: 'abstain' } : vote),
      )
      const { result } = tallyRound(plan, present)
      assert.notEqual(result, null)
      if (!present.some(({ choice }) => choice === 'block')) assert.notEqual(result?.outcome, 'blocked')
    })
    holds(roundArb, ({ plan, votes }) => {
      const { open, passed, result } = tallyRound(plan, votes)
      assert.equal(open.length === 0, result !== null)
      assert.ok(!open.some((id) => passed.includes(id)))
    })
  },
)

t.test('R-23, R-37: as votes come in, a stage that closed stays closed, and so does the round', async () => {
  const arb = planArb.chain((plan) =>
    fc.record({
      plan: fc.constant(plan),
      votes: fc.array(fc.constantFrom(...seatsOf(plan)).chain(voteOn), { maxLength: 40 }),
    }),
  )
  holds(arb, ({ plan, votes }) => {
    const standing = new Map<string, Counted>()
    let before = tallyRound(plan, [])
    for (const vote of votes) {
      const takesIt = plan.stages.some(
        ({ id, seats }) => before.open.includes(id) && seats.some(({ seat }) => seat === vote.seat),
      )
      if (!takesIt) continue
      standing.set(vote.seat, vote)
      const after = tallyRound(plan, [...standing.values()])
      assert.equal(before.result, null, 'a round with a result takes no vote')
      assert.ok(before.passed.every((id) => after.passed.includes(id)))
      assert.deepEqual(after.open, after.result ? [] : openStages(plan, after.passed).map(({ id }) => id))
      before = after
    }
  })
})

t.test('R-23: with all votes in, stages at once approve what stages in order approve', async () => {
  holds(fullRoundArb, ({ plan: { stages }, votes }) => {
    const present = votes.map(
      (vote): Counted => (vote.choice === 'recuse' ? { ...vote, choice: 'approve' } : vote),
    )
    const inOrder = tallyRound({ order: 'in_order', stages }, present)
    const atOnce = tallyRound({ order: 'at_once', stages }, present)
    assert.equal(isApproved(inOrder), isApproved(atOnce))
    const isSame = isApproved(inOrder) || !present.some(({ choice }) => choice === 'block')
    if (isSame) assert.deepEqual(inOrder.result, atOnce.result)
    else assert.equal(atOnce.result?.outcome, 'blocked', 'at once, a block is heard whichever stage it is in')
  })
})

t.test('R-34..R-36: what the outlook foresees is what the vote then does', async () => {
  holds(roundArb, ({ plan, votes }) => {
    const before = tallyRound(plan, votes)
    const { seats } = outlook(plan, votes)
    assert.deepEqual([...new Set(seats.map(({ stage }) => stage))], before.open)
    for (const { seat, ifVoted } of seats) {
      for (const choice of choices) {
        const foreseen = ifVoted[choice]
        const after = tallyRound(plan, [...votes.filter((vote) => vote.seat !== seat), { seat, choice }])
        if (after.result) assert.deepEqual(foreseen, { effect: 'closes', ...after.result })
        else
          assert.equal(foreseen.effect, after.passed.length > before.passed.length ? 'stage_passed' : 'none')
      }
    }
  })
})
