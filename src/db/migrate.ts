import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { digestOf } from '../audit/digest.js'
import { projectRoot } from '../config.js'
import { RegistryError } from '../errors.js'
import { pgErrorOf } from './pg-error.js'

interface Migration {
  name: string
  text: string
  digest: string
}

/** The migrations the project ships, in order. */
export function shippedMigrations(): Migration[] {
  const folder = join(projectRoot, 'migrations')
  return readdirSync(folder)
    .filter((name) => /^\d{4}_\w+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8')
      return { name, text, digest: digestOf(text) }
    })
}

/**
 * Brings the database up to the shipped migrations, all in one transaction. A second process waits on the table's lock
 * and then finds nothing left to do.
 * @param owner connected as the owner of the schema
 * @returns the names of the migrations that ran
 * @throws RegistryError `conflict` when the database knows a migration that differs or is newer.
 */
export async function migrate(owner: pg.Client): Promise<string[]> {
  await makeTable(owner).catch(unlessJustMade)
  if ((await listPending(owner, shippedMigrations())).length === 0) return []
  await owner.query('begin')
  try {
    const names = await runMigrations(owner)
    await owner.query('commit')
    return names
  } catch (error) {
    await owner.query('rollback')
    throw error
  }
}

/** Runs, in the caller's transaction, those of `wanted` that have not run, each together with its entry. */
export async function runMigrations(owner: pg.Client, wanted = shippedMigrations()): Promise<string[]> {
  await makeTable(owner)
  await owner.query('lock table schema_migration in exclusive mode')
  const pending = await listPending(owner, wanted)
  for (const { name, text, digest } of pending) {
    await owner.query(text)
    await owner.query('insert into schema_migration (name, digest) values ($1, $2)', [name, digest])
  }
  await owner.query('grant select on schema_migration to assent_app')
  return pending.map(({ name }) => name)
}

async function makeTable(owner: pg.Client): Promise<void> {
  await owner.query(`create table if not exists schema_migration (
    name text primary key, digest text not null, applied_at timestamptz(3) not null default now())`)
}

/** "If not exists" is not atomic: a process that starts at the same moment may have made it in between. */
function unlessJustMade(error: unknown): void {
  if (!['23505', '42P07'].includes(pgErrorOf(error)?.code ?? '')) throw error
}

async function listPending(owner: pg.Client, wanted: Migration[]): Promise<Migration[]> {
  const { rows } = await owner.query<{ name: string; digest: string }>(
    'select name, digest from schema_migration',
  )
  const shipped = shippedMigrations()
  for (const row of rows) assertKnown(shipped, row)
  return wanted.filter(({ name }) => !rows.some((row) => row.name === name))
}

function assertKnown(shipped: Migration[], row: { name: string; digest: string }): void {
  const known = shipped.find(({ name }) => name === row.name)
  if (!known) {
    throw new RegistryError(
      'conflict',
      `the database is newer than this Assent (${row.name}); run the newer version`,
    )
  }
  if (known.digest !== row.digest) {
    throw new RegistryError(
      'conflict',
      `${row.name} was changed after it ran; restore it and add a new migration`,
    )
  }
}

/** True when every shipped migration has run: asked by `/readyz` with the rights of the service alone. */
export async function isMigrated(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ name: string }>('select name from schema_migration')
  return shippedMigrations().every(({ name }) => rows.some((row) => row.name === name))
}
