import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { systems } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { assertChanges, assertRevision, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import * as store from './store.js'
import type { NewSystem, System, SystemChange } from './system.js'

export async function registerSystem(tx: WriteTx, wanted: NewSystem): Promise<System> {
  const id = newId()
  const right = authorize(tx.ability, 'register', 'System', { id })
  const system = await store.insertSystem(tx, { id, ...wanted, createdAt: tx.now })
  const { key, kind, name, vendor, description } = system
  tx.record(system, { type: 'system.registered', right, key, kind, sealed: { name, vendor, description } })
  return present(system)
}

/** Adds several that are known by name only. */
export async function registerSystems(
  tx: WriteTx,
  named: { id: string; key: string; name: string }[],
): Promise<void> {
  const right = named.map(({ id }) => authorize(tx.ability, 'register', 'System', { id }))[0]
  if (right === undefined) return
  for (const system of await store.insertSystems(tx, named)) {
    const { key, kind, name, vendor, description } = system
    tx.record(system, { type: 'system.registered', right, key, kind, sealed: { name, vendor, description } })
  }
}

/** Those that go by one of these names, in any case, or by one of these keys. */
export async function listSystemsCalled(
  tx: ReadTx,
  called: { names: string[]; keys: string[] },
): Promise<{ id: string; key: string; name: string }[]> {
  return await store.listSystemsCalled(tx, called)
}

export async function reviseSystem(
  tx: WriteTx,
  id: string,
  revision: number,
  change: SystemChange,
): Promise<System> {
  const system = await store.lockSystem(tx, id)
  const right = authorize(tx.ability, 'manage', 'System', system)
  assertRevision(system, revision)
  assertChanges(system, change)
  const revised = await store.updateSystem(tx, system, change)
  const { name, vendor, description } = revised
  const sealed = { name, vendor, description }
  tx.record(system, { type: 'system.revised', right, revision: revised.revision, sealed })
  return present(revised)
}

export async function getSystem(tx: ReadTx, id: string): Promise<System> {
  const system = await store.getSystemRow(tx, id)
  authorize(tx.ability, 'read', 'System', system)
  return present(system)
}

/** Systems by name. */
export async function listSystems(tx: ReadTx, { limit, after }: PageRequest): Promise<PageOf<System>> {
  const where = visibleWhere(tx.ability, 'read', 'System', { id: systems.id })
  const [name, id] = after ?? []
  const from = after && { name: String(name), id: String(id) }
  const rows = await store.listSystemRows(tx, { where, after: from, limit: limit + 1 })
  return cutPage(rows.map(present), limit, (system) => [system.name, system.id])
}

/** @throws RegistryError `invalid` unless every one of them is registered */
export async function assertSystems(tx: ReadTx, ids: string[]): Promise<void> {
  const known = await store.listSystemIdsAmong(tx, ids)
  if (ids.every((id) => known.includes(id))) return
  throw new RegistryError('invalid', 'a system named here is not registered; register it first')
}

function present({ id, key, name, kind, vendor, description, revision, createdAt }: store.SystemRow): System {
  return { id, key, name, kind, vendor, description, revision, createdAt }
}
