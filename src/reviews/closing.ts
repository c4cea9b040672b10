import type { Condition } from '../conditions/condition.js'
import {
  endAll,
  impose,
  listInForce,
  type NewCondition,
  planConditions,
  waive,
} from '../conditions/service.js'
import type { WriteTx } from '../db/transaction.js'
import { acceptedEvidence } from '../evidence/reading.js'
import { newId } from '../ids.js'
import { addDays } from '../instant.js'
import type { Outcome } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { materialDigest } from '../use-cases/material.js'
import { listAuthorsAfter } from '../use-cases/reading.js'
import { saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { isAbove } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import type { DecidedCondition } from './decided.js'
import { type DecisionRow, getDecisionRow, insertDecision, type NewDecisionRow } from './decision-store.js'
import { isStillInForce } from './precedents.js'
import { laneOn, tierInForce } from './routing.js'
import { standingAfter } from './standing-after.js'
import * as store from './store.js'
import { isStricter } from './stricter.js'
import { termsOf } from './terms.js'

export interface Closing {
  useCase: UseCaseRow
  review: store.ReviewRow
  /** The votes that count, one a seat. */
  votes: store.VoteRow[]
  outcome: Outcome
  reason: string
  /** Where an owner's word decides. */
  attested?: { decisionId: string; attestedBy: string; attestation: string; sampled: boolean }
}

export interface Closed {
  review: store.ReviewRow
  decision: DecisionRow
  useCase: UseCaseRow
}

/**
 * turns the result of a round into its one decision, and into what the use case stands on. Answers all rows as
 * they are now.
 */
export async function close(tx: WriteTx, policies: Policies, voted: Closing): Promise<Closed> {
  const { useCase } = voted
  const closing = { ...voted, ...(await underPolicyInForce(tx, policies, voted)) }
  const conditions = await conditionsAfter(tx, policies, closing)
  const decision = await insertDecision(tx, await decide(tx, closing, conditions))
  const { outcome, reason } = decision
  const review = await store.closeReviewRow(tx, voted.review.id, outcome, reason)
  await store.closeStages(tx, review.id)
  recordDecision(tx, useCase, decision)
  const inForce = await settleConditions(tx, useCase, decision, conditions.imposed)
  const saved = saveUseCase(tx, useCase, {
    openReviewId: null,
    openMaterialFacts: null,
    lastOutcome: outcome,
    ...standingAfter(decision, inForce, await listAuthorsAfter(tx, useCase.id, review.version)),
  })
  return { review, decision, useCase: saved }
}

const isApproval = ({ outcome }: Pick<Closing, 'outcome'>): boolean => outcome.startsWith('approved')

/**
 * an approval by the rules of yesterday does not stand if the policy in force asks for more. R-26: what is
 * prohibited is never approved; the round may lower its tier.
 */
async function underPolicyInForce(
  tx: WriteTx,
  policies: Policies,
  closing: Closing,
): Promise<Pick<Closing, 'outcome' | 'reason'> & { isLowering: boolean; isSentBack: boolean }> {
  const { review, outcome, reason } = closing
  if (!isApproval(closing)) return { outcome, reason, isLowering: false, isSentBack: false }
  const sentBack = (why: string) => ({ outcome: 'changes_requested' as const, reason: why })
  const objection = await objectionTo(tx, policies, closing)
  if (objection) return { ...sentBack(`${objection}; submit it again`), isLowering: false, isSentBack: true }
  const { tier, lowerTierTo } = review
  const isLowering = lowerTierTo !== null
  if (isLowering && tier === 'prohibited') {
    return {
      ...sentBack(`the tier is lowered to ${lowerTierTo}; submit it again as that`),
      isLowering,
      isSentBack: false,
    }
  }
  return { outcome, reason, isLowering, isSentBack: false }
}

/** What an approval would rest on and is not there any more: R-22 the policy, R-53 the precedent. */
async function objectionTo(
  tx: WriteTx,
  policies: Policies,
  { useCase, review }: Closing,
): Promise<string | undefined> {
  const inForce = tierInForce(policies, useCase)
  if (isAbove(inForce, review.tier)) return `the tier is ${inForce} now, above ${review.tier} as submitted`
  const { lane, imposes } = await laneOn(tx, policies, useCase, review.tier, review.route)
  if (isStricter(lane, review.lane) || imposes.some((id) => !review.imposes.includes(id))) {
    return 'the policy in force asks for more than this review did'
  }
  if (review.precedentId === null || (await isStillInForce(tx, review.precedentId))) return undefined
  return 'the approval that it cites is not in force any more'
}

async function decide(
  tx: WriteTx,
  closing: Closing & { isLowering: boolean; isSentBack: boolean },
  { kept, waived, imposed }: Conditions,
): Promise<NewDecisionRow> {
  const { useCase, review, votes, outcome, reason, attested, isLowering, isSentBack } = closing
  const { lane, route, overlays, precedentId } = review
  // Policy, not the committee, sent it back: what was said to be wrong stands until somebody decides.
  const supersedesId = isSentBack ? null : review.supersedesId
  const isApproved = isApproval(closing)
  const conditions = [...kept, ...imposed].map(snapshotOf)
  const { decisionId: id = newId(), ...declared } = attested ?? {}
  return {
    ...{ id, useCaseId: useCase.id, reviewId: review.id, reason, decidedAt: tx.now },
    outcome: isApproved && conditions.length > 0 ? 'approved_with_conditions' : outcome,
    ...{ version: review.version, tier: review.tier, route, laneId: lane.id, overlays },
    basisVersion: await basisOf(tx, closing),
    environments: isApproved ? (lane.environments ?? null) : null,
    validUntil: isApproved ? addDays(tx.now, lane.validForDays) : null,
    materialFacts: lane.materialFacts,
    materialDigest: materialDigest(factsOf(useCase), lane.materialFacts),
    policyDigest: review.policyDigest,
    votes: votes.map(({ reviewId: _review, ...vote }) => vote),
    evidence: await acceptedEvidence(tx, useCase.id),
    ...{
      conditions,
      limits: conditions.flatMap(({ limit }) => limit ?? []),
      precedentId,
      supersedesId,
      ...declared,
    },
    waived: waived.map(({ id }) => id),
    loweredTier: isLowering ? review.lowerTierTo : null,
  }
}

/** A short review measures later differences from the full one that it builds on. */
async function basisOf(tx: WriteTx, { useCase, review }: Closing): Promise<number> {
  const isShort = review.route === 'minor' || review.route === 'adaptive'
  if (!isShort || useCase.approvalId === null) return review.version
  const { version, basisVersion } = await getDecisionRow(tx, useCase.approvalId)
  return basisVersion ?? version
}

interface Conditions {
  kept: Condition[]
  waived: Condition[]
  imposed: NewCondition[]
}

/** what stays in force of before, and the conditions of every counted vote with those of policy. */
async function conditionsAfter(tx: WriteTx, policies: Policies, closing: Closing): Promise<Conditions> {
  const { useCase, review } = closing
  // A block, and what takes the place of a wrong decision, end all that was before; changes requested leave it.
  const before = isApproval(closing) && review.supersedesId === null ? await listInForce(tx, useCase.id) : []
  const isWaived = ({ id }: Condition) => review.waives.includes(id)
  const kept = before.filter((condition) => !isWaived(condition))
  const terms = isApproval(closing) ? await termsOf(tx, policies, closing) : []
  const imposed = await planConditions(tx, useCase, terms, kept)
  return { kept, waived: before.filter(isWaived), imposed }
}

function snapshotOf(condition: NewCondition): DecidedCondition {
  const { id, type, text, pattern, ownerId, dueAt, beforeDeploy, satisfiedBy, limit, requirement } = condition
  return { id, type, text, pattern, ownerId, dueAt, beforeDeploy, satisfiedBy, limit, requirement }
}

/** @returns the conditions in force from now on */
async function settleConditions(
  tx: WriteTx,
  useCase: UseCaseRow,
  { id, outcome, waived, supersedesId }: DecisionRow,
  imposed: NewCondition[],
) {
  if (outcome === 'blocked' || supersedesId !== null) await endAll(tx, useCase, id)
  else if (waived.length > 0) await waive(tx, useCase, id, waived)
  await impose(tx, useCase, id, imposed)
  return await listInForce(tx, useCase.id)
}

function recordDecision(tx: WriteTx, useCase: UseCaseRow, decision: DecisionRow): void {
  const { id: decisionId, reviewId, outcome, tier, route, laneId: lane, version, validUntil } = decision
  const { materialDigest, policyDigest: policy, conditions, limits, waived, reason, sampled } = decision
  tx.record(useCase, {
    ...{ type: 'decision.made', reviewId, decisionId, outcome, tier, route, lane, version, validUntil },
    ...{ materialDigest, policy, conditions: conditions.length, limits: limits.length, waived },
    loweredTier: decision.loweredTier ?? undefined,
    precedentId: decision.precedentId ?? undefined,
    supersedesId: decision.supersedesId ?? undefined,
    attestedBy: decision.attestedBy ?? undefined,
    sampled: sampled || undefined,
    sealed: { reason },
  })
}
