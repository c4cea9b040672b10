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
  .enum(['expired', 'material_change', 'tier_raised', 'changes_requested'])
  .meta({
    id: 'StandingReason',
    description: 'Why an approval lapsed, or what an unreviewed use case was told last',
  })
export type StandingReason = z.infer<typeof StandingReason>

export const Standing = z
  .strictObject({
    standing: StandingWord,
    reasons: z.array(StandingReason),
    decisionId: z.uuid().nullable().describe('The approval it rests on, or the block'),
    validUntil: z.iso.datetime().nullable().describe('When the approval ends by itself'),
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
  lastOutcome: 'approved' | 'blocked' | 'changes_requested' | null
  approvalId: string | null
  approvedTier: Tier | null
  validUntil: Instant | null
  firstMaterialChangeAt: Instant | null
  tierRaisedAt: Instant | null
  blockId: string | null
  retiredAt: Instant | null
}

/** Strongest first: retired, blocked, approval lapsed or in force, in review, unreviewed. */
export function standingOf(facts: StandingFacts, at: Instant): Standing {
  const { standing, reasons } = judge(facts, at)
  const { approvalId, blockId, validUntil, openReviewId } = facts
  return { standing, reasons, decisionId: blockId ?? approvalId, validUntil, openReviewId }
}

function judge(facts: StandingFacts, at: Instant): Pick<Standing, 'standing' | 'reasons'> {
  if (facts.retiredAt !== null) return { standing: 'retired', reasons: [] }
  if (facts.blockId !== null) return { standing: 'blocked', reasons: [] }
  if (facts.approvalId !== null) {
    const reasons = lapses(facts, at)
    return { standing: reasons.length > 0 ? 'lapsed' : 'cleared', reasons }
  }
  if (facts.openReviewId !== null) return { standing: 'in_review', reasons: [] }
  return {
    standing: 'unreviewed',
    reasons: facts.lastOutcome === 'changes_requested' ? ['changes_requested'] : [],
  }
}

/** An approval stands before `validUntil`, and no longer at that very instant. */
function lapses(
  { validUntil, firstMaterialChangeAt, tierRaisedAt }: StandingFacts,
  at: Instant,
): StandingReason[] {
  const reasons: StandingReason[] = []
  if (validUntil !== null && validUntil <= at) reasons.push('expired')
  if (firstMaterialChangeAt !== null) reasons.push('material_change')
  if (tierRaisedAt !== null) reasons.push('tier_raised')
  return reasons
}
