import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { getReadable } from '../use-cases/reading.js'
import { Decision, Review } from './review.js'
import * as store from './store.js'

/** Any round of a use case that the caller may read. */
export async function getReview(tx: ReadTx, id: string): Promise<Review> {
  const row = await store.getReviewRow(tx, id)
  await getReadable(tx, row.useCaseId)
  const [review] = await complete(tx, [row])
  if (!review) throw new Error('a review that was read came back empty')
  return review
}

/** Every round of a use case, the last first. */
export async function listReviews(tx: ReadTx, useCaseId: string): Promise<Review[]> {
  const { id } = await getReadable(tx, useCaseId)
  return await complete(tx, await store.listReviewRows(tx, id))
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
  const { orgUnitId, businessOwnerId, riskOwnerId } = await getReadable(tx, row.useCaseId)
  authorize(tx.ability, 'read', 'Decision', {
    useCaseId: row.useCaseId,
    orgUnitId,
    businessOwnerId,
    riskOwnerId,
  })
  return Decision.parse(row)
}

export async function listDecisions(tx: ReadTx, useCaseId: string): Promise<Decision[]> {
  const { id } = await getReadable(tx, useCaseId)
  const rows = await store.listDecisionRows(tx, id)
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
