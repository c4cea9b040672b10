import type { RowOf } from '../auth/decision-rights.js'
import type { Evidence } from '../evidence/evidence.js'
import type { Instant } from '../instant.js'
import type { LaneStage } from '../policy/lanes.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { keyOf } from '../use-cases/use-case.js'
import { countedVotes } from './arithmetic.js'
import type { ReviewGap } from './required.js'
import { isApproval, Review, type ReviewStage } from './review.js'
import type { PartyRow, ReviewRow, StageRow, VoteRow } from './store.js'

/** One round, with all that its rights and its readers look at. */
export interface Round {
  review: ReviewRow
  useCase: UseCaseRow
  /** In the order they were cast. */
  votes: VoteRow[]
  parties: PartyRow[]
  /** In the order of the lane. */
  stages: StageRow[]
  /** Ids of votes that count no more, unless their stage has passed. */
  lost: ReadonlySet<string>
}

/** the votes that count: of each seat the last, while whoever cast it could cast it again. */
export function countedOf({ review, votes, stages, lost }: Round): VoteRow[] {
  const passed = stages.filter((row) => row.passed === true).map(({ stage }) => stage)
  const places = review.lane.stages.filter(({ id }) => passed.includes(id)).flatMap(({ seats }) => seats)
  const isKept = ({ id, seat }: VoteRow) => !lost.has(id) || places.some((place) => place.seat === seat)
  return countedVotes(votes).filter(isKept)
}

/** What decision rights look at in a review. */
export function judgedRow({ review, useCase, parties }: Round): RowOf<'Review'> & { id: string } {
  const { id, submittedBy } = review
  const excludedIds = parties.filter(isExcluded).map(({ personId }) => personId)
  return { id, ...ownersOf(useCase), submittedBy, excludedIds }
}

/** What rights look at in the use case of whatever hangs on it. */
export function ownersOf({ id: useCaseId, orgUnitId, businessOwnerId, riskOwnerId }: UseCaseRow) {
  return { useCaseId, orgUnitId, businessOwnerId, riskOwnerId }
}

/**
 * A round as its API shows it.
 * @param evidence of which what is of this use case is shown
 * @param missing what an approval would lack now
 */
export function presentRound(
  round: Round,
  { evidence, missing }: { evidence: readonly Evidence[]; missing: ReviewGap[] | null },
  now: Instant,
): Review {
  const { review, useCase, votes, parties } = round
  const { lowerTierTo, waives, precedentId, supersedesId, exceptions, imposes: _imposes, ...shown } = review
  const stages = presentStages(round, now)
  const sum = (of: 'approvals' | 'quorum') => stages.reduce((total, stage) => total + stage[of], 0)
  return Review.parse({
    ...shown,
    useCase: { key: keyOf(useCase.number), title: useCase.title },
    asks: { lowerTierTo, waives, precedentId, supersedesId, exceptions },
    votes: votes.map(({ reviewId: _id, ...vote }) => vote),
    stages,
    approvals: sum('approvals'),
    needed: sum('quorum'),
    openSeats: stages.flatMap(({ openSeats }) => openSeats),
    isOverdue: stages.some(({ isOverdue }) => isOverdue),
    excluded: parties.filter(isExcluded).map(({ personId, because }) => ({ personId, because })),
    evidence: evidenceOf(review, evidence),
    missing,
  })
}

function presentStages(round: Round, now: Instant): ReviewStage[] {
  const { review, stages } = round
  const counted = countedOf(round)
  return stages.flatMap((row) => {
    const stage = review.lane.stages.find(({ id }) => id === row.stage)
    return stage ? [presentStage(stage, row, counted, now)] : []
  })
}

function presentStage(
  { seats: places }: LaneStage,
  { stage: id, quorum, openedAt, dueAt, closedAt, passed }: StageRow,
  counted: readonly VoteRow[],
  now: Instant,
): ReviewStage {
  const seats = places.map(({ seat }) => seat)
  const own = counted.filter(({ seat }) => seats.some((one) => one === seat))
  const isOpen = openedAt !== null && closedAt === null
  return {
    ...{ id, seats, quorum, openedAt, dueAt, closedAt },
    state: isOpen ? 'open' : stateOfClosed(passed),
    approvals: own.filter(({ choice }) => isApproval(choice)).length,
    openSeats: isOpen ? seats.filter((one) => !own.some(({ seat }) => seat === one)) : [],
    isOverdue: isOpen && dueAt !== null && dueAt <= now,
  }
}

/** Nobody said of a stage that waits whether it passed, nor of one that never opened. */
function stateOfClosed(passed: boolean | null): ReviewStage['state'] {
  if (passed === null) return 'waiting'
  return passed ? 'passed' : 'not_passed'
}

/** What was neither refused, nor rejected by a scanner, nor superseded, when the round closed, or until now. */
function evidenceOf({ useCaseId, closedAt }: ReviewRow, evidence: readonly Evidence[]): Review['evidence'] {
  const wasBy = (at: string) => closedAt === null || at <= closedAt
  return evidence
    .filter((piece) => piece.useCaseId === useCaseId && wasBy(piece.attachedAt))
    .filter(({ id, state }) => state !== 'rejected' && !isSuperseded(id, wasBy, evidence))
    .map(({ id, kind, title, digest, verdict: given }) => {
      const verdict = given && wasBy(given.givenAt) ? given : null
      return { id, kind, title, digest, verdict }
    })
    .filter(({ verdict }) => verdict?.verdict !== 'refused')
}

/** whether something later in its line was accepted by then. */
function isSuperseded(id: string, wasBy: (at: string) => boolean, evidence: readonly Evidence[]): boolean {
  return evidence.some(
    (newer) =>
      newer.supersedesId === id &&
      ((newer.verdict?.verdict === 'accepted' && wasBy(newer.verdict.givenAt)) ||
        isSuperseded(newer.id, wasBy, evidence)),
  )
}

export const isExcluded = ({ part }: PartyRow): boolean => part === 'excluded'
