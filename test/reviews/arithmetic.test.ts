import t from 'tap'
import {
  type Counted,
  countedVotes,
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

/** `risk!` is required, `legal^` has a veto. */
const stage = (id: string, quorum: number, ...places: string[]): Stage => ({
  id,
  quorum,
  seats: places.map((place) => ({
    seat: place.replace(/[!^]/g, ''),
    required: place.includes('!'),
    veto: place.includes('^'),
  })),
})
/** `legal approve, risk block` */
const votesOf = (words: string): Counted[] =>
  words === ''
    ? []
    : words.split(', ').map((word) => {
        const [seat = '', choice] = word.split(' ')
        return { seat, choice: choices.find((known) => known === choice) ?? 'abstain' }
      })

t.test('R-31..R-34: what the votes of one stage come to', async (t) => {
  const committee = stage('committee', 2, 'risk!', 'legal^', 'business', 'security')
  for (const [votes, expected] of [
    ['', 'open'],
    ['legal approve, business approve', 'open'],
    ['risk approve', 'open'],
    ['risk approve, legal approve', 'passed'],
    ['risk approve_with_conditions, legal approve_with_conditions', 'passed'],
    ['risk approve, business approve, security block', 'passed'],
    ['risk approve, legal approve, business approve, security approve', 'passed'],
    ['risk approve, legal abstain, business abstain', 'open'],
    ['risk approve, legal recuse, business recuse, security recuse', 'open'],
    ['risk recuse, legal approve, business approve, security approve', 'open'],
    ['risk approve, legal abstain, business abstain, security abstain', '2 approvals are out of reach'],
    ['risk approve, legal request_changes, business block, security abstain', '2 approvals are out of reach'],
    ['risk abstain', 'the risk seat is required and did not approve'],
    ['risk request_changes', 'the risk seat is required and did not approve'],
    ['risk block, business approve', 'the risk seat is required and did not approve'],
    ['legal block', 'blocked by the legal seat, which has a veto'],
    ['legal block, risk abstain', 'blocked by the legal seat, which has a veto'],
    ['legal block, risk approve, business approve', 'blocked by the legal seat, which has a veto'],
    ['somebody approve, else approve', 'open'],
  ] as const) {
    const tally = tallyStage(committee, votesOf(votes))
    t.equal('reason' in tally ? tally.reason : tally.state, expected, votes || 'no votes')
  }
  t.match(tallyStage(committee, votesOf('risk abstain')), { state: 'lost' })
  t.match(tallyStage(committee, votesOf('legal block')), { state: 'vetoed' })
  const owner = stage('owner', 1, 'business')
  t.same(tallyStage(owner, votesOf('business block')), {
    state: 'lost',
    reason: '1 approval is out of reach',
  })
})

const twoStages: Stage[] = [
  stage('experts', 1, 'legal^', 'security'),
  stage('committee', 2, 'risk!', 'business', 'compliance'),
]
const closed = (outcome: RoundResult['outcome'], reason: string): RoundResult => ({ outcome, reason })

t.test('R-23, R-35, R-36: in order, a stage counts once all before it passed', async (t) => {
  const plan: Plan = { order: 'in_order', stages: twoStages }
  const comesTo = (votes: string) => tallyRound(plan, votesOf(votes))
  t.same(comesTo(''), { open: ['experts'], passed: [], result: null })
  t.same(comesTo('risk approve, business approve'), { open: ['experts'], passed: [], result: null })
  t.same(comesTo('risk block'), { open: ['experts'], passed: [], result: null })
  t.same(comesTo('legal approve'), { open: ['committee'], passed: ['experts'], result: null })
  t.same(comesTo('legal approve, business approve'), {
    open: ['committee'],
    passed: ['experts'],
    result: null,
  })
  t.same(comesTo('legal approve, risk approve, business approve'), {
    open: [],
    passed: ['experts', 'committee'],
    result: closed('approved', '3 of 5 seats approved, 3 were needed'),
  })
  t.same(
    comesTo('legal approve_with_conditions, risk approve, business approve').result,
    closed('approved_with_conditions', '3 of 5 seats approved, 1 with conditions, 3 were needed'),
  )
  t.same(comesTo('legal approve, risk abstain'), {
    open: [],
    passed: ['experts'],
    result: closed(
      'changes_requested',
      'in the committee stage, the risk seat is required and did not approve',
    ),
  })
  t.same(
    comesTo('legal approve, security block, risk abstain').result,
    closed('blocked', 'in the committee stage, the risk seat is required and did not approve'),
    'a dissent in an earlier stage counts',
  )
  t.same(
    comesTo('legal abstain, security abstain, risk block').result,
    closed('changes_requested', 'in the experts stage, 1 approval is out of reach'),
    'a block in a stage that never opened does not',
  )
  t.same(comesTo('legal block'), {
    open: [],
    passed: [],
    result: closed('blocked', 'blocked by the legal seat, which has a veto'),
  })
})

t.test('R-23, R-35, R-36: at once, every stage counts from the start', async (t) => {
  const plan: Plan = { order: 'at_once', stages: twoStages }
  const comesTo = (votes: string) => tallyRound(plan, votesOf(votes))
  t.same(comesTo(''), { open: ['experts', 'committee'], passed: [], result: null })
  t.same(comesTo('risk approve, business approve'), {
    open: ['experts'],
    passed: ['committee'],
    result: null,
  })
  t.same(comesTo('risk approve, business approve, security approve').open, [])
  t.same(
    comesTo('risk abstain').result,
    closed('changes_requested', 'in the committee stage, the risk seat is required and did not approve'),
  )
  t.same(
    comesTo('risk abstain, security block').result,
    closed('blocked', 'in the committee stage, the risk seat is required and did not approve'),
  )
  t.same(
    comesTo('risk abstain, legal block').result,
    closed('blocked', 'blocked by the legal seat, which has a veto'),
    'a veto wins over what is out of reach elsewhere',
  )
})

t.test(
  'R-35: a vote for no seat of the lane counts for nothing, and a lane of one stage says so',
  async (t) => {
    const plan: Plan = { order: 'in_order', stages: [stage('owner', 1, 'business', 'risk')] }
    const result = (votes: string) => tallyRound(plan, votesOf(votes)).result
    t.same(result('business approve'), closed('approved', '1 of 2 seats approved, 1 was needed'))
    t.same(
      result('business approve, legal approve_with_conditions, security approve'),
      closed('approved', '1 of 2 seats approved, 1 was needed'),
    )
    t.same(
      result('business abstain, risk abstain, legal block'),
      closed('changes_requested', '1 approval is out of reach'),
    )
    t.same(
      result('business block, risk abstain, legal approve'),
      closed('blocked', '1 approval is out of reach'),
    )
    t.same(tallyRound({ order: 'at_once', stages: [] }, votesOf('risk approve')), {
      open: [],
      passed: [],
      result: null,
    })
  },
)

t.test('R-30, R-32: the last vote of a seat counts, and a recusal leaves the seat to another', async (t) => {
  const cast = (seat: string, ordinal: number, choice: Choice) => ({ seat, ordinal, choice })
  const legal1 = cast('legal', 1, 'approve')
  const legal2 = cast('legal', 2, 'block')
  const risk1 = cast('risk', 1, 'approve')
  const risk2 = cast('risk', 2, 'recuse')
  const risk3 = cast('risk', 3, 'approve')
  t.same(countedVotes([]), [])
  t.same(countedVotes([legal1, risk1, legal2]), [legal2, risk1])
  t.same(countedVotes([legal2, legal1]), [legal2], 'whatever the order they are read in')
  t.same(countedVotes([risk1, risk2]), [], 'a recusal takes the earlier vote back')
  t.same(countedVotes([risk2, risk1]), [])
  t.same(countedVotes([risk1, risk2, risk3]), [risk3])
})

t.test('R-23: which stages take votes now', async (t) => {
  const ids = (order: Plan['order'], passed: string[]) =>
    openStages({ order, stages: twoStages }, passed).map(({ id }) => id)
  t.same(ids('in_order', []), ['experts'])
  t.same(ids('in_order', ['experts']), ['committee'])
  t.same(ids('at_once', []), ['experts', 'committee'])
  t.same(ids('at_once', ['committee']), ['experts'])
  t.same(ids('in_order', ['experts', 'committee']), [])
  t.same(ids('at_once', ['experts', 'committee']), [])
})

t.test('R-34..R-36: the outlook says what each vote to come would do', async (t) => {
  const plan: Plan = { order: 'in_order', stages: twoStages }
  const none = { effect: 'none' }
  const fails = {
    effect: 'closes',
    outcome: 'changes_requested',
    reason: 'in the experts stage, 1 approval is out of reach',
  }
  const passes = { effect: 'stage_passed', passed: ['experts'], opens: ['committee'] }
  const veto = {
    effect: 'closes',
    outcome: 'blocked',
    reason: 'blocked by the legal seat, which has a veto',
  }
  const { seats, together } = outlook(plan, votesOf('security abstain'))
  t.same(seats, [
    {
      stage: 'experts',
      seat: 'legal',
      ifVoted: {
        approve: passes,
        approve_with_conditions: passes,
        block: veto,
        request_changes: fails,
        abstain: fails,
        recuse: none,
      },
    },
  ])
  t.same(together, {
    approve: { effect: 'closes', outcome: 'approved', reason: '4 of 5 seats approved, 3 were needed' },
    approve_with_conditions: {
      effect: 'closes',
      outcome: 'approved_with_conditions',
      reason: '4 of 5 seats approved, 4 with conditions, 3 were needed',
    },
    block: veto,
    request_changes: fails,
    abstain: fails,
    recuse: none,
  })
  const late = outlook({ ...plan, order: 'at_once' }, votesOf('security recuse, risk approve'))
  t.same(
    late.seats.map(({ stage, seat }) => `${stage} ${seat}`),
    ['experts legal', 'experts security', 'committee business', 'committee compliance'],
    'a seat that recused waits for another holder',
  )
  t.same(late.seats[1]?.ifVoted.approve, { effect: 'stage_passed', passed: ['experts'], opens: [] })
  t.same(late.together.approve, {
    effect: 'closes',
    outcome: 'approved',
    reason: '5 of 5 seats approved, 3 were needed',
  })
  const last = outlook({ ...plan, order: 'at_once' }, votesOf('security approve, risk approve'))
  t.same(
    last.seats.map(({ seat }) => seat),
    ['business', 'compliance'],
    'a stage that passed takes no more votes',
  )
  t.match(last.together.block, {
    outcome: 'blocked',
    reason: 'in the committee stage, 2 approvals are out of reach',
  })
  t.same(outlook(plan, votesOf('legal block')).seats, [], 'nobody decides any more once it is closed')
})
