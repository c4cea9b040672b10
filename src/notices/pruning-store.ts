import type pg from 'pg'
import type { Instant } from '../instant.js'

export interface Age {
  /** What arrived before this is removed. */
  delivered: Instant
  /** What did not arrive, and events of which all are told, may be asked for again until they are older than this. */
  rest: Instant
}

/** So many at once, so that nothing else waits for it; the next pass goes on. */
const AT_ONCE = 1000

/** Removes deliveries that are over, with their attempts. @returns how many */
export async function pruneDeliveries(pool: pg.Pool, { delivered, rest }: Age): Promise<number> {
  const { rowCount } = await pool.query(
    `with old as (
      select id from delivery where done_at < $1 and (state = 'delivered' or done_at < $2)
        order by done_at, id limit $3 for update skip locked
    ), attempts as (delete from delivery_attempt a using old where a.delivery_id = old.id)
    delete from delivery d using old where d.id = old.id`,
    [delivered, rest, AT_ONCE],
  )
  return rowCount ?? 0
}

/** Removes events that everybody was told of, and of which no delivery is left. @returns how many */
export async function pruneOutbox(pool: pg.Pool, { rest }: Age): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from outbox where event_id in (
      select event_id from outbox o where recorded_at < $1 and expanded_at is not null
        and not exists (select from delivery d where d.event_id = o.event_id)
        order by recorded_at, event_id limit $2 for update skip locked)`,
    [rest, AT_ONCE],
  )
  return rowCount ?? 0
}
