import { authorize, explain, isAllowed, type Verdict } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { listEvidenceOf } from '../evidence/reading.js'
import type { Instant } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { getReadable, loadUseCase, loadUseCases } from '../use-cases/reading.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { type Decision, presentDecision } from './decision.js'
import { type DecisionRow, getDecisionRow, listDecisionRows, listSupersessions } from './decision-store.js'
import type { Review } from './review.js'
import * as store from './store.js'
import { judgedRow, ownersOf, presentRound, type Round } from './view.js'
import { gapsOf } from './weighing.js'

/** Any round of a use case that the caller may read, with what an approval of it would lack now. */
export async function getReview(tx: ReadTx, policies: Policies, id: string): Promise<Review> {
  const round = await getRound(tx, id)
  return await showRound(tx, round, await gapsOf(tx, policies, round))
}

/** The same with all its rows, for whoever shows more of it. */
export async function getRound(tx: ReadTx, id: string): Promise<Round> {
  const round = await loadRound(tx, id)
  authorize(tx.ability, 'read', 'Review', judgedRow(round))
  return round
}

/** The decision before a round was opened, if there was one. The caller has read the use case. */
export async function findDecisionBefore(
  tx: ReadTx,
  useCaseId: string,
  openedAt: Instant,
): Promise<DecisionRow | undefined> {
  const rows = await listDecisionRows(tx, useCaseId)
  return rows.find(({ decidedAt }) => decidedAt <= openedAt)
}

/** Every round of a use case, the last first. */
export async function listReviews(tx: ReadTx, idOrKey: string): Promise<Review[]> {
  const useCase = await getReadable(tx, idOrKey)
  const rounds = await loadRounds(tx, await store.listReviewRows(tx, useCase.id), [useCase])
  return await showRounds(
    tx,
    rounds.filter((round) => isAllowed(tx.ability, 'read', 'Review', judgedRow(round))),
  )
}

/** What the caller may do in a review and why, or why not; undefined when they may not even see it. */
export async function explainReview(tx: ReadTx, id: string): Promise<Verdict[] | undefined> {
  const row = judgedRow(await loadRound(tx, id))
  if (!isAllowed(tx.ability, 'read', 'Review', row)) return undefined
  return explain(tx.ability, row, 'Review', ['read', 'withdraw', 'vote'])
}

/**
 * Open reviews, the most urgent first.
 * @param unitIds of these units only
 */
export async function listOpenReviews(
  tx: ReadTx,
  { limit, after }: PageRequest,
  unitIds?: string[],
): Promise<PageOf<Review>> {
  const where = visibleWhere(tx.ability, 'read', 'Review', store.rightsColumns)
  const [dueAt, id] = after ?? []
  const from = after && { dueAt: String(dueAt), id: String(id) }
  const rows = await store.listOpenRows(tx, { where, unitIds, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.dueAt, row.id])
  const useCases = await loadUseCases(
    tx,
    items.map(({ useCaseId }) => useCaseId),
  )
  return { items: await showRounds(tx, await loadRounds(tx, items, useCases)), last }
}

export async function getDecision(tx: ReadTx, id: string): Promise<Decision> {
  const row = await getDecisionRow(tx, id)
  authorize(tx.ability, 'read', 'Decision', { id, ...ownersOf(await loadUseCase(tx, row.useCaseId)) })
  const superseded = await listSupersessions(tx, [id])
  return presentDecision(row, superseded.get(id) ?? null)
}

export async function listDecisions(tx: ReadTx, idOrKey: string): Promise<Decision[]> {
  const useCase = await getReadable(tx, idOrKey)
  if (!isAllowed(tx.ability, 'read', 'Decision', ownersOf(useCase))) return []
  const rows = await listDecisionRows(tx, useCase.id)
  const superseded = await listSupersessions(
    tx,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => presentDecision(row, superseded.get(row.id) ?? null))
}

/** A round for whoever may read it: what it shows is loaded here, with the evidence that the caller may read. */
export async function showRound(
  tx: ReadTx,
  round: Round,
  missing: Review['missing'] = null,
): Promise<Review> {
  return presentRound(round, { evidence: await listEvidenceOf(tx, [round.useCase.id]), missing }, tx.now)
}

async function showRounds(tx: ReadTx, rounds: Round[]): Promise<Review[]> {
  const useCaseIds = [...new Set(rounds.map(({ useCase }) => useCase.id))]
  const evidence = await listEvidenceOf(tx, useCaseIds)
  return rounds.map((round) => presentRound(round, { evidence, missing: null }, tx.now))
}

async function loadRound(tx: ReadTx, id: string): Promise<Round> {
  const review = await store.getReviewRow(tx, id)
  return await completeRound(tx, review, await loadUseCase(tx, review.useCaseId))
}

/** A round of a use case that is loaded already. */
export async function completeRound(
  tx: ReadTx,
  review: store.ReviewRow,
  useCase: UseCaseRow,
): Promise<Round> {
  const ids = [review.id]
  const [votes, parties, stages, lost] = await Promise.all([
    store.listVoteRows(tx, ids),
    store.listPartyRows(tx, ids),
    store.listStageRows(tx, ids),
    store.listLostVoteIds(tx, ids),
  ])
  return { review, useCase, votes, parties, stages, lost }
}

async function loadRounds(tx: ReadTx, reviews: store.ReviewRow[], useCases: UseCaseRow[]): Promise<Round[]> {
  const ids = reviews.map(({ id }) => id)
  const votes = await store.listVoteRows(tx, ids)
  const parties = await store.listPartyRows(tx, ids)
  const stages = await store.listStageRows(tx, ids)
  const lost = await store.listLostVoteIds(tx, ids)
  return reviews.flatMap((review) => {
    const isOfIt = ({ reviewId }: { reviewId: string }) => reviewId === review.id
    const useCase = useCases.find(({ id }) => id === review.useCaseId)
    if (!useCase) return []
    const its = {
      votes: votes.filter(isOfIt),
      parties: parties.filter(isOfIt),
      stages: stages.filter(isOfIt),
      lost,
    }
    return [{ review, useCase, ...its }]
  })
}
