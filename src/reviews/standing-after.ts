import { type Condition, headOf } from '../conditions/condition.js'
import type { UseCaseRow } from '../use-cases/service.js'
import type { DecisionRow } from './decision-store.js'

const nothing = {
  approvalId: null,
  approvedTier: null,
  validUntil: null,
  materialFacts: null,
  materialDigest: null,
  firstMaterialChangeAt: null,
  tierRaisedAt: null,
  hasConditions: false,
} as const

/**
 * What the use case stands on from now: a new approval, a block that ends the approval there was, or, when
 * changes are requested, whatever it stood on before, unless that was wrong. Authors count from the last
 * approval by others on: what a block or a request for changes was about is still theirs, and so is what an owner
 * attested.
 * @param laterAuthorIds who wrote while the round was open: what they wrote, nobody has looked at
 */
export function standingAfter(
  decision: DecisionRow,
  inForce: readonly Condition[],
  laterAuthorIds: string[],
): Partial<UseCaseRow> {
  const lowered = decision.loweredTier === null ? {} : { loweredTier: decision.loweredTier }
  const conditions = headOf(inForce)
  if (decision.outcome === 'changes_requested') {
    const isSuperseded = decision.supersedesId !== null
    return { ...lowered, ...(isSuperseded && { ...nothing, ...conditions, blockId: null }) }
  }
  if (decision.outcome === 'blocked') return { ...nothing, ...conditions, blockId: decision.id }
  return {
    ...{ ...nothing, ...lowered, ...conditions },
    approvalId: decision.id,
    approvedTier: decision.tier,
    validUntil: decision.validUntil,
    materialFacts: decision.materialFacts,
    materialDigest: decision.materialDigest,
    hasConditions: decision.outcome === 'approved_with_conditions',
    blockId: null,
    ...(decision.attestedBy === null && { authorIds: laterAuthorIds }),
  }
}
