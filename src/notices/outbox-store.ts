import type pg from 'pg'
import { ASSENT_ID, newId, ROOT_UNIT_ID } from '../ids.js'
import type { Instant } from '../instant.js'

export type Pool = pg.Pool
export type Client = pg.ClientBase

/** All of it or nothing. */
export async function inTransaction<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const value = await work(client)
    await client.query('commit')
    client.release()
    return value
  } catch (error) {
    // A connection that cannot roll back is not given to anybody else.
    await client.query('rollback').then(
      () => client.release(),
      (broken) => client.release(broken),
    )
    throw error
  }
}

/** An event that nobody was told of yet. */
export interface Pending {
  eventId: string
  type: string
  aggregateKind: string
  aggregateId: string
  actorId: string
  leaf: Buffer
}

/** Takes the oldest of them out of everybody else's reach until the transaction ends. */
export async function claimOutbox(client: pg.ClientBase, limit: number): Promise<Pending[]> {
  const { rows } = await client.query<Pending>({
    name: 'claim_outbox',
    text: `select o.event_id as "eventId", o.type, o.aggregate_kind as "aggregateKind",
        o.aggregate_id as "aggregateId", e.actor_id as "actorId", e.leaf
      from outbox o join audit_event e on e.id = o.event_id
      where o.expanded_at is null order by o.recorded_at, o.event_id limit $1 for update of o skip locked`,
    values: [limit],
  })
  return rows
}

export async function markExpanded(client: pg.ClientBase, eventIds: string[], at: Instant): Promise<void> {
  await client.query('update outbox set expanded_at = $2 where event_id = any($1::uuid[])', [eventIds, at])
}

/** Which unit an event lies in, and all above it: a webhook of any of them is told. */
const unitsAbove = `above (event_id, id) as (
    select o.event_id, coalesce(u.org_unit_id, w.org_unit_id, i.org_unit_id, n.id, '${ROOT_UNIT_ID}'::uuid)
    from outbox o
    left join use_case u on o.aggregate_kind = 'use_case' and u.id = o.aggregate_id
    left join webhook w on o.aggregate_kind = 'webhook' and w.id = o.aggregate_id
    left join import_run i on o.aggregate_kind = 'import_run' and i.id = o.aggregate_id
    left join org_unit n on o.aggregate_kind = 'org_unit' and n.id = o.aggregate_id
    where o.event_id = any($1::uuid[])
    union select a.event_id, p.parent_id from above a join org_unit p on p.id = a.id where p.parent_id is not null)`

interface Pair {
  eventId: string
  webhookId: string
}

/** A test goes to the webhook that is tested, and to no other. */
const listens = `w.disabled_at is null and case o.type when 'webhook.tested' then o.aggregate_id = w.id
    else w.event_types is null or o.type = any(w.event_types) end`

/** Who listens to these events: the types it asked for, in its unit and below. */
export async function listListeners(client: pg.ClientBase, eventIds: string[]): Promise<Pair[]> {
  const { rows } = await client.query<Pair>(
    `with recursive ${unitsAbove}
      select a.event_id as "eventId", w.id as "webhookId"
      from above a join webhook w on w.org_unit_id = a.id join outbox o on o.event_id = a.event_id
      where ${listens}`,
    [eventIds],
  )
  return rows
}

/** At most `limit` of what happened since, oldest first, that this webhook listens to now. */
export async function listMissed(
  client: pg.ClientBase,
  webhookId: string,
  since: Instant,
  limit: number,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `with recursive below as (
        select org_unit_id as id from webhook where id = $1
        union select u.id from org_unit u join below b on u.parent_id = b.id)
      select o.event_id as id
      from outbox o cross join webhook w
      left join use_case u on o.aggregate_kind = 'use_case' and u.id = o.aggregate_id
      left join webhook x on o.aggregate_kind = 'webhook' and x.id = o.aggregate_id
      where w.id = $1 and o.recorded_at >= $2 and o.expanded_at is not null and ${listens}
        and coalesce(u.org_unit_id, x.org_unit_id, '${ROOT_UNIT_ID}'::uuid) in (select id from below)
      order by o.recorded_at, o.event_id limit $3`,
    [webhookId, since, limit],
  )
  return rows.map(({ id }) => id)
}

/** To each webhook or person at most once for an event; one that was made before is sent again if `again` says so. */
export async function insertDeliveries(
  client: pg.ClientBase,
  to: 'webhook' | 'person',
  pairs: { eventId: string; receiverId: string }[],
  at: Instant,
  again = false,
): Promise<void> {
  if (pairs.length === 0) return
  const repeat = `do update set state = 'pending', done_at = null, tries = 0, next_at = excluded.next_at`
  await client.query(
    `insert into delivery (id, event_id, ${to}_id, next_at, created_at)
      select id, event, receiver, $4, $4 from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as d (id, event, receiver)
      on conflict (event_id, ${to}_id) ${again ? repeat : 'do nothing'}`,
    [
      pairs.map(() => newId()),
      pairs.map(({ eventId }) => eventId),
      pairs.map(({ receiverId }) => receiverId),
      at,
    ],
  )
}

/** Of these, who can be told by mail about this event: it was not they who did it, and they did not turn mail off. */
export async function listReachable(
  client: pg.ClientBase,
  pairs: { eventId: string; personId: string }[],
): Promise<{ eventId: string; receiverId: string }[]> {
  if (pairs.length === 0) return []
  const { rows } = await client.query<{ eventId: string; receiverId: string }>(
    `select distinct t.event_id as "eventId", p.id as "receiverId"
      from unnest($1::uuid[], $2::uuid[]) as t (event_id, person_id)
      join person p on p.id = t.person_id
      join audit_event e on e.id = t.event_id
      left join notice_choice c on c.person_id = p.id
      where p.kind = 'human' and p.status = 'active' and p.email is not null and p.id <> e.actor_id
        and p.id <> '${ASSENT_ID}' and c.mail is distinct from false`,
    [pairs.map(({ eventId }) => eventId), pairs.map(({ personId }) => personId)],
  )
  return rows
}
