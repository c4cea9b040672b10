import { and, asc, desc, eq, gt, gte, lt, or, type SQL, sql } from 'drizzle-orm'
import { auditEvents, auditPayloads, gateAnswers, importRuns, useCases } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { EventFilters } from './event-view.js'

const { aggregateId } = auditEvents

/** The unit that an event belongs to; people, units and systems lie in none. */
export const rightsColumns = {
  aggregateId,
  orgUnitId: sql`coalesce(
    (select ${useCases.orgUnitId} from ${useCases} where ${useCases.id} = ${aggregateId}),
    (select ${importRuns.orgUnitId} from ${importRuns} where ${importRuns.id} = ${aggregateId}),
    (select c.org_unit_id from ${gateAnswers} g join ${useCases} c on c.id = g.use_case_id where g.id = ${aggregateId}))`,
}

export interface EventPage {
  where: SQL
  filters: EventFilters
  after: { recordedAt: string; id: string } | undefined
  limit: number
}

const columns = {
  id: auditEvents.id,
  type: auditEvents.type,
  aggregateKind: auditEvents.aggregateKind,
  aggregateId,
  eventNo: auditEvents.eventNo,
  recordedAt: auditEvents.recordedAt,
  actorId: auditEvents.actorId,
  leaf: auditEvents.leaf,
  sealed: auditPayloads.sealed,
}

/** The newest first. */
export async function listEventRows(tx: ReadTx, { where, filters, after, limit }: EventPage) {
  const { recordedAt, id } = auditEvents
  const beyond =
    after && or(lt(recordedAt, after.recordedAt), and(eq(recordedAt, after.recordedAt), lt(id, after.id)))
  return await tx.sql
    .select(columns)
    .from(auditEvents)
    .leftJoin(auditPayloads, eq(auditPayloads.eventId, id))
    .where(and(where, beyond, ...conditionsOf(filters)))
    .orderBy(desc(recordedAt), desc(id))
    .limit(limit)
}

function conditionsOf({ type, actor, aggregate, from, to }: EventFilters): (SQL | undefined)[] {
  return [
    type === undefined ? undefined : eq(auditEvents.type, type),
    actor === undefined ? undefined : eq(auditEvents.actorId, actor),
    aggregate === undefined ? undefined : eq(aggregateId, aggregate),
    from === undefined ? undefined : gte(auditEvents.recordedAt, from),
    to === undefined ? undefined : lt(auditEvents.recordedAt, to),
  ]
}

export interface HistoryPage {
  where: SQL
  after: number
  limit: number
}

/** Everything that happened to one aggregate, in order. */
export async function listHistoryRows(tx: ReadTx, id: string, { where, after, limit }: HistoryPage) {
  return await tx.sql
    .select(columns)
    .from(auditEvents)
    .leftJoin(auditPayloads, eq(auditPayloads.eventId, auditEvents.id))
    .where(and(eq(aggregateId, id), gt(auditEvents.eventNo, after), where))
    .orderBy(asc(auditEvents.eventNo))
    .limit(limit)
}

/** The unit of one event, for the right to read it. */
export async function getEventRow(tx: ReadTx, id: string) {
  const [row] = await tx.sql
    .select({ ...columns, orgUnitId: sql<string | null>`${rightsColumns.orgUnitId}` })
    .from(auditEvents)
    .leftJoin(auditPayloads, eq(auditPayloads.eventId, auditEvents.id))
    .where(eq(auditEvents.id, id))
  if (!row) throw notFound('event')
  return row
}
