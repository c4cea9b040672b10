import { authorize, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { newId } from '../ids.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { getReadable } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { assertNotRetired, keyOf } from '../use-cases/use-case.js'
import * as store from './store.js'
import { assertIncidentClosed, assertInForce, assertOrderedOnce, type Suspension } from './suspension.js'

/**
 * Suspends at once, whatever else is going on.
 * @throws RegistryError `conflict` for a retired use case, or when the caller's own suspension is still in force
 */
export async function suspend(tx: WriteTx, useCaseRef: string, reason: string): Promise<Suspension> {
  const useCase = await lockUseCase(tx, useCaseRef)
  const right = authorize(tx.ability, 'suspend', 'UseCase', useCase)
  assertNotRetired(useCase)
  assertOrderedOnce(await store.listInForceRows(tx, useCase.id), tx.principal.personId)
  return present({ suspension: await open(tx, useCase, { right, reason }), lifting: null, useCase })
}

/**
 * Suspends a locked use case for an incident, unless the incident did so already. Saves the use case either
 * way. The caller has authorized it by the right to carry on the incident.
 */
export async function suspendFor(
  tx: WriteTx,
  useCase: UseCaseRow,
  { incidentId, right, reason }: { incidentId: string; right: string; reason: string },
): Promise<void> {
  const inForce = await store.listInForceRows(tx, useCase.id)
  if (inForce.some((suspension) => suspension.incidentId === incidentId)) saveUseCase(tx, useCase, {})
  else await open(tx, useCase, { right, reason, incidentId })
}

async function open(
  tx: WriteTx,
  useCase: UseCaseRow,
  { right, reason, incidentId }: { right: string; reason: string; incidentId?: string },
): Promise<store.SuspensionRow> {
  const { id: useCaseId } = useCase
  const by = { suspendedBy: tx.principal.personId, suspendedAt: tx.now }
  const row = { id: newId(), useCaseId, incidentId: incidentId ?? null, ...by, reason }
  const suspension = await store.insertSuspension(tx, row)
  saveUseCase(tx, useCase, { suspendedAt: useCase.suspendedAt ?? tx.now })
  const of = { suspensionId: suspension.id, incidentId }
  tx.record(useCase, { type: 'use_case.suspended', right, ...of, sealed: { reason } })
  return suspension
}

/**
 * Ends a suspension that somebody else ordered. The use case stays suspended while another one is in force.
 * @throws RegistryError `forbidden` to whoever suspended, `conflict` when it is lifted or its incident is open
 */
export async function lift(tx: WriteTx, id: string, reason: string): Promise<Suspension> {
  const { useCaseId } = (await store.getShownRow(tx, id)).suspension
  const useCase = await lockUseCase(tx, useCaseId)
  const { suspension, lifting, incident } = await store.getShownRow(tx, id)
  const right = authorize(tx.ability, 'lift', 'Suspension', subjectOf(suspension, useCase))
  assertNotRetired(useCase)
  assertInForce(lifting)
  assertIncidentClosed(incident)
  const { suspendedBy } = suspension
  const by = { liftedBy: tx.principal.personId, liftedAt: tx.now }
  const lifted = await store.insertLifting(tx, { suspensionId: id, suspendedBy, ...by, reason })
  const [first] = await store.listInForceRows(tx, useCaseId)
  saveUseCase(tx, useCase, { suspendedAt: first?.suspendedAt ?? null })
  tx.record(useCase, { type: 'suspension.lifted', right, suspensionId: id, sealed: { reason } })
  return present({ suspension, lifting: lifted, useCase })
}

export async function getSuspension(tx: ReadTx, id: string): Promise<Suspension> {
  const row = await store.getShownRow(tx, id)
  authorize(tx.ability, 'read', 'Suspension', subjectOf(row.suspension, row.useCase))
  return present(row)
}

/** Those in force, of all use cases that the caller may see; the last one first. */
export async function listInForce(tx: ReadTx, page: PageRequest): Promise<PageOf<Suspension>> {
  return await listPage(tx, {}, page)
}

/** Those of one use case, lifted ones among them; the last one first. */
export async function listSuspensionsOf(
  tx: ReadTx,
  useCaseRef: string,
  page: PageRequest,
): Promise<PageOf<Suspension>> {
  return await listPage(tx, { useCaseId: (await getReadable(tx, useCaseRef)).id }, page)
}

async function listPage(
  tx: ReadTx,
  which: { useCaseId?: string },
  { limit, after }: PageRequest,
): Promise<PageOf<Suspension>> {
  const where = visibleWhere(tx.ability, 'read', 'Suspension', store.rightsColumns)
  const [suspendedAt, id] = after ?? []
  const from = after && { suspendedAt: String(suspendedAt), id: String(id) }
  const rows = await store.listShownRows(tx, { where, ...which, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, ({ suspension }) => [suspension.suspendedAt, suspension.id])
  return { items: items.map(present), last }
}

function subjectOf(
  { id, useCaseId, suspendedBy }: store.SuspensionRow,
  { orgUnitId, businessOwnerId, riskOwnerId }: store.ShownRow['useCase'],
): RowOf<'Suspension'> & { id: string } {
  return { id, useCaseId, suspendedBy, orgUnitId, businessOwnerId, riskOwnerId }
}

function present({
  suspension,
  lifting,
  useCase: { number, title },
}: Pick<store.ShownRow, 'suspension' | 'lifting' | 'useCase'>): Suspension {
  const { id, useCaseId, incidentId, suspendedBy, suspendedAt, reason } = suspension
  const useCase = { key: keyOf(number), title }
  const end = lifting && { liftedBy: lifting.liftedBy, liftedAt: lifting.liftedAt, reason: lifting.reason }
  return { id, useCaseId, useCase, incidentId, suspendedBy, suspendedAt, reason, lifting: end }
}
