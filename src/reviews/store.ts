import { and, asc, desc, eq, gt, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import { decisions, reviewParties, reviewSeats, reviews, useCases, votes } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'

export type ReviewRow = typeof reviews.$inferSelect
export type VoteRow = typeof votes.$inferSelect
export type PartyRow = typeof reviewParties.$inferSelect
export type DecisionRow = typeof decisions.$inferSelect

export async function getReviewRow(tx: ReadTx, id: string): Promise<ReviewRow> {
  const [row] = await tx.sql.select().from(reviews).where(eq(reviews.id, id))
  if (!row) throw notFound('review')
  return row
}

export async function listReviewRows(tx: ReadTx, useCaseId: string): Promise<ReviewRow[]> {
  return await tx.sql
    .select()
    .from(reviews)
    .where(eq(reviews.useCaseId, useCaseId))
    .orderBy(desc(reviews.round))
}

/** Where the fields that rights on a review look at come from. */
export const rightsColumns = {
  useCaseId: reviews.useCaseId,
  submittedBy: reviews.submittedBy,
  orgUnitId: useCases.orgUnitId,
  businessOwnerId: useCases.businessOwnerId,
  riskOwnerId: useCases.riskOwnerId,
  excludedIds: sql`array(select ${reviewParties.personId} from ${reviewParties}
    where ${reviewParties.reviewId} = ${reviews.id} and ${reviewParties.part} = 'excluded')`,
}

export interface OpenPage {
  where: SQL
  after: { dueAt: string; id: string } | undefined
  limit: number
}

/** Open reviews, the most urgent first. */
export async function listOpenRows(tx: ReadTx, { where, after, limit }: OpenPage): Promise<ReviewRow[]> {
  const beyond =
    after && or(gt(reviews.dueAt, after.dueAt), and(eq(reviews.dueAt, after.dueAt), gt(reviews.id, after.id)))
  const rows = await tx.sql
    .select({ review: reviews })
    .from(reviews)
    .innerJoin(useCases, eq(useCases.id, reviews.useCaseId))
    .where(and(isNull(reviews.closedAt), where, beyond))
    .orderBy(asc(reviews.dueAt), asc(reviews.id))
    .limit(limit)
  return rows.map(({ review }) => review)
}

export async function countRounds(tx: ReadTx, useCaseId: string): Promise<number> {
  return await tx.sql.$count(reviews, eq(reviews.useCaseId, useCaseId))
}

export async function insertReview(tx: WriteTx, review: typeof reviews.$inferInsert): Promise<ReviewRow> {
  const [row] = await tx.sql.insert(reviews).values(review).returning()
  if (!row) throw new Error('an inserted review came back empty')
  return row
}

export async function closeReviewRow(
  tx: WriteTx,
  id: string,
  outcome: NonNullable<ReviewRow['outcome']>,
  closingReason: string,
): Promise<ReviewRow> {
  const [row] = await tx.sql
    .update(reviews)
    .set({ outcome, closingReason, closedAt: tx.now })
    .where(and(eq(reviews.id, id), isNull(reviews.closedAt)))
    .returning()
  if (!row) throw new RegistryError('conflict', 'this review is closed already; nothing more to do')
  return row
}

export async function insertExclusions(
  tx: WriteTx,
  reviewId: string,
  because: Map<string, string>,
): Promise<void> {
  const rows = [...because].map(([personId, why]) => ({
    reviewId,
    personId,
    part: 'excluded' as const,
    because: why,
  }))
  await tx.sql.insert(reviewParties).values(rows)
}

export async function listPartyRows(tx: ReadTx, reviewIds: string[]): Promise<PartyRow[]> {
  if (reviewIds.length === 0) return []
  return await tx.sql.select().from(reviewParties).where(inArray(reviewParties.reviewId, reviewIds))
}

/**
 * Seats a person in a round: their part as elector, and the seat itself. Both keys stand against a second person in
 * the seat, a second seat for the person, and anyone who is excluded.
 */
export async function takeSeat(tx: WriteTx, reviewId: string, seat: string): Promise<void> {
  const { personId } = tx.principal
  const because = `votes for the ${seat} seat`
  await tx.sql
    .insert(reviewParties)
    .values({ reviewId, personId, part: 'elector', because })
    .onConflictDoNothing()
  await tx.sql.insert(reviewSeats).values({ reviewId, seat, personId }).onConflictDoNothing()
  const taken = await tx.sql
    .select()
    .from(reviewSeats)
    .where(
      and(
        eq(reviewSeats.reviewId, reviewId),
        or(eq(reviewSeats.seat, seat), eq(reviewSeats.personId, personId)),
      ),
    )
  if (taken.some((row) => row.personId === personId && row.vacatedAt !== null)) {
    throw new RegistryError('conflict', 'you gave up your seat in this round; another holder of it votes now')
  }
  if (taken.some((row) => row.seat === seat && row.personId !== personId && row.vacatedAt === null)) {
    throw new RegistryError(
      'conflict',
      `somebody else votes for the ${seat} seat in this round; nothing to do`,
    )
  }
  const other = taken.find((row) => row.personId === personId && row.seat !== seat)
  if (other)
    throw new RegistryError(
      'conflict',
      `you vote for the ${other.seat} seat in this round; one person fills one seat`,
    )
}

/** Leaves the seat to another holder; what was voted from it stays on record and counts no more. */
export async function vacateSeat(tx: WriteTx, reviewId: string, seat: string): Promise<void> {
  const filled = and(
    eq(reviewSeats.reviewId, reviewId),
    eq(reviewSeats.seat, seat),
    isNull(reviewSeats.vacatedAt),
  )
  await tx.sql.update(reviewSeats).set({ vacatedAt: tx.now }).where(filled)
}

export async function insertVote(tx: WriteTx, vote: typeof votes.$inferInsert): Promise<VoteRow> {
  const [row] = await tx.sql.insert(votes).values(vote).returning()
  if (!row) throw new Error('an inserted vote came back empty')
  return row
}

/** In the order they were cast. */
export async function listVoteRows(tx: ReadTx, reviewIds: string[]): Promise<VoteRow[]> {
  if (reviewIds.length === 0) return []
  return await tx.sql
    .select()
    .from(votes)
    .where(inArray(votes.reviewId, reviewIds))
    .orderBy(asc(votes.castAt), asc(votes.id))
}

export async function insertDecision(
  tx: WriteTx,
  decision: typeof decisions.$inferInsert,
): Promise<DecisionRow> {
  const [row] = await tx.sql.insert(decisions).values(decision).returning()
  if (!row) throw new Error('an inserted decision came back empty')
  return row
}

export async function getDecisionRow(tx: ReadTx, id: string): Promise<DecisionRow> {
  const [row] = await tx.sql.select().from(decisions).where(eq(decisions.id, id))
  if (!row) throw notFound('decision')
  return row
}

export async function listDecisionRows(tx: ReadTx, useCaseId: string): Promise<DecisionRow[]> {
  return await tx.sql
    .select()
    .from(decisions)
    .where(eq(decisions.useCaseId, useCaseId))
    .orderBy(desc(decisions.decidedAt), desc(decisions.id))
}
