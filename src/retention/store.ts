import { and, asc, desc, eq, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type pg from 'pg'
import { type FloorRow, insertFloor, type NewFloor } from '../db/retention-floors.js'
import {
  evidence,
  retentionFloors,
  retentionShortenings,
  retentionShorteningVerdicts,
  useCases,
} from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import { fromPostgres, type Instant } from '../instant.js'
import type { ShorteningFilters } from './retention.js'

export type { FloorRow } from '../db/retention-floors.js'
export type ShorteningRow = typeof retentionShortenings.$inferSelect
export type VerdictRow = typeof retentionShorteningVerdicts.$inferSelect

/** A piece that is still there, with the last word on how long. */
export interface KeptRow {
  id: string
  useCaseId: string
  kind: string
  attachedAt: Instant
  /** Null for what was attached by a version of Assent that knew no retention. */
  floor: FloorRow | null
}

/** What of these use cases is not disposed of. */
export async function listKept(tx: ReadTx, useCaseIds: string[]): Promise<KeptRow[]> {
  const { id, useCaseId, kind, attachedAt } = evidence
  const pieces = await tx.sql
    .select({ id, useCaseId, kind, attachedAt })
    .from(evidence)
    .where(and(sql`${useCaseId} = any(${sql.param(useCaseIds)}::uuid[])`, isNull(evidence.disposedAt)))
    .orderBy(asc(attachedAt), asc(id))
  const floors = await listLastFloors(
    tx,
    pieces.map((piece) => piece.id),
  )
  return pieces.map((piece) => ({ ...piece, floor: floors.get(piece.id) ?? null }))
}

async function listLastFloors(tx: ReadTx, ids: string[]): Promise<Map<string, FloorRow>> {
  const { evidenceId, ordinal } = retentionFloors
  const rows = await tx.sql
    .selectDistinctOn([evidenceId])
    .from(retentionFloors)
    .where(sql`${evidenceId} = any(${sql.param(ids)}::uuid[])`)
    .orderBy(evidenceId, desc(ordinal))
  return new Map(rows.map((row) => [row.evidenceId, row]))
}

/** When the last decision that rests on a piece was made, by piece. */
export async function findDecidedAt(tx: ReadTx, useCaseIds: string[]): Promise<Map<string, Instant>> {
  const { rows } = await tx.sql.execute<{ id: string; at: string }>(sql`
    select x ->> 'id' as id, max(d.decided_at)::text as at
    from decision d cross join jsonb_array_elements(d.evidence) x
    where d.use_case_id = any(${sql.param(useCaseIds)}::uuid[]) group by 1`)
  return new Map(rows.map(({ id, at }) => [id, fromPostgres(at)]))
}

/** Use cases with evidence that is still there, in the order of their ids. */
export async function listUseCasesWithEvidence(
  pool: pg.Pool,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select u.id from use_case u where u.id > $1
      and exists (select from evidence e where e.use_case_id = u.id and e.disposed_at is null)
      order by u.id limit $2`,
    [after, limit],
  )
  return rows.map(({ id }) => id)
}

export async function getLastFloor(tx: ReadTx, evidenceId: string): Promise<FloorRow | undefined> {
  const [row] = await tx.sql
    .select()
    .from(retentionFloors)
    .where(eq(retentionFloors.evidenceId, evidenceId))
    .orderBy(desc(retentionFloors.ordinal))
    .limit(1)
  return row
}

/** The first one first. */
export async function listFloors(tx: ReadTx, evidenceId: string): Promise<FloorRow[]> {
  return await tx.sql
    .select()
    .from(retentionFloors)
    .where(eq(retentionFloors.evidenceId, evidenceId))
    .orderBy(asc(retentionFloors.ordinal))
}

export async function addFloor(tx: WriteTx, floor: NewFloor, earlier?: FloorRow): Promise<FloorRow> {
  return await insertFloor(tx.client, floor, earlier)
}

const { orgUnitId, businessOwnerId, riskOwnerId, retiredAt } = useCases

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: retentionShortenings.useCaseId,
  proposedBy: retentionShortenings.proposedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

export interface ShownRow {
  shortening: ShorteningRow
  verdict: VerdictRow | null
  useCase: {
    orgUnitId: string
    businessOwnerId: string | null
    riskOwnerId: string | null
    retiredAt: Instant | null
  }
}

const select = (tx: ReadTx) =>
  tx.sql
    .select({
      shortening: retentionShortenings,
      verdict: retentionShorteningVerdicts,
      useCase: { orgUnitId, businessOwnerId, riskOwnerId, retiredAt },
    })
    .from(retentionShortenings)
    .innerJoin(useCases, eq(useCases.id, retentionShortenings.useCaseId))
    .leftJoin(
      retentionShorteningVerdicts,
      eq(retentionShorteningVerdicts.shorteningId, retentionShortenings.id),
    )

export async function getShownRow(tx: ReadTx, id: string): Promise<ShownRow> {
  const [row] = await select(tx).where(eq(retentionShortenings.id, id))
  if (!row) throw notFound('proposal to shorten retention')
  return row
}

export interface ShorteningPage {
  where: SQL
  filters: ShorteningFilters
  after: { proposedAt: string; id: string } | undefined
  limit: number
}

/** The last one first. */
export async function listShownRows(
  tx: ReadTx,
  { where, filters, after, limit }: ShorteningPage,
): Promise<ShownRow[]> {
  const { proposedAt, id } = retentionShortenings
  const beyond =
    after && or(lt(proposedAt, after.proposedAt), and(eq(proposedAt, after.proposedAt), lt(id, after.id)))
  const given = retentionShorteningVerdicts.verdict
  const { state } = filters
  const wanted = state && (state === 'open' ? isNull(given) : eq(given, state))
  return await select(tx)
    .where(and(where, wanted, beyond))
    .orderBy(desc(proposedAt), desc(id))
    .limit(limit)
}

export async function insertShortening(tx: WriteTx, row: ShorteningRow): Promise<void> {
  await tx.sql.insert(retentionShortenings).values(row)
}

/** False when somebody else was faster. */
export async function insertVerdict(tx: WriteTx, row: VerdictRow): Promise<boolean> {
  return (await tx.sql.insert(retentionShorteningVerdicts).values(row).onConflictDoNothing()).rowCount === 1
}
