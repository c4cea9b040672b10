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
import { RegistryError } from '../errors.js'
import { acceptedEvidence } from '../evidence/reading.js'
import { isFor, type PlannedException } from '../exceptions/exception.js'
import { grant } from '../exceptions/service.js'
import { newId } from '../ids.js'
import { addDays } from '../instant.js'
import type { Outcome } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { headOf, type RequiredHead } from '../policy/missing.js'
import { materialDigest } from '../use-cases/material.js'
import { listAuthorsAfter } from '../use-cases/reading.js'
import { saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { isAbove } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import type { DecidedCondition } from './decided.js'
import { type DecisionRow, getDecisionRow, insertDecision, type NewDecisionRow } from './decision-store.js'
import { isStillInForce } from './precedents.js'
import { refusalsIn, requiredIn, termsIn } from './required.js'
import { laneOn, tierInForce } from './routing.js'
import { standingAfter } from './standing-after.js'
import * as store from './store.js'
import { isStricter } from './stricter.js'
import { isOfProhibited } from './submission.js'
import { termsOf } from './terms.js'
import { type Weighing, weighOn, weighsNothing } from './weighing.js'

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

/** Of an approval that was just given nothing went missing before. */
const nothingAmiss: RequiredHead = { evidenceStaleAt: null, evidenceMissingAt: null, controlMissingAt: null }

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
  const closing = await underPolicyInForce(tx, policies, voted)
  assertNothingRefused(closing)
  const conditions = await conditionsAfter(tx, policies, closing)
  const decision = await insertDecision(tx, await decide(tx, closing, conditions))
  const { outcome, reason } = decision
  const review = await store.closeReviewRow(tx, voted.review.id, outcome, reason)
  await store.closeStages(tx, review.id)
  recordDecision(tx, useCase, decision)
  const inForce = await settleConditions(tx, useCase, decision, conditions.imposed)
  await grant(tx, useCase, decision.id, closing.weighing.granted)
  const standsOn = {
    ...{ inForce, required: headOf(decision.required, closing.weighing.holdings, nothingAmiss, tx.now) },
    laterAuthorIds: await listAuthorsAfter(tx, useCase.id, review.version),
  }
  const saved = saveUseCase(tx, useCase, {
    openReviewId: null,
    openMaterialFacts: null,
    lastOutcome: outcome,
    ...standingAfter(decision, standsOn),
  })
  return { review, decision, useCase: saved }
}

/** A round with its outcome by the policy in force, and with what that rests on. */
interface Judged extends Closing {
  isLowering: boolean
  isSentBack: boolean
  /** Of an approval; of what else comes of a round, nothing is required. */
  weighing: Weighing
}

const isApproval = ({ outcome }: Pick<Closing, 'outcome'>): boolean => outcome.startsWith('approved')

/**
 * an approval by the rules of yesterday does not stand if the policy in force asks for more. R-26: what is
 * prohibited is never approved; the round may lower its tier.
 */
async function underPolicyInForce(tx: WriteTx, policies: Policies, voted: Closing): Promise<Judged> {
  const { review } = voted
  const closing = { ...voted, isLowering: false, isSentBack: false, weighing: weighsNothing }
  if (!isApproval(voted)) return closing
  const sentBack = (reason: string): Judged => ({ ...closing, outcome: 'changes_requested', reason })
  const objection = await objectionTo(tx, policies, voted)
  if (objection) return { ...sentBack(`${objection}; submit it again`), isSentBack: true }
  if (isOfProhibited(review)) {
    const lowered = sentBack(`the tier is lowered to ${review.lowerTierTo}; submit it again as that`)
    return { ...lowered, isLowering: true }
  }
  const weighing = await weighOn(tx, policies, voted)
  if (weighing.objection) return { ...sentBack(`${weighing.objection}; submit it again`), isSentBack: true }
  return { ...closing, isLowering: review.lowerTierTo !== null, weighing }
}

/**
 * @throws RegistryError `conflict` for an approval while something is missing that policy refuses to approve
 * without: the vote, or the attestation, is not taken, and whatever else may be said of it still can be.
 */
function assertNothingRefused({ weighing, attested }: Judged): void {
  const refusals = refusalsIn(weighing.weighed, attested !== undefined)
  if (refusals.length === 0) return
  const next = attested ? 'Submit it then' : 'Approve it then, or request changes'
  throw new RegistryError('conflict', `policy refuses to approve this yet. ${[...refusals, next].join('. ')}`)
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
  closing: Judged,
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
    required: requiredIn(closing.weighing.weighed),
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

/**
 * what stays in force of before, and the conditions of every counted vote with those of policy. What is
 * excepted is nobody's obligation until the exception ends.
 */
async function conditionsAfter(tx: WriteTx, policies: Policies, closing: Judged): Promise<Conditions> {
  const { useCase, review, weighing } = closing
  // A block, and what takes the place of a wrong decision, end all that was before; changes requested leave it.
  const before = isApproval(closing) && review.supersedesId === null ? await listInForce(tx, useCase.id) : []
  const isWaived = (condition: Condition) =>
    review.waives.includes(condition.id) || isExceptedBy(weighing.granted, condition)
  const kept = before.filter((condition) => !isWaived(condition))
  const terms = isApproval(closing)
    ? [...(await termsOf(tx, policies, closing)), ...termsIn(weighing.weighed)]
    : []
  const imposed = await planConditions(tx, useCase, terms, kept)
  return { kept, waived: before.filter(isWaived), imposed }
}

/** Whether all that an obligation is for is excepted. */
function isExceptedBy(granted: readonly PlannedException[], { requirement: id, asks }: Condition): boolean {
  if (id === null) return false
  return asks.every((ask) => granted.some((one) => isFor(one, { requirement: { id }, ask })))
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
    ...(decision.required.length > 0 && {
      required: decision.required.length,
      excepted: decision.required.filter(({ taken }) => taken === 'excepted').length,
    }),
    sealed: { reason },
  })
}
