import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { digestOf } from '../audit/digest.js'
import { projectRoot } from '../config.js'
import { RegistryError } from '../errors.js'

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
 * Brings the database up to the shipped migrations, each in the same transaction as its entry. A second process
 * waits on the table's lock and then finds nothing left to do.
 * @param owner connected as the owner of the schema
 * @returns the names of the migrations that ran
 * @throws RegistryError `conflict` when the database knows a migration that differs or is newer.
 */
export async function migrate(owner: pg.Client): Promise<string[]> {
  await owner.query(`create table if not exists schema_migration (
    name text primary key, digest text not null, applied_at timestamptz(3) not null default now())`)
  await owner.query('begin')
  try {
    await owner.query('lock table schema_migration in exclusive mode')
    const names = await runPending(owner)
    await owner.query('grant select on schema_migration to assent_app')
    await owner.query('commit')
    return names
  } catch (error) {
    await owner.query('rollback')
    throw error
  }
}

async function runPending(owner: pg.Client): Promise<string[]> {
  const { rows } = await owner.query<{ name: string; digest: string }>(
    'select name, digest from schema_migration',
  )
  const shipped = shippedMigrations()
  for (const row of rows) assertKnown(shipped, row)
  const pending = shipped.filter(({ name }) => !rows.some((row) => row.name === name))
  for (const { name, text, digest } of pending) {
    await owner.query(text)
    await owner.query('insert into schema_migration (name, digest) values ($1, $2)', [name, digest])
  }
  return pending.map(({ name }) => name)
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
