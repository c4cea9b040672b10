import type { ReadTx } from '../db/transaction.js'
import { flawsOf, type PlannedException } from '../exceptions/exception.js'
import { planExceptions } from '../exceptions/service.js'
import type { Policies } from '../policy/load.js'
import type { Holdings } from '../policy/missing.js'
import { asksOn, holdingsOf } from '../requirements/service.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { gapsIn, type ReviewGap, type Weighed, weigh } from './required.js'
import type { ReviewRow } from './store.js'
import { isOfProhibited } from './submission.js'

/** What an approval would rest on now. */
export interface Weighing {
  weighed: Weighed[]
  holdings: Holdings
  /** The exceptions that it would grant. */
  granted: PlannedException[]
  /** Why one that was asked for cannot be granted any more. */
  objection: string | undefined
}

/** Where there is no approval, nothing is required. */
export const weighsNothing: Weighing = {
  ...{ weighed: [], holdings: { pieces: [], controls: [] }, granted: [], objection: undefined },
}

/**
 * what policy in force asks of the use case at the tier of the round, what of it is there, and what is
 * excepted: by this round, or by the approval in force unless that was wrong.
 */
export async function weighOn(
  tx: ReadTx,
  policies: Policies,
  { useCase, review }: { useCase: UseCaseRow; review: ReviewRow },
): Promise<Weighing> {
  const asks = await asksOn(tx, policies, useCase, review.tier)
  if (asks.length === 0) return weighsNothing
  const holdings = await holdingsOf(tx, useCase.id)
  const granted = planExceptions(review.exceptions, asks)
  const before = review.supersedesId === null ? useCase.required : []
  const weighed = weigh({ asks, holdings, granted, before }, tx.now)
  const [flaw] = flawsOf(granted, asks, holdings, tx.now)
  const objection = flaw && `an exception that it asks for cannot be granted any more: ${flaw.message}`
  return { weighed, holdings, granted, objection }
}

/** What an approval of this round would lack now; null once it is closed. */
export async function gapsOf(
  tx: ReadTx,
  policies: Policies,
  round: { useCase: UseCaseRow; review: ReviewRow },
): Promise<ReviewGap[] | null> {
  if (round.review.closedAt !== null) return null
  if (isOfProhibited(round.review)) return []
  return gapsIn((await weighOn(tx, policies, round)).weighed)
}
