import { authorize, authorizeSome, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { newId } from '../ids.js'
import { addSeconds } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { getReadable } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { keyOf } from '../use-cases/use-case.js'
import {
  assertLookedAt,
  assertNotOpen,
  assertOpen,
  assertOpenable,
  assertUnreviewed,
  assertWithinPolicy,
  BreakGlass,
  type BreakGlassFilters,
  type Closing,
  type NewBreakGlass,
  type NewReview,
  stateOf,
} from './break-glass.js'
import * as store from './store.js'

/** opens one environment for some hours. From now on the gate lets it pass for whoever accepts that. */
export async function openBreakGlass(
  tx: WriteTx,
  policies: Pick<Policies, 'gate'>,
  useCaseRef: string,
  { environment, reason, hours }: NewBreakGlass,
): Promise<BreakGlass> {
  const useCase = await lockUseCase(tx, useCaseRef)
  const right = authorize(tx.ability, 'break_glass', 'UseCase', useCase)
  assertWithinPolicy(policies.gate.breakGlass, { environment, hours })
  assertOpenable(useCase, tx.now)
  assertNotOpen(await store.findOpen(tx, useCase.id, environment))
  const { personId } = tx.principal
  assertLookedAt(await store.findUnreviewed(tx, useCase.id, environment, personId))
  const id = newId()
  const expiresAt = addSeconds(tx.now, hours * 3600)
  const opened = { openedBy: personId, openedAt: tx.now, expiresAt }
  await store.insertOpening(tx, { id, useCaseId: useCase.id, environment, reason, ...opened })
  await saveExpiry(tx, useCase)
  const said = { breakGlassId: id, environment, expiresAt }
  tx.record(useCase, { type: 'break_glass.opened', right, ...said, sealed: { reason } })
  return await getBreakGlass(tx, id)
}

/** Ends an opening before its time. */
export async function closeBreakGlass(tx: WriteTx, id: string, { reason }: Closing): Promise<BreakGlass> {
  const { useCase, row } = await lockOpening(tx, id)
  const right = authorize(tx.ability, 'close', 'BreakGlass', subjectOf(row))
  assertOpen({ ...row.opening, closing: row.closing }, tx.now)
  await store.insertClosing(tx, id, reason)
  await saveExpiry(tx, useCase)
  tx.record(useCase, { type: 'break_glass.closed', right, breakGlassId: id, sealed: { reason } })
  return await getBreakGlass(tx, id)
}

/** somebody else says whether it was justified, while it is open or after. */
export async function reviewBreakGlass(
  tx: WriteTx,
  id: string,
  { verdict, note }: NewReview,
): Promise<BreakGlass> {
  const { useCase, row } = await lockOpening(tx, id)
  const right = authorize(tx.ability, 'review', 'BreakGlass', subjectOf(row))
  assertUnreviewed(row.review)
  await store.insertReview(tx, row.opening, { verdict, note })
  saveUseCase(tx, useCase, {})
  tx.record(useCase, { type: 'break_glass.reviewed', right, breakGlassId: id, verdict, sealed: { note } })
  return await getBreakGlass(tx, id)
}

export async function getBreakGlass(tx: ReadTx, id: string): Promise<BreakGlass> {
  const row = await store.getOpeningRow(tx, id)
  authorize(tx.ability, 'read', 'BreakGlass', subjectOf(row))
  return present(tx, row)
}

/** Every opening that the caller may read, the last opened first. */
export async function listBreakGlass(
  tx: ReadTx,
  filters: BreakGlassFilters,
  page: PageRequest,
): Promise<PageOf<BreakGlass>> {
  authorizeSome(tx.ability, 'read', 'BreakGlass')
  return await listPage(tx, filters, page)
}

/** Openings of one use case, the last opened first. */
export async function listBreakGlassOf(
  tx: ReadTx,
  useCaseRef: string,
  filters: BreakGlassFilters,
  page: PageRequest,
): Promise<PageOf<BreakGlass>> {
  const { id: useCaseId } = await getReadable(tx, useCaseRef)
  return await listPage(tx, { ...filters, useCaseId }, page)
}

async function listPage(
  tx: ReadTx,
  narrowed: BreakGlassFilters & { useCaseId?: string },
  { limit, after }: PageRequest,
): Promise<PageOf<BreakGlass>> {
  const where = visibleWhere(tx.ability, 'read', 'BreakGlass', store.rightsColumns)
  const [openedAt, id] = after ?? []
  const from = after && { openedAt: String(openedAt), id: String(id) }
  const rows = await store.listOpeningRows(tx, { ...narrowed, where, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, ({ opening }) => [opening.openedAt, opening.id])
  return { items: items.map((row) => present(tx, row)), last }
}

/** Locks the use case, and reads the opening as it then is. */
async function lockOpening(tx: WriteTx, id: string): Promise<{ useCase: UseCaseRow; row: store.OpeningRow }> {
  const { opening } = await store.getOpeningRow(tx, id)
  const useCase = await lockUseCase(tx, opening.useCaseId)
  return { useCase, row: await store.getOpeningRow(tx, id) }
}

/** Tells the gate, in the head that it reads, until when there may be something to look for. */
async function saveExpiry(tx: WriteTx, useCase: UseCaseRow): Promise<void> {
  saveUseCase(tx, useCase, { breakGlassUntil: await store.findLastExpiry(tx, useCase.id) })
}

function subjectOf({ opening, useCase }: store.OpeningRow): RowOf<'BreakGlass'> & { id: string } {
  const { id, useCaseId, openedBy } = opening
  const { orgUnitId, businessOwnerId, riskOwnerId } = useCase
  return { id, useCaseId, openedBy, orgUnitId, businessOwnerId, riskOwnerId }
}

function present({ now }: ReadTx, { opening, closing, review, useCase }: store.OpeningRow): BreakGlass {
  const state = stateOf({ ...opening, closing }, now)
  return BreakGlass.parse({
    ...opening,
    useCase: { key: keyOf(useCase.number), title: useCase.title },
    state,
    closing: closing && { closedBy: closing.closedBy, closedAt: closing.closedAt, reason: closing.reason },
    review: review && {
      ...{ verdict: review.verdict, note: review.note },
      ...{ reviewedBy: review.reviewedBy, reviewedAt: review.reviewedAt },
    },
  })
}
