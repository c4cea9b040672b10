import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { meetingsOf } from '../catalogs/meetings.js'
import type { ReadTx } from '../db/transaction.js'
import { listUnitKeys } from '../org-units/service.js'
import type { Policies } from '../policy/load.js'
import { type Holdings, headOf, type RequiredHead } from '../policy/missing.js'
import { type Asked, asksOf, type RequirementPolicies, type RequiringFacts } from '../policy/requirements.js'
import { getReadable } from '../use-cases/reading.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { effectiveTier, keyOf, type Tier } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import type { UseCaseRequirements } from './requirement.js'
import * as store from './store.js'
import { requiredStandings, type Shown, standingsOf } from './view.js'

/** What the answer is made from. */
export type RequirementsPolicy = Pick<Policies, 'requirements' | 'catalogs' | 'mappings' | 'digest'>

/**
 * What policy in force asks of a use case, how far each thing is and what to do next; beside it, what its approval rests
 * on.
 */
export async function getRequirements(
  tx: ReadTx,
  policies: RequirementsPolicy,
  idOrKey: string,
): Promise<UseCaseRequirements> {
  const useCase = await getReadable(tx, idOrKey)
  const { id: useCaseId, orgUnitId, businessOwnerId, riskOwnerId } = useCase
  authorize(tx.ability, 'read', 'Profile', { useCaseId, orgUnitId, businessOwnerId, riskOwnerId })
  return await requirementsOf(tx, policies, useCase)
}

/**
 * The same for whoever has authorized it.
 * @param asTier as if it were of this tier; left out, the one that a review under way decides for, or its own
 */
export async function requirementsOf(
  tx: ReadTx,
  policies: RequirementsPolicy,
  useCase: UseCaseRow,
  asTier?: Tier,
): Promise<UseCaseRequirements> {
  const review = useCase.openReviewId === null ? undefined : await store.readReview(tx, useCase.openReviewId)
  const tier = asTier ?? review?.tier ?? effectiveTier(useCase)
  const facts = await requiringFactsOf(tx, useCase)
  const shown = await showOf(tx, useCase.id)
  const requirements = standingsOf(asksOf(policies, tier, facts), {
    ...{ ...shown, tier, facts },
    wanted: review?.wanted ?? [],
    before: review?.isCorrection ? [] : useCase.required,
    meetingsOf: (catalog) => meetingsOf(policies, catalog),
  })
  const asks = requirements.flatMap((one) => one.asks)
  const met = asks.filter(({ state }) => state === 'met').length
  const refused = asks.filter(({ atDecision }) => atDecision === 'refused').length
  return {
    ...{ useCase: { id: useCase.id, key: keyOf(useCase.number), title: useCase.title }, at: tx.now, tier },
    ...{ policyDigest: policies.digest, readyToDecide: tier !== 'prohibited' && refused === 0 },
    counts: { required: asks.length, met, missing: asks.length - met, refused },
    ...{ requirements, approval: approvalOf(useCase, shown) },
  }
}

function approvalOf(useCase: UseCaseRow, shown: Shown): UseCaseRequirements['approval'] {
  const { approvalId, required, evidenceStaleAt, evidenceMissingAt, controlMissingAt } = useCase
  if (approvalId === null) return null
  return {
    ...{ decisionId: approvalId, required: requiredStandings(required, shown) },
    ...{ evidenceStaleAt, evidenceMissingAt, controlMissingAt },
  }
}

async function showOf(tx: ReadTx, useCaseId: string): Promise<Shown> {
  const readable = visibleWhere(tx.ability, 'read', 'Evidence', store.evidenceColumns)
  const holdings = await holdingsOf(tx, useCaseId)
  return { holdings, titles: await store.readTitles(tx, useCaseId, readable), at: tx.now }
}

async function requiringFactsOf(tx: ReadTx, useCase: UseCaseRow): Promise<RequiringFacts> {
  return { ...factsOf(useCase), unitKeys: await listUnitKeys(tx, useCase.orgUnitId) }
}

/** what policy in force asks of a use case as it is, at this tier. */
export async function asksOn(
  tx: ReadTx,
  policies: RequirementPolicies,
  useCase: UseCaseRow,
  tier: Tier,
): Promise<Asked[]> {
  return asksOf(policies, tier, await requiringFactsOf(tx, useCase))
}

/** What it has to show. Whoever calls has authorized it. */
export async function holdingsOf(tx: ReadTx, useCaseId: string): Promise<Holdings> {
  const holdings = await store.readHoldings(tx, [useCaseId])
  return holdings.get(useCaseId) ?? { pieces: [], controls: [] }
}

/** What is asked of a use case as it is, and what it has to show. */
export interface Asking {
  useCase: UseCaseRow
  asks: Asked[]
  holdings: Holdings
}

/** The same of several use cases, in a few round trips however many they are. Whoever calls has authorized them. */
export async function askingsOf(
  tx: ReadTx,
  policies: RequirementPolicies,
  useCases: readonly UseCaseRow[],
): Promise<Asking[]> {
  if (useCases.length === 0) return []
  const holdings = await store.readHoldings(
    tx,
    useCases.map(({ id }) => id),
  )
  const unitKeys = new Map<string, string[]>()
  for (const unitId of new Set(useCases.map(({ orgUnitId }) => orgUnitId))) {
    unitKeys.set(unitId, await listUnitKeys(tx, unitId))
  }
  return useCases.map((useCase) => {
    const facts = { ...factsOf(useCase), unitKeys: unitKeys.get(useCase.orgUnitId) ?? [] }
    const asks = asksOf(policies, effectiveTier(useCase), facts)
    return { useCase, asks, holdings: holdings.get(useCase.id) ?? { pieces: [], controls: [] } }
  })
}

/**
 * the head of a use case after evidence, a verdict or a control changed: for `saveUseCase`, in the transaction of
 * that change and after its writes.
 * @param useCase as it is locked
 */
export async function settle(tx: ReadTx, useCase: UseCaseRow): Promise<RequiredHead> {
  const { required, evidenceStaleAt, evidenceMissingAt, controlMissingAt } = useCase
  const before = { evidenceStaleAt, evidenceMissingAt, controlMissingAt }
  if (required.length === 0) return { evidenceStaleAt: null, evidenceMissingAt: null, controlMissingAt: null }
  return headOf(required, await holdingsOf(tx, useCase.id), before, tx.now)
}
