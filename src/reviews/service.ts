import { authorize } from '../auth/decision-rights.js'
import type { WriteTx } from '../db/transaction.js'
import { assertRevision, RegistryError } from '../errors.js'
import { assertOwners } from '../people/service.js'
import type { Policies } from '../policy/load.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { assertNoOpenReview, assertNotRetired } from '../use-cases/use-case.js'
import { assertAskable } from './asking.js'
import { attest } from './attesting.js'
import { type Opening, openRound } from './opening.js'
import { completeRound, getReview, showRound } from './reading.js'
import { assertOpen, assertOwned, assertWithdrawable, frozenBy, type Review } from './review.js'
import { chooseWay, tierInForce } from './routing.js'
import * as store from './store.js'
import type { Submission } from './submission.js'
import { judgedRow, type Round } from './view.js'

/**
 * freezes the current version and opens a round on it, or, where policy asks for no vote, takes the owner's
 * attestation. Whoever wrote, owned or submitted it since the last approval is excluded from the vote.
 */
export async function submit(
  tx: WriteTx,
  policies: Policies,
  useCaseId: string,
  revision: number,
  submission: Submission,
): Promise<Review> {
  const useCase = await lockUseCase(tx, useCaseId)
  const right = authorize(tx.ability, 'submit', 'UseCase', useCase)
  assertRevision(useCase, revision)
  await assertSubmittable(tx, useCase)
  const { note, attest: attests, ...asks } = submission
  const tier = tierInForce(policies, useCase)
  await assertAskable(tx, policies, useCase, tier, asks)
  const way = await chooseWay(tx, policies, useCase, tier, asks)
  const opening: Opening = { way, tier, policyDigest: policies.digest, note, asks, right }
  if (way.route === 'attestation') {
    return await getReview(
      tx,
      policies,
      (await attest(tx, policies, useCase, opening, { attest: attests })).id,
    )
  }
  if (attests) throw new RegistryError('invalid', 'this is decided by a vote; submit it without "attest"')
  const review = await openRound(tx, useCase, opening)
  saveUseCase(tx, useCase, {
    ...frozenBy(review),
    authorIds: [...new Set([...useCase.authorIds, tx.principal.personId])],
  })
  return await getReview(tx, policies, review.id)
}

async function assertSubmittable(tx: WriteTx, useCase: UseCaseRow): Promise<void> {
  assertNotRetired(useCase)
  assertNoOpenReview(useCase)
  assertOwned(useCase)
  await assertOwners(
    tx,
    [useCase.businessOwnerId, useCase.riskOwnerId].filter((id) => id !== null),
  )
}

/** Takes the use case out of review. The votes stay visible to the next round. */
export async function withdraw(tx: WriteTx, reviewId: string, reason: string): Promise<Review> {
  const round = await lockRound(tx, reviewId)
  const { useCase, review } = round
  const right = authorize(tx.ability, 'withdraw', 'Review', judgedRow(round))
  assertOpen(review)
  assertWithdrawable(review)
  const closed = await store.closeReviewRow(tx, reviewId, 'withdrawn', reason)
  await store.closeStages(tx, reviewId)
  saveUseCase(tx, useCase, { openReviewId: null, openMaterialFacts: null })
  tx.record(useCase, { type: 'review.withdrawn', right, reviewId, sealed: { reason } })
  return await showRound(tx, await completeRound(tx, closed, useCase))
}

/** Locks the use case, then reads its round as it is under that lock. */
export async function lockRound(tx: WriteTx, reviewId: string): Promise<Round> {
  const { useCaseId } = await store.getReviewRow(tx, reviewId)
  const useCase = await lockUseCase(tx, useCaseId)
  return await completeRound(tx, await store.getReviewRow(tx, reviewId), useCase)
}
