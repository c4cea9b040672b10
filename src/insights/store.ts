import { and, type SQL, sql } from 'drizzle-orm'
import type { ReadTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'
import type { Span } from '../period.js'
import type { DecisionInsights } from './insights.js'

/** The head row of a use case, by which rights on all that hangs on it are judged. */
const head = {
  useCaseId: sql`u.id`,
  orgUnitId: sql`u.org_unit_id`,
  businessOwnerId: sql`u.business_owner_id`,
  riskOwnerId: sql`u.risk_owner_id`,
}

/** Where the fields that rights look at come from in the queries below, by subject. */
export const heads = {
  Review: { ...head, submittedBy: sql`r.submitted_by`, excludedIds: sql`'{}'::uuid[]` },
  Condition: { ...head, ownerId: sql`c.owner_id` },
  Suspension: { ...head, suspendedBy: sql`s.suspended_by` },
  Incident: { ...head, reportedBy: sql`i.reported_by` },
  BreakGlass: { ...head, openedBy: sql`b.opened_by` },
}

/** What is counted: a period, and the rows that the caller may read. */
export interface Sight extends Span {
  where: SQL
  /** A unit, with all below it. */
  orgUnit: string | undefined
  now: Instant
}

const inUnit = (orgUnit: string | undefined): SQL | undefined =>
  orgUnit === undefined
    ? undefined
    : sql`u.org_unit_id = any(array(
        with recursive below as (
          select id from org_unit where id = ${orgUnit}::uuid
          union select o.id from org_unit o join below b on o.parent_id = b.id)
        select id from below))`

const during = (at: SQL, { since, before }: Span): SQL =>
  sql`${at} >= ${since}::timestamptz and ${at} < ${before}::timestamptz`

const seen = ({ where, orgUnit }: Sight): SQL => sql`${and(where, inUnit(orgUnit))}`

const hoursBetween = (from: SQL, to: SQL): SQL => sql`extract(epoch from ${to} - ${from})::float8 / 3600`

/** The hours in which half, and nine of ten, of these were done: sorted once for both; null of none. */
const within = (hours: SQL): SQL => sql`percentile_cont(array[0.5, 0.9]) within group (order by ${hours})`

type Within = [half: number, nineOfTen: number] | null

function told(within: Within): { p50Hours: number | null; p90Hours: number | null } {
  const [p50Hours = null, p90Hours = null] = (within ?? []).map((hours) => Number(hours.toFixed(2)))
  return { p50Hours, p90Hours }
}

/** Null of none. */
const share = (part: SQL, whole: SQL): SQL => sql`round(${part}::numeric / nullif(${whole}, 0), 4)::float8`

const countOf = (which: SQL): SQL => sql`(count(*) filter (where ${which}))::int`

const rowsOf = (query: SQL): SQL => sql`(select coalesce(json_agg(q), '[]') from (${query}) q)`

export type Rounds = Pick<
  DecisionInsights,
  'decisions' | 'p50Hours' | 'p90Hours' | 'leadTimes' | 'stages' | 'open' | 'inTime' | 'reuse'
> & { outcomes: Record<string, number> }

type Timed<T> = Omit<T, 'p50Hours' | 'p90Hours'> & { within: Within }
type RoundsRow = Timed<Omit<Rounds, 'leadTimes' | 'stages'>> & {
  leadTimes: Timed<Rounds['leadTimes'][number]>[]
  stages: Timed<Rounds['stages'][number]>[]
}

const timed = <T extends { within: Within }>({ within, ...rest }: T) => ({ ...rest, ...told(within) })

/** All that is told of rounds, in one statement. */
export async function countRounds(tx: ReadTx, sight: Sight): Promise<Rounds> {
  // Room to sort some hundred thousand rounds without a file; it ends with the transaction.
  await tx.sql.execute(sql`select set_config('work_mem', '32MB', true)`)
  const row = await readOne<RoundsRow>(
    tx,
    sql`with decided as materialized (${decided(sight)}),
      ended as materialized (${ended}),
      waiting as materialized (${waiting(sight)})
    select count(*)::int as decisions, ${within(sql`hours`)} as within, ${reuse} as reuse,
      ${rowsOf(sql`select lane_id as lane, route, count(*)::int as decisions, ${within(sql`hours`)} as within
        from decided group by lane_id, route order by lane_id, route`)} as "leadTimes",
      ${rowsOf(sql`select lane_id as lane, stage, count(*)::int as closed, ${within(sql`hours`)} as within,
          ${share(countOf(sql`in_time`), sql`count(*)`)} as "inTime"
        from ended group by lane_id, stage order by lane_id, stage`)} as stages,
      ${rowsOf(sql`select lane_id as lane, stage, count(*)::int as open,
          ${countOf(sql`due_at <= ${sight.now}::timestamptz`)} as overdue
        from waiting group by lane_id, stage order by lane_id, stage`)} as open,
      (${inTime(sight)}) as "inTime", (${outcomes(sight)}) as outcomes
    from decided`,
  )
  return { ...timed(row), leadTimes: row.leadTimes.map(timed), stages: row.stages.map(timed) }
}

/** Words of our own, which nobody sorts as a language would. */
const quick = (word: SQL): SQL => sql`${word} collate "C"`

const decided = (sight: Sight): SQL => sql`
  select d.review_id, ${quick(sql`d.lane_id`)} as lane_id, ${quick(sql`d.route`)} as route, d.outcome, d.sampled,
      ${hoursBetween(sql`r.opened_at`, sql`d.decided_at`)} as hours
    from decision d join review r on r.id = d.review_id join use_case u on u.id = d.use_case_id
    where ${during(sql`d.decided_at`, sight)} and ${seen(sight)}`

const ended = sql`
  select d.review_id, d.lane_id, ${quick(sql`g.stage`)} as stage, ${hoursBetween(sql`g.opened_at`, sql`g.closed_at`)} as hours,
      g.closed_at < g.due_at as in_time
    from decided d join review_stage g on g.review_id = d.review_id where g.closed_at is not null`

const waiting = (sight: Sight): SQL => sql`
  select r.id as review_id, r.lane ->> 'id' as lane_id, g.stage, g.due_at
    from review_stage g join review r on r.id = g.review_id join use_case u on u.id = r.use_case_id
    where g.closed_at is null and g.due_at is not null and r.closed_at is null and ${seen(sight)}`

const reuse = sql`json_build_object(
  'precedent', ${share(countOf(sql`route = 'precedent'`), sql`count(*)`)},
  'shorterReReview', ${share(countOf(sql`route in ('minor', 'adaptive')`), sql`count(*)`)},
  'attestation', ${share(countOf(sql`route = 'attestation'`), sql`count(*)`)},
  'sampled', ${share(countOf(sql`sampled`), countOf(sql`route = 'attestation'`))})`

/** R-24: time never decides, so that what is still open and overdue is late already. */
const inTime = ({ now, before }: Sight): SQL => sql`
  select ${share(countOf(sql`is_in_time`), sql`count(*)`)} from (
    select bool_and(in_time) as is_in_time from ended group by review_id
    union all
    select false from waiting where due_at <= ${now}::timestamptz and due_at < ${before}::timestamptz
      group by review_id) round`

const outcomes = (sight: Sight): SQL => sql`
  select coalesce(json_object_agg(outcome, times), '{}') from (
    select outcome, count(*)::int as times from decided group by outcome
    union all
    select 'withdrawn', count(*)::int from review r join use_case u on u.id = r.use_case_id
      where r.outcome = 'withdrawn' and ${during(sql`r.closed_at`, sight)} and ${seen(sight)}) o`

async function readOne<R>(tx: ReadTx, query: SQL): Promise<R> {
  const { rows } = await tx.sql.execute(query)
  const [row] = rows
  if (!row) throw new Error('an aggregate came back empty')
  return row as R
}

/** Conditions of what is retired or blocked count for nothing any more. */
export async function countConditions(tx: ReadTx, sight: Sight): Promise<DecisionInsights['conditions']> {
  const { now, before } = sight
  const isMet = sql`(x.state = 'met' and ${during(sql`x.ended_at`, sight)})`
  const isOverdue = sql`(x.state is null and c.due_at <= ${now}::timestamptz and u.retired_at is null
    and u.block_id is null)`
  const isInTime = sql`${isMet} and x.ended_at < c.due_at`
  const isLate = sql`${isOverdue} and c.due_at < ${before}::timestamptz`
  return await readOne(
    tx,
    sql`select ${countOf(during(sql`c.imposed_at`, sight))} as imposed, ${countOf(isMet)} as met,
      ${share(countOf(isInTime), countOf(sql`(${isMet} and c.due_at is not null) or (${isLate})`))} as "metInTime",
      ${countOf(isOverdue)} as overdue
    from condition c join use_case u on u.id = c.use_case_id
      left join condition_ending x on x.condition_id = c.id
    where ${seen(sight)}`,
  )
}

type SuspensionsRow = Omit<DecisionInsights['suspensions'], 'p50HoursToLift' | 'p90HoursToLift'> & {
  within: Within
}

export async function countSuspensions(tx: ReadTx, sight: Sight): Promise<DecisionInsights['suspensions']> {
  const isLifted = during(sql`l.lifted_at`, sight)
  const { within: lasted, ...counts } = await readOne<SuspensionsRow>(
    tx,
    sql`select ${countOf(during(sql`s.suspended_at`, sight))} as ordered, ${countOf(isLifted)} as lifted,
      ${countOf(sql`l.suspension_id is null and u.retired_at is null`)} as "inForce",
      ${within(hoursBetween(sql`s.suspended_at`, sql`l.lifted_at`))} filter (where ${isLifted}) as within
    from suspension s join use_case u on u.id = s.use_case_id
      left join suspension_lifting l on l.suspension_id = s.id
    where ${seen(sight)}`,
  )
  const { p50Hours: p50HoursToLift, p90Hours: p90HoursToLift } = told(lasted)
  return { ...counts, p50HoursToLift, p90HoursToLift }
}

export async function countIncidents(tx: ReadTx, sight: Sight): Promise<DecisionInsights['incidents']> {
  const isReported = during(sql`i.reported_at`, sight)
  const isClosed = during(sql`i.closed_at`, sight)
  const isOpen = sql`i.closed_at is null`
  const { rows } = await tx.sql.execute<DecisionInsights['incidents'][number]>(sql`
    select i.severity, ${countOf(isReported)} as reported, ${countOf(isClosed)} as closed, ${countOf(isOpen)} as open
    from incident i join use_case u on u.id = i.use_case_id
    where ${seen(sight)} and ((${isReported}) or (${isClosed}) or ${isOpen})
    group by i.severity order by i.severity`)
  return rows
}

/** Of openings in the period, what somebody else found. */
export async function countBreakGlass(tx: ReadTx, sight: Sight): Promise<DecisionInsights['breakGlass']> {
  return await readOne(
    tx,
    sql`select count(*)::int as opened, ${countOf(sql`y.verdict = 'justified'`)} as justified,
      ${countOf(sql`y.verdict = 'not_justified'`)} as "notJustified",
      ${countOf(sql`y.verdict is null`)} as unreviewed
    from break_glass b join use_case u on u.id = b.use_case_id
      left join break_glass_review y on y.break_glass_id = b.id
    where ${during(sql`b.opened_at`, sight)} and ${seen(sight)}`,
  )
}
