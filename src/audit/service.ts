import { authorize, authorizeKnown, authorizeSome, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { type EventFilters, type EventView, presentEvent } from './event-view.js'
import * as store from './store.js'

type Form = 'plain' | 'exact'

/**
 * Events of everything the caller may read the events of, the newest first.
 * @throws RegistryError `forbidden` to whoever may read none
 */
export async function listEvents(
  tx: ReadTx,
  { form, ...filters }: EventFilters & { form: Form },
  { limit, after }: PageRequest,
): Promise<PageOf<EventView>> {
  authorizeSome(tx.ability, 'read', 'Event')
  const where = visibleWhere(tx.ability, 'read', 'Event', store.rightsColumns)
  const [recordedAt, id] = after ?? []
  const from = after && { recordedAt: String(recordedAt), id: String(id) }
  const rows = await store.listEventRows(tx, { where, filters, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.recordedAt, row.id])
  return { items: items.map((row) => presentEvent(row, form)), last }
}

/**
 * Everything that happened to one aggregate, in order. The caller has read the aggregate itself.
 * @throws RegistryError `forbidden` to whoever may not read its events
 */
export async function listHistory(
  tx: ReadTx,
  aggregate: RowOf<'Event'> & { aggregateId: string },
  form: Form,
  { limit, after }: PageRequest,
): Promise<PageOf<EventView>> {
  authorizeKnown(tx.ability, 'read', 'Event', aggregate)
  const page = { after: Number(after?.[0] ?? 0), limit: limit + 1 }
  const rows = await store.listHistoryRows(tx, aggregate.aggregateId, page)
  const { items, last } = cutPage(rows, limit, (row) => [row.eventNo])
  return { items: items.map((row) => presentEvent(row, form)), last }
}

export async function getEvent(tx: ReadTx, id: string, form: Form): Promise<EventView> {
  const { event, rights } = await store.getEventRow(tx, id)
  authorize(tx.ability, 'read', 'Event', rights)
  return presentEvent(event, form)
}
