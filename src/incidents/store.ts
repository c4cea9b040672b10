import { and, asc, desc, eq, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { incidentEntries, incidents, suspensions, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import { numberOf } from '../use-cases/use-case.js'
import type { IncidentFilters } from './incident.js'

export type IncidentRow = typeof incidents.$inferSelect
export type EntryRow = typeof incidentEntries.$inferSelect

const { orgUnitId, businessOwnerId, riskOwnerId, number, title } = useCases
const shown = {
  incident: incidents,
  useCase: { orgUnitId, businessOwnerId, riskOwnerId, number, title },
  suspensionId: sql<string | null>`(select s.id from ${suspensions} s
    where s.use_case_id = ${incidents.useCaseId} and s.incident_id = ${incidents.id}
    order by s.suspended_at, s.id limit 1)`,
}

/** An incident with what is shown and judged of its use case. */
export interface ShownRow {
  incident: IncidentRow
  useCase: {
    orgUnitId: string
    businessOwnerId: string | null
    riskOwnerId: string | null
    number: number
    title: string
  }
  suspensionId: string | null
}

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: incidents.useCaseId,
  reportedBy: incidents.reportedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

const select = (tx: ReadTx) =>
  tx.sql.select(shown).from(incidents).innerJoin(useCases, eq(useCases.id, incidents.useCaseId))

export async function getShownRow(tx: ReadTx, id: string): Promise<ShownRow> {
  const [row] = await select(tx).where(eq(incidents.id, id))
  if (!row) throw notFound('incident')
  return row
}

export interface IncidentPage {
  where: SQL
  filters: IncidentFilters
  after: { reportedAt: string; id: string } | undefined
  limit: number
}

/** The last one reported first. */
export async function listShownRows(
  tx: ReadTx,
  { where, filters, after, limit }: IncidentPage,
): Promise<ShownRow[]> {
  const beyond =
    after &&
    or(
      lt(incidents.reportedAt, after.reportedAt),
      and(eq(incidents.reportedAt, after.reportedAt), lt(incidents.id, after.id)),
    )
  return await select(tx)
    .where(and(...conditionsOf(filters), where, beyond))
    .orderBy(desc(incidents.reportedAt), desc(incidents.id))
    .limit(limit)
}

function conditionsOf({ useCase, severity, state }: IncidentFilters): (SQL | undefined)[] {
  const byKey = useCase === undefined ? undefined : numberOf(useCase)
  const { useCaseId, closedAt } = incidents
  return [
    byKey === undefined ? useCase && eq(useCaseId, useCase) : eq(number, byKey),
    severity === undefined ? undefined : eq(incidents.severity, severity),
    state && (state === 'open' ? isNull(closedAt) : isNotNull(closedAt)),
  ].filter((condition) => typeof condition === 'object')
}

/** In the order they were entered. */
export async function listEntryRows(tx: ReadTx, incidentId: string): Promise<EntryRow[]> {
  return await tx.sql
    .select()
    .from(incidentEntries)
    .where(eq(incidentEntries.incidentId, incidentId))
    .orderBy(asc(incidentEntries.ordinal))
}

export async function countIncidents(tx: ReadTx, useCaseId: string): Promise<number> {
  return await tx.sql.$count(incidents, eq(incidents.useCaseId, useCaseId))
}

export async function countEntries(tx: ReadTx, incidentId: string): Promise<number> {
  return await tx.sql.$count(incidentEntries, eq(incidentEntries.incidentId, incidentId))
}

export async function insertIncident(tx: WriteTx, row: typeof incidents.$inferInsert): Promise<void> {
  await tx.sql.insert(incidents).values(row)
}

export async function insertEntry(tx: WriteTx, row: typeof incidentEntries.$inferInsert): Promise<void> {
  await tx.sql.insert(incidentEntries).values(row)
}

export async function updateIncident(
  tx: WriteTx,
  id: string,
  change: Partial<Pick<IncidentRow, 'severity' | 'closedBy' | 'closedAt' | 'learned'>>,
): Promise<void> {
  await tx.sql.update(incidents).set(change).where(eq(incidents.id, id))
}
