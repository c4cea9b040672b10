import { type AnyColumn, and, asc, desc, eq, gt, gte, lt, or, type SQL, sql } from 'drizzle-orm'
import { auditEvents, auditPayloads, gateAnswers, importRuns, useCases, webhooks } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { EventFilters } from './event-view.js'

const { aggregateId } = auditEvents

/** A column of the use case that an event is about, or that the gate was asked about. */
const ofUseCase = (column: AnyColumn) => sql`coalesce(
  (select ${column} from ${useCases} where ${useCases.id} = ${aggregateId}),
  (select ${column} from ${gateAnswers} join ${useCases} on ${useCases.id} = ${gateAnswers.useCaseId}
    where ${gateAnswers.id} = ${aggregateId}))`

/** The unit that an event belongs to, and who owns its use case; people, units and systems lie in none. */
export const rightsColumns = {
  aggregateId,
  orgUnitId: sql`coalesce(${ofUseCase(useCases.orgUnitId)},
    (select ${importRuns.orgUnitId} from ${importRuns} where ${importRuns.id} = ${aggregateId}),
    (select ${webhooks.orgUnitId} from ${webhooks} where ${webhooks.id} = ${aggregateId}))`,
  businessOwnerId: ofUseCase(useCases.businessOwnerId),
  riskOwnerId: ofUseCase(useCases.riskOwnerId),
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
  after: number
  limit: number
}

/** Everything that happened to one aggregate, in order. */
export async function listHistoryRows(tx: ReadTx, id: string, { after, limit }: HistoryPage) {
  return await tx.sql
    .select(columns)
    .from(auditEvents)
    .leftJoin(auditPayloads, eq(auditPayloads.eventId, auditEvents.id))
    .where(and(eq(aggregateId, id), gt(auditEvents.eventNo, after)))
    .orderBy(asc(auditEvents.eventNo))
    .limit(limit)
}

/** One event, with what the right to read it looks at. */
export async function getEventRow(tx: ReadTx, id: string) {
  const [row] = await tx.sql
    .select({
      event: columns,
      rights: {
        aggregateId,
        orgUnitId: sql<string | null>`${rightsColumns.orgUnitId}`,
        businessOwnerId: sql<string | null>`${rightsColumns.businessOwnerId}`,
        riskOwnerId: sql<string | null>`${rightsColumns.riskOwnerId}`,
      },
    })
    .from(auditEvents)
    .leftJoin(auditPayloads, eq(auditPayloads.eventId, auditEvents.id))
    .where(eq(auditEvents.id, id))
  if (!row) throw notFound('event')
  return row
}
