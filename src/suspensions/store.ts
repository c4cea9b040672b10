import { and, asc, desc, eq, isNull, lt, or, type SQL } from 'drizzle-orm'
import { incidents, suspensionLiftings, suspensions, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'

export type SuspensionRow = typeof suspensions.$inferSelect
export type LiftingRow = typeof suspensionLiftings.$inferSelect

const { orgUnitId, businessOwnerId, riskOwnerId, number, title } = useCases
const shown = {
  suspension: suspensions,
  lifting: suspensionLiftings,
  incident: { title: incidents.title, closedAt: incidents.closedAt },
  useCase: { orgUnitId, businessOwnerId, riskOwnerId, number, title },
}

/** A suspension with its end, the incident behind it, and what is shown and judged of its use case. */
export interface ShownRow {
  suspension: SuspensionRow
  lifting: LiftingRow | null
  incident: { title: string; closedAt: Instant | null } | null
  useCase: {
    orgUnitId: string
    businessOwnerId: string | null
    riskOwnerId: string | null
    number: number
    title: string
  }
}

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: suspensions.useCaseId,
  suspendedBy: suspensions.suspendedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

const select = (tx: ReadTx) =>
  tx.sql
    .select(shown)
    .from(suspensions)
    .innerJoin(useCases, eq(useCases.id, suspensions.useCaseId))
    .leftJoin(suspensionLiftings, eq(suspensionLiftings.suspensionId, suspensions.id))
    .leftJoin(incidents, eq(incidents.id, suspensions.incidentId))

export async function getShownRow(tx: ReadTx, id: string): Promise<ShownRow> {
  const [row] = await select(tx).where(eq(suspensions.id, id))
  if (!row) throw notFound('suspension')
  return row
}

export interface SuspensionPage {
  where: SQL
  /** Left out: those in force, of every use case that is not retired. */
  useCaseId?: string
  after: { suspendedAt: string; id: string } | undefined
  limit: number
}

/** The last one first. */
export async function listShownRows(
  tx: ReadTx,
  { where, useCaseId, after, limit }: SuspensionPage,
): Promise<ShownRow[]> {
  const which =
    useCaseId === undefined
      ? and(isNull(suspensionLiftings.suspensionId), isNull(useCases.retiredAt))
      : eq(suspensions.useCaseId, useCaseId)
  const beyond =
    after &&
    or(
      lt(suspensions.suspendedAt, after.suspendedAt),
      and(eq(suspensions.suspendedAt, after.suspendedAt), lt(suspensions.id, after.id)),
    )
  return await select(tx)
    .where(and(which, where, beyond))
    .orderBy(desc(suspensions.suspendedAt), desc(suspensions.id))
    .limit(limit)
}

/** Those of one use case that nobody lifted, the first one first. */
export async function listInForceRows(tx: ReadTx, useCaseId: string): Promise<SuspensionRow[]> {
  const rows = await tx.sql
    .select({ suspension: suspensions })
    .from(suspensions)
    .leftJoin(suspensionLiftings, eq(suspensionLiftings.suspensionId, suspensions.id))
    .where(and(eq(suspensions.useCaseId, useCaseId), isNull(suspensionLiftings.suspensionId)))
    .orderBy(asc(suspensions.suspendedAt), asc(suspensions.id))
  return rows.map(({ suspension }) => suspension)
}

export async function insertSuspension(
  tx: WriteTx,
  row: typeof suspensions.$inferInsert,
): Promise<SuspensionRow> {
  const [inserted] = await tx.sql.insert(suspensions).values(row).returning()
  if (!inserted) throw new Error('an inserted suspension came back empty')
  return inserted
}

export async function insertLifting(
  tx: WriteTx,
  row: typeof suspensionLiftings.$inferInsert,
): Promise<LiftingRow> {
  const [inserted] = await tx.sql.insert(suspensionLiftings).values(row).returning()
  if (!inserted) throw new Error('an inserted lifting came back empty')
  return inserted
}
