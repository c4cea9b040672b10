import { authorize, authorizeSome } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { assertChanges, assertRevision, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { assertMovable, type NewOrgUnit, type OrgUnit, type OrgUnitChange } from './org-unit.js'
import * as store from './store.js'

export async function listOrgUnits(tx: ReadTx): Promise<OrgUnit[]> {
  authorizeSome(tx.ability, 'read', 'OrgUnit')
  const where = visibleWhere(tx.ability, 'read', 'OrgUnit', store.rightsColumns)
  const rows = await store.listOrgUnitRows(tx, where)
  return rows.map(present)
}

export async function getOrgUnit(tx: ReadTx, id: string): Promise<OrgUnit> {
  const unit = await store.getOrgUnitRow(tx, id)
  authorize(tx.ability, 'read', 'OrgUnit', unit)
  return present(unit)
}

/** @throws RegistryError `invalid` when an input names a unit that is not there */
export async function assertOrgUnit(tx: ReadTx, id: string): Promise<void> {
  if (await store.isOrgUnit(tx, id)) return
  throw new RegistryError('invalid', 'there is no org unit with this id; list the units and choose one')
}

/** Keys of a unit and of all units above it: what policy calls a line of business. */
export async function listUnitKeys(tx: ReadTx, id: string): Promise<string[]> {
  return await store.listKeysAbove(tx, id)
}

export async function createOrgUnit(tx: WriteTx, { key, name, parentId }: NewOrgUnit): Promise<OrgUnit> {
  await assertOrgUnit(tx, parentId)
  const parent = await store.getOrgUnitRow(tx, parentId)
  const right = authorize(tx.ability, 'manage', 'OrgUnit', parent)
  const unit = await store.insertOrgUnit(tx, { id: newId(), key, name, parentId, createdAt: tx.now })
  tx.record(unit, { type: 'org_unit.created', right, key, parentId, sealed: { name } })
  return present(unit)
}

/**
 * Adds several units, parents before their children, and answers when the tree holds them.
 * @throws RegistryError `conflict` when a key is taken by now
 */
export async function createOrgUnits(
  tx: WriteTx,
  wanted: { id: string; key: string; name: string; parentId: string }[],
): Promise<void> {
  const rights = new Map<string, string>()
  for (const { id, parentId } of wanted) {
    const right = rights.get(parentId) ?? authorize(tx.ability, 'manage', 'OrgUnit', { id: parentId })
    rights.set(id, right)
  }
  const units = await store.insertOrgUnits(tx, wanted)
  for (const unit of units) {
    const { id, key, name, parentId } = unit
    tx.record(unit, {
      type: 'org_unit.created',
      right: rights.get(id) ?? '',
      key,
      parentId: parentId ?? '',
      sealed: { name },
    })
  }
}

/** Nobody else adds or moves units until the transaction ends. */
export async function lockTree(tx: WriteTx): Promise<void> {
  await store.lockTree(tx)
}

export async function reviseOrgUnit(
  tx: WriteTx,
  id: string,
  revision: number,
  change: OrgUnitChange,
): Promise<OrgUnit> {
  await store.lockTree(tx)
  const unit = await store.lockOrgUnit(tx, id)
  const right = authorize(tx.ability, 'manage', 'OrgUnit', unit)
  assertRevision(unit, revision)
  assertChanges(unit, change)
  if (change.parentId) await assertPlace(tx, unit, change.parentId)
  const revised = await store.updateOrgUnit(tx, unit, change)
  const { name, parentId } = revised
  tx.record(unit, { type: 'org_unit.revised', right, parentId, sealed: { name } })
  return present(revised)
}

/** Whoever moves a unit must have a say at both ends: a move widens the rights of those above. */
async function assertPlace(tx: WriteTx, unit: OrgUnit, parentId: string): Promise<void> {
  await assertOrgUnit(tx, parentId)
  const parent = await store.getOrgUnitRow(tx, parentId)
  authorize(tx.ability, 'manage', 'OrgUnit', parent)
  assertMovable(unit, parentId, await store.listIdsBelow(tx.sql, unit.id))
}

function present({ id, key, name, parentId, revision, createdAt }: store.OrgUnitRow): OrgUnit {
  return { id, key, name, parentId, revision, createdAt }
}
