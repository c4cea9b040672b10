import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm'
import {
  conditionEndings,
  conditions,
  delegations,
  grants,
  reviewSeats,
  reviews,
  suspensionLiftings,
  suspensions,
  useCases,
} from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'

/** How many there are in all, beside each of those that are listed. */
const total = sql<number>`(count(*) over ())::int`
const { number, title } = useCases

const ownedBy = (personId: string): SQL | undefined =>
  and(
    isNull(useCases.retiredAt),
    or(eq(useCases.businessOwnerId, personId), eq(useCases.riskOwnerId, personId)),
  )

export async function listOwnedUseCases(tx: ReadTx, personId: string, limit: number) {
  const { id: useCaseId, businessOwnerId, riskOwnerId, openReviewId } = useCases
  return await tx.sql
    .select({ total, useCaseId, number, title, businessOwnerId, riskOwnerId, openReviewId })
    .from(useCases)
    .where(ownedBy(personId))
    .orderBy(asc(number))
    .limit(limit)
}

const openCondition = and(isNull(conditionEndings.state), isNull(useCases.retiredAt))

export async function listOwnedConditions(tx: ReadTx, personId: string, limit: number) {
  const { id, useCaseId, text, dueAt, beforeDeploy } = conditions
  return await tx.sql
    .select({ total, id, useCaseId, number, text, dueAt, beforeDeploy })
    .from(conditions)
    .innerJoin(useCases, eq(useCases.id, useCaseId))
    .leftJoin(conditionEndings, eq(conditionEndings.conditionId, id))
    .where(and(eq(conditions.ownerId, personId), openCondition))
    .orderBy(sql`${dueAt} nulls last`, asc(id))
    .limit(limit)
}

export async function listHeldSeats(tx: ReadTx, personId: string, limit: number) {
  const { id: grantId, name: seat, orgUnitId } = grants
  return await tx.sql
    .select({ total, grantId, seat, orgUnitId })
    .from(grants)
    .where(and(eq(grants.personId, personId), eq(grants.kind, 'seat'), isNull(grants.revokedAt)))
    .orderBy(asc(seat), asc(grantId))
    .limit(limit)
}

/** Seats of open rounds that somebody fills. */
export async function listFilledSeats(tx: ReadTx, personId: string, limit: number) {
  const { reviewId, seat } = reviewSeats
  return await tx.sql
    .select({ total, reviewId, useCaseId: reviews.useCaseId, number, seat })
    .from(reviewSeats)
    .innerJoin(reviews, eq(reviews.id, reviewId))
    .innerJoin(useCases, eq(useCases.id, reviews.useCaseId))
    .where(and(eq(reviewSeats.personId, personId), isNull(reviewSeats.vacatedAt), isNull(reviews.closedAt)))
    .orderBy(asc(number))
    .limit(limit)
}

export async function listSubmittedRounds(tx: ReadTx, personId: string, limit: number) {
  const { id: reviewId, useCaseId, dueAt } = reviews
  return await tx.sql
    .select({ total, reviewId, useCaseId, number, dueAt })
    .from(reviews)
    .innerJoin(useCases, eq(useCases.id, useCaseId))
    .where(and(eq(reviews.submittedBy, personId), isNull(reviews.closedAt)))
    .orderBy(asc(dueAt), asc(reviewId))
    .limit(limit)
}

export async function listOrderedSuspensions(tx: ReadTx, personId: string, limit: number) {
  const { id, useCaseId, suspendedAt, reason } = suspensions
  return await tx.sql
    .select({ total, id, useCaseId, number, suspendedAt, reason })
    .from(suspensions)
    .innerJoin(useCases, eq(useCases.id, useCaseId))
    .leftJoin(suspensionLiftings, eq(suspensionLiftings.suspensionId, id))
    .where(
      and(
        eq(suspensions.suspendedBy, personId),
        isNull(suspensionLiftings.liftedAt),
        isNull(useCases.retiredAt),
      ),
    )
    .orderBy(desc(suspendedAt), desc(id))
    .limit(limit)
}

export async function listOpenDelegations(tx: ReadTx, personId: string, limit: number) {
  const { id, fromId, toId, startsAt, endsAt, endedAt } = delegations
  return await tx.sql
    .select({ total, id, fromId, toId, startsAt, endsAt })
    .from(delegations)
    .where(and(or(eq(fromId, personId), eq(toId, personId)), isNull(endedAt), gt(endsAt, tx.now)))
    .orderBy(asc(startsAt), asc(id))
    .limit(limit)
}

/** Which of what somebody answers for changes hands. */
export interface Scope {
  personId: string
  business: boolean
  risk: boolean
  conditions: boolean
  /** Only these; all without them. */
  useCaseIds: string[] | undefined
  limit: number
}

/** Use cases that somebody owns in one of these ways; those in review, which may refuse, come last. */
export async function listIdsOwned(
  tx: ReadTx,
  { personId, business, risk, useCaseIds, limit }: Scope,
): Promise<string[]> {
  const ways = [
    ...(business ? [eq(useCases.businessOwnerId, personId)] : []),
    ...(risk ? [eq(useCases.riskOwnerId, personId)] : []),
  ]
  if (ways.length === 0) return []
  const rows = await tx.sql
    .select({ id: useCases.id })
    .from(useCases)
    .where(and(isNull(useCases.retiredAt), or(...ways), useCaseIds && inArray(useCases.id, useCaseIds)))
    .orderBy(isNotNull(useCases.openReviewId), asc(useCases.id))
    .limit(limit)
  return rows.map(({ id }) => id)
}

export interface OpenCondition {
  id: string
  useCaseId: string
}

/** Open conditions that somebody owns, of use cases that go on. */
export async function listConditionsOwned(
  tx: ReadTx,
  { personId, conditions: isAsked, useCaseIds, limit }: Scope,
): Promise<OpenCondition[]> {
  if (!isAsked) return []
  const { id, useCaseId, ownerId } = conditions
  return await tx.sql
    .select({ id, useCaseId })
    .from(conditions)
    .innerJoin(useCases, eq(useCases.id, useCaseId))
    .leftJoin(conditionEndings, eq(conditionEndings.conditionId, id))
    .where(and(eq(ownerId, personId), openCondition, useCaseIds && inArray(useCaseId, useCaseIds)))
    .orderBy(asc(id))
    .limit(limit)
}

export async function giveConditions(tx: WriteTx, ids: string[], ownerId: string): Promise<void> {
  if (ids.length === 0) return
  await tx.sql.update(conditions).set({ ownerId }).where(inArray(conditions.id, ids))
}
