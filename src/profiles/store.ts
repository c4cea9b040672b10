import { type SQL, sql } from 'drizzle-orm'
import { instantText } from '../db/cells.js'
import type { ControlStates } from '../db/control-tables.js'
import { insertAll } from '../db/insert-all.js'
import {
  controlAssessments,
  controlEvidence,
  controlProfiles,
  evidence,
  people,
  useCases,
} from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'
import type { Piece } from '../policy/missing.js'
import type { NameablePiece } from './assessment.js'
import type { NamedPiece } from './entries.js'
import type { ControlAssessment, HistoryFilters } from './profile.js'

const { orgUnitId, businessOwnerId, riskOwnerId } = useCases

/** Where the fields that rights look at come from. */
export const evidenceRights = {
  useCaseId: evidence.useCaseId,
  attachedBy: evidence.attachedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

export const personRights = { id: people.id, kind: people.kind }

const assessment = sql`c.id, c.catalog, c.version, c.control_id as control, c.ordinal, c.state, c.note,
  c.assessed_by as "assessedBy", ${instantText(sql`c.assessed_at`)} as "assessedAt", c.copied_from as "copiedFrom",
  array(select l.evidence_id::text from control_evidence l where l.assessment_id = c.id order by 1) as "evidenceIds"`

type AssessmentRow = ControlAssessment & Record<string, unknown>

/** The last assessment of each control, by that instant if one is given. */
export async function listSaid(tx: ReadTx, useCaseId: string, at?: Instant): Promise<ControlAssessment[]> {
  const byThen = at === undefined ? sql`` : sql`and assessed_at <= ${at}`
  const { rows } = await tx.sql.execute<AssessmentRow>(sql`select ${assessment} from (
    select distinct on (catalog, version, control_id) * from control_assessment
      where use_case_id = ${useCaseId} ${byThen} order by catalog, version, control_id, ordinal desc) c`)
  return rows
}

export interface HistoryPage {
  filters: HistoryFilters
  after: { assessedAt: string; id: string } | undefined
  limit: number
}

/** Assessments of one use case, the last first. */
export async function listHistory(
  tx: ReadTx,
  useCaseId: string,
  { filters: { catalog, version, control }, after, limit }: HistoryPage,
): Promise<ControlAssessment[]> {
  const conditions = [
    sql`c.use_case_id = ${useCaseId}`,
    ...(catalog === undefined ? [] : [sql`c.catalog = ${catalog}`]),
    ...(version === undefined ? [] : [sql`c.version = ${version}`]),
    ...(control === undefined ? [] : [sql`c.control_id = ${control}`]),
    ...(after ? [sql`(c.assessed_at, c.id) < (${after.assessedAt}::timestamptz, ${after.id}::uuid)`] : []),
  ]
  const { rows } = await tx.sql.execute<AssessmentRow>(sql`select ${assessment} from control_assessment c
    where ${sql.join(conditions, sql` and `)} order by c.assessed_at desc, c.id desc limit ${limit}`)
  return rows
}

/** Appends what was said, and keeps the states of all of it beside, in one row. */
export async function insertAssessments(
  tx: WriteTx,
  useCaseId: string,
  said: readonly ControlAssessment[],
  states: ControlStates,
): Promise<void> {
  const rows = said.map(({ control, evidenceIds: _ids, ...one }) => ({
    ...one,
    useCaseId,
    controlId: control,
  }))
  const links = said.flatMap(({ id: assessmentId, evidenceIds }) =>
    evidenceIds.map((evidenceId) => ({ assessmentId, useCaseId, evidenceId })),
  )
  await insertAll(tx.client, controlAssessments, rows)
  await insertAll(tx.client, controlEvidence, links)
  await tx.sql
    .insert(controlProfiles)
    .values({ useCaseId, states, assessedAt: tx.now })
    .onConflictDoUpdate({ target: controlProfiles.useCaseId, set: { states, assessedAt: tx.now } })
}

/** Which of these are evidence of the use case, and what became of each. */
export async function listNameable(tx: ReadTx, useCaseId: string, ids: string[]): Promise<NameablePiece[]> {
  if (ids.length === 0) return []
  const { rows } = await tx.sql.execute<NameablePiece & Record<string, unknown>>(sql`
    select e.id, v.verdict,
      case when e.disposed_at is not null then 'disposed' else coalesce(s.state, 'available') end as state,
      (select n.id from evidence n join evidence_verdict a on a.evidence_id = n.id
        where n.supersedes_id = e.id and a.verdict = 'accepted' limit 1) as "replacedById"
    from evidence e left join evidence_verdict v on v.evidence_id = e.id left join evidence_scan s on s.evidence_id = e.id
    where e.use_case_id = ${useCaseId} and e.id = any(${sql.param(ids)}::uuid[])`)
  return rows
}

/** Those of these pieces that the caller may read, by id. */
export async function readNamed(tx: ReadTx, where: SQL, ids: string[]): Promise<Map<string, NamedPiece>> {
  if (ids.length === 0) return new Map()
  const { rows } = await tx.sql.execute<NamedPiece & { id: string } & Record<string, unknown>>(sql`
    select ${evidence.id}, ${evidence.kind}, ${evidence.title}, ${evidence.digest}
      from ${evidence} join ${useCases} on ${useCases.id} = ${evidence.useCaseId}
      where ${evidence.id} = any(${sql.param(ids)}::uuid[]) and ${where}`)
  return new Map(rows.map(({ id, kind, title, digest }) => [id, { kind, title, digest }]))
}

/**
 * What a use case had to show at a past instant: `requirements/store.ts` says the same of now. How long a scanner held a
 * piece back is kept, and that it was disposed of; who held which seat is as the verdict says.
 */
export async function listPiecesAt(tx: ReadTx, useCaseId: string, at: Instant): Promise<Piece[]> {
  const then = sql`${at}::timestamptz`
  const { rows } = await tx.sql.execute<Piece & Record<string, unknown>>(sql`
    with recursive line (newer, older) as (
      select id, supersedes_id from evidence
        where use_case_id = ${useCaseId} and supersedes_id is not null and attached_at <= ${then}
      union select l.newer, e.supersedes_id from line l join evidence e on e.id = l.older
        where e.supersedes_id is not null)
    select e.id, e.kind, ${instantText(sql`coalesce(e.given_at, e.attached_at)`)} as "givenAt",
      ${instantText(sql`e.fresh_until`)} as "freshUntil", v.verdict, coalesce(v.seats, '{}') as seats,
      s.evidence_id is not null and (s.ended_at is null or s.ended_at > ${then}) as "isHeld",
      array(select l.older::text from line l where l.newer = e.id) as replaces
    from evidence e
    left join evidence_verdict v on v.evidence_id = e.id and v.given_at <= ${then}
    left join evidence_scan s on s.evidence_id = e.id
    where e.use_case_id = ${useCaseId} and e.attached_at <= ${then}
      and (s.state is distinct from 'rejected' or s.ended_at > ${then})
      and (e.disposed_at is null or e.disposed_at > ${then})
      and not exists (select from line l join evidence_verdict a on a.evidence_id = l.newer
        where l.older = e.id and a.verdict = 'accepted' and a.given_at <= ${then})
    order by e.attached_at, e.id`)
  return rows
}

/** Names of these people, as far as the caller may read them. */
export async function readNames(tx: ReadTx, where: SQL, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const { rows } = await tx.sql.execute<{ id: string; name: string }>(sql`
    select ${people.id}, ${people.name} from ${people}
      where ${people.id} = any(${sql.param(ids)}::uuid[]) and ${where}`)
  return new Map(rows.map(({ id, name }) => [id, name]))
}
