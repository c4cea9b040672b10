import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import type { Asked, RequirementPolicies } from '../policy/requirements.js'
import { asksOn, holdingsOf } from '../requirements/service.js'
import type { UseCaseRow } from '../use-cases/service.js'
import type { Tier } from '../use-cases/use-case.js'
import { type AskedException, flawsOf, isFor, type PlannedException } from './exception.js'
import * as store from './store.js'

/**
 * what a submission wants to be excepted from: something that policy asks for, and lets be excepted for so long.
 * @throws RegistryError `invalid` with one issue for each that cannot be granted
 */
export async function assertExceptable(
  tx: ReadTx,
  policies: RequirementPolicies,
  useCase: UseCaseRow,
  tier: Tier,
  wanted: readonly AskedException[],
): Promise<void> {
  if (wanted.length === 0) return
  const asks = await asksOn(tx, policies, useCase, tier)
  const issues = flawsOf(wanted, asks, await holdingsOf(tx, useCase.id), tx.now)
  const [first] = issues
  if (first) throw new RegistryError('invalid', first.message, { issues })
}

/** Those of what was asked for that policy still asks for, as a decision would grant them. */
export function planExceptions(
  wanted: readonly AskedException[],
  asks: readonly Asked[],
): PlannedException[] {
  return wanted
    .filter((one) => asks.some((asked) => isFor(one, asked)))
    .map((one) => ({ ...one, id: newId() }))
}

/** puts them in force, by a decision that is inserted already. */
export async function grant(
  tx: WriteTx,
  useCase: UseCaseRow,
  decisionId: string,
  planned: readonly PlannedException[],
): Promise<void> {
  if (planned.length === 0) return
  const before = await store.countExceptions(tx, useCase.id)
  const origin = { useCaseId: useCase.id, decisionId, grantedAt: tx.now }
  const rows = planned.map(({ id, requirement, control, until, compensating, reason }, index) => ({
    ...{ id, ...origin, ordinal: before + index + 1, requirement, until, reason },
    ...{ controlId: control?.control ?? null, compensating: compensating.text },
    compensatingControl: compensating.control ?? null,
  }))
  await store.insertExceptions(tx, rows)
  for (const { id: exceptionId, requirement, controlId, until, compensating, reason } of rows) {
    const granted = { exceptionId, decisionId, requirement, control: controlId ?? undefined, until }
    tx.record(useCase, { type: 'exception.granted', ...granted, sealed: { compensating, reason } })
  }
}
