import { authorize } from '../auth/decision-rights.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { addDays, type Instant } from '../instant.js'
import type { Lane } from '../policy/lanes.js'
import { materialChanges } from '../use-cases/material.js'
import { getVersion, loadUseCase } from '../use-cases/reading.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { standingOf } from '../use-cases/standing.js'
import { keyOf, type Tier } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import * as store from './decision-store.js'
import { ownersOf } from './view.js'

interface Citation {
  useCase: UseCaseRow
  tier: Tier
  precedent: Lane['precedent']
  /** The decision that is cited. */
  decisionId: string
}

/**
 * what is cited is a full approval of another use case of the same tier and pattern, in force and recent. It
 * lifts no block: what the committee said of this very use case weighs more.
 * @throws RegistryError `conflict` with what stands against it, `not_found` for one that the caller may not read
 */
export async function assertPrecedent(tx: ReadTx, citation: Citation): Promise<void> {
  const { useCase, precedent, decisionId } = citation
  const decision = await store.getDecisionRow(tx, decisionId)
  const other = await loadUseCase(tx, decision.useCaseId)
  authorize(tx.ability, 'read', 'Decision', { id: decisionId, ...ownersOf(other) })
  if (!precedent) throw refusal('policy lets no precedent count for this tier and these facts')
  if (other.id === useCase.id) throw refusal('a use case is no precedent for itself')
  if (useCase.blockId !== null) throw refusal('what was blocked is decided in full again')
  const against = await objectionTo(tx, citation, precedent, decision, other)
  if (against) throw refusal(`${keyOf(other.number)} is no precedent here: ${against}`)
}

async function objectionTo(
  tx: ReadTx,
  { useCase, tier }: Citation,
  { sameFacts, withinDays }: NonNullable<Lane['precedent']>,
  decision: store.DecisionRow,
  other: UseCaseRow,
): Promise<string | undefined> {
  if (!isInForceAt(tx.now, decision, other)) return 'that approval is not in force'
  if (decision.route !== 'full') return 'it was not decided in a full review itself'
  if (decision.tier !== tier) return `it was decided for tier ${decision.tier}, not ${tier}`
  if (decision.decidedAt < addDays(tx.now, -withinDays)) return `it is older than ${withinDays} days`
  const { facts } = await getVersion(tx, other.id, decision.version)
  const different = materialChanges(facts, factsOf(useCase), sameFacts)
  return different.length > 0 ? `${different.join(', ')} differ` : undefined
}

const isInForceAt = (now: Instant, { id }: store.DecisionRow, other: UseCaseRow): boolean =>
  other.approvalId === id && standingOf(other, now).standing.startsWith('cleared')

/** whether what was cited is still in force. */
export async function isStillInForce(tx: ReadTx, decisionId: string): Promise<boolean> {
  const decision = await store.getDecisionRow(tx, decisionId)
  return isInForceAt(tx.now, decision, await loadUseCase(tx, decision.useCaseId))
}

function refusal(why: string): RegistryError {
  return new RegistryError('conflict', `${why}; submit it without a precedent, or cite another`)
}

/** Approvals that this use case could cite, the newest first. */
export async function listPrecedentRows(
  tx: ReadTx,
  citation: Omit<Citation, 'decisionId'>,
): Promise<{ decision: store.DecisionRow; useCase: UseCaseRow }[]> {
  const { useCase, tier, precedent } = citation
  if (!precedent) return []
  const since = addDays(tx.now, -precedent.withinDays)
  const candidates = await store.listCitableRows(tx, { useCaseId: useCase.id, tier, since })
  const fitting = []
  for (const decision of candidates) {
    const other = await loadUseCase(tx, decision.useCaseId)
    if (await isCitable(tx, { ...citation, decisionId: decision.id }))
      fitting.push({ decision, useCase: other })
  }
  return fitting
}

async function isCitable(tx: ReadTx, citation: Citation): Promise<boolean> {
  try {
    await assertPrecedent(tx, citation)
    return true
  } catch (error) {
    if (error instanceof RegistryError) return false
    throw error
  }
}
