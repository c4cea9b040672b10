import type { Condition } from '../conditions/condition.js'
import { assertWaivable, listInForce } from '../conditions/service.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { isFor } from '../exceptions/exception.js'
import { assertExceptable } from '../exceptions/service.js'
import type { Policies } from '../policy/load.js'
import { subjectOf } from '../policy/missing.js'
import { asksOn } from '../requirements/service.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { isAbove, type Tier } from '../use-cases/use-case.js'
import { type Asks, wantsMore } from './submission.js'

/**
 * What a submission may ask for beside an approval.
 * @throws RegistryError `invalid` for what makes no sense, `conflict` for what is not in force
 */
export async function assertAskable(
  tx: ReadTx,
  policies: Policies,
  useCase: UseCaseRow,
  tier: Tier,
  asks: Asks,
): Promise<void> {
  const { lowerTierTo, waives, supersedesId, precedentId, exceptions } = asks
  if (precedentId !== null && wantsMore(asks)) {
    throw new RegistryError(
      'invalid',
      'a precedent shortens the way, and what you ask for takes the full one; leave out one of them',
    )
  }
  if (lowerTierTo !== null && !isAbove(tier, lowerTierTo)) {
    throw new RegistryError('invalid', `the tier is ${tier}; ask for one below it, or leave lowerTierTo out`)
  }
  if (supersedesId !== null && supersedesId !== (useCase.blockId ?? useCase.approvalId)) {
    throw new RegistryError(
      'conflict',
      'only the decision that is in force can be superseded; its id is decisionId of the standing',
    )
  }
  await assertWaivable(tx, useCase, waives)
  await assertExceptable(tx, policies, useCase, tier, exceptions)
  await assertNotRequired(tx, policies, useCase, tier, asks)
}

/** what policy requires is not waived; it may be excepted, until an end. */
async function assertNotRequired(
  tx: ReadTx,
  policies: Policies,
  useCase: UseCaseRow,
  tier: Tier,
  { waives, exceptions }: Asks,
): Promise<void> {
  if (waives.length === 0) return
  const asks = await asksOn(tx, policies, useCase, tier)
  const open = asks.filter((asked) => !exceptions.some((one) => isFor(one, asked)))
  const inForce = await listInForce(tx, useCase.id)
  const isRequired = ({ requirement, asks: its }: Condition) =>
    open.some((one) => one.requirement.id === requirement && its.map(subjectOf).includes(subjectOf(one.ask)))
  const issues = waives.flatMap((id, index) => {
    const condition = inForce.find((one) => one.id === id)
    if (!condition || !isRequired(condition)) return []
    const message = `policy requires this (${condition.requirement}), so that nobody waives it; ask for an exception instead`
    return [{ path: `/waives/${index}`, message }]
  })
  const [first] = issues
  if (first) throw new RegistryError('invalid', first.message, { issues })
}
