import { and, asc, desc, eq, gt, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import { importRows, importRuns, sourceRegisters, useCaseSources, useCases } from '../db/schema.js'
import { lock, type ReadTx, type WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import type { Facts } from '../use-cases/use-case.js'
import type { Outcome, Reason } from './import.js'
import type { MappedRow } from './map.js'

export type RunRow = typeof importRuns.$inferSelect
export type NewRunRow = typeof importRuns.$inferInsert

const isItsRow = and(
  eq(importRows.importId, useCaseSources.importId),
  eq(importRows.ordinal, useCaseSources.ordinal),
)

/** As it was kept. */
const mappedRow = sql<MappedRow>`${importRows.mapped}`

/** Where the fields that rights look at come from. */
export const rightsColumns = { createdBy: importRuns.createdBy, orgUnitId: importRuns.orgUnitId }

export async function lockRun(tx: WriteTx, id: string): Promise<RunRow> {
  return await lock(tx, importRuns, id, 'import')
}

export async function getRunRow(tx: ReadTx, id: string): Promise<RunRow> {
  const [row] = await tx.sql.select().from(importRuns).where(eq(importRuns.id, id))
  if (!row) throw notFound('import')
  return row
}

/** Runs, the last first. */
export async function listRunRows(
  tx: ReadTx,
  page: { where: SQL; after: { createdAt: string; id: string } | undefined; limit: number },
): Promise<RunRow[]> {
  const { where, after, limit } = page
  const { createdAt, id } = importRuns
  const beyond =
    after && or(lt(createdAt, after.createdAt), and(eq(createdAt, after.createdAt), lt(id, after.id)))
  return await tx.sql
    .select()
    .from(importRuns)
    .where(and(where, beyond))
    .orderBy(desc(createdAt), desc(id))
    .limit(limit)
}

export async function insertRun(tx: WriteTx, run: NewRunRow): Promise<RunRow> {
  const [row] = await tx.sql.insert(importRuns).values(run).returning()
  if (!row) throw new Error('an import came back empty')
  return row
}

/** Writes what a step changed to a run that is locked. The revision moves with what people see, not with each step. */
export async function updateRun(tx: WriteTx, run: RunRow, change: Partial<NewRunRow>): Promise<RunRow> {
  const [row] = await tx.sql.update(importRuns).set(change).where(eq(importRuns.id, run.id)).returning()
  if (!row) throw new Error('an import that is locked was not there to be changed')
  return row
}

export async function insertRegister(tx: WriteTx, name: string): Promise<void> {
  await tx.sql.insert(sourceRegisters).values({ name, createdAt: tx.now }).onConflictDoNothing()
}

/** One import at a time writes rows of a register: two of one file never both create. */
export async function lockRegister(tx: WriteTx, name: string): Promise<void> {
  await tx.sql.select().from(sourceRegisters).where(eq(sourceRegisters.name, name)).for('no key update')
}

/** One row as previewed. */
export interface PreviewedRow {
  ordinal: number
  rowNumber: number
  identity: string
  cells: string[]
  problems: string[]
  mapped: MappedRow
  outcome: Outcome
  reasons: Reason[]
}

/** New rows, or rows that were mapped anew; the row as it came stays what it was. */
export async function keepRows(tx: WriteTx, importId: string, rows: PreviewedRow[]): Promise<void> {
  await tx.client.query({
    name: 'keep_import_rows',
    text: `insert into import_row (import_id, ordinal, row_number, identity, cells, problems, mapped, outcome, reasons)
      select $1, ordinal, "rowNumber", identity, cells, problems, mapped, outcome, reasons
      from json_to_recordset($2::json) as r (ordinal int, "rowNumber" int, identity text, cells json, problems text[],
        mapped jsonb, outcome text, reasons jsonb)
      on conflict (import_id, ordinal) do update set
        identity = excluded.identity, mapped = excluded.mapped, outcome = excluded.outcome, reasons = excluded.reasons`,
    values: [importId, JSON.stringify(rows)],
  })
}

export interface MappedRowOf {
  ordinal: number
  rowNumber: number
  identity: string
  mapped: MappedRow
}

export async function listMappedRows(
  tx: ReadTx,
  importId: string,
  after: { ordinal: number; limit: number },
): Promise<MappedRowOf[]> {
  const { ordinal, rowNumber, identity } = importRows
  return await tx.sql
    .select({ ordinal, rowNumber, identity, mapped: mappedRow })
    .from(importRows)
    .where(and(eq(importRows.importId, importId), gt(ordinal, after.ordinal)))
    .orderBy(asc(ordinal))
    .limit(after.limit)
}

export interface RowsPage {
  outcome: Outcome | undefined
  after: number
  limit: number
}

export async function listRows(tx: ReadTx, importId: string, { outcome, after, limit }: RowsPage) {
  const of = eq(importRows.importId, importId)
  return await tx.sql
    .select()
    .from(importRows)
    .where(and(of, gt(importRows.ordinal, after), outcome && eq(importRows.outcome, outcome)))
    .orderBy(asc(importRows.ordinal))
    .limit(limit)
}

/** What became of a row, and of which use case. */
export interface SettledRow {
  ordinal: number
  outcome: Outcome
  reasons: Reason[]
  useCaseId: string | null
}

export async function settleRows(tx: WriteTx, importId: string, rows: SettledRow[]): Promise<void> {
  await tx.client.query({
    name: 'settle_import_rows',
    text: `update import_row r set outcome = s.outcome, reasons = s.reasons, use_case_id = s."useCaseId"
      from json_to_recordset($2::json) as s (ordinal int, outcome text, reasons jsonb, "useCaseId" uuid)
      where r.import_id = $1 and r.ordinal = s.ordinal`,
    values: [importId, JSON.stringify(rows)],
  })
}

/** A use case with the row that it was last imported from. */
export interface KnownSource {
  useCaseId: string
  identity: string
  mapped: MappedRow
  base: Facts
}

/** The sources of a register among these identities. */
export async function listSources(
  tx: ReadTx,
  register: string,
  identities: string[],
): Promise<KnownSource[]> {
  const { useCaseId, identity } = useCaseSources
  return await tx.sql
    .select({ useCaseId, identity, base: sql<Facts>`${useCaseSources.base}`, mapped: mappedRow })
    .from(useCaseSources)
    .innerJoin(importRows, isItsRow)
    .where(
      and(eq(useCaseSources.register, register), sql`${identity} = any(${sql.param(identities)}::text[])`),
    )
}

/** A row that a use case was imported from, and what it meant here. */
export interface AppliedRow {
  ordinal: number
  useCaseId: string
  base: object
}

/** Keeps with use cases the rows that they were made of. */
export async function insertSources(tx: WriteTx, run: RunRow, rows: AppliedRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.client.query({
    name: 'insert_sources',
    text: `insert into use_case_source (use_case_id, register, identity, base, import_id, ordinal)
      select s."useCaseId", $2, r.identity, s.base, r.import_id, r.ordinal
      from import_row r join json_to_recordset($3::json) as s (ordinal int, "useCaseId" uuid, base jsonb)
        on s.ordinal = r.ordinal
      where r.import_id = $1`,
    values: [run.id, run.register, JSON.stringify(rows)],
  })
}

export async function updateSources(tx: WriteTx, run: RunRow, rows: AppliedRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.client.query({
    name: 'update_sources',
    text: `update use_case_source u set base = s.base, import_id = $1, ordinal = s.ordinal
      from json_to_recordset($2::json) as s (ordinal int, "useCaseId" uuid, base jsonb)
      where u.use_case_id = s."useCaseId"`,
    values: [run.id, JSON.stringify(rows)],
  })
}

/** How many rows end as what. */
export async function countOutcomes(tx: ReadTx, importId: string): Promise<Map<Outcome, number>> {
  const rows = await tx.sql
    .select({ outcome: importRows.outcome, count: sql<number>`count(*)::int` })
    .from(importRows)
    .where(eq(importRows.importId, importId))
    .groupBy(importRows.outcome)
  return new Map(rows.map(({ outcome, count }) => [outcome, count]))
}

/**
 * The earlier imports that this file is a newer edition of: those that carried one of its rows last, and what these
 * were newer editions of in turn. Files of one register that share no row are parts of it, not editions.
 */
export async function findEditions(tx: ReadTx, { id, register }: RunRow): Promise<string[]> {
  const { rows } = await tx.sql.execute<{ id: string }>(sql`
    with carriers as (
      select distinct s.import_id from ${useCaseSources} s
      join ${importRows} r on r.identity = s.identity
      where r.import_id = ${id} and s.register = ${register} and s.import_id <> ${id})
    select distinct e.id from ${importRuns} i join carriers c on c.import_id = i.id,
      unnest(i.editions || i.id) as e (id)`)
  return rows.map((row) => row.id)
}

/** Use cases that an earlier edition carried and this file lacks. */
export async function listGoneRows(
  tx: ReadTx,
  { id, register, editions }: RunRow,
  { where, after, limit }: { where: SQL; after: string; limit: number },
) {
  if (editions.length === 0) return []
  const { useCaseId, identity, importId } = useCaseSources
  return await tx.sql
    .select({ useCaseId, identity, number: useCases.number, title: useCases.title })
    .from(useCaseSources)
    .innerJoin(useCases, eq(useCases.id, useCaseId))
    .where(
      and(
        eq(useCaseSources.register, register),
        inArray(importId, editions),
        isGone(id),
        gt(identity, after),
        where,
      ),
    )
    .orderBy(asc(identity))
    .limit(limit)
}

export async function countGone(tx: ReadTx, { id, register }: RunRow, editions: string[]): Promise<number> {
  if (editions.length === 0) return 0
  const of = and(
    eq(useCaseSources.register, register),
    inArray(useCaseSources.importId, editions),
    isGone(id),
  )
  return await tx.sql.$count(useCaseSources, of)
}

function isGone(importId: string): SQL {
  return sql`not exists (select 1 from ${importRows} r
    where r.import_id = ${importId} and r.identity = ${useCaseSources.identity})`
}

/** @throws RegistryError `not_found` when it was declared here, not imported */
export async function getSource(tx: ReadTx, useCaseId: string) {
  const { register, identity, importId, ordinal } = useCaseSources
  const { rowNumber, cells, mapped } = importRows
  const { columns } = importRuns
  const [row] = await tx.sql
    .select({ register, identity, importId, ordinal, rowNumber, cells, mapped, columns })
    .from(useCaseSources)
    .innerJoin(importRows, isItsRow)
    .innerJoin(importRuns, eq(importRuns.id, importId))
    .where(eq(useCaseSources.useCaseId, useCaseId))
  if (row) return row
  throw new RegistryError(
    'not_found',
    'this use case was not imported; it has no source but its own versions',
  )
}
