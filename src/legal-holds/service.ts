import { authorize, isAllowed } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import { newId } from '../ids.js'
import { assertOrgUnit } from '../org-units/service.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { lockUseCases, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import {
  assertHeld,
  assertNewKey,
  type HeldBy,
  type HoldFilters,
  type LegalHold,
  type NewLegalHold,
  type NewObject,
} from './legal-hold.js'
import * as store from './store.js'

/**
 * Places a hold over pieces and whole use cases.
 * @throws RegistryError `conflict` for a key that is taken, `not_found` for an object that may not be seen
 */
export async function placeHold(tx: WriteTx, { objects, ...about }: NewLegalHold): Promise<LegalHold> {
  const { personId: placedBy } = tx.principal
  const right = authorize(tx.ability, 'place', 'LegalHold', { ...about, placedBy })
  await assertOrgUnit(tx, about.orgUnitId)
  assertNewKey(about.key, await store.isKeyTaken(tx, about.key))
  const found = await find(tx, objects)
  const useCases = await lockToHold(tx, found)
  const hold = { id: newId(), ...about, placedBy, placedAt: tx.now }
  assertNewKey(about.key, !(await store.insertHold(tx, hold)))
  await add(tx, hold, { found, useCases, right })
  return await getHold(tx, hold.id)
}

/** @throws RegistryError `conflict` for a hold that was lifted */
export async function addObjects(tx: WriteTx, id: string, objects: NewObject[]): Promise<LegalHold> {
  const { hold } = await store.getHoldRow(tx, id)
  const right = authorize(tx.ability, 'extend', 'LegalHold', hold)
  const found = await find(tx, objects)
  // Whoever lifts the hold locks what it holds, so one of the two comes first.
  const useCases = await lockToHold(tx, found, await useCasesUnder(tx, id))
  assertHeld(await endingOf(tx, id))
  await add(tx, hold, { found, useCases, right })
  return await getHold(tx, id)
}

/**
 * Lets go of one object of a hold.
 * @throws RegistryError `forbidden` to whoever added it, `conflict` when it is not held any more
 */
export async function releaseObject(
  tx: WriteTx,
  { id, objectId }: { id: string; objectId: string },
  reason: string,
): Promise<LegalHold> {
  const { hold } = await store.getHoldRow(tx, id)
  authorize(tx.ability, 'read', 'LegalHold', hold)
  const { object } = await objectOf(tx, id, objectId)
  const right = authorize(tx.ability, 'release', 'LegalHold', { ...hold, placedBy: object.addedBy })
  const [useCase] = await lockUseCases(tx, [object.useCaseId])
  assertHeld(await endingOf(tx, id))
  const { addedBy, evidenceId } = object
  const release = { objectId, addedBy, releasedBy: tx.principal.personId, releasedAt: tx.now, reason }
  if (!useCase) throw notFound('use case')
  if (!(await store.insertRelease(tx, release))) assertHeld({ endedAt: tx.now })
  saveUseCase(tx, useCase, {})
  const of = { holdId: id, objectId, evidenceId }
  tx.record(useCase, { type: 'legal_hold.released', right, ...of, sealed: { reason } })
  return await getHold(tx, id)
}

/**
 * Ends a hold that somebody else placed.
 * @throws RegistryError `forbidden` to whoever placed it or added what it still holds, `conflict` when it was lifted
 * already
 */
export async function liftHold(tx: WriteTx, id: string, reason: string): Promise<LegalHold> {
  const { hold } = await store.getHoldRow(tx, id)
  const right = authorize(tx.ability, 'lift', 'LegalHold', hold)
  const useCases = await lockUseCases(tx, await useCasesUnder(tx, id))
  assertHeld(await endingOf(tx, id))
  for (const { object, release } of await store.listObjectRows(tx, [id])) {
    if (!release) authorize(tx.ability, 'release', 'LegalHold', { ...hold, placedBy: object.addedBy })
  }
  const { placedBy } = hold
  const lifting = { holdId: id, placedBy, liftedBy: tx.principal.personId, liftedAt: tx.now, reason }
  if (!(await store.insertLifting(tx, lifting))) assertHeld({ endedAt: tx.now })
  for (const useCase of useCases) {
    saveUseCase(tx, useCase, {})
    tx.record(useCase, { type: 'legal_hold.lifted', right, holdId: id, sealed: { reason } })
  }
  return await getHold(tx, id)
}

export async function getHold(tx: ReadTx, id: string): Promise<LegalHold> {
  const shown = await store.getHoldRow(tx, id)
  authorize(tx.ability, 'read', 'LegalHold', shown.hold)
  return present(shown, await store.listObjectRows(tx, [id]))
}

