import { and, type SQL, sql } from 'drizzle-orm'
import { instantText } from '../db/cells.js'
import { standingSql, tierSql } from '../db/standing-sql.js'
import type { ReadTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'
import type { Wanted } from '../requirements/requirement.js'
import type { StandingReason } from '../use-cases/standing.js'
import type { Tier } from '../use-cases/use-case.js'
import { acceptedFor, type ConditionDetail } from './condition-store.js'

/** What waits for somebody, with what its sentence is made of. */
export interface WaitingRow<D> extends Record<string, unknown> {
  id: string
  useCaseId: string
  key: string
  title: string
  tier: Tier
  dueAt: Instant | null
  since: Instant
  detail: D
}

/** The head row of a use case, by which rights on all that hangs on it are judged. */
const owners = {
  orgUnitId: sql`u.org_unit_id`,
  businessOwnerId: sql`u.business_owner_id`,
  riskOwnerId: sql`u.risk_owner_id`,
}
const ofUseCase = { useCaseId: sql`u.id`, ...owners }

/** Where the fields that rights look at come from in the queries below, by subject. */
export const heads = {
  Review: {
    ...ofUseCase,
    submittedBy: sql`r.submitted_by`,
    excludedIds: sql`array(select p.person_id from review_party p where p.review_id = r.id and p.part = 'excluded')`,
  },
  Condition: { ...ofUseCase, ownerId: sql`c.owner_id` },
  Evidence: { ...ofUseCase, attachedBy: sql`e.attached_by` },
  UseCase: { id: sql`u.id`, ...owners },
  Incident: { ...ofUseCase, reportedBy: sql`i.reported_by` },
  BreakGlass: { ...ofUseCase, openedBy: sql`b.opened_by` },
  Suspension: { ...ofUseCase, suspendedBy: sql`s.suspended_by` },
}

interface Waiting {
  id: SQL
  dueAt: SQL
  since: SQL
  detail: SQL
  from: SQL
  where: SQL[]
}

/** At most so many of a kind are shown. */
export const LIMIT = 50

/** What is due first comes first, then what has waited longest; one too many says that there are more. */
async function listWaiting<D>(tx: ReadTx, waiting: Waiting): Promise<WaitingRow<D>[]> {
  const { id, dueAt, since, detail, from, where } = waiting
  const { rows } = await tx.sql.execute<WaitingRow<D>>(sql`
    select ${id} as id, u.id as "useCaseId", 'UC-' || u.number as key, u.title, ${tierSql(tierColumns)} as tier,
      ${instantText(dueAt)} as "dueAt", ${instantText(since)} as since, ${detail} as detail
    from ${from} where ${and(...where)}
    order by ${dueAt} nulls last, ${since}, ${id} limit ${LIMIT + 1}`)
  return rows
}

const tierColumns = {
  computedTier: sql`u.computed_tier`,
  raisedTier: sql`u.raised_tier`,
  loweredTier: sql`u.lowered_tier`,
}
const noDate = sql`null::timestamptz`
const isLive = sql`u.retired_at is null`

/** Seats of the caller, by grant or in place of a holder who delegated. */
export interface HeldSeat {
  seat: string
  /** Null for all. */
  units: string[] | null
  holderId: string | null
}

export interface VoteDetail {
  seats: { seat: string; holder: string | null }[]
}

/**
 * Open stages with a seat that the caller may fill, as `takeSeat` would let them: neither they nor whoever they vote
 * for is seated in the round, and nobody who still holds the seat fills it. (R-23, R-41, R-42, R-46)
 */
export async function listVotes(
  tx: ReadTx,
  may: SQL,
  held: readonly HeldSeat[],
): Promise<WaitingRow<VoteDetail>[]> {
  if (held.length === 0) return []
  const me = sql`${tx.principal.personId}::uuid`
  const fillable = sql`
    select json_agg(distinct jsonb_build_object('seat', h.seat, 'holder', p.name)) as seats
    from jsonb_array_elements(r.lane -> 'stages') l
      cross join jsonb_array_elements(l -> 'seats') place
      join jsonb_to_recordset(${JSON.stringify(held)}::jsonb) as h (seat text, units uuid[], "holderId" uuid)
        on h.seat = place ->> 'seat' and (h.units is null or u.org_unit_id = any(h.units))
      left join person p on p.id = h."holderId"
    where l ->> 'id' = g.stage
      and not exists (select from review_seat t where t.review_id = r.id and t.person_id in (${me}, h."holderId"))
      and not exists (select from review_seat t where t.review_id = r.id and t.seat = h.seat
        and t.vacated_at is null and t.represented_by is null and ${stillHolds})`
  return await listWaiting(tx, {
    ...{ id: sql`r.id`, dueAt: sql`g.due_at`, since: sql`g.opened_at` },
    detail: sql`json_build_object('seats', f.seats)`,
    from: sql`review_stage g join review r on r.id = g.review_id join use_case u on u.id = r.use_case_id
      cross join lateral (${fillable}) f`,
    where: [
      sql`g.closed_at is null and g.due_at is not null and r.closed_at is null`,
      sql`f.seats is not null`,
      may,
    ],
  })
}

/** Whoever fills the seat is still here, and the one whose seat it is still holds it. */
const stillHolds = sql`
  exists (select from person v where v.id = t.person_id and v.status = 'active')
  and exists (with recursive above as (
      select id, parent_id from org_unit where id = u.org_unit_id
      union select o.id, o.parent_id from org_unit o join above a on o.id = a.parent_id)
    select from rights_grant x join above a on a.id = x.org_unit_id
      join person v on v.id = x.person_id and v.status = 'active'
      where x.person_id = coalesce(t.represents, t.person_id) and x.kind = 'seat' and x.name = t.seat
        and x.revoked_at is null)`

/** Obligations of the caller that are open. Those of what is blocked count for nothing. */
export async function listConditions(tx: ReadTx, may: SQL): Promise<WaitingRow<ConditionDetail>[]> {
  return await listWaiting(tx, {
    ...{ id: sql`c.id`, dueAt: sql`c.due_at`, since: sql`c.imposed_at` },
    detail: sql`json_build_object('satisfiedBy', c.satisfied_by, 'text', c.text,
      'accepted', ${acceptedFor(tx.now)})`,
    from: sql`condition c join use_case u on u.id = c.use_case_id`,
    where: [
      sql`c.owner_id = ${tx.principal.personId}::uuid and u.block_id is null`,
      sql`not exists (select from condition_ending x where x.condition_id = c.id)`,
      ...[isLive, may],
    ],
  })
}

export interface EvidenceDetail {
  kind: string
  title: string
}

/** Fresh evidence that nobody judged, that no scanner holds back, and that no newer piece came for. */
export async function listEvidence(tx: ReadTx, may: SQL): Promise<WaitingRow<EvidenceDetail>[]> {
  return await listWaiting(tx, {
    ...{ id: sql`e.id`, dueAt: noDate, since: sql`e.attached_at` },
    detail: sql`json_build_object('kind', e.kind, 'title', e.title)`,
    from: sql`evidence e join use_case u on u.id = e.use_case_id`,
    where: [
      sql`not exists (select from evidence_verdict y where y.evidence_id = e.id)`,
      sql`not exists (select from evidence n left join evidence_verdict y on y.evidence_id = n.id
        where n.supersedes_id = e.id and y.verdict is distinct from 'refused')`,
      sql`not exists (select from evidence_scan s where s.evidence_id = e.id and s.state <> 'available')`,
      sql`(e.fresh_until is null or e.fresh_until > ${tx.now}::timestamptz)`,
      ...[isLive, may],
    ],
  })
}

export interface AskingDetail {
  /** Null for one in review; else when something that its approval rests on ends. */
  endsAt: Instant | null
  /** What the review asks to be excepted from. */
  wanted: Wanted[]
}

/**
 * Use cases of the caller in review, or of which something that the approval rests on ends soon. What has ended lapses the
 * approval, and is among their use cases.
 */
export async function listAsking(tx: ReadTx, may: SQL, soon: Instant): Promise<WaitingRow<AskingDetail>[]> {
  const me = sql`${tx.principal.personId}::uuid`
  const ends = sql`(select min(e.at) from unnest(array[u.evidence_stale_at, u.evidence_missing_at, u.control_missing_at])
    as e (at) where e.at > ${tx.now}::timestamptz)`
  const endsAt = sql`case when u.open_review_id is null and u.approval_id is not null then ${ends} end`
  return await listWaiting(tx, {
    ...{ id: sql`u.id`, dueAt: endsAt, since: sql`coalesce(r.opened_at, u.updated_at)` },
    detail: sql`json_build_object('endsAt', ${instantText(endsAt)}, 'wanted', coalesce(r.exceptions, '[]'))`,
    from: sql`use_case u left join review r on r.id = u.open_review_id`,
    where: [
      sql`(u.business_owner_id = ${me} or u.risk_owner_id = ${me}) and u.block_id is null`,
      sql`(u.open_review_id is not null or ${endsAt} <= ${soon}::timestamptz)`,
      ...[isLive, may],
    ],
  })
}

export interface UseCaseDetail {
  reasons: StandingReason[]
  isLapsed: boolean
  validUntil: Instant | null
}

const standing = {
  ...{ retiredAt: sql`u.retired_at`, blockId: sql`u.block_id`, approvalId: sql`u.approval_id` },
  ...{ validUntil: sql`u.valid_until`, firstMaterialChangeAt: sql`u.first_material_change_at` },
  ...{ tierRaisedAt: sql`u.tier_raised_at`, openReviewId: sql`u.open_review_id` },
  ...{ lastOutcome: sql`u.last_outcome`, hasConditions: sql`u.has_conditions` },
  ...{ nextDueAt: sql`u.next_due_at`, suspendedAt: sql`u.suspended_at` },
  evidenceStaleAt: sql`u.evidence_stale_at`,
  evidenceMissingAt: sql`u.evidence_missing_at`,
  controlMissingAt: sql`u.control_missing_at`,
}

/**
 * Use cases of the caller that want something of their owners: changes were requested, the approval lapsed or ends
 * soon, or nobody reviewed what is deployed. A review under way is the answer to all but an overdue condition.
 * @param soon until when an approval that ends is worth a word
 */
export async function listUseCases(
  tx: ReadTx,
  may: SQL,
  soon: Instant,
): Promise<WaitingRow<UseCaseDetail>[]> {
  const me = sql`${tx.principal.personId}::uuid`
  const { reasons } = standingSql(standing, sql`${tx.now}::timestamptz`)
  const isApproved = sql`(u.approval_id is not null)`
  const isOverdue = sql`'condition_overdue' = any(t.reasons)`
  const dueAt = sql`case when not ${isApproved} then null
    when 'expired' = any(t.reasons) or t.reasons = '{}' then u.valid_until
    when ${isOverdue} then u.next_due_at end`
  const isEnding = sql`(${isApproved} and u.valid_until <= ${soon}::timestamptz)`
  const isUnreviewed = sql`(u.approval_id is null and u.stage = 'deployed')`
  return await listWaiting(tx, {
    ...{ id: sql`u.id`, dueAt, since: sql`u.updated_at` },
    detail: sql`json_build_object('reasons', t.reasons, 'isLapsed', ${isApproved} and t.reasons <> '{}',
      'validUntil', ${instantText(sql`u.valid_until`)})`,
    from: sql`use_case u cross join lateral (select ${reasons} as reasons) t`,
    where: [
      sql`(u.business_owner_id = ${me} or u.risk_owner_id = ${me}) and u.block_id is null`,
      sql`(u.open_review_id is null and (t.reasons <> '{}' or ${isEnding} or ${isUnreviewed}) or ${isOverdue})`,
      ...[isLive, may],
    ],
  })
}

export interface IncidentDetail {
  severity: string
  title: string
}

/** Open incidents of use cases whose risk the caller owns. */
export async function listIncidents(tx: ReadTx, may: SQL): Promise<WaitingRow<IncidentDetail>[]> {
  return await listWaiting(tx, {
    ...{ id: sql`i.id`, dueAt: noDate, since: sql`i.reported_at` },
    detail: sql`json_build_object('severity', i.severity, 'title', i.title)`,
    from: sql`incident i join use_case u on u.id = i.use_case_id`,
    where: [sql`i.closed_at is null and u.risk_owner_id = ${tx.principal.personId}::uuid`, may],
  })
}

export interface BreakGlassDetail {
  environment: string
  reason: string
}

/** Emergency openings that nobody reviewed, whether they are still open or not. */
export async function listBreakGlass(tx: ReadTx, may: SQL): Promise<WaitingRow<BreakGlassDetail>[]> {
  return await listWaiting(tx, {
    ...{ id: sql`b.id`, dueAt: noDate, since: sql`b.opened_at` },
    detail: sql`json_build_object('environment', b.environment, 'reason', b.reason)`,
    from: sql`break_glass b join use_case u on u.id = b.use_case_id`,
    where: [sql`not exists (select from break_glass_review y where y.break_glass_id = b.id)`, may],
  })
}

export interface SuspensionDetail {
  reason: string
}

/** Suspensions in force of use cases of the caller, but for those whose incident is still open (R-91). */
export async function listSuspensions(tx: ReadTx, may: SQL): Promise<WaitingRow<SuspensionDetail>[]> {
  const me = sql`${tx.principal.personId}::uuid`
  return await listWaiting(tx, {
    ...{ id: sql`s.id`, dueAt: noDate, since: sql`s.suspended_at` },
    detail: sql`json_build_object('reason', s.reason)`,
    from: sql`suspension s join use_case u on u.id = s.use_case_id`,
    where: [
      sql`(u.business_owner_id = ${me} or u.risk_owner_id = ${me})`,
      sql`not exists (select from suspension_lifting y where y.suspension_id = s.id)`,
      sql`not exists (select from incident i where i.id = s.incident_id and i.closed_at is null)`,
      ...[isLive, may],
    ],
  })
}
