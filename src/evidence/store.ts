import { type AnyColumn, and, asc, desc, eq, gt, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type pg from 'pg'
import {
  evidence,
  evidenceDisposals,
  evidenceScans,
  evidenceVerdicts,
  storedBlobs,
  useCases,
} from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { inUnit } from '../db/units.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'
import type { SortKey } from '../page.js'
import type { EvidenceFilters, EvidenceQuery, EvidenceState } from './evidence.js'

export type EvidenceRow = typeof evidence.$inferSelect
export type VerdictRow = typeof evidenceVerdicts.$inferSelect

/** A piece of evidence with what became of it, and with what rights look at in its use case. */
export interface AttachedRow {
  evidence: EvidenceRow
  verdict: VerdictRow | null
  /** Null where no scanner was to look at it. */
  scan: { state: Exclude<EvidenceState, 'disposed'> } | null
  disposal: { id: string } | null
  /** Of its bytes, where they are in the store. */
  blob: { damagedAt: Instant | null } | null
  /** The newer piece that was accepted in its place. */
  supersededById: string | null
  /** The newer piece that came, unless it was refused: accepted, or not judged yet. */
  newerId: string | null
  useCase: { orgUnitId: string; businessOwnerId: string | null; riskOwnerId: string | null }
}

const { orgUnitId, businessOwnerId, riskOwnerId } = useCases

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: evidence.useCaseId,
  attachedBy: evidence.attachedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

/** All that came after a piece: in its place, in the place of that, and so on. */
const line = sql`with recursive line as (
  select n.id, n.attached_at, n.disposed_at from evidence n where n.supersedes_id = ${evidence.id}
  union select n.id, n.attached_at, n.disposed_at from evidence n join line l on n.supersedes_id = l.id)`

/** R-101: the last that was accepted, and so counts instead. */
const supersededById = sql<string | null>`(${line} select l.id from line l
  join evidence_verdict a on a.evidence_id = l.id and a.verdict = 'accepted' order by l.attached_at desc, l.id desc limit 1)`

/** The last that is not over: neither refused, nor rejected by the scanner, nor disposed of before it was judged. */
const newerId = sql<
  string | null
>`(${line} select l.id from line l left join evidence_verdict a on a.evidence_id = l.id
  left join evidence_scan c on c.evidence_id = l.id
  where a.verdict is distinct from 'refused' and c.state is distinct from 'rejected'
    and (l.disposed_at is null or a.verdict = 'accepted') order by l.attached_at desc, l.id desc limit 1)`

const state = sql<EvidenceState>`case when ${evidence.disposedAt} is not null then 'disposed'
  else coalesce(${evidenceScans.state}, 'available') end`

const attached = {
  evidence,
  verdict: evidenceVerdicts,
  scan: { state: evidenceScans.state },
  disposal: { id: evidenceDisposals.disposalId },
  blob: { damagedAt: storedBlobs.damagedAt },
  ...{ supersededById, newerId },
  useCase: { orgUnitId, businessOwnerId, riskOwnerId },
}

const selectAttached = (tx: ReadTx) =>
  tx.sql
    .select(attached)
    .from(evidence)
    .innerJoin(useCases, eq(useCases.id, evidence.useCaseId))
    .leftJoin(evidenceVerdicts, eq(evidenceVerdicts.evidenceId, evidence.id))
    .leftJoin(evidenceScans, eq(evidenceScans.evidenceId, evidence.id))
    .leftJoin(evidenceDisposals, eq(evidenceDisposals.evidenceId, evidence.id))
    .leftJoin(storedBlobs, and(eq(storedBlobs.digest, evidence.digest), eq(evidence.form, 'file')))

export async function getAttachedRow(tx: ReadTx, id: string): Promise<AttachedRow> {
  const [row] = await selectAttached(tx).where(eq(evidence.id, id))
  if (!row) throw notFound('evidence')
  return row
}

export interface EvidencePage {
  /** What the caller may read. */
  where: SQL
  filters: EvidenceFilters & Partial<Omit<EvidenceQuery, 'sort'>> & { useCaseId?: string }
  sort: EvidenceQuery['sort']
  after: { at: Instant; id: string } | undefined
  limit: number
}

/** Evidence in this order, and what comes at the same instant by its id. */
export async function listAttachedRows(
  tx: ReadTx,
  { where, filters, sort, after, limit }: EvidencePage,
): Promise<AttachedRow[]> {
  const at = sort === 'freshUntil' ? evidence.freshUntil : evidence.attachedAt
  const isDescending = sort === '-attachedAt'
  const beyond =
    after &&
    sql`(${at}, ${evidence.id}) ${isDescending ? sql`<` : sql`>`} (${after.at}::timestamptz, ${after.id}::uuid)`
  const inOrder = isDescending ? desc : asc
  return await selectAttached(tx)
    .where(and(where, beyond, sort === 'freshUntil' ? isNotNull(at) : undefined, ...chosen(filters)))
    .orderBy(inOrder(at), inOrder(evidence.id))
    .limit(limit)
}

/** Where one of its kind stands in an order. */
export function sortKeyOf(sort: EvidenceQuery['sort']): (row: AttachedRow) => SortKey {
  return ({ evidence: { id, attachedAt, freshUntil } }) => [
    sort === 'freshUntil' ? freshUntil : attachedAt,
    id,
  ]
}

function chosen(filters: EvidencePage['filters']): (SQL | undefined)[] {
  const { useCaseId, kind, state: wanted, verdict, freshAt, freshBefore, orgUnit } = filters
  const given = evidenceVerdicts.verdict
  return [
    useCaseId === undefined ? undefined : eq(evidence.useCaseId, useCaseId),
    kind && eq(evidence.kind, kind),
    wanted && isIn(wanted),
    verdict && (verdict === 'none' ? isNull(evidenceVerdicts.evidenceId) : eq(given, verdict)),
    freshAt === undefined ? undefined : isFreshAt(freshAt),
    freshBefore === undefined ? undefined : lt(evidence.freshUntil, freshBefore),
    filters.isCurrent === undefined
      ? undefined
      : sql`(${isCurrent(verdict === 'none' ? judgedOrNot : evidence.id)}) = ${filters.isCurrent}`,
    orgUnit === undefined ? undefined : inUnit(orgUnitId, orgUnit),
  ]
}

/** What waits for the scanner has an index, which this lets PostgreSQL use. */
function isIn(wanted: EvidenceState): SQL | undefined {
  const held = wanted === 'quarantined' ? eq(evidenceScans.state, wanted) : undefined
  return and(held, eq(state, wanted))
}

/**
 * Whether it counts or may still come to count. Only where what came after it was not accepted, the rest of the line is
 * walked. As one expression over several tables it is asked of those rows alone that the joins before it have left.
 */
const isCurrent = (id: SQL | AnyColumn): SQL => sql`case
  when ${evidence.disposedAt} is not null or ${useCases.retiredAt} is not null then false
  when not exists (select from evidence n where n.supersedes_id = ${id}) then true
  when exists (select from evidence n join evidence_verdict a on a.evidence_id = n.id and a.verdict = 'accepted'
    where n.supersedes_id = ${id}) then false
  else ${supersededById} is null end`

/** Few are not judged: this joins them first. */
const judgedOrNot = sql`coalesce(${evidenceVerdicts.evidenceId}, ${evidence.id})`

const isFreshAt = (at: string): SQL | undefined =>
  or(isNull(evidence.freshUntil), gt(evidence.freshUntil, at))

/** Evidence of several use cases, in the order it was attached. */
export async function listAttachedTo(tx: ReadTx, useCaseIds: string[], where: SQL): Promise<AttachedRow[]> {
  return await selectAttached(tx)
    .where(and(sql`${evidence.useCaseId} = any(${sql.param(useCaseIds)}::uuid[])`, where))
    .orderBy(asc(evidence.attachedAt), asc(evidence.id))
}

/** What is accepted, still fresh and not superseded, in the order it was attached. */
export async function listAcceptedRows(tx: ReadTx, useCaseId: string): Promise<EvidenceRow[]> {
  const rows = await tx.sql
    .select({ evidence })
    .from(evidence)
    .innerJoin(evidenceVerdicts, eq(evidenceVerdicts.evidenceId, evidence.id))
    .where(
      and(
        ...[eq(evidence.useCaseId, useCaseId), eq(evidenceVerdicts.verdict, 'accepted')],
        ...[isFreshAt(tx.now), isNull(supersededById), isNull(evidence.disposedAt)],
      ),
    )
    .orderBy(asc(evidence.attachedAt), asc(evidence.id))
  return rows.map((row) => row.evidence)
}

/**
 * Which of these digests some evidence has. Bytes that were noted as removed are nobody's, unless a piece is there that
 * was not disposed of: a note alone lets no bytes go.
 */
export async function findNamed(pool: pg.Pool, digests: string[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ digest: string }>(
    `select distinct e.digest from evidence e where e.digest = any($1) and (e.disposed_at is null
      or not exists (select from stored_blob b where b.digest = e.digest and b.removed_at is not null))`,
    [digests],
  )
  return new Set(rows.map(({ digest }) => digest))
}

/** Whether a piece was given to this use case already. */
export async function isShared(tx: ReadTx, sharedFromId: string, useCaseId: string): Promise<boolean> {
  const of = and(eq(evidence.sharedFromId, sharedFromId), eq(evidence.useCaseId, useCaseId))
  return (await tx.sql.$count(evidence, of)) > 0
}

/** When these bytes were first given to a use case: who gives a file again does not make it younger. */
export async function firstGiven(tx: ReadTx, useCaseId: string, digest: string): Promise<Instant | null> {
  const given = sql<Instant | null>`min(coalesce(${evidence.givenAt}, ${evidence.attachedAt}))`
  const [row] = await tx.sql
    .select({ given: given.mapWith(evidence.attachedAt) })
    .from(evidence)
    .where(and(eq(evidence.useCaseId, useCaseId), eq(evidence.digest, digest), eq(evidence.form, 'file')))
  return row?.given ?? null
}

/** How many pieces came to take the place of this one. */
export async function countAttempts(tx: ReadTx, supersedesId: string): Promise<number> {
  return await tx.sql.$count(evidence, eq(evidence.supersedesId, supersedesId))
}

/** Whoever gave these bytes, there and wherever they are shared from. */
export async function listGivers(tx: ReadTx, id: string): Promise<string[]> {
  const { rows } = await tx.sql.execute<{ giver: string }>(sql`
    with recursive line as (
      select attached_by, shared_from_id from evidence where id = ${id}
      union select e.attached_by, e.shared_from_id from evidence e join line l on l.shared_from_id = e.id)
    select distinct attached_by as giver from line`)
  return rows.map(({ giver }) => giver)
}

export async function insertEvidence(tx: WriteTx, row: typeof evidence.$inferInsert): Promise<EvidenceRow> {
  const [inserted] = await tx.sql.insert(evidence).values(row).returning()
  if (!inserted) throw new Error('inserted evidence came back empty')
  return inserted
}

export async function insertVerdict(
  tx: WriteTx,
  row: typeof evidenceVerdicts.$inferInsert,
): Promise<VerdictRow> {
  const [inserted] = await tx.sql.insert(evidenceVerdicts).values(row).returning()
  if (!inserted) throw new Error('an inserted verdict came back empty')
  return inserted
}

/**
 * Notes that a piece rests on these bytes, and keeps them from being removed until this is committed or undone.
 * @returns when such bytes were removed, if they were and this has not brought them back yet
 */
export async function claimBytes(
  tx: WriteTx,
  { digest, size }: { digest: string; size: number },
): Promise<Instant | null> {
  const [row] = await tx.sql
    .insert(storedBlobs)
    .values({ digest, size, storedAt: tx.now })
    .onConflictDoUpdate({ target: storedBlobs.digest, set: { storedAt: tx.now } })
    .returning({ removedAt: storedBlobs.removedAt })
  return row?.removedAt ?? null
}

/** Bytes that were removed are there again, and nobody looked at them yet. */
export async function bringBack(tx: WriteTx, digest: string): Promise<void> {
  const unknown = { removedAt: null, checkedAt: null, soundness: null, damagedAt: null }
  await tx.sql
    .update(storedBlobs)
    .set({ ...unknown, retainUntil: null, held: null, toldAt: null })
    .where(eq(storedBlobs.digest, digest))
}
