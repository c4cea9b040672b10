import { authorize } from '../auth/decision-rights.js'
import type { WriteTx } from '../db/transaction.js'
import { assertRevision, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { addDays } from '../instant.js'
import { assertOwners, holdsSeat } from '../people/service.js'
import { chooseLane, type Lane } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { computeTier } from '../policy/tiering.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import {
  assertNoOpenReview,
  assertNotRetired,
  effectiveTier,
  isAbove,
  type Tier,
} from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import { close } from './closing.js'
import { completeRound, getReview, showRound } from './reading.js'
import {
  assertOpen,
  assertOwned,
  assertVotable,
  type Ballot,
  countedVotes,
  Decision,
  type Review,
  stageOf,
  tally,
} from './review.js'
import * as store from './store.js'
import { judgedRow, type Round } from './view.js'

/**
 * Freezes the current version and opens a round on it. Whoever wrote, owned or submitted it since the last approval
 * is excluded from the vote, also if somebody else does so now.
 */
export async function submit(
  tx: WriteTx,
  policies: Policies,
  useCaseId: string,
  revision: number,
  note: string,
): Promise<Review> {
  const useCase = await lockUseCase(tx, useCaseId)
  const right = authorize(tx.ability, 'submit', 'UseCase', useCase)
  assertRevision(useCase, revision)
  assertNotRetired(useCase)
  assertNoOpenReview(useCase)
  assertOwned(useCase)
  await assertOwners(
    tx,
    [useCase.businessOwnerId, useCase.riskOwnerId].filter((id) => id !== null),
  )
  const tier = tierInForce(policies, useCase)
  const lane = chooseLane(policies.lanes, tier, useCase)
  const review = await openRound(tx, useCase, { lane, tier, policyDigest: policies.digest, note })
  saveUseCase(tx, useCase, {
    openReviewId: review.id,
    // Another unit would be another committee, whatever the lane calls material.
    openMaterialFacts: [...new Set([...lane.materialFacts, 'orgUnitId'])],
    authorIds: [...new Set([...useCase.authorIds, tx.principal.personId])],
  })
  tx.record(useCase, {
    type: 'review.opened',
    right,
    reviewId: review.id,
    round: review.round,
    version: review.version,
    tier,
    lane: lane.id,
    policy: policies.digest,
    sealed: { note },
  })
  return await getReview(tx, review.id)
}

/** The tier by the policy in force, which may be stricter than the one the version was tiered by. */
function tierInForce(policies: Policies, useCase: UseCaseRow): Tier {
  const { tier } = computeTier(policies.riskTiers, useCase.answers, factsOf(useCase))
  const kept = effectiveTier(useCase.computedTier, useCase.raisedTier)
  return isAbove(tier, kept) ? tier : kept
}

interface Opening {
  lane: Lane
  tier: Tier
  policyDigest: string
  note: string
}

async function openRound(
  tx: WriteTx,
  useCase: UseCaseRow,
  { lane, ...opening }: Opening,
): Promise<store.ReviewRow> {
  const review = await store.insertReview(tx, {
    id: newId(),
    useCaseId: useCase.id,
    round: (await store.countRounds(tx, useCase.id)) + 1,
    version: useCase.version,
    lane,
    ...opening,
    submittedBy: tx.principal.personId,
    openedAt: tx.now,
    dueAt: addDays(tx.now, stageOf(lane).dueInDays),
  })
  await store.insertExclusions(tx, review.id, exclusionsOf(tx, useCase))
  return review
}

/** A person counts once, for the reason that weighs most. */
function exclusionsOf({ principal }: WriteTx, useCase: UseCaseRow): Map<string, string> {
  const exclusions = new Map(
    useCase.authorIds.map((id) => [id, 'wrote, owned or submitted it since its last approval']),
  )
  exclusions.set(principal.personId, 'submitted it')
  if (useCase.riskOwnerId) exclusions.set(useCase.riskOwnerId, 'is its risk owner')
  if (useCase.businessOwnerId) exclusions.set(useCase.businessOwnerId, 'is its business owner')
  return exclusions
}

/**
 * Casts the vote of a seat, or changes it, and closes the round when the votes decide it. Two last votes at once
 * wait for each other on the use case's lock, so exactly one of them closes.
 */
