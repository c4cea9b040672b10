/** A seat of a stage: nothing passes without its approval if `required`; with a `veto` its block ends the round. */
export interface Place {
  seat: string
  required: boolean
  veto: boolean
}

/** `quorum` approvals are needed, of seats that no other stage of the plan has. */
export interface Stage {
  id: string
  seats: readonly Place[]
  quorum: number
}

export interface Plan {
  order: 'in_order' | 'at_once'
  stages: readonly Stage[]
}

type Choice = 'approve' | 'approve_with_conditions' | 'block' | 'request_changes' | 'abstain' | 'recuse'

/** A vote that counts; there is at most one a seat. */
export interface Counted {
  seat: string
  choice: Choice
}

export type StageTally = { state: 'open' | 'passed' } | { state: 'lost' | 'vetoed'; reason: string }

export interface RoundResult {
  outcome: 'approved' | 'approved_with_conditions' | 'blocked' | 'changes_requested'
  /** One plain sentence. */
  reason: string
}

export interface RoundTally {
  /** Ids of the stages that take votes now; none once there is a result. */
  open: string[]
  /** Ids of the stages that are closed because they passed. */
  passed: string[]
  result: RoundResult | null
}

/**
 * the vote that counts for each seat is its last; a seat whose last vote is a recusal has none, until
 * another holder votes.
 * @param votes in any order, each with its `ordinal` among the votes of its seat
 */
export function countedVotes<T extends { seat: string; ordinal: number; choice: string }>(
  votes: readonly T[],
): T[] {
  const last = new Map<string, T>()
  for (const vote of votes) {
    if (vote.ordinal > (last.get(vote.seat)?.ordinal ?? 0)) last.set(vote.seat, vote)
  }
  return [...last.values()].filter(({ choice }) => choice !== 'recuse')
}

/**
 * What the votes for the seats of one stage come to; other votes play no part. R-31: both kinds of approval count.
 * a seat that recused or is vacant stays undecided, so the quorum is never lowered and never out of reach for
 * its sake. R-33: without each required seat nothing passes. R-34: a veto seat's block counts at once.
 */
export function tallyStage({ seats, quorum }: Stage, votes: readonly Counted[]): StageTally {
  const veto = seats.find((place) => place.veto && choiceOf(place, votes) === 'block')
  if (veto) return { state: 'vetoed', reason: `blocked by the ${veto.seat} seat, which has a veto` }

  const refused = seats.find((place) => place.required && isDecided(place, votes) && !approves(place, votes))
  if (refused) return { state: 'lost', reason: `the ${refused.seat} seat is required and did not approve` }

  const undecided = seats.filter((place) => !isDecided(place, votes))
  const approvals = seats.filter((place) => approves(place, votes)).length
  if (approvals + undecided.length < quorum) {
    return {
      state: 'lost',
      reason: `${quorum} ${quorum === 1 ? 'approval is' : 'approvals are'} out of reach`,
    }
  }
  const isPassed = approvals >= quorum && !undecided.some(({ required }) => required)
  return { state: isPassed ? 'passed' : 'open' }
}

/**
 * what the votes of a round come to: nothing yet, or exactly one result. In order, a stage counts once
 * all before it passed; at once, each counts from the start. A plan without stages comes to nothing by votes.
 * @param votes those that count, one a seat
 */
export function tallyRound(plan: Plan, votes: readonly Counted[]): RoundTally {
  const reached = reachedStages(plan, votes)
  const passed = reached.filter((stage) => tallyStage(stage, votes).state === 'passed').map(({ id }) => id)
  const result = resultOf(plan, reached, votes)
  const open = result === null ? openStages(plan, passed).map(({ id }) => id) : []
  return { open, passed, result }
}

/** the stages that take votes now: the first that has not passed, or, at once, each that has not. */
export function openStages({ order, stages }: Plan, passedIds: readonly string[]): Stage[] {
  const waiting = stages.filter(({ id }) => !passedIds.includes(id))
  return order === 'in_order' ? waiting.slice(0, 1) : waiting
}

/** What one more vote, or several, would do. */
export type Outlook =
  | { effect: 'none' }
  | { effect: 'stage_passed'; passed: string[]; opens: string[] }
  | { effect: 'closes'; outcome: RoundResult['outcome']; reason: string }

export type OutlookByChoice = Record<Choice, Outlook>

export interface RoundOutlook {
  /** For each seat that can vote now and has not decided. */
  seats: { stage: string; seat: string; ifVoted: OutlookByChoice }[]
  /** If every seat that has not decided, in all stages to come, voted alike. */
  together: OutlookByChoice
}

