import { authorize, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { newId } from '../ids.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { suspendFor } from '../suspensions/service.js'
import { getReadable } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { keyOf } from '../use-cases/use-case.js'
import {
  assertOccurred,
  assertOpen,
  type Incident,
  type IncidentFilters,
  type IncidentStory,
  type NewIncident,
  type NewIncidentEntry,
  severityIn,
} from './incident.js'
import * as store from './store.js'

type WithIncidents = Pick<Policies, 'incidents'>

/**
 * Reports what happened, also about a retired use case: harm shows late. A severity that policy names suspends in the
 * same transaction.
 * @throws RegistryError `invalid` for an unknown severity, or what has not happened yet
 */
export async function report(
  tx: WriteTx,
  policies: WithIncidents,
  useCaseRef: string,
  given: NewIncident,
): Promise<IncidentStory> {
  const useCase = await lockUseCase(tx, useCaseRef)
  const right = authorize(tx.ability, 'report', 'UseCase', useCase)
  severityIn(policies.incidents, given.severity)
  assertOccurred(given.occurredAt, tx.now)
  const { id: useCaseId } = useCase
  const incidentId = newId()
  const ordinal = (await store.countIncidents(tx, useCaseId)) + 1
  const { title, description, severity, occurredAt } = given
  const by = { reportedBy: tx.principal.personId, reportedAt: tx.now }
  await store.insertIncident(tx, { id: incidentId, useCaseId, ordinal, ...given, ...by })
  await enter(tx, { incidentId, ordinal: 1, text: description, severity })
  const sealed = { title, description }
  tx.record(useCase, { type: 'incident.reported', right, incidentId, severity, occurredAt, sealed })
  await save(tx, policies, useCase, { incidentId, right, title, severity })
  return await tell(tx, await store.getShownRow(tx, incidentId))
}

/**
 * Adds to the timeline, and may say that the severity is another; one that policy names then suspends.
 * @throws RegistryError `conflict` for a closed incident, `invalid` for an unknown severity
 */
export async function continueIncident(
  tx: WriteTx,
  policies: WithIncidents,
  incidentId: string,
  { text, severity: given }: NewIncidentEntry,
): Promise<IncidentStory> {
  const { useCase, incident } = await lockIncident(tx, incidentId)
  const right = authorize(tx.ability, 'continue', 'Incident', subjectOf(incident, useCase))
  assertOpen(incident)
  if (given !== undefined) severityIn(policies.incidents, given)
  const severity = given === incident.severity ? undefined : given
  const ordinal = (await store.countEntries(tx, incidentId)) + 1
  await enter(tx, { incidentId, ordinal, text, severity })
  if (severity !== undefined) await store.updateIncident(tx, incidentId, { severity })
  tx.record(useCase, { type: 'incident.continued', right, incidentId, ordinal, severity, sealed: { text } })
  await save(tx, policies, useCase, { incidentId, right, title: incident.title, severity })
  return await tell(tx, await store.getShownRow(tx, incidentId))
}

/**
 * Ends an incident. What it suspended stays suspended until somebody lifts that.
 * @throws RegistryError `conflict` when it is closed already
 */
export async function closeIncident(
  tx: WriteTx,
  incidentId: string,
  learned: string,
): Promise<IncidentStory> {
  const { useCase, incident } = await lockIncident(tx, incidentId)
  const right = authorize(tx.ability, 'close', 'Incident', subjectOf(incident, useCase))
  assertOpen(incident)
  await store.updateIncident(tx, incidentId, {
    closedBy: tx.principal.personId,
    closedAt: tx.now,
    learned,
  })
  saveUseCase(tx, useCase, {})
  tx.record(useCase, { type: 'incident.closed', right, incidentId, sealed: { learned } })
  return await tell(tx, await store.getShownRow(tx, incidentId))
}

async function lockIncident(tx: WriteTx, id: string) {
  const { useCaseId } = (await store.getShownRow(tx, id)).incident
  const useCase = await lockUseCase(tx, useCaseId)
  const { incident } = await store.getShownRow(tx, id)
  return { useCase, incident }
}

async function enter(
  tx: WriteTx,
  entry: { incidentId: string; ordinal: number; text: string; severity: string | undefined },
): Promise<void> {
  await store.insertEntry(tx, { ...entry, enteredBy: tx.principal.personId, enteredAt: tx.now })
}

interface Weighed {
  incidentId: string
  right: string
  title: string
  /** What it is now, if that is new. */
  severity: string | undefined
}

/** Nothing of a retired use case runs, so there is nothing to suspend. */
async function save(
  tx: WriteTx,
  policies: WithIncidents,
  useCase: UseCaseRow,
  { incidentId, right, title, severity }: Weighed,
): Promise<void> {
  const weight = severity === undefined ? undefined : severityIn(policies.incidents, severity)
  if (!weight?.suspends || useCase.retiredAt !== null) return void saveUseCase(tx, useCase, {})
  const reason = `Incident, ${weight.title}: ${title}`
  await suspendFor(tx, useCase, { incidentId, right, reason })
}

export async function getIncident(tx: ReadTx, id: string): Promise<IncidentStory> {
  const row = await store.getShownRow(tx, id)
  authorize(tx.ability, 'read', 'Incident', subjectOf(row.incident, row.useCase))
  return await tell(tx, row)
}

/** Of all use cases that the caller may see, the last one reported first. */
export async function listIncidents(
  tx: ReadTx,
  filters: IncidentFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<Incident>> {
  const where = visibleWhere(tx.ability, 'read', 'Incident', store.rightsColumns)
  const [reportedAt, id] = after ?? []
  const from = after && { reportedAt: String(reportedAt), id: String(id) }
  const rows = await store.listShownRows(tx, { where, filters, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, ({ incident }) => [incident.reportedAt, incident.id])
  return { items: items.map(present), last }
}

export async function listIncidentsOf(
  tx: ReadTx,
  useCaseRef: string,
  page: PageRequest,
): Promise<PageOf<Incident>> {
  return await listIncidents(tx, { useCase: (await getReadable(tx, useCaseRef)).id }, page)
}

function subjectOf(
  { id, useCaseId, reportedBy }: store.IncidentRow,
  { orgUnitId, businessOwnerId, riskOwnerId }: store.ShownRow['useCase'],
): RowOf<'Incident'> & { id: string } {
  return { id, useCaseId, reportedBy, orgUnitId, businessOwnerId, riskOwnerId }
}

async function tell(tx: ReadTx, row: store.ShownRow): Promise<IncidentStory> {
  const entries = await store.listEntryRows(tx, row.incident.id)
  const timeline = entries.map(({ incidentId: _, ...entry }) => entry)
  return { ...present(row), timeline }
}

function present({ incident, useCase: { number, title }, suspensionId }: store.ShownRow): Incident {
  const { closedBy, closedAt, learned, ...reported } = incident
  const isClosed = closedBy !== null && closedAt !== null && learned !== null
  const closing = isClosed ? { closedBy, closedAt, learned } : null
  return { ...reported, useCase: { key: keyOf(number), title }, suspensionId, closing }
}
