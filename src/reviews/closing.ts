import type { WriteTx } from '../db/transaction.js'
import { acceptedEvidence } from '../evidence/service.js'
import { newId } from '../ids.js'
import { addDays } from '../instant.js'
import { chooseLane, type Outcome } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { computeTier } from '../policy/tiering.js'
import { materialDigest } from '../use-cases/material.js'
import { saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { effectiveTier, isAbove } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import { isStricter } from './review.js'
import * as store from './store.js'

interface Closing {
  useCase: UseCaseRow
  review: store.ReviewRow
  /** The votes that count, one a seat. */
  votes: store.VoteRow[]
  outcome: Outcome
  reason: string
}

/**
 * Turns the result of the votes into the one decision of the round, and into what the use case stands on.
 * Answers both rows as they are now.
 */
export async function close(
  tx: WriteTx,
  policies: Policies,
  voted: Closing,
): Promise<{ review: store.ReviewRow; decision: store.DecisionRow }> {
  const { useCase } = voted
  const closing = { ...voted, ...underPolicyInForce(policies, voted) }
  const { outcome, reason } = closing
  const review = await store.closeReviewRow(tx, voted.review.id, outcome, reason)
  const decision = await store.insertDecision(tx, await decide(tx, closing))
  saveUseCase(tx, useCase, {
    openReviewId: null,
    openMaterialFacts: null,
    lastOutcome: outcome,
    ...standingAfter(decision),
  })
  tx.record(useCase, {
    type: 'decision.made',
    reviewId: review.id,
    decisionId: decision.id,
    outcome,
    tier: decision.tier,
    lane: decision.laneId,
    version: decision.version,
    materialDigest: decision.materialDigest,
    policy: decision.policyDigest,
    validUntil: decision.validUntil,
    sealed: { reason },
  })
  return { review, decision }
}

/** An approval by the rules of yesterday does not stand if the policy in force asks for more. */
function underPolicyInForce(
  policies: Policies,
  { useCase, review, outcome, reason }: Closing,
): Pick<Closing, 'outcome' | 'reason'> {
  if (outcome !== 'approved') return { outcome, reason }
  const { tier } = computeTier(policies.riskTiers, useCase.answers, factsOf(useCase))
  const inForce = effectiveTier(tier, useCase.raisedTier)
  if (isAbove(inForce, review.tier)) {
    return {
      outcome: 'changes_requested',
      reason: `the tier is ${inForce} now, above ${review.tier} as submitted; submit it again`,
    }
  }
  if (isStricter(chooseLane(policies.lanes, review.tier, useCase), review.lane)) {
    return {
      outcome: 'changes_requested',
      reason: 'the policy in force asks for more than this review did; submit it again',
    }
  }
  return { outcome, reason }
}

async function decide(tx: WriteTx, { useCase, review, votes, outcome, reason }: Closing) {
  const { lane } = review
  const isApproval = outcome === 'approved'
  return {
    id: newId(),
    useCaseId: useCase.id,
    reviewId: review.id,
    outcome,
    reason,
    version: review.version,
    tier: review.tier,
    laneId: lane.id,
    environments: isApproval ? (lane.environments ?? null) : null,
    validUntil: isApproval ? addDays(tx.now, lane.validForDays) : null,
    materialFacts: lane.materialFacts,
    materialDigest: materialDigest(factsOf(useCase), lane.materialFacts),
    policyDigest: review.policyDigest,
    votes: votes.map(({ reviewId: _review, ...vote }) => vote),
    evidence: await acceptedEvidence(tx, useCase.id),
    decidedAt: tx.now,
  }
}

/**
 * What the use case stands on from now: a new approval, a block that ends the approval there was, or, when changes
 * are requested, whatever it stood on before. Authors count from the last approval on: what a block or a request for
 * changes was about is still theirs.
 */
function standingAfter(decision: store.DecisionRow): Partial<UseCaseRow> {
  const cleared = { firstMaterialChangeAt: null, tierRaisedAt: null }
  if (decision.outcome === 'changes_requested') return {}
  if (decision.outcome === 'blocked') {
    return {
      ...cleared,
      approvalId: null,
      approvedTier: null,
      validUntil: null,
      materialFacts: null,
      materialDigest: null,
      blockId: decision.id,
    }
  }
  return {
    ...cleared,
    approvalId: decision.id,
    approvedTier: decision.tier,
    validUntil: decision.validUntil,
    materialFacts: decision.materialFacts,
    materialDigest: decision.materialDigest,
    blockId: null,
    authorIds: [],
  }
}
