import { assertWaivable } from '../conditions/service.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { isAbove, type Tier } from '../use-cases/use-case.js'
import type { Asks } from './review.js'

/**
 * What a submission may ask for beside an approval.
 * @throws RegistryError `invalid` for what makes no sense, `conflict` for what is not in force
 */
export async function assertAskable(tx: ReadTx, useCase: UseCaseRow, tier: Tier, asks: Asks): Promise<void> {
  const { lowerTierTo, waives, supersedesId, precedentId } = asks
  if (precedentId !== null && (lowerTierTo !== null || waives.length > 0 || supersedesId !== null)) {
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
}
