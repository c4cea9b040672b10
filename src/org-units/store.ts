import { asc, eq, type SQL, sql } from 'drizzle-orm'
import { prepareOnce, type Sql } from '../db/client.js'
import { orgUnits } from '../db/schema.js'
import { lock, type ReadTx, type WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import { ROOT_UNIT_ID } from '../ids.js'

export type OrgUnitRow = typeof orgUnits.$inferSelect

/** Where the fields that rights look at come from. */
export const rightsColumns = { id: orgUnits.id }

export async function listOrgUnitRows(tx: ReadTx, where: SQL): Promise<OrgUnitRow[]> {
  return await tx.sql.select().from(orgUnits).where(where).orderBy(asc(orgUnits.key))
}

export async function getOrgUnitRow(tx: ReadTx, id: string): Promise<OrgUnitRow> {
  const [row] = await tx.sql.select().from(orgUnits).where(eq(orgUnits.id, id))
  if (!row) throw notFound('org unit')
  return row
}

export async function isOrgUnit(tx: ReadTx, id: string): Promise<boolean> {
  const isThere = prepareOnce(tx.sql, 'is_org_unit', (name) =>
    tx.sql
      .select({ id: orgUnits.id })
      .from(orgUnits)
      .where(eq(orgUnits.id, sql.placeholder('id')))
      .prepare(name),
  )
  return (await isThere.execute({ id })).length > 0
}

export async function lockOrgUnit(tx: WriteTx, id: string): Promise<OrgUnitRow> {
  return await lock(tx, orgUnits, id, 'org unit')
}

/** Two moves at once could close a circle; the root's lock lets one at a time look at the tree. */
export async function lockTree(tx: WriteTx): Promise<void> {
  await lockOrgUnit(tx, ROOT_UNIT_ID)
}

export async function insertOrgUnit(tx: WriteTx, unit: typeof orgUnits.$inferInsert): Promise<OrgUnitRow> {
  const [row] = await tx.sql.insert(orgUnits).values(unit).onConflictDoNothing().returning()
  if (!row) throw new RegistryError('conflict', `there is a unit "${unit.key}" already; choose another key`)
  return row
}

/** Parents before their children, in one statement. */
export async function insertOrgUnits(
  tx: WriteTx,
  units: { id: string; key: string; name: string; parentId: string }[],
): Promise<OrgUnitRow[]> {
  if (units.length === 0) return []
  const createdAt = tx.now
  const rows = await tx.sql
    .insert(orgUnits)
    .values(units.map((unit) => ({ ...unit, createdAt })))
    .onConflictDoNothing()
    .returning()
  if (rows.length === units.length) return rows
  throw new RegistryError('conflict', 'somebody added a unit with one of these keys just now; try again')
}

export async function updateOrgUnit(
  tx: WriteTx,
  unit: OrgUnitRow,
  change: Partial<Pick<OrgUnitRow, 'name' | 'parentId'>>,
): Promise<OrgUnitRow> {
  const [row] = await tx.sql
    .update(orgUnits)
    .set({ ...change, revision: unit.revision + 1 })
    .where(eq(orgUnits.id, unit.id))
    .returning()
  return row ?? unit
}

/** Keys of a unit and of all units above it. */
export async function listKeysAbove(tx: ReadTx, id: string): Promise<string[]> {
  const { rows } = await tx.sql.execute<{ key: string }>(sql`
    with recursive above as (
      select key, parent_id from ${orgUnits} where id = ${id}
      union select u.key, u.parent_id from ${orgUnits} u join above a on u.id = a.parent_id)
    select key from above`)
  return rows.map((row) => row.key)
}

/** Ids of a unit and of everything below it. */
export async function listIdsBelow(on: Sql, id: string): Promise<string[]> {
  const { rows } = await on.execute<{ id: string }>(sql`
    with recursive below as (
      select id from ${orgUnits} where id = ${id}
      union select u.id from ${orgUnits} u join below b on u.parent_id = b.id)
    select id from below`)
  return rows.map((row) => row.id)
}
