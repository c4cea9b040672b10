import { pipeline } from 'node:stream/promises'
import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { RegistryError } from '../../errors.js'
import { runMigrations, shippedMigrations } from '../migrate.js'
import { pgErrorOf } from '../pg-error.js'
import { damaged } from './archive.js'
import { columnList, inPublic, listForeignKeys, listTables, textForms } from './catalog.js'
import type { Manifest } from './manifest.js'
import { readBackup } from './read.js'

export interface RestoreTarget {
  /** Connected as the owner of the schema. */
  client: pg.Client
  /** Where the bytes of evidence will lie. */
  evidence: {
    has(digest: string): Promise<boolean>
    put(bytes: AsyncIterable<Uint8Array>, expected: string): Promise<unknown>
    /** Asked for bytes that no row names. */
    remove(digest: string): Promise<void>
  }
}

/**
 * Fills an empty database from a backup that {@link readBackup} found whole, and brings it up to this version: all of
 * it or nothing.
 * @throws RegistryError `conflict` when the database is not empty or the backup is of a newer version, `invalid` when
 *   the backup is damaged, `unavailable` when something is in the way
 */
export async function restore(target: RestoreTarget, file: string, manifest: Manifest): Promise<void> {
  const { client, evidence } = target
  const kept: string[] = []
  try {
    await client.query('begin')
    await client.query(`set local lock_timeout = '30s'; ${textForms}`)
    await assertEmpty(client)
    await rebuildSchema(client, manifest)
    await loadAll(target, file, manifest, kept)
    await assertGapless(client)
    await runMigrations(client)
    // where the files lie from now on, nobody has said yet how long they stay
    await client.query(
      'update stored_blob set told_at = null, held = null, retain_until = null where told_at is not null',
    )
  } catch (error) {
    await client.query('rollback').catch(() => {})
    // what a bucket has locked by default stays, and is collected as an orphan once it may go
    for (const digest of kept) await evidence.remove(digest).catch(() => {})
    throw unfinished(error, 'nothing was kept; mend that and try again')
  }
  // from here on the rows may be there, so their evidence stays
  await client.query('commit').catch((error) => {
    throw unfinished(error, 'whether it counts is not known; restore into another empty database')
  })
  await client.query('analyze').catch(() => {}) // plans are right at once; without it they are a little later
}

function unfinished(error: unknown, sequel: string): RegistryError {
  if (error instanceof RegistryError) return error
  const message = `the restore did not finish (${(error as Error).message}); ${sequel}`
  return new RegistryError('unavailable', message, { cause: error })
}

/** @throws RegistryError `conflict` when this version cannot bring such a backup up to itself */
export function assertRestorable({ migrations, assent }: Manifest): void {
  const shipped = shippedMigrations()
  for (const [index, { name, digest }] of migrations.entries()) {
    if (shipped[index]?.name === name && shipped[index].digest === digest) continue
    const message = `the backup was made by Assent ${assent}, whose ${name} this version does not know; restore it with that version`
    throw new RegistryError('conflict', message)
  }
}

async function assertEmpty(client: pg.Client): Promise<void> {
  const [table] = await listTables(client)
  if (!table) return
  const message = `the database is not empty (it has a table ${table.name}); restore into one that is`
  throw new RegistryError('conflict', message)
}

/** The tables as they were when the backup was made. */
async function rebuildSchema(client: pg.Client, { migrations, tables }: Manifest): Promise<void> {
  await runMigrations(client, shippedMigrations().slice(0, migrations.length))
  const made = await listTables(client)
  const names = made.map(({ name }) => inPublic(name))
  for (const [index, { name, columns }] of tables.entries()) {
    const isSame = made[index]?.name === name && made[index].columns.join() === columns.join()
    if (!isSame) {
      throw new RegistryError('invalid', `the backup's table ${name} is not as its migrations make it`)
    }
  }
  if (made.length !== tables.length) throw new RegistryError('invalid', 'the backup lacks a table')
  await client.query(`truncate ${names.join(', ')}`)
}

/**
 * Loads without foreign keys and puts them back afterwards: so the order of the tables does not matter, and every row
 * is checked, all of a table at once.
 */
async function loadAll(
  target: RestoreTarget,
  file: string,
  manifest: Manifest,
  kept: string[],
): Promise<void> {
  const { client, evidence } = target
  const keys = await listForeignKeys(client)
  for (const { table, name } of keys) {
    await client.query(`alter table ${inPublic(table)} drop constraint ${pg.escapeIdentifier(name)}`)
  }
  const again = await readBackup(file, {
    table: async (name, rows) => await loadTable(client, manifest, name, rows),
    async evidence(digest, bytes) {
      if (!(await evidence.has(digest))) kept.push(digest)
      await evidence.put(bytes, digest)
    },
  })
  if (!isDeepStrictEqual(again, manifest)) throw damaged('its manifest, which changed while it was read')
  for (const { table, name, definition } of keys) {
    const add = `alter table ${inPublic(table)} add constraint ${pg.escapeIdentifier(name)} ${definition}`
    await client.query(add).catch(misfit(table))
  }
  for (const { name, lastValue, isCalled } of manifest.sequences) {
    await client.query('select setval($1::regclass, $2, $3)', [inPublic(name), lastValue, isCalled])
  }
}

async function loadTable(
  client: pg.Client,
  { tables }: Manifest,
  name: string,
  rows: AsyncIterable<Uint8Array>,
): Promise<void> {
  const table = tables.find((known) => known.name === name)
  if (!table) throw damaged(name)
  const loading = client.query(copyFrom(`copy ${inPublic(name)} (${columnList(table.columns)}) from stdin`))
  await pipeline(rows, loading).catch(misfit(name))
  if (loading.rowCount !== table.rows) throw damaged(name)
}

/** Only a backup that was made up, seal and all, comes as far as this. */
function misfit(table: string): (error: unknown) => never {
  return (error) => {
    if (!pgErrorOf(error)) throw error
    const { message } = error as Error
    throw new RegistryError(
      'invalid',
      `the backup's rows of ${table} break a rule of the database: ${message}`,
      {
        cause: error,
      },
    )
  }
}

/** Every change has its event, numbered from 1 without a gap: a backup of a whole database always has. */
async function assertGapless(client: pg.Client): Promise<void> {
  const { rowCount: gaps } = await client.query(`select from audit_event group by aggregate_id
    having min(event_no) <> 1 or max(event_no) <> count(*) limit 1`)
  if (gaps) throw new RegistryError('invalid', 'the backup lacks events; use another one')
  for (const { name, columns } of await listTables(client)) {
    if (!columns.includes('last_event_no')) continue
    const { rowCount: astray } = await client.query(`select from ${inPublic(name)} a
      left join (select aggregate_id, max(event_no) as no from audit_event group by aggregate_id) e
        on e.aggregate_id = a.id
      where a.last_event_no <> coalesce(e.no, 0) limit 1`)
    if (astray) {
      throw new RegistryError('invalid', `the backup's ${name} and events do not agree; use another one`)
    }
  }
}
