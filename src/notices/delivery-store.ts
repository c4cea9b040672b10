import type pg from 'pg'
import { fromPostgres, type Instant } from '../instant.js'
import type { Ending, Verdict } from './delivery.js'

/** A delivery that is ours until its lease is over. */
export interface Claimed {
  id: string
  eventId: string
  /** Which attempt this is, ever and since it was made or asked for again. */
  attempts: number
  tries: number
  leaf: Buffer
  /** `UC-1042` and its title, if it happened to a use case. */
  number: string | null
  title: string | null
}

export interface ForWebhook extends Claimed {
  webhookId: string
  url: string
  createdAt: Instant
  /** Those that sign now, the newest first. */
  secrets: { id: string; sealed: string }[]
}

export interface ForPerson extends Claimed {
  email: string
}

export interface Claim {
  now: Instant
  /** Nobody else takes it up before this. */
  leasedUntil: Instant
  limit: number
}

/** Columns of what is sent; `d` is the delivery that was claimed. */
const content = `d.id, d.event_id as "eventId", d.attempts, d.tries, e.leaf, u.number::text as number, u.title`
const events = `join audit_event e on e.id = d.event_id
      left join use_case u on e.aggregate_kind = 'use_case' and u.id = e.aggregate_id`
const taken = `set attempts = attempts + 1, tries = tries + 1, next_at = $2`

/** At most `limit` for each webhook that we are not busy with, so that a slow one holds up nobody but itself. */
export async function claimForWebhooks(
  pool: pg.Pool,
  { now, leasedUntil, limit }: Claim,
  busy: string[],
): Promise<ForWebhook[]> {
  const { rows } = await pool.query<ForWebhook>({
    name: 'claim_for_webhooks',
    text: `with due as materialized (
        select p.id from webhook w cross join lateral (
          select id from delivery where webhook_id = w.id and state = 'pending' and next_at <= $1
          order by next_at, id limit $3 for update skip locked) p
        where w.disabled_at is null and w.id <> all($4::uuid[])),
      d as (update delivery ${taken} from due where delivery.id = due.id
        returning delivery.id, event_id, webhook_id, attempts, tries, created_at)
      select ${content}, w.id as "webhookId", w.url, d.created_at::text as "createdAt",
        (select coalesce(json_agg(json_build_object('id', s.id, 'sealed', encode(s.sealed, 'base64'))
            order by s.created_at desc, s.id desc), '[]')
          from webhook_secret s where s.webhook_id = w.id and s.sealed is not null
            and (s.expires_at is null or s.expires_at > $1)) as secrets
      from d join webhook w on w.id = d.webhook_id ${events} order by e.recorded_at, e.id`,
    values: [now, leasedUntil, limit, busy],
  })
  return rows.map((row) => ({ ...row, createdAt: fromPostgres(row.createdAt) }))
}

/** What goes to somebody who left, or wants no mail any more, is dropped on the way. */
export async function claimForPeople(
  pool: pg.Pool,
  { now, leasedUntil, limit }: Claim,
): Promise<ForPerson[]> {
  await pool.query({
    name: 'drop_unwanted',
    text: `update delivery d set state = 'dropped', done_at = $1 from person p left join notice_choice c on c.person_id = p.id
      where d.person_id = p.id and d.state = 'pending' and d.next_at <= $1
        and (p.status <> 'active' or p.email is null or c.mail is false)`,
    values: [now],
  })
  const { rows } = await pool.query<ForPerson>({
    name: 'claim_for_people',
    text: `with due as materialized (
        select id from delivery where person_id is not null and state = 'pending' and next_at <= $1
        order by next_at, id limit $3 for update skip locked),
      d as (update delivery ${taken} from due where delivery.id = due.id
        returning delivery.id, event_id, person_id, attempts, tries)
      select ${content}, p.email from d join person p on p.id = d.person_id ${events} order by e.recorded_at, e.id`,
    values: [now, leasedUntil, limit],
  })
  return rows
}

export interface Attempt extends Ending {
  deliveryId: string
  ordinal: number
  at: Instant
  tookMs: number
}

/**
 * Keeps how an attempt ended. If the lease ran out and somebody else took it up meanwhile, theirs counts, unless this
 * one arrived.
 */
export async function keepAttempt(
  pool: pg.Pool,
  { deliveryId, ordinal, at, tookMs, status, problem }: Attempt,
  { state }: Verdict,
  next: { at: Instant; now: Instant },
): Promise<void> {
  await pool.query({
    name: 'keep_attempt',
    text: `with attempt as (
        insert into delivery_attempt (delivery_id, ordinal, attempted_at, took_ms, status, problem)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing)
      update delivery set state = $7, next_at = $8, done_at = case when $7 = 'pending' then null else $9::timestamptz end
      where id = $1 and (attempts = $2 or ($7 = 'delivered' and state = 'pending'))`,
    values: [deliveryId, ordinal, at, tookMs, status, problem, state, next.at, next.now],
  })
}

/** Whether anything arrived at this webhook after a delivery was made. */
export async function hasArrivedSince(pool: pg.Pool, webhookId: string, since: Instant): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from delivery where webhook_id = $1 and state = 'delivered' and done_at >= $2 limit 1`,
    [webhookId, since],
  )
  return rowCount !== 0
}

export interface Backlog {
  /** Events of which nobody was told, and deliveries that did not arrive yet. */
  events: number
  deliveries: number
  /** Since when the oldest of them waits. */
  since: Instant | null
}

export async function readBacklog(pool: pg.Pool): Promise<Backlog> {
  const { rows } = await pool.query<Backlog>(
    `select
      (select count(*)::int from outbox where expanded_at is null) as events,
      (select count(*)::int from delivery where state = 'pending') as deliveries,
      least((select min(recorded_at) from outbox where expanded_at is null),
        (select min(created_at) from delivery where state = 'pending'))::text as since`,
  )
  const [row] = rows
  if (!row) throw new Error('a count came back empty')
  return { ...row, since: row.since && fromPostgres(row.since) }
}
