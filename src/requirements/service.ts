import type { ReadTx } from '../db/transaction.js'
import { listUnitKeys } from '../org-units/service.js'
import { type Gap, type Holdings, headOf, missing, type RequiredHead } from '../policy/missing.js'
import { type Asked, asksOf, type RequirementPolicies } from '../policy/requirements.js'
import type { UseCaseRow } from '../use-cases/service.js'
import type { Tier } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import * as store from './store.js'

/** what policy in force asks of a use case as it is, at this tier. */
export async function asksOn(
  tx: ReadTx,
  policies: RequirementPolicies,
  useCase: UseCaseRow,
  tier: Tier,
): Promise<Asked[]> {
  const unitKeys = await listUnitKeys(tx, useCase.orgUnitId)
  return asksOf(policies, tier, { ...factsOf(useCase), unitKeys })
}

/** What it has to show. Whoever calls has authorized it. */
export async function holdingsOf(tx: ReadTx, useCaseId: string): Promise<Holdings> {
  return await store.readHoldings(tx, useCaseId)
}

/** What is asked for and is not there now; exceptions are not looked at. */
export async function missingOn(tx: ReadTx, useCase: UseCaseRow, asks: readonly Asked[]): Promise<Gap[]> {
  if (asks.length === 0) return []
  return missing(asks, await holdingsOf(tx, useCase.id), tx.now)
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