/** Those that the caller may see, the last one first. */
export async function listHolds(
  tx: ReadTx,
  filters: HoldFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<LegalHold>> {
  const where = visibleWhere(tx.ability, 'read', 'LegalHold', store.rightsColumns)
  const [placedAt, id] = after ?? []
  const from = after && { placedAt: String(placedAt), id: String(id) }
  const rows = await store.listHoldRows(tx, { where, filters, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, ({ hold }) => [hold.placedAt, hold.id])
  const objects = await store.listObjectRows(
    tx,
    items.map(({ hold }) => hold.id),
  )
  return { items: items.map((shown) => present(shown, objects)), last }
}

/** The holds in force over each of these pieces, by piece. For a later feature, which authorizes what it shows. */
export async function holdsOver(tx: ReadTx, evidenceIds: string[]): Promise<Map<string, HeldBy[]>> {
  return await store.findHolds(tx, evidenceIds)
}

interface Found {
  useCaseId: string
  evidenceId: string | null
}

async function find(tx: ReadTx, objects: NewObject[]): Promise<Found[]> {
  const evidenceIds = objects.flatMap((object) => ('evidenceId' in object ? [object.evidenceId] : []))
  const useCaseOf = await store.findUseCasesOf(tx, evidenceIds)
  return objects.map((object) => {
    if ('useCaseId' in object) return { useCaseId: object.useCaseId, evidenceId: null }
    const useCaseId = useCaseOf.get(object.evidenceId)
    if (useCaseId === undefined) throw notFound('evidence')
    return { useCaseId, evidenceId: object.evidenceId }
  })
}

/** Locks what is to be held, and what else is given, and asks whether the caller may hold it. */
async function lockToHold(
  tx: WriteTx,
  found: Found[],
  also: string[] = [],
): Promise<Map<string, UseCaseRow>> {
  const wanted = [...new Set(found.map(({ useCaseId }) => useCaseId))]
  const rows = await lockUseCases(tx, [...new Set([...wanted, ...also])])
  const useCases = new Map(rows.map((row) => [row.id, row]))
  for (const id of wanted) {
    const useCase = useCases.get(id)
    const isNamed = found.some((object) => object.useCaseId === id && object.evidenceId === null)
    // Whoever names a piece is told of the piece, or of nothing.
    if (!isNamed && !(useCase && isAllowed(tx.ability, 'read', 'UseCase', useCase)))
      throw notFound('evidence')
    if (!useCase) throw notFound('use case')
    authorize(tx.ability, 'hold', 'UseCase', useCase)
  }
  return useCases
}

async function add(
  tx: WriteTx,
  { id: holdId, key, title }: Pick<store.HoldRow, 'id' | 'key' | 'title'>,
  { found, useCases, right }: { found: Found[]; useCases: Map<string, UseCaseRow>; right: string },
): Promise<void> {
  const by = { addedBy: tx.principal.personId, addedAt: tx.now }
  await store.insertObjects(
    tx,
    found.map((object) => ({ id: newId(), holdId, ...object, ...by })),
  )
  for (const useCase of useCases.values()) {
    const objects = found.filter(({ useCaseId }) => useCaseId === useCase.id)
    if (objects.length === 0) continue
    saveUseCase(tx, useCase, {})
    const evidenceIds = objects.flatMap(({ evidenceId }) => evidenceId ?? [])
    const whole = evidenceIds.length < objects.length
    tx.record(useCase, {
      type: 'legal_hold.placed',
      right,
      holdId,
      key,
      evidenceIds,
      whole,
      sealed: { title },
    })
  }
}

async function useCasesUnder(tx: ReadTx, holdId: string): Promise<string[]> {
  const rows = await store.listObjectRows(tx, [holdId])
  return [...new Set(rows.map(({ object }) => object.useCaseId))]
}

async function objectOf(tx: ReadTx, holdId: string, objectId: string): Promise<store.ShownObject> {
  const found = (await store.listObjectRows(tx, [holdId])).find(({ object }) => object.id === objectId)
  if (!found) throw notFound('object of that legal hold')
  return found
}

async function endingOf(tx: ReadTx, id: string): Promise<{ endedAt: string } | null> {
  const { lifting } = await store.getHoldRow(tx, id)
  return lifting && { endedAt: lifting.liftedAt }
}

function present({ hold, lifting }: store.ShownHold, objects: store.ShownObject[]): LegalHold {
  const { id, key, title, reason, orgUnitId, placedBy, placedAt } = hold
  return {
    ...{ id, key, title, reason, orgUnitId, placedBy, placedAt },
    objects: objects.filter(({ object }) => object.holdId === id).map(presentObject),
    lifting: lifting && { endedBy: lifting.liftedBy, endedAt: lifting.liftedAt, reason: lifting.reason },
  }
}

function presentObject({ object, release }: store.ShownObject): LegalHold['objects'][number] {
  const { id, useCaseId, evidenceId, addedBy, addedAt } = object
  const end = release && {
    ...{ endedBy: release.releasedBy, endedAt: release.releasedAt, reason: release.reason },
  }
  return { id, useCaseId, evidenceId, addedBy, addedAt, release: end }
}