export async function vote(
  tx: WriteTx,
  policies: Policies,
  reviewId: string,
  ballot: Ballot,
): Promise<{ review: Review; decision: Decision | null }> {
  const round = await lockRound(tx, reviewId)
  const { useCase, review } = round
  const right = authorize(tx.ability, 'vote', 'Review', judgedRow(round))
  assertOpen(review)
  assertVotable(review.lane, ballot)
  await assertSeated(tx, { useCase, review, right }, ballot)
  await vacateIfLeft(tx, round, ballot.seat)
  await store.takeSeat(tx, reviewId, ballot.seat)
  const cast = await castVote(tx, round, ballot, right)
  const { seat, ordinal, choice, rationale } = cast
  tx.record(useCase, { type: 'vote.cast', right, reviewId, seat, ordinal, choice, sealed: { rationale } })

  const votes = [...round.votes, cast]
  const counted = await ofHolders(tx, useCase, countedVotes(votes))
  const result = tally(stageOf(review.lane), counted)
  if (!result.closes) {
    saveUseCase(tx, useCase, {})
    return { review: await showRound(tx, { ...round, votes }), decision: null }
  }
  const closed = await close(tx, policies, { useCase, review, votes: counted, ...result })
  const shown = await showRound(tx, { ...round, votes, review: closed.review })
  return { review: shown, decision: Decision.parse(closed.decision) }
}

/** Rights let whoever holds a seat vote; through which one, only the ballot says. */
async function assertSeated(
  tx: WriteTx,
  { useCase, review, right }: { useCase: UseCaseRow; review: store.ReviewRow; right: string },
  { seat }: Ballot,
): Promise<void> {
  if (await holdsSeat(tx, tx.principal.personId, seat, useCase.orgUnitId)) return
  throw new RegistryError(
    'forbidden',
    `you do not hold the ${seat} seat for this unit; an administrator grants seats`,
    { rule: right, denied: { action: 'vote', kind: 'Review', id: review.id } },
  )
}

/** A seat whose voter has lost it is open to another holder. */
async function vacateIfLeft(tx: WriteTx, { useCase, review, votes }: Round, seat: string): Promise<void> {
  const earlier = countedVotes(votes).filter((vote) => vote.seat === seat)
  const held = await ofHolders(tx, useCase, earlier)
  if (earlier.length > held.length) await store.vacateSeat(tx, review.id, seat)
}

/** Votes of those who still hold their seat: who left, or lost it, decides nothing any more. */
async function ofHolders(
  tx: WriteTx,
  { orgUnitId }: UseCaseRow,
  votes: store.VoteRow[],
): Promise<store.VoteRow[]> {
  const held = await Promise.all(votes.map(({ personId, seat }) => holdsSeat(tx, personId, seat, orgUnitId)))
  return votes.filter((_vote, index) => held[index])
}

async function castVote(
  tx: WriteTx,
  { review, votes }: Round,
  ballot: Ballot,
  right: string,
): Promise<store.VoteRow> {
  const ordinal = votes.filter(({ seat }) => seat === ballot.seat).length + 1
  return await store.insertVote(tx, {
    id: newId(),
    reviewId: review.id,
    personId: tx.principal.personId,
    ordinal,
    ...ballot,
    decisionRight: right,
    castAt: tx.now,
  })
}

/** Takes the use case out of review. The votes stay visible to the next round. */
export async function withdraw(tx: WriteTx, reviewId: string, reason: string): Promise<Review> {
  const round = await lockRound(tx, reviewId)
  const { useCase, review } = round
  const right = authorize(tx.ability, 'withdraw', 'Review', judgedRow(round))
  assertOpen(review)
  const closed = await store.closeReviewRow(tx, reviewId, 'withdrawn', reason)
  saveUseCase(tx, useCase, { openReviewId: null, openMaterialFacts: null })
  tx.record(useCase, { type: 'review.withdrawn', right, reviewId, sealed: { reason } })
  return await showRound(tx, { ...round, review: closed })
}

/** Locks the use case, then reads its round as it is under that lock. */
async function lockRound(tx: WriteTx, reviewId: string): Promise<Round> {
  const { useCaseId } = await store.getReviewRow(tx, reviewId)
  const useCase = await lockUseCase(tx, useCaseId)
  return await completeRound(tx, await store.getReviewRow(tx, reviewId), useCase)
}