/** What each choice would come to, for each seat that can still decide and for all of them alike. */
export function outlook(plan: Plan, votes: readonly Counted[]): RoundOutlook {
  const { open, passed } = tallyRound(plan, votes)
  const undecidedOf = ({ seats }: Stage) => seats.filter((place) => !isDecided(place, votes))
  const ifAll = (places: readonly Place[]) => byChoice((choice) => foresee(plan, votes, places, choice))
  return {
    seats: plan.stages
      .filter(({ id }) => open.includes(id))
      .flatMap((stage) =>
        undecidedOf(stage).map((place) => ({
          stage: stage.id,
          seat: place.seat,
          ifVoted: ifAll([place]),
        })),
      ),
    together: ifAll(plan.stages.filter(({ id }) => !passed.includes(id)).flatMap(undecidedOf)),
  }
}

/** `places` are undecided, so what they say is added to what was said. */
function foresee(plan: Plan, votes: readonly Counted[], places: readonly Place[], choice: Choice): Outlook {
  const before = tallyRound(plan, votes)
  const after = tallyRound(plan, [...votes, ...places.map(({ seat }) => ({ seat, choice }))])
  if (after.result) return { effect: 'closes', ...after.result }
  const passed = after.passed.filter((id) => !before.passed.includes(id))
  if (passed.length === 0) return { effect: 'none' }
  return { effect: 'stage_passed', passed, opens: after.open.filter((id) => !before.open.includes(id)) }
}

function byChoice(outlookIf: (choice: Choice) => Outlook): OutlookByChoice {
  return {
    approve: outlookIf('approve'),
    approve_with_conditions: outlookIf('approve_with_conditions'),
    block: outlookIf('block'),
    request_changes: outlookIf('request_changes'),
    abstain: outlookIf('abstain'),
    recuse: outlookIf('recuse'),
  }
}

/** The stages whose votes count: in order, those up to the first that has not passed. */
function reachedStages({ order, stages }: Plan, votes: readonly Counted[]): readonly Stage[] {
  if (order === 'at_once') return stages
  const first = stages.findIndex((stage) => tallyStage(stage, votes).state !== 'passed')
  return first === -1 ? stages : stages.slice(0, first + 1)
}

/**
 * a veto anywhere wins. R-36: a stage out of reach ends the round, as blocked if any vote that counts is a
 * block, else with a request for changes. R-35: all stages passed, it is approved, with conditions if any vote has.
 */
function resultOf(
  { stages }: Plan,
  reached: readonly Stage[],
  votes: readonly Counted[],
): RoundResult | null {
  const tallies = reached.map((stage) => ({ stage, tally: tallyStage(stage, votes) }))
  const counted = votes.filter(({ seat }) =>
    reached.some(({ seats }) => seats.some((place) => place.seat === seat)),
  )
  for (const { tally } of tallies) {
    if (tally.state === 'vetoed') return { outcome: 'blocked', reason: tally.reason }
  }
  for (const { stage, tally } of tallies) {
    if (tally.state === 'lost') {
      const outcome = counted.some(({ choice }) => choice === 'block') ? 'blocked' : 'changes_requested'
      return {
        outcome,
        reason: stages.length > 1 ? `in the ${stage.id} stage, ${tally.reason}` : tally.reason,
      }
    }
  }
  const passed = tallies.filter(({ tally }) => tally.state === 'passed').length
  return stages.length > 0 && passed === stages.length ? approval(stages, counted) : null
}

function approval(stages: readonly Stage[], counted: readonly Counted[]): RoundResult {
  const seats = stages.flatMap((stage) => stage.seats).length
  const needed = stages.reduce((sum, { quorum }) => sum + quorum, 0)
  const withConditions = counted.filter(({ choice }) => choice === 'approve_with_conditions').length
  const approvals = counted.filter(({ choice }) => choice === 'approve').length + withConditions
  const were = needed === 1 ? 'was' : 'were'
  if (withConditions === 0) {
    return {
      outcome: 'approved',
      reason: `${approvals} of ${seats} seats approved, ${needed} ${were} needed`,
    }
  }
  return {
    outcome: 'approved_with_conditions',
    reason: `${approvals} of ${seats} seats approved, ${withConditions} with conditions, ${needed} ${were} needed`,
  }
}

/** What a seat said; undefined if nothing, or that it will not say. */
function choiceOf({ seat }: Place, votes: readonly Counted[]): Choice | undefined {
  return votes.find((vote) => vote.seat === seat && vote.choice !== 'recuse')?.choice
}

function isDecided(place: Place, votes: readonly Counted[]): boolean {
  return choiceOf(place, votes) !== undefined
}

function approves(place: Place, votes: readonly Counted[]): boolean {
  const choice = choiceOf(place, votes)
  return choice === 'approve' || choice === 'approve_with_conditions'
}
