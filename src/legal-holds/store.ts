import { and, asc, desc, eq, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { evidence, legalHoldLiftings, legalHoldObjects, legalHoldReleases, legalHolds } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { HeldBy, HoldFilters } from './legal-hold.js'

export type HoldRow = typeof legalHolds.$inferSelect
export type ObjectRow = typeof legalHoldObjects.$inferSelect
type LiftingRow = typeof legalHoldLiftings.$inferSelect
type ReleaseRow = typeof legalHoldReleases.$inferSelect

/** A hold with its end. */
export interface ShownHold {
  hold: HoldRow
  lifting: LiftingRow | null
}

export interface ShownObject {
  object: ObjectRow
  release: ReleaseRow | null
}

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = { orgUnitId: legalHolds.orgUnitId, placedBy: legalHolds.placedBy }

const select = (tx: ReadTx) =>
  tx.sql
    .select({ hold: legalHolds, lifting: legalHoldLiftings })
    .from(legalHolds)
    .leftJoin(legalHoldLiftings, eq(legalHoldLiftings.holdId, legalHolds.id))

export async function getHoldRow(tx: ReadTx, id: string): Promise<ShownHold> {
  const [row] = await select(tx).where(eq(legalHolds.id, id))
  if (!row) throw notFound('legal hold')
  return row
}

export interface HoldPage {
  where: SQL
  filters: HoldFilters
  after: { placedAt: string; id: string } | undefined
  limit: number
}

/** The last one first. */
export async function listHoldRows(
  tx: ReadTx,
  { where, filters, after, limit }: HoldPage,
): Promise<ShownHold[]> {
  const { placedAt, id } = legalHolds
  const beyond =
    after && or(lt(placedAt, after.placedAt), and(eq(placedAt, after.placedAt), lt(id, after.id)))
  const lifted = legalHoldLiftings.holdId
  const wanted = filters.state && (filters.state === 'lifted' ? isNotNull(lifted) : isNull(lifted))
  return await select(tx)
    .where(and(where, wanted, beyond))
    .orderBy(desc(placedAt), desc(id))
    .limit(limit)
}

/** In the order they were added. */
export async function listObjectRows(tx: ReadTx, holdIds: string[]): Promise<ShownObject[]> {
  if (holdIds.length === 0) return []
  return await tx.sql
    .select({ object: legalHoldObjects, release: legalHoldReleases })
    .from(legalHoldObjects)
    .leftJoin(legalHoldReleases, eq(legalHoldReleases.objectId, legalHoldObjects.id))
    .where(sql`${legalHoldObjects.holdId} = any(${sql.param(holdIds)}::uuid[])`)
    .orderBy(asc(legalHoldObjects.addedAt), asc(legalHoldObjects.id))
}

export async function isKeyTaken(tx: ReadTx, key: string): Promise<boolean> {
  return (await tx.sql.$count(legalHolds, eq(legalHolds.key, key))) > 0
}

/** The use case of each of these pieces; what does not exist has none. */
export async function findUseCasesOf(tx: ReadTx, evidenceIds: string[]): Promise<Map<string, string>> {
  if (evidenceIds.length === 0) return new Map()
  const rows = await tx.sql
    .select({ id: evidence.id, useCaseId: evidence.useCaseId })
    .from(evidence)
    .where(sql`${evidence.id} = any(${sql.param(evidenceIds)}::uuid[])`)
  return new Map(rows.map(({ id, useCaseId }) => [id, useCaseId]))
}

/** False when another hold took the key meanwhile. */
export async function insertHold(tx: WriteTx, row: typeof legalHolds.$inferInsert): Promise<boolean> {
  const { rowCount } = await tx.sql
    .insert(legalHolds)
    .values(row)
    .onConflictDoNothing({ target: legalHolds.key })
  return rowCount === 1
}

export async function insertObjects(tx: WriteTx, rows: ObjectRow[]): Promise<void> {
  await tx.sql.insert(legalHoldObjects).values(rows)
}

/** False when somebody else was faster. */
export async function insertRelease(tx: WriteTx, row: ReleaseRow): Promise<boolean> {
  return (await tx.sql.insert(legalHoldReleases).values(row).onConflictDoNothing()).rowCount === 1
}

/** False when somebody else was faster. */
export async function insertLifting(tx: WriteTx, row: LiftingRow): Promise<boolean> {
  return (await tx.sql.insert(legalHoldLiftings).values(row).onConflictDoNothing()).rowCount === 1
}

/** The holds in force over each of these pieces, by piece, by their keys. */
export async function findHolds(tx: ReadTx, evidenceIds: string[]): Promise<Map<string, HeldBy[]>> {
  const held = new Map<string, HeldBy[]>()
  if (evidenceIds.length === 0) return held
  const { rows } = await tx.sql.execute<{ evidenceId: string } & HeldBy & Record<string, unknown>>(sql`
    select distinct e.id as "evidenceId", h.id, h.key
    from evidence e join legal_hold_object o
      on o.use_case_id = e.use_case_id and (o.evidence_id is null or o.evidence_id = e.id)
    join legal_hold h on h.id = o.hold_id
    where e.id = any(${sql.param(evidenceIds)}::uuid[])
      and not exists (select from legal_hold_release x where x.object_id = o.id)
      and not exists (select from legal_hold_lifting x where x.hold_id = o.hold_id)
    order by h.key`)
  for (const { evidenceId, id, key } of rows)
    held.set(evidenceId, [...(held.get(evidenceId) ?? []), { id, key }])
  return held
}
