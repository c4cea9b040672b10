import type pg from 'pg'
import { fromPostgres, type Instant } from '../instant.js'

/** What time brought about, or will soon, and nobody was told of yet. */
export interface Due {
  type: 'approval.lapsed' | 'stage.overdue' | 'condition.overdue' | 'condition.due_soon'
  useCaseId: string
  /** The decision, review or condition it is about. */
  subjectId: string
  /** Why the approval lapsed, or the stage. */
  reason: string
  since: Instant
}

const lapse = (reason: string, column: string) => `
  select 'approval.lapsed' as type, u.id as use_case_id, u.approval_id as subject_id, '${reason}' as reason,
    ${column} as since
  from use_case u where u.approval_id is not null and u.${column} <= $1 and ${inForce}`

/** A block or a retirement ended the approval before time could. */
const inForce = 'u.retired_at is null and u.block_id is null'

const openCondition = `from condition c join use_case u on u.id = c.use_case_id
  where not exists (select from condition_ending x where x.condition_id = c.id) and ${inForce}`

/** A week ahead, or half of the time that there was, if that is less. */
const ahead = `least(interval '7 days', (c.due_at - c.imposed_at) / 2)`

const everything = [
  lapse('expired', 'valid_until'),
  lapse('material_change', 'first_material_change_at'),
  lapse('tier_raised', 'tier_raised_at'),
  lapse('condition_overdue', 'next_due_at'),
  lapse('evidence_stale', 'evidence_stale_at'),
  lapse('evidence_missing', 'evidence_missing_at'),
  lapse('control_missing', 'control_missing_at'),
  `select 'stage.overdue', r.use_case_id, s.review_id, s.stage, s.due_at from review_stage s
    join review r on r.id = s.review_id
    where s.due_at <= $1 and s.closed_at is null and r.closed_at is null`,
  `select 'condition.overdue', c.use_case_id, c.id, '', c.due_at ${openCondition} and c.due_at <= $1`,
  `select 'condition.due_soon', c.use_case_id, c.id, '', c.due_at ${openCondition}
    and c.due_at > $1 and c.due_at <= $1::timestamptz + interval '7 days' and c.due_at - ${ahead} <= $1`,
].join(' union all ')

/**
 * What is due now, the oldest first.
 * @param useCaseIds of these only; of all, if there are none
 */
export async function listDue(
  client: pg.Pool | pg.ClientBase,
  now: Instant,
  { limit, useCaseIds = null }: { limit: number; useCaseIds?: string[] | null },
): Promise<Due[]> {
  const { rows } = await client.query<Due>(
    `select type, use_case_id as "useCaseId", subject_id as "subjectId", reason, since::text from (${everything}) d
      where ($2::uuid[] is null or d.use_case_id = any($2)) and not exists (
        select from notice n where n.type = d.type and n.subject_id = d.subject_id and n.reason = d.reason
          and n.since = d.since)
      order by d.since, d.subject_id limit $3`,
    [now, useCaseIds, limit],
  )
  return rows.map((row) => ({ ...row, since: fromPostgres(row.since) }))
}

/** False when somebody gave this notice already. */
export async function keepNotice(client: pg.ClientBase, due: Due, now: Instant): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'keep_notice',
    text: `insert into notice (type, subject_id, reason, since, given_at) values ($1, $2, $3, $4, $5)
      on conflict do nothing`,
    values: [due.type, due.subjectId, due.reason, due.since, now],
  })
  return rowCount === 1
}

/** Whether it is our turn to look: once in `everyMs`, whoever of all processes comes first. */
export async function claimWatch(pool: pg.Pool, now: Instant, notSince: Instant): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update notice_watch set looked_at = $1 where id in
      (select id from notice_watch where looked_at <= $2 for update skip locked)`,
    [now, notSince],
  )
  return rowCount === 1
}
