import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm'
import { people, reviewParties, reviewStages, reviews, useCases, votes } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'

export type ReviewRow = typeof reviews.$inferSelect
export type VoteRow = typeof votes.$inferSelect
export type PartyRow = typeof reviewParties.$inferSelect
export type StageRow = typeof reviewStages.$inferSelect

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
  unitIds?: string[] | undefined
  after: { dueAt: string; id: string } | undefined
  limit: number
}

/** Open reviews, the most urgent first. */
export async function listOpenRows(
  tx: ReadTx,
  { where, unitIds, after, limit }: OpenPage,
): Promise<ReviewRow[]> {
  const beyond =
    after && or(gt(reviews.dueAt, after.dueAt), and(eq(reviews.dueAt, after.dueAt), gt(reviews.id, after.id)))
  const rows = await tx.sql
    .select({ review: reviews })
    .from(reviews)
    .innerJoin(useCases, eq(useCases.id, reviews.useCaseId))
    .where(and(isNull(reviews.closedAt), unitIds && inArray(useCases.orgUnitId, unitIds), where, beyond))
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

/**
 * votes that count for nothing, whoever cast the last one of their seat: of an open round those of people who left
 * or lost the seat since, of a decided one those that the decision did not count.
 */
export async function listLostVoteIds(tx: ReadTx, reviewIds: string[]): Promise<Set<string>> {
  const { rows } = await tx.sql.execute<{ id: string }>(sql`
    select v.id from vote v join review r on r.id = v.review_id
    where v.review_id = any(${sql.param(reviewIds)}::uuid[]) and case when r.closed_at is null then not (${STILL_HELD})
      else exists (select from decision d where d.review_id = r.id
        and not d.votes @> jsonb_build_array(jsonb_build_object('id', v.id))) end`)
  return new Set(rows.map(({ id }) => id))
}

const STILL_HELD = sql`
  exists (select from person p where p.id = v.person_id and p.status = 'active')
  and exists (with recursive above as (
      select o.id, o.parent_id from org_unit o join use_case u on u.org_unit_id = o.id where u.id = r.use_case_id
      union select o.id, o.parent_id from org_unit o join above a on o.id = a.parent_id)
    select from rights_grant g join above a on a.id = g.org_unit_id
      join person h on h.id = g.person_id and h.status = 'active'
      where g.person_id = coalesce(v.on_behalf_of, v.person_id) and g.kind = 'seat' and g.name = v.seat
        and g.revoked_at is null)`

/** In the order of the lane. */
export async function insertStages(
  tx: WriteTx,
  reviewId: string,
  stages: Omit<StageRow, 'reviewId' | 'closedAt' | 'passed'>[],
): Promise<void> {
  if (stages.length === 0) return
  await tx.sql.insert(reviewStages).values(stages.map((stage) => ({ reviewId, ...stage })))
}

/** In the order of the lane, round by round. */
export async function listStageRows(tx: ReadTx, reviewIds: string[]): Promise<StageRow[]> {
  if (reviewIds.length === 0) return []
  return await tx.sql
    .select()
    .from(reviewStages)
    .where(inArray(reviewStages.reviewId, reviewIds))
    .orderBy(asc(reviewStages.reviewId), asc(reviewStages.ordinal))
}

export async function openStage(tx: WriteTx, reviewId: string, stage: string, dueAt: string): Promise<void> {
  await tx.sql
    .update(reviewStages)
    .set({ openedAt: tx.now, dueAt })
    .where(and(eq(reviewStages.reviewId, reviewId), eq(reviewStages.stage, stage)))
}

export async function passStage(tx: WriteTx, reviewId: string, stage: string): Promise<void> {
  await tx.sql
    .update(reviewStages)
    .set({ closedAt: tx.now, passed: true })
    .where(and(eq(reviewStages.reviewId, reviewId), eq(reviewStages.stage, stage)))
}

/** Ends what is still open when the round does. */
export async function closeStages(tx: WriteTx, reviewId: string): Promise<void> {
  await tx.sql
    .update(reviewStages)
    .set({ closedAt: tx.now, passed: false })
    .where(
      and(
        eq(reviewStages.reviewId, reviewId),
        isNull(reviewStages.closedAt),
        isNotNull(reviewStages.openedAt),
      ),
    )
}

export async function setDue(tx: WriteTx, reviewId: string, dueAt: string): Promise<void> {
  await tx.sql.update(reviews).set({ dueAt }).where(eq(reviews.id, reviewId))
}

/** Those who have not left. Until the deed is done nobody among them leaves, nor loses a seat. */
export async function holdActiveAmong(tx: WriteTx, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await tx.sql
    .select({ id: people.id, status: people.status })
    .from(people)
    .where(inArray(people.id, ids))
    .orderBy(people.id)
    .for('share')
  return rows.filter(({ status }) => status === 'active').map(({ id }) => id)
}
