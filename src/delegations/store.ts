import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lt, lte, or, type SQL } from 'drizzle-orm'
import { delegations, reviewParties, reviews, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'
import type { State } from './delegation.js'

export type DelegationRow = typeof delegations.$inferSelect

const { acceptedAt, endedAt, startsAt, endsAt } = delegations
const isOpen = (at: Instant): SQL | undefined => and(isNull(endedAt), gt(endsAt, at))
const isAccepted = (at: Instant): SQL | undefined => and(isNotNull(acceptedAt), isOpen(at))

/** Of each state, what it asks of the instants of a delegation. */
const inState: Record<State, (at: Instant) => SQL | undefined> = {
  proposed: (at) => and(isNull(acceptedAt), isOpen(at)),
  planned: (at) => and(isAccepted(at), gt(startsAt, at)),
  in_force: (at) => and(isAccepted(at), lte(startsAt, at)),
  ended: () => isNotNull(endedAt),
  over: (at) => and(isNull(endedAt), lte(endsAt, at)),
}

/** How many of somebody's own are not over, accepted or not. */
export async function countOpen(tx: ReadTx, fromId: string): Promise<number> {
  return await tx.sql.$count(delegations, and(eq(delegations.fromId, fromId), isOpen(tx.now)))
}

export async function findInForce(
  tx: ReadTx,
  { fromId, toId }: { fromId: string; toId: string },
): Promise<DelegationRow | undefined> {
  const [row] = await tx.sql
    .select()
    .from(delegations)
    .where(and(eq(delegations.fromId, fromId), eq(delegations.toId, toId), inState.in_force(tx.now)))
  return row
}

/** The first of somebody's that was accepted for any part of this time, and that nobody has ended. */
export async function findOverlapping(
  tx: ReadTx,
  fromId: string,
  time: { startsAt: Instant; endsAt: Instant },
): Promise<DelegationRow | undefined> {
  const [row] = await tx.sql
    .select()
    .from(delegations)
    .where(
      and(
        eq(delegations.fromId, fromId),
        isNotNull(acceptedAt),
        isNull(endedAt),
        lt(startsAt, time.endsAt),
        gt(endsAt, time.startsAt),
      ),
    )
    .orderBy(asc(startsAt))
    .limit(1)
  return row
}

export async function getDelegationRow(tx: ReadTx, id: string): Promise<DelegationRow> {
  const [row] = await tx.sql.select().from(delegations).where(eq(delegations.id, id))
  if (!row) throw notFound('delegation')
  return row
}

export interface DelegationPage {
  where: SQL
  personId: string | undefined
  state: State | undefined
  after: { createdAt: string; id: string } | undefined
  limit: number
}

/** The last made first. */
export async function listDelegationRows(
  tx: ReadTx,
  { where, personId, state, after, limit }: DelegationPage,
): Promise<DelegationRow[]> {
  const { createdAt, id, fromId, toId } = delegations
  const ofPerson = personId === undefined ? undefined : or(eq(fromId, personId), eq(toId, personId))
  const beyond =
    after && or(lt(createdAt, after.createdAt), and(eq(createdAt, after.createdAt), lt(id, after.id)))
  return await tx.sql
    .select()
    .from(delegations)
    .where(and(where, ofPerson, state && inState[state](tx.now), beyond))
    .orderBy(desc(createdAt), desc(id))
    .limit(limit)
}

export async function insertDelegation(
  tx: WriteTx,
  delegation: typeof delegations.$inferInsert,
): Promise<DelegationRow> {
  const [row] = await tx.sql.insert(delegations).values(delegation).returning()
  if (!row) throw new Error('an inserted delegation came back empty')
  return row
}

export async function acceptDelegationRow(tx: WriteTx, id: string): Promise<void> {
  await tx.sql
    .update(delegations)
    .set({ acceptedAt: tx.now })
    .where(and(eq(delegations.id, id), isNull(acceptedAt), isNull(endedAt)))
}

export async function endDelegationRow(tx: WriteTx, id: string): Promise<void> {
  await tx.sql
    .update(delegations)
    .set({ endedBy: tx.principal.personId, endedAt: tx.now })
    .where(and(eq(delegations.id, id), isNull(endedAt)))
}

export interface OpenRound {
  reviewId: string
  useCaseId: string
}

/** The open rounds that somebody is excluded from. */
export async function listRoundsClosedTo(tx: ReadTx, personId: string): Promise<OpenRound[]> {
  return await tx.sql
    .select({ reviewId: reviews.id, useCaseId: reviews.useCaseId })
    .from(reviews)
    .innerJoin(reviewParties, eq(reviewParties.reviewId, reviews.id))
    .where(
      and(isNull(reviews.closedAt), eq(reviewParties.personId, personId), eq(reviewParties.part, 'excluded')),
    )
}

/** Excludes each of these people from each of these rounds, whose use cases are locked, unless they are in it. */
export async function excludeFrom(tx: WriteTx, rounds: OpenRound[], personIds: string[]): Promise<void> {
  if (rounds.length === 0) return
  const rows = rounds.flatMap(({ reviewId }) =>
    personIds.map((personId) => ({
      ...{ reviewId, personId },
      part: 'excluded' as const,
      because: 'is a delegate of somebody who is excluded',
    })),
  )
  await tx.sql.insert(reviewParties).values(rows).onConflictDoNothing()
}

/** The number of a use case in whose round one of these people has voted. */
export async function findVoterAmong(
  tx: WriteTx,
  rounds: OpenRound[],
  personIds: string[],
): Promise<number | undefined> {
  if (rounds.length === 0) return undefined
  const reviewIds = rounds.map(({ reviewId }) => reviewId)
  const [row] = await tx.sql
    .select({ number: useCases.number })
    .from(reviewParties)
    .innerJoin(reviews, eq(reviews.id, reviewParties.reviewId))
    .innerJoin(useCases, eq(useCases.id, reviews.useCaseId))
    .where(
      and(
        inArray(reviewParties.reviewId, reviewIds),
        inArray(reviewParties.personId, personIds),
        eq(reviewParties.part, 'elector'),
      ),
    )
    .orderBy(asc(useCases.number))
    .limit(1)
  return row?.number
}
