import { and, type SQL, sql } from 'drizzle-orm'
import { instantText } from '../db/cells.js'
import type { ReadTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'
import type { Span } from '../period.js'
import type { DecidedCondition } from '../reviews/decided.js'
import type { Decision } from '../reviews/decision.js'
import type { Vote } from '../reviews/review.js'

/** The head row of a use case, by which rights on all that hangs on it are judged. */
const head = {
  useCaseId: sql`u.id`,
  orgUnitId: sql`u.org_unit_id`,
  businessOwnerId: sql`u.business_owner_id`,
  riskOwnerId: sql`u.risk_owner_id`,
}

/** Where the fields that rights look at come from in the queries below, by subject. */
export const heads = {
  Decision: head,
  Review: { ...head, submittedBy: sql`r.submitted_by`, excludedIds: sql`'{}'::uuid[]` },
  Suspension: { ...head, suspendedBy: sql`s.suspended_by` },
  Incident: { ...head, reportedBy: sql`i.reported_by` },
}

/** A unit and all below it. */
export async function listUnitsIn(tx: ReadTx, id: string): Promise<string[]> {
  const { rows } = await tx.sql.execute<{ id: string }>(sql`
    with recursive below as (
      select id from org_unit where id = ${id}::uuid
      union select u.id from org_unit u join below b on u.parent_id = b.id)
    select id from below`)
  return rows.map((row) => row.id)
}

/** The name of the unit of each of these use cases. */
export async function unitNamesOf(tx: ReadTx, useCaseIds: string[]): Promise<Map<string, string>> {
  const { rows } = await tx.sql.execute<{ id: string; name: string }>(sql`
    select u.id, o.name from use_case u join org_unit o on o.id = u.org_unit_id
      where u.id = any(${sql.param(useCaseIds)}::uuid[])`)
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export async function namesOf(tx: ReadTx, personIds: string[]): Promise<Map<string, string>> {
  const { rows } = await tx.sql.execute<{ id: string; name: string }>(sql`
    select id, name from person where id = any(${sql.param(personIds)}::uuid[])`)
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export interface FactsRow extends Record<string, unknown> {
  reviewId: string
  before: object
  after: object
}

/** The facts that each of these rounds decides on, and those of the decision before it, if there was one. */
export async function listFacts(tx: ReadTx, reviewIds: string[]): Promise<FactsRow[]> {
  const { rows } = await tx.sql.execute<FactsRow>(sql`
    select r.id as "reviewId", a.facts as before, b.facts as after from review r
      join use_case_version a on a.use_case_id = r.use_case_id and a.version = r.since_version
      join use_case_version b on b.use_case_id = r.use_case_id and b.version = r.version
      where r.id = any(${sql.param(reviewIds)}::uuid[])`)
  return rows
}

/** What minutes are of: a period, and the rows that the caller may read. */
export interface Sight extends Span {
  where: SQL
  unitIds: string[] | undefined
}

/** So many of a kind are in the minutes. */
export const LIMIT = 500

interface About extends Record<string, unknown> {
  useCase: { id: string; key: string; title: string; orgUnit: string }
}

const about = sql`
  json_build_object('id', u.id, 'key', 'UC-' || u.number, 'title', u.title, 'orgUnit', o.name) as "useCase"`

interface Reading {
  columns: SQL
  from: SQL
  at: SQL
  which?: SQL
}

/** In the order of time; one too many says that there are more. */
async function list<R extends Record<string, unknown>>(
  tx: ReadTx,
  { columns, from, at, which }: Reading,
  { since, before, where, unitIds }: Sight,
): Promise<R[]> {
  const within = unitIds && sql`u.org_unit_id = any(${sql.param(unitIds)}::uuid[])`
  const during = sql`${at} >= ${since}::timestamptz and ${at} < ${before}::timestamptz`
  const { rows } = await tx.sql.execute(sql`
    select ${columns}, ${about} from ${from} join org_unit o on o.id = u.org_unit_id
      where ${and(during, which, where, within)} order by ${at} limit ${LIMIT + 1}`)
  return rows as R[]
}

export interface DecisionRow
  extends About,
    Pick<
      Decision,
      'id' | 'reviewId' | 'outcome' | 'reason' | 'version' | 'tier' | 'route' | 'laneId' | 'decidedAt'
    >,
    Pick<Decision, 'loweredTier' | 'supersedesId' | 'precedentId' | 'validUntil'> {
  votes: Vote[]
  conditions: DecidedCondition[]
  /** Which of the conditions it imposed. */
  imposedIds: string[]
  waived: string[]
}

/** Decisions by votes. */
export async function listDecisions(tx: ReadTx, sight: Sight): Promise<DecisionRow[]> {
  return await list(
    tx,
    {
      columns: sql`d.id, d.review_id as "reviewId", d.outcome, d.reason, d.version, d.tier, d.route,
        d.lane_id as "laneId", d.lowered_tier as "loweredTier", d.supersedes_id as "supersedesId",
        d.precedent_id as "precedentId", ${instantText(sql`d.valid_until`)} as "validUntil",
        ${instantText(sql`d.decided_at`)} as "decidedAt", d.votes, d.conditions,
        array(select c.id::text from condition c where c.use_case_id = u.id and c.decision_id = d.id) as "imposedIds",
        array(select c.text from condition c where c.use_case_id = u.id and c.id = any(d.waived)
          order by c.ordinal) as waived`,
      from: sql`decision d join use_case u on u.id = d.use_case_id`,
      ...{ at: sql`d.decided_at`, which: sql`d.attested_by is null` },
    },
    sight,
  )
}

export async function countAttestations(
  tx: ReadTx,
  { since, before, where, unitIds }: Sight,
): Promise<{ count: number; sampled: number }> {
  const within = unitIds && sql`u.org_unit_id = any(${sql.param(unitIds)}::uuid[])`
  const during = sql`d.decided_at >= ${since}::timestamptz and d.decided_at < ${before}::timestamptz`
  const { rows } = await tx.sql.execute<{ count: number; sampled: number }>(sql`
    select count(*)::int as count, (count(*) filter (where d.sampled))::int as sampled
      from decision d join use_case u on u.id = d.use_case_id
      where ${and(during, sql`d.attested_by is not null`, where, within)}`)
  return rows[0] ?? { count: 0, sampled: 0 }
}

export interface WithdrawnRow extends About {
  reviewId: string
  round: number
  reason: string
  at: Instant
}

export async function listWithdrawn(tx: ReadTx, sight: Sight): Promise<WithdrawnRow[]> {
  return await list(
    tx,
    {
      columns: sql`r.id as "reviewId", r.round, r.closing_reason as reason, ${instantText(sql`r.closed_at`)} as at`,
      from: sql`review r join use_case u on u.id = r.use_case_id`,
      ...{ at: sql`r.closed_at`, which: sql`r.outcome = 'withdrawn'` },
    },
    sight,
  )
}

interface Deed extends About {
  id: string
  by: { id: string; name: string }
  at: Instant
}

export interface DeedRow extends Deed {
  reason: string
}

const by = sql`json_build_object('id', p.id, 'name', p.name) as by`

export async function listSuspended(tx: ReadTx, sight: Sight): Promise<DeedRow[]> {
  return await list(
    tx,
    {
      columns: sql`s.id, ${by}, s.reason, ${instantText(sql`s.suspended_at`)} as at`,
      from: sql`suspension s join use_case u on u.id = s.use_case_id join person p on p.id = s.suspended_by`,
      at: sql`s.suspended_at`,
    },
    sight,
  )
}

export async function listLifted(tx: ReadTx, sight: Sight): Promise<DeedRow[]> {
  return await list(
    tx,
    {
      columns: sql`s.id, ${by}, l.reason, ${instantText(sql`l.lifted_at`)} as at`,
      from: sql`suspension_lifting l join suspension s on s.id = l.suspension_id
        join use_case u on u.id = s.use_case_id join person p on p.id = l.lifted_by`,
      at: sql`l.lifted_at`,
    },
    sight,
  )
}

export interface IncidentRow extends Deed {
  title: string
  severity: string
  learned: string
}

/** Those that were closed. */
export async function listIncidents(tx: ReadTx, sight: Sight): Promise<IncidentRow[]> {
  return await list(
    tx,
    {
      columns: sql`i.id, ${by}, i.title, i.severity, i.learned, ${instantText(sql`i.closed_at`)} as at`,
      from: sql`incident i join use_case u on u.id = i.use_case_id join person p on p.id = i.closed_by`,
      at: sql`i.closed_at`,
    },
    sight,
  )
}
