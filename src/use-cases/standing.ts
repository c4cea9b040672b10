import { z } from 'zod'
import type { Instant } from '../instant.js'
import type { Tier } from './use-case.js'

export const StandingWord = z
  .enum([
    'unreviewed',
    'in_review',
    'cleared',
    'cleared_with_conditions',
    'blocked',
    'suspended',
    'lapsed',
    'retired',
  ])
  .meta({
    id: 'StandingWord',
    description: 'What is true of a use case right now; computed whenever it is read',
  })
export type StandingWord = z.infer<typeof StandingWord>

export const StandingReason = z
  .enum([
    ...(['expired', 'material_change', 'tier_raised', 'condition_overdue'] as const),
    ...(['evidence_stale', 'evidence_missing', 'control_missing', 'changes_requested'] as const),
  ])
  .meta({
    id: 'StandingReason',
    description:
      'Why an approval lapsed, or what an unreviewed use case was told last; a closed list within `/v1`, which may grow',
  })
export type StandingReason = z.infer<typeof StandingReason>

export const Standing = z
  .strictObject({
    standing: StandingWord,
    reasons: z
      .array(StandingReason)
      .describe('Every reason why the approval lapsed, also while it is suspended; or what it was told last'),
    decisionId: z.uuid().nullable().describe('The approval it rests on, or the block'),
    validUntil: z.iso.datetime().nullable().describe('When the approval ends by itself'),
    nextDueAt: z.iso.datetime().nullable().describe('When the first of its open obligations falls due'),
    evidenceStaleAt: z.iso
      .datetime()
      .nullable()
      .describe('When the first of the evidence that the approval requires goes stale'),
    suspendedAt: z.iso.datetime().nullable().describe('Since when it is suspended; null when it is not'),
    openReviewId: z
      .uuid()
      .nullable()
      .describe('The review under way; an approval in force stays in force meanwhile'),
  })
  .meta({ id: 'Standing' })
export type Standing = z.infer<typeof Standing>

/** The stored instants and references that standing is computed from. */
export interface StandingFacts {
  openReviewId: string | null
  lastOutcome: 'approved' | 'approved_with_conditions' | 'blocked' | 'changes_requested' | null
  approvalId: string | null
  approvedTier: Tier | null
  validUntil: Instant | null
  firstMaterialChangeAt: Instant | null
  tierRaisedAt: Instant | null
  blockId: string | null
  /** The approval was given with conditions. */
  hasConditions: boolean
  /** When the first of its open obligations falls due. */
  nextDueAt: Instant | null
  /** When the first of the evidence that the approval requires goes stale. */
  evidenceStaleAt: Instant | null
  /** Since when evidence that it requires is not there; later than now where an exception ends then. */
  evidenceMissingAt: Instant | null
  /** Since when a control that it requires is not in a state that is good enough. */
  controlMissingAt: Instant | null
  suspendedAt: Instant | null
  retiredAt: Instant | null
}

/**
 * Strongest first: retired, blocked, suspended, approval lapsed or in force (also under re-review, R-71), in
 * review, unreviewed. Pure: `at` may be any instant for which the facts hold.
 */
export function standingOf(facts: StandingFacts, at: Instant): Standing {
  const { approvalId, blockId, validUntil, nextDueAt, evidenceStaleAt, suspendedAt, openReviewId } = facts
  const decisionId = blockId ?? approvalId
  const instants = { validUntil, nextDueAt, evidenceStaleAt, suspendedAt }
  return { ...judge(facts, at), decisionId, ...instants, openReviewId }
}

function judge(facts: StandingFacts, at: Instant): Pick<Standing, 'standing' | 'reasons'> {
  if (facts.retiredAt !== null) return { standing: 'retired', reasons: [] }
  if (facts.blockId !== null) return { standing: 'blocked', reasons: [] }
  const { standing, reasons } = facts.approvalId === null ? unapproved(facts) : approved(facts, at)
  return { standing: facts.suspendedAt === null ? standing : 'suspended', reasons }
}

function approved(facts: StandingFacts, at: Instant): Pick<Standing, 'standing' | 'reasons'> {
  const reasons = lapses(facts, at)
  if (reasons.length > 0) return { standing: 'lapsed', reasons }
  return { standing: facts.hasConditions ? 'cleared_with_conditions' : 'cleared', reasons }
}

function unapproved({ openReviewId, lastOutcome }: StandingFacts): Pick<Standing, 'standing' | 'reasons'> {
  if (openReviewId !== null) return { standing: 'in_review', reasons: [] }
  return { standing: 'unreviewed', reasons: lastOutcome === 'changes_requested' ? ['changes_requested'] : [] }
}

/**
 * Every reason why an approval lapsed. It stands before `validUntil`, and no longer at that
 * very instant; an obligation is overdue from the instant at which it is due, and so with evidence and controls.
 */
function lapses(facts: StandingFacts, at: Instant): StandingReason[] {
  const { validUntil, firstMaterialChangeAt, tierRaisedAt, nextDueAt } = facts
  const { evidenceStaleAt, evidenceMissingAt, controlMissingAt } = facts
  const reasons: StandingReason[] = []
  if (validUntil !== null && validUntil <= at) reasons.push('expired')
  if (firstMaterialChangeAt !== null) reasons.push('material_change')
  if (tierRaisedAt !== null) reasons.push('tier_raised')
  if (nextDueAt !== null && nextDueAt <= at) reasons.push('condition_overdue')
  if (evidenceStaleAt !== null && evidenceStaleAt <= at) reasons.push('evidence_stale')
  if (evidenceMissingAt !== null && evidenceMissingAt <= at) reasons.push('evidence_missing')
  if (controlMissingAt !== null && controlMissingAt <= at) reasons.push('control_missing')
  return reasons
}
