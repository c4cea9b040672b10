import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import { prepareOnce } from '../db/client.js'
import { systems } from '../db/schema.js'
import { lock, type ReadTx, type WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'

export type SystemRow = typeof systems.$inferSelect

export async function lockSystem(tx: WriteTx, id: string): Promise<SystemRow> {
  return await lock(tx, systems, id, 'system')
}

export async function getSystemRow(tx: ReadTx, id: string): Promise<SystemRow> {
  const [row] = await tx.sql.select().from(systems).where(eq(systems.id, id))
  if (!row) throw notFound('system')
  return row
}

export interface SystemsPage {
  where: SQL
  after: { name: string; id: string } | undefined
  limit: number
}

/** Systems by name; `after` is the last row of the page before. */
export async function listSystemRows(tx: ReadTx, { where, after, limit }: SystemsPage): Promise<SystemRow[]> {
  const beyond = after
    ? sql`(lower(${systems.name}), ${systems.id}) > (lower(${after.name}), ${after.id}::uuid)`
    : undefined
  return await tx.sql
    .select()
    .from(systems)
    .where(and(where, beyond))
    .orderBy(sql`lower(${systems.name})`, asc(systems.id))
    .limit(limit)
}

export async function insertSystem(tx: WriteTx, system: typeof systems.$inferInsert): Promise<SystemRow> {
  const [row] = await tx.sql.insert(systems).values(system).onConflictDoNothing().returning()
  if (!row)
    throw new RegistryError(
      'conflict',
      `there is a system "${system.key}" already; use that one or another key`,
    )
  return row
}

/** What they are is not known, so they are tools until somebody says otherwise. */
export async function insertSystems(
  tx: WriteTx,
  named: { id: string; key: string; name: string }[],
): Promise<SystemRow[]> {
  const rest = { kind: 'tool' as const, vendor: null, description: '', createdAt: tx.now }
  const rows = await tx.sql
    .insert(systems)
    .values(named.map((system) => ({ ...system, ...rest })))
    .onConflictDoNothing()
    .returning()
  if (rows.length === named.length) return rows
  throw new RegistryError('conflict', 'somebody added a system with one of these keys just now; try again')
}

export async function listSystemsCalled(
  tx: ReadTx,
  { names, keys }: { names: string[]; keys: string[] },
): Promise<Pick<SystemRow, 'id' | 'key' | 'name'>[]> {
  if (names.length === 0) return []
  const lowered = names.map((name) => name.toLowerCase())
  const { id, key, name } = systems
  return await tx.sql
    .select({ id, key, name })
    .from(systems)
    .where(
      sql`lower(${name}) = any(${sql.param(lowered)}::text[]) or ${key} = any(${sql.param([...lowered, ...keys])}::text[])`,
    )
}

export async function updateSystem(
  tx: WriteTx,
  system: SystemRow,
  change: Partial<Pick<SystemRow, 'name' | 'vendor' | 'description'>>,
): Promise<SystemRow> {
  const [row] = await tx.sql
    .update(systems)
    .set({ ...change, revision: system.revision + 1 })
    .where(eq(systems.id, system.id))
    .returning()
  return row ?? system
}

export async function listSystemIdsAmong(tx: ReadTx, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const amongThem = sql`${systems.id} = any(${sql.placeholder('ids')}::uuid[])`
  const known = prepareOnce(tx.sql, 'systems_among', (name) =>
    tx.sql.select({ id: systems.id }).from(systems).where(amongThem).prepare(name),
  )
  const rows = await known.execute({ ids })
  return rows.map((row) => row.id)
}
