import { authorize, explain, isAllowed, type RowOf, type Verdict } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { getReadable, loadUseCase } from '../use-cases/reading.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { Decision, Review } from './review.js'
import * as store from './store.js'

/** Any round of a use case that the caller may read. */
export async function getReview(tx: ReadTx, id: string): Promise<Review> {
  const row = await store.getReviewRow(tx, id)
  authorize(tx.ability, 'read', 'Review', await judgedRow(tx, row, await loadUseCase(tx, row.useCaseId)))
  const [review] = await complete(tx, [row])
  if (!review) throw new Error('a review that was read came back empty')
  return review
}

/** Every round of a use case, the last first. */
export async function listReviews(tx: ReadTx, idOrKey: string): Promise<Review[]> {
  const useCase = await getReadable(tx, idOrKey)
  const rows = await store.listReviewRows(tx, useCase.id)
  const judged = await Promise.all(rows.map((row) => judgedRow(tx, row, useCase)))
  return await complete(
    tx,
    rows.filter((_, index) => isAllowed(tx.ability, 'read', 'Review', judged[index] as RowOf<'Review'>)),
  )
}

/** What decision rights look at in a review. */
export async function judgedRow(
  tx: ReadTx,
  { id, submittedBy }: store.ReviewRow,
  useCase: UseCaseRow,
): Promise<RowOf<'Review'> & { id: string }> {
  const parties = await store.listPartyRows(tx, [id])
  const excludedIds = parties.filter(({ part }) => part === 'excluded').map(({ personId }) => personId)
  return { id, ...ownersOf(useCase), submittedBy, excludedIds }
}

/** What the caller may do in a review and why, or why not; undefined when they may not even see it. */
export async function explainReview(tx: ReadTx, id: string): Promise<Verdict[] | undefined> {
  const row = await store.getReviewRow(tx, id)
  const judged = await judgedRow(tx, row, await loadUseCase(tx, row.useCaseId))
  if (!isAllowed(tx.ability, 'read', 'Review', judged)) return undefined
  return explain(tx.ability, judged, 'Review', ['read', 'withdraw', 'vote'])
}

function ownersOf({ id: useCaseId, orgUnitId, businessOwnerId, riskOwnerId }: UseCaseRow) {
  return { useCaseId, orgUnitId, businessOwnerId, riskOwnerId }
}

/** Open reviews, the most urgent first. */
export async function listOpenReviews(tx: ReadTx, { limit, after }: PageRequest): Promise<PageOf<Review>> {
  const where = visibleWhere(tx.ability, 'read', 'Review', store.rightsColumns)
  const [dueAt, id] = after ?? []
  const from = after && { dueAt: String(dueAt), id: String(id) }
  const rows = await store.listOpenRows(tx, { where, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.dueAt, row.id])
  return { items: await complete(tx, items), last }
}

export async function getDecision(tx: ReadTx, id: string): Promise<Decision> {
  const row = await store.getDecisionRow(tx, id)
  authorize(tx.ability, 'read', 'Decision', { id, ...ownersOf(await loadUseCase(tx, row.useCaseId)) })
  return Decision.parse(row)
}

export async function listDecisions(tx: ReadTx, idOrKey: string): Promise<Decision[]> {
  const useCase = await getReadable(tx, idOrKey)
  if (!isAllowed(tx.ability, 'read', 'Decision', ownersOf(useCase))) return []
  const rows = await store.listDecisionRows(tx, useCase.id)
  return rows.map((row) => Decision.parse(row))
}

/** The decision that a review ended in, if it has. The caller has read the review. */
export async function getDecisionOf(tx: ReadTx, reviewId: string): Promise<Decision | null> {
  const row = await store.findDecisionOf(tx, reviewId)
  return row ? Decision.parse(row) : null
}

async function complete(tx: ReadTx, rows: store.ReviewRow[]): Promise<Review[]> {
  const ids = rows.map(({ id }) => id)
  const votes = await store.listVoteRows(tx, ids)
  const parties = await store.listPartyRows(tx, ids)
  return rows.map((row) => {
    const cast = votes.filter(({ reviewId }) => reviewId === row.id).map(({ reviewId: _id, ...vote }) => vote)
    const excluded = parties
      .filter(({ reviewId, part }) => reviewId === row.id && part === 'excluded')
      .map(({ personId, because }) => ({ personId, because }))
    return Review.parse({ ...row, votes: cast, openSeats: openSeats(row, cast), excluded })
  })
}

function openSeats({ lane, outcome }: store.ReviewRow, votes: { seat: string }[]): string[] {
  if (outcome !== null) return []
  const seats = (lane as Review['lane']).stages.flatMap((stage) => stage.seats.map(({ seat }) => seat))
  return seats.filter((seat) => !votes.some((vote) => vote.seat === seat))
}
