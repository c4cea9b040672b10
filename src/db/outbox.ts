import type pg from 'pg'
import type { Instant } from '../instant.js'

/** An event that others are told of, as the outbox keeps it. */
export interface Told {
  id: string
  type: string
  aggregateKind: string
  aggregateId: string
}

/** Part of the transaction that the events come from, so that none is told that did not happen, and none forgotten. */
export async function putIntoOutbox(client: pg.ClientBase, events: Told[], at: Instant): Promise<void> {
  if (events.length === 0) return
  await client.query({
    name: 'put_into_outbox',
    text: `insert into outbox (event_id, type, aggregate_kind, aggregate_id, recorded_at)
      select id, type, kind, aggregate, $5
        from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) as e (id, type, kind, aggregate)`,
    values: [
      events.map((event) => event.id),
      events.map((event) => event.type),
      events.map((event) => event.aggregateKind),
      events.map((event) => event.aggregateId),
      at,
    ],
  })
}
