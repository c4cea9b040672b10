import { and, desc, eq, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { pgErrorOf } from '../db/pg-error.js'
import {
  disposalPieces,
  disposals,
  disposalVerdicts,
  evidence,
  evidenceDisposals,
  people,
  useCases,
} from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import { fromPostgres, type Instant } from '../instant.js'
import type { Certificate, DisposalFilters, Weighed } from './disposal.js'

export type DisposalRow = typeof disposals.$inferSelect
export type PieceRow = typeof disposalPieces.$inferSelect
export type VerdictRow = typeof disposalVerdicts.$inferSelect

/** A piece with all that speaks for or against its disposal. */
export interface WeighedRow extends Weighed {
  useCaseId: string
  useCaseNumber: number
  useCaseTitle: string
  title: string
  kind: string
  form: string
  digest: string
  size: number
  attachedAt: Instant
  classes: string[]
  decisionIds: string[]
}

const endsAt = sql`case when f.days_after_retirement = 0 then f.retain_until
  when r.retired_at is null then null
  else greatest(f.retain_until, r.retired_at + make_interval(hours => 24 * f.days_after_retirement)) end`

const named = sql`d.evidence @> jsonb_build_array(jsonb_build_object('id', e.id))`

const inForce = sql`from legal_hold_object o join legal_hold h on h.id = o.hold_id
  where o.use_case_id = e.use_case_id and (o.evidence_id is null or o.evidence_id = e.id)
    and not exists (select from legal_hold_release x where x.object_id = o.id)
    and not exists (select from legal_hold_lifting x where x.hold_id = o.hold_id)`

/** One row a piece. What retention says comes from the last row alone, and a piece without one has no end. */
const weighed = sql`
  select e.id, e.use_case_id, u.number, u.title as use_case_title, e.title, e.kind, e.form, e.digest, e.size,
    e.attached_at, e.disposed_at is not null as is_disposed, coalesce(f.classes, '{}') as classes, ${endsAt} as ends_at,
    r.retired_at is not null as is_retired, u.open_review_id is not null as has_open_review,
    exists (select ${inForce}) as is_held,
    array(select distinct h.key ${inForce} order by h.key) as held_by,
    exists (select from evidence_verdict v where v.evidence_id = e.id and v.verdict = 'refused')
      or exists (select from evidence n join evidence_verdict v on v.evidence_id = n.id
        where n.supersedes_id = e.id and v.verdict = 'accepted') as is_past,
    exists (select from decision d where d.id = u.approval_id and ${named})
      or exists (select from condition_ending c where c.evidence_id = e.id)
      or exists (select from control_evidence c where c.evidence_id = e.id) as is_rested_on,
    array(select d.id from decision d where d.use_case_id = e.use_case_id and ${named}
      order by d.decided_at) as decision_ids,
    u.org_unit_id, u.business_owner_id, u.risk_owner_id
  from evidence e join use_case u on u.id = e.use_case_id
    left join retirement r on r.use_case_id = u.id
    left join lateral (select * from retention_floor l where l.evidence_id = e.id order by l.ordinal desc limit 1) f
      on true`

/** Where the fields that rights look at come from in the query of candidates. */
export const candidateColumns = {
  id: sql`w.use_case_id`,
  orgUnitId: sql`w.org_unit_id`,
  businessOwnerId: sql`w.business_owner_id`,
  riskOwnerId: sql`w.risk_owner_id`,
}

interface RawRow extends Record<string, unknown> {
  row: WeighedRow
}

const columns = sql`json_build_object('id', w.id, 'useCaseId', w.use_case_id, 'useCaseNumber', w.number,
  'useCaseTitle', w.use_case_title, 'title', w.title, 'kind', w.kind, 'form', w.form, 'digest', w.digest,
  'size', w.size, 'attachedAt', w.attached_at::text, 'isDisposed', w.is_disposed, 'classes', w.classes,
  'endsAt', w.ends_at::text, 'heldBy', w.held_by, 'isRetired', w.is_retired, 'hasOpenReview', w.has_open_review,
  'isPast', w.is_past, 'isRestedOn', w.is_rested_on, 'decisionIds', w.decision_ids) as row`

/** These pieces of one use case, as they are; what is none of its pieces is left out. */
export async function weigh(tx: ReadTx, useCaseId: string, ids: string[]): Promise<WeighedRow[]> {
  const { rows } = await tx.sql.execute<RawRow>(sql`select ${columns} from (${weighed}
    where e.use_case_id = ${useCaseId} and e.id = any(${sql.param(ids)}::uuid[])) w order by w.attached_at, w.id`)
  return rows.map(read)
}

export interface CandidatePage {
  where: SQL
  useCaseId: string | undefined
  after: { attachedAt: string; id: string } | undefined
  limit: number
}

/** What may be disposed of now, the longest there first: the same rule as `obstacleTo`. */
export async function listCandidates(
  tx: ReadTx,
  { where, useCaseId, after, limit }: CandidatePage,
): Promise<WeighedRow[]> {
  const of = useCaseId === undefined ? sql`true` : sql`e.use_case_id = ${useCaseId}`
  const beyond = after
    ? sql`(w.attached_at, w.id) > (${after.attachedAt}::timestamptz, ${after.id}::uuid)`
    : sql`true`
  const { rows } = await tx.sql.execute<RawRow>(sql`
    select ${columns} from (${weighed} where e.disposed_at is null and ${of}) w
    where ${where} and ${beyond} and w.ends_at <= ${tx.now}::timestamptz and not w.is_held
      and (w.is_retired or (not w.has_open_review and not w.is_rested_on and w.is_past))
    order by w.attached_at, w.id limit ${limit}`)
  return rows.map(read)
}

function read({ row }: RawRow): WeighedRow {
  const ends = row.endsAt === null ? null : fromPostgres(row.endsAt)
  return { ...row, attachedAt: fromPostgres(row.attachedAt), endsAt: ends }
}

const { orgUnitId, businessOwnerId, riskOwnerId, number, title } = useCases

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: disposals.useCaseId,
  proposedBy: disposals.proposedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

export interface ShownRow {
  disposal: DisposalRow
  verdict: VerdictRow | null
  useCase: {
    orgUnitId: string
    businessOwnerId: string | null
    riskOwnerId: string | null
    number: number
    title: string
  }
}

const select = (tx: ReadTx) =>
  tx.sql
    .select({
      disposal: disposals,
      verdict: disposalVerdicts,
      useCase: { orgUnitId, businessOwnerId, riskOwnerId, number, title },
    })
    .from(disposals)
    .innerJoin(useCases, eq(useCases.id, disposals.useCaseId))
    .leftJoin(disposalVerdicts, eq(disposalVerdicts.disposalId, disposals.id))

export async function getShownRow(tx: ReadTx, id: string): Promise<ShownRow> {
  const [row] = await select(tx).where(eq(disposals.id, id))
  if (!row) throw notFound('disposal')
  return row
}

export interface DisposalPage {
  where: SQL
  filters: DisposalFilters
  after: { proposedAt: string; id: string } | undefined
  limit: number
}

/** The last one first. */
export async function listShownRows(
  tx: ReadTx,
  { where, filters: { state }, after, limit }: DisposalPage,
): Promise<ShownRow[]> {
  const { proposedAt, id } = disposals
  const beyond =
    after && or(lt(proposedAt, after.proposedAt), and(eq(proposedAt, after.proposedAt), lt(id, after.id)))
  const given = disposalVerdicts.verdict
  const wanted = state && (state === 'open' ? isNull(given) : eq(given, state))
  return await select(tx)
    .where(and(where, wanted, beyond))
    .orderBy(desc(proposedAt), desc(id))
    .limit(limit)
}

/** In the order they were attached. */
export async function listPieceRows(tx: ReadTx, disposalIds: string[]): Promise<PieceRow[]> {
  if (disposalIds.length === 0) return []
  return await tx.sql
    .select()
    .from(disposalPieces)
    .where(sql`${disposalPieces.disposalId} = any(${sql.param(disposalIds)}::uuid[])`)
    .orderBy(sql`${disposalPieces.shown} ->> 'attachedAt'`, disposalPieces.evidenceId)
}

export async function insertDisposal(tx: WriteTx, row: DisposalRow, pieces: PieceRow[]): Promise<void> {
  await tx.sql.insert(disposals).values(row)
  await tx.sql.insert(disposalPieces).values(pieces)
}

/** False when somebody else was faster. */
export async function insertVerdict(tx: WriteTx, row: VerdictRow): Promise<boolean> {
  return (await tx.sql.insert(disposalVerdicts).values(row).onConflictDoNothing()).rowCount === 1
}

/**
 * Erases what these pieces said, in their rows and in the log.
 * @returns false when the database does not let them go: by its own clock, and by all that it holds
 */
export async function erase(
  tx: WriteTx,
  { useCaseId, disposalId, evidenceIds }: { useCaseId: string; disposalId: string; evidenceIds: string[] },
): Promise<boolean> {
  const disposed = evidenceIds.map((evidenceId) => ({
    evidenceId,
    disposalId,
    verdict: 'confirmed' as const,
  }))
  try {
    await tx.sql.insert(evidenceDisposals).values(disposed.map((row) => ({ ...row, disposedAt: tx.now })))
  } catch (error) {
    if (pgErrorOf(error)?.code === '42501') return false
    throw error
  }
  const ids = sql`any(${sql.param(evidenceIds)}::uuid[])`
  await tx.sql
    .update(evidence)
    .set({ title: '', fileName: null, statement: null, url: null, disposedAt: tx.now })
    .where(sql`${evidence.id} = ${ids}`)
  await tx.sql.execute(sql`delete from audit_payload where event_id in (
    select a.id from audit_event a where a.aggregate_id = ${useCaseId}
      and a.type in ('evidence.attached', 'evidence.rejected')
      and (convert_from(a.leaf, 'UTF8')::jsonb ->> 'evidenceId')::uuid = ${ids})`)
  return true
}

export async function namesOf(tx: ReadTx, ids: string[]): Promise<Map<string, string>> {
  const { id, name } = people
  const rows = await tx.sql
    .select({ id, name })
    .from(people)
    .where(sql`${id} = any(${sql.param(ids)}::uuid[])`)
  return new Map(rows.map((row) => [row.id, row.name]))
}

/** What the log and the store say of what went. */
export type Trace = Pick<Certificate['pieces'][number], 'evidenceId' | 'eventNo' | 'bytes' | 'bytesRemovedAt'>

export async function listTraces(tx: ReadTx, disposalId: string): Promise<Trace[]> {
  const { rows } = await tx.sql.execute<Record<keyof Trace, unknown>>(sql`
    select x.evidence_id as "evidenceId", b.removed_at::text as "bytesRemovedAt",
      (select a.event_no from audit_event a where a.aggregate_id = e.use_case_id and a.type = 'evidence.disposed'
        and convert_from(a.leaf, 'UTF8')::jsonb ->> 'evidenceId' = e.id::text) as "eventNo",
      case when e.form <> 'file' then 'none' when b.removed_at is not null then 'removed'
        when exists (select from evidence o where o.digest = e.digest and o.disposed_at is null) then 'shared'
        else 'waiting' end as bytes
    from evidence_disposal x join evidence e on e.id = x.evidence_id
      left join stored_blob b on b.digest = e.digest and e.form = 'file'
    where x.disposal_id = ${disposalId}`)
  return rows.map((row) => {
    const { bytesRemovedAt: at } = row
    return { ...row, bytesRemovedAt: typeof at === 'string' ? fromPostgres(at) : null } as Trace
  })
}
