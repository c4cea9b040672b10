import { and, asc, desc, eq, gt, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import { importRows, importRuns, sourceRegisters, useCaseSources, useCases } from '../db/schema.js'
import { lock, type ReadTx, type WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import type { Outcome, Reason } from './import.js'
import type { MappedRow } from './map.js'

export type RunRow = typeof importRuns.$inferSelect
export type NewRunRow = typeof importRuns.$inferInsert
export type SourceRow = typeof useCaseSources.$inferSelect

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

/** Writes what a step changed. The revision moves with what people see, not with each step. */
export async function updateRun(tx: WriteTx, run: RunRow, change: Partial<NewRunRow>): Promise<RunRow> {
  const [row] = await tx.sql.update(importRuns).set(change).where(eq(importRuns.id, run.id)).returning()
  return row ?? run
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
  raw: Record<string, string>
  problems: string[]
  mapped: MappedRow
  outcome: Outcome
  reasons: Reason[]
}

/** New rows, or rows that were mapped anew; the row as it came stays what it was. */
export async function keepRows(tx: WriteTx, importId: string, rows: PreviewedRow[]): Promise<void> {
  await tx.client.query({
    name: 'keep_import_rows',
    text: `insert into import_row (import_id, ordinal, row_number, identity, raw, problems, mapped, outcome, reasons)
      select $1, ordinal, row_number, identity, raw, array(select json_array_elements_text(problems)), mapped, outcome, reasons
      from unnest($2::int[], $3::int[], $4::text[], $5::json[], $6::json[], $7::jsonb[], $8::text[], $9::jsonb[])
        as r (ordinal, row_number, identity, raw, problems, mapped, outcome, reasons)
      on conflict (import_id, ordinal) do update set
        identity = excluded.identity, mapped = excluded.mapped, outcome = excluded.outcome, reasons = excluded.reasons`,
    values: [
      importId,
      rows.map(({ ordinal }) => ordinal),
      rows.map(({ rowNumber }) => rowNumber),
      rows.map(({ identity }) => identity),
      rows.map(({ raw }) => JSON.stringify(raw)),
      rows.map(({ problems }) => JSON.stringify(problems)),
      rows.map(({ mapped }) => JSON.stringify(mapped)),
      rows.map(({ outcome }) => outcome),
      rows.map(({ reasons }) => JSON.stringify(reasons)),
    ],
  })
}

/** Rows as they came, after `ordinal`, for mapping them anew. */
export async function listRawRows(
  tx: ReadTx,
  importId: string,
  after: { ordinal: number; limit: number },
): Promise<{ ordinal: number; rowNumber: number; raw: Record<string, string>; problems: string[] }[]> {
  const { ordinal, rowNumber, raw, problems } = importRows
  return await tx.sql
    .select({ ordinal, rowNumber, raw, problems })
    .from(importRows)
    .where(and(eq(importRows.importId, importId), gt(ordinal, after.ordinal)))
    .orderBy(asc(ordinal))
    .limit(after.limit)
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
  const { ordinal, rowNumber, identity, mapped } = importRows
  const rows = await tx.sql
    .select({ ordinal, rowNumber, identity, mapped })
    .from(importRows)
    .where(and(eq(importRows.importId, importId), gt(ordinal, after.ordinal)))
    .orderBy(asc(ordinal))
    .limit(after.limit)
  return rows as unknown as MappedRowOf[]
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
    text: `update import_row r set outcome = s.outcome, reasons = s.reasons, use_case_id = s.use_case_id
      from unnest($2::int[], $3::text[], $4::jsonb[], $5::uuid[]) as s (ordinal, outcome, reasons, use_case_id)
      where r.import_id = $1 and r.ordinal = s.ordinal`,
    values: [
      importId,
      rows.map(({ ordinal }) => ordinal),
      rows.map(({ outcome }) => outcome),
      rows.map(({ reasons }) => JSON.stringify(reasons)),
      rows.map(({ useCaseId }) => useCaseId),
    ],
  })
}

/** The sources of a register among these identities, without the rows as they came. */
export async function listSources(
  tx: ReadTx,
  register: string,
  identities: string[],
): Promise<Pick<SourceRow, 'useCaseId' | 'identity' | 'mapped' | 'base'>[]> {
  const { useCaseId, identity, mapped, base } = useCaseSources
  return await tx.sql
    .select({ useCaseId, identity, mapped, base })
    .from(useCaseSources)
    .where(
      and(eq(useCaseSources.register, register), sql`${identity} = any(${sql.param(identities)}::text[])`),
    )
}

/** A row that a use case was imported from, and what it meant here; base is null when that is what it was before. */
export interface AppliedRow {
  ordinal: number
  useCaseId: string
  base: object | null
}

/** Keeps rows with the use cases that were made of them: copied in the database, which has them already. */
export async function insertSources(tx: WriteTx, run: RunRow, rows: AppliedRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.client.query({
    name: 'insert_sources',
    text: `insert into use_case_source (use_case_id, register, identity, raw, mapped, base, import_id, ordinal)
      select s.use_case_id, $2, r.identity, r.raw, r.mapped, s.base, r.import_id, r.ordinal
      from import_row r join unnest($3::int[], $4::uuid[], $5::jsonb[]) as s (ordinal, use_case_id, base)
        on s.ordinal = r.ordinal
      where r.import_id = $1`,
    values: [run.id, run.register, ...columnsOf(rows)],
  })
}

export async function updateSources(tx: WriteTx, run: RunRow, rows: AppliedRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.client.query({
    name: 'update_sources',
    text: `update use_case_source u set raw = r.raw, mapped = r.mapped, base = coalesce(s.base, u.base),
        import_id = r.import_id, ordinal = r.ordinal
      from import_row r join unnest($2::int[], $3::uuid[], $4::jsonb[]) as s (ordinal, use_case_id, base)
        on s.ordinal = r.ordinal
      where r.import_id = $1 and u.use_case_id = s.use_case_id`,
    values: [run.id, ...columnsOf(rows)],
  })
}

function columnsOf(rows: AppliedRow[]): [number[], string[], (string | null)[]] {
  return [
    rows.map(({ ordinal }) => ordinal),
    rows.map(({ useCaseId }) => useCaseId),
    rows.map(({ base }) => base && JSON.stringify(base)),
  ]
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
export async function getSource(tx: ReadTx, useCaseId: string): Promise<SourceRow & { rowNumber: number }> {
  const [row] = await tx.sql
    .select({ source: useCaseSources, rowNumber: importRows.rowNumber })
    .from(useCaseSources)
    .innerJoin(
      importRows,
      and(eq(importRows.importId, useCaseSources.importId), eq(importRows.ordinal, useCaseSources.ordinal)),
    )
    .where(eq(useCaseSources.useCaseId, useCaseId))
  if (row) return { ...row.source, rowNumber: row.rowNumber }
  throw new RegistryError(
    'not_found',
    'this use case was not imported; it has no source but its own versions',
  )
}

/** Tries something that rights or rules of other features may refuse, and undoes all of it if they do. */
export async function attempt<T>(tx: WriteTx, work: () => Promise<T>): Promise<T | RegistryError> {
  await tx.client.query('savepoint attempt')
  try {
    const value = await work()
    await tx.client.query('release savepoint attempt')
    return value
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    await tx.client.query('rollback to savepoint attempt')
    return error
  }
}
