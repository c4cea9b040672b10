import { and, desc, eq, gt, isNotNull, isNull, lt, lte, max, or, type SQL } from 'drizzle-orm'
import { breakGlassClosings, breakGlasses, breakGlassReviews, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'
import type { BreakGlassFilters } from './break-glass.js'

export type BreakGlassRow = typeof breakGlasses.$inferSelect

/** An opening with what became of it, and with what rights look at in its use case. */
export interface OpeningRow {
  opening: BreakGlassRow
  closing: typeof breakGlassClosings.$inferSelect | null
  review: typeof breakGlassReviews.$inferSelect | null
  useCase: Pick<typeof useCases.$inferSelect, keyof typeof ofUseCase>
}

const { number, title, orgUnitId, businessOwnerId, riskOwnerId } = useCases
const ofUseCase = { number, title, orgUnitId, businessOwnerId, riskOwnerId }

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: breakGlasses.useCaseId,
  openedBy: breakGlasses.openedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

const selectOpenings = (tx: ReadTx) =>
  tx.sql
    .select({
      opening: breakGlasses,
      closing: breakGlassClosings,
      review: breakGlassReviews,
      useCase: ofUseCase,
    })
    .from(breakGlasses)
    .innerJoin(useCases, eq(useCases.id, breakGlasses.useCaseId))
    .leftJoin(breakGlassClosings, eq(breakGlassClosings.breakGlassId, breakGlasses.id))
    .leftJoin(breakGlassReviews, eq(breakGlassReviews.breakGlassId, breakGlasses.id))

export async function getOpeningRow(tx: ReadTx, id: string): Promise<OpeningRow> {
  const [row] = await selectOpenings(tx).where(eq(breakGlasses.id, id))
  if (!row) throw notFound('opening by break-glass')
  return row
}

export interface OpeningsPage extends BreakGlassFilters {
  where: SQL
  useCaseId?: string | undefined
  after: { openedAt: Instant; id: string } | undefined
  limit: number
}

/** The last opened first. */
export async function listOpeningRows(
  tx: ReadTx,
  { where, useCaseId, state, after, limit }: OpeningsPage,
): Promise<OpeningRow[]> {
  const { openedAt, id } = breakGlasses
  const beyond =
    after && or(lt(openedAt, after.openedAt), and(eq(openedAt, after.openedAt), lt(id, after.id)))
  const ofUseCase = useCaseId === undefined ? undefined : eq(breakGlasses.useCaseId, useCaseId)
  return await selectOpenings(tx)
    .where(and(ofUseCase, state && stateWhere(state, tx.now), where, beyond))
    .orderBy(desc(openedAt), desc(id))
    .limit(limit)
}

function stateWhere(state: NonNullable<BreakGlassFilters['state']>, now: Instant): SQL | undefined {
  if (state === 'open') return isOpen(now)
  if (state === 'unreviewed') return isNull(breakGlassReviews.breakGlassId)
  return or(isNotNull(breakGlassClosings.breakGlassId), lte(breakGlasses.expiresAt, now))
}

const isOpen = (now: Instant) => and(isNull(breakGlassClosings.breakGlassId), gt(breakGlasses.expiresAt, now))

/** The opening of this environment that is still open. */
export async function findOpen(
  tx: ReadTx,
  useCaseId: string,
  environment: string,
): Promise<BreakGlassRow | undefined> {
  const isOfIt = and(eq(breakGlasses.useCaseId, useCaseId), eq(breakGlasses.environment, environment))
  const [row] = await selectOpenings(tx).where(and(isOfIt, isOpen(tx.now)))
  return row?.opening
}

/** An opening of this environment by this person at which nobody else has looked yet. */
export async function findUnreviewed(
  tx: ReadTx,
  useCaseId: string,
  environment: string,
  openedBy: string,
): Promise<BreakGlassRow | undefined> {
  const isOfIt = and(eq(breakGlasses.useCaseId, useCaseId), eq(breakGlasses.environment, environment))
  const [row] = await selectOpenings(tx)
    .where(and(isOfIt, eq(breakGlasses.openedBy, openedBy), isNull(breakGlassReviews.breakGlassId)))
    .limit(1)
  return row?.opening
}

/** When the last of those that are still open ends; null when none is. */
export async function findLastExpiry(tx: ReadTx, useCaseId: string): Promise<Instant | null> {
  const [row] = await tx.sql
    .select({ last: max(breakGlasses.expiresAt) })
    .from(breakGlasses)
    .leftJoin(breakGlassClosings, eq(breakGlassClosings.breakGlassId, breakGlasses.id))
    .where(and(eq(breakGlasses.useCaseId, useCaseId), isOpen(tx.now)))
  return row?.last ?? null
}

export async function insertOpening(tx: WriteTx, row: BreakGlassRow): Promise<void> {
  await tx.sql.insert(breakGlasses).values(row)
}

export async function insertClosing(tx: WriteTx, breakGlassId: string, reason: string): Promise<void> {
  const by = { closedBy: tx.principal.personId, closedAt: tx.now }
  await tx.sql.insert(breakGlassClosings).values({ breakGlassId, ...by, reason })
}

/** the database holds who opened it beside who reviews it, and refuses one person as both. */
export async function insertReview(
  tx: WriteTx,
  { id: breakGlassId, openedBy }: BreakGlassRow,
  given: { verdict: 'justified' | 'not_justified'; note: string },
): Promise<void> {
  const by = { reviewedBy: tx.principal.personId, reviewedAt: tx.now }
  await tx.sql.insert(breakGlassReviews).values({ breakGlassId, openedBy, ...by, ...given })
}
