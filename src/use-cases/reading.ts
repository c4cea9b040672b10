import type { EventView } from '../audit/event-view.js'
import { listHistory } from '../audit/service.js'
import { authorize, authorizeSome, isAllowed } from '../auth/decision-rights.js'
import type { ReadTx } from '../db/transaction.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import * as store from './store.js'
import { keyOf, type Similar, type UseCase } from './use-case.js'
import type { Version } from './version.js'
import { present, presentVersion } from './view.js'

type UseCaseRow = store.UseCaseRow

/** By id or key. @throws RegistryError `not_found` also for one that the caller may not see */
export async function getUseCase(tx: ReadTx, idOrKey: string): Promise<UseCase> {
  return present(await getReadable(tx, idOrKey), tx.now)
}

/** For a later feature, which authorizes what it reads of it. */
export async function loadUseCase(tx: ReadTx, idOrKey: string): Promise<UseCaseRow> {
  return await store.getUseCaseRow(tx, idOrKey)
}

/** For a later feature, which authorizes what it reads of them. */
export async function loadUseCases(tx: ReadTx, ids: string[]): Promise<UseCaseRow[]> {
  return await store.listUseCaseRows(tx, ids)
}

export async function getReadable(tx: ReadTx, idOrKey: string): Promise<UseCaseRow> {
  const row = await loadUseCase(tx, idOrKey)
  authorize(tx.ability, 'read', 'UseCase', row)
  return row
}

/** Use cases with a title much like this one, for whoever may register one. */
export async function listSimilar(
  tx: ReadTx,
  { title, purpose }: { title: string; purpose: string },
): Promise<Similar[]> {
  authorizeSome(tx.ability, 'register', 'UseCase')
  const rows = await store.listSimilarRows(tx, title, purpose)
  const similar = rows.map((row) => {
    const owners = {
      orgUnitId: row.org_unit_id,
      businessOwnerId: row.business_owner_id,
      riskOwnerId: row.risk_owner_id,
    }
    const isVisible = isAllowed(tx.ability, 'read', 'UseCase', { id: row.id, ...owners })
    const { org_unit: orgUnit, title, similarity } = row
    const told = isVisible ? { title, similarity } : { title: null, similarity: null }
    return { key: keyOf(row.number), orgUnit, ...told }
  })
  // How alike a hidden title is would tell it to whoever guesses; so those come last, and in no order of likeness.
  const hidden = similar.filter(({ title }) => title === null).toSorted((a, b) => a.key.localeCompare(b.key))
  return [...similar.filter(({ title }) => title !== null), ...hidden]
}

/** Versions newest first, each with what it changed. */
export async function listVersions(
  tx: ReadTx,
  idOrKey: string,
  { limit, after }: PageRequest,
): Promise<PageOf<Version>> {
  const { id } = await getReadable(tx, idOrKey)
  const before = after && Number(after[0])
  const rows = await store.listVersionRows(tx, id, { before, limit })
  const versions = rows.map((row, index) => presentVersion(row, rows[index + 1]))
  return cutPage(versions, limit, ({ version }) => [version])
}

/** Everything that happened to a use case, in order, for whoever may read its events. */
export async function listEventsOf(
  tx: ReadTx,
  idOrKey: string,
  form: 'plain' | 'exact',
  page: PageRequest,
): Promise<PageOf<EventView>> {
  const { id: aggregateId, orgUnitId, businessOwnerId, riskOwnerId } = await getReadable(tx, idOrKey)
  return await listHistory(tx, { aggregateId, orgUnitId, businessOwnerId, riskOwnerId }, form, page)
}

/** The people who wrote versions after this one. */
export async function listAuthorsAfter(tx: ReadTx, useCaseId: string, version: number): Promise<string[]> {
  return await store.listAuthorIdsAfter(tx, useCaseId, version)
}

export async function getVersion(tx: ReadTx, idOrKey: string, version: number): Promise<Version> {
  const { id } = await getReadable(tx, idOrKey)
  const row = await store.getVersionRow(tx, id, version)
  const before = version > 1 ? await store.getVersionRow(tx, id, version - 1) : undefined
  return presentVersion(row, before)
}
