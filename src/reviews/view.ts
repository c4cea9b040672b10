import type { RowOf } from '../auth/decision-rights.js'
import type { Evidence } from '../evidence/evidence.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { keyOf } from '../use-cases/use-case.js'
import { countedVotes, Review, stageOf } from './review.js'
import type { PartyRow, ReviewRow, VoteRow } from './store.js'

/** One round, with all that its rights and its readers look at. */
export interface Round {
  review: ReviewRow
  useCase: UseCaseRow
  /** In the order they were cast. */
  votes: VoteRow[]
  parties: PartyRow[]
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

/** A round as its API shows it; of the evidence given, what is of this use case. */
export function presentRound(
  { review, useCase, votes, parties }: Round,
  evidence: readonly Evidence[],
): Review {
  const approving = countedVotes(votes).filter(({ choice }) => choice === 'approve')
  return Review.parse({
    ...review,
    useCase: { key: keyOf(useCase.number), title: useCase.title },
    votes: votes.map(({ reviewId: _id, ...vote }) => vote),
    approvals: approving.length,
    needed: stageOf(review.lane).quorum,
    openSeats: openSeatsOf(review, votes),
    excluded: parties.filter(isExcluded).map(({ personId, because }) => ({ personId, because })),
    evidence: evidenceOf(review, evidence),
  })
}

function openSeatsOf({ lane, outcome }: ReviewRow, votes: readonly VoteRow[]): string[] {
  if (outcome !== null) return []
  const seats = stageOf(lane).seats.map(({ seat }) => seat)
  return seats.filter((seat) => !votes.some((vote) => vote.seat === seat))
}

/** What nobody had refused when the round closed, or has refused until now. */
function evidenceOf({ useCaseId, closedAt }: ReviewRow, evidence: readonly Evidence[]): Review['evidence'] {
  const wasBy = (at: string) => closedAt === null || at <= closedAt
  return evidence
    .filter((piece) => piece.useCaseId === useCaseId && wasBy(piece.attachedAt))
    .map(({ id, kind, title, digest, verdict: given }) => {
      const verdict = given && wasBy(given.givenAt) ? given : null
      return { id, kind, title, digest, verdict }
    })
    .filter(({ verdict }) => verdict?.verdict !== 'refused')
}

const isExcluded = ({ part }: PartyRow): boolean => part === 'excluded'
