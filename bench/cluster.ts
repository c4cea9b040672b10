import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { digestOfJson } from '../src/audit/digest.js'
import { type EmbeddedServer, prepareDatabase, startEmbedded } from '../src/db/embedded.js'
import { migrate, shippedMigrations } from '../src/db/migrate.js'
import { type Account, seed } from './seed/seed.js'

export type Role = 'assent_app' | 'assent_owner'

/** One database of the cluster, as people and programs reach it. */
export interface Place {
  host: string
  database: string
}

/** A register that is full, and who may ask it. */
export interface Register extends Place {
  size: number
  accounts: Account[]
}

/** The PostgreSQL of one run, with the settings that Assent serves with, over databases that are seeded already. */
export interface Cluster {
  registers: Register[]
  /** An empty, migrated database. */
  empty(name: string): Promise<Place>
  /** A migrated database that a row fills for itself, with as many use cases as it says. */
  filled(
    name: string,
    size: number,
    fill: (superuser: pg.ClientConfig) => Promise<Account[]>,
  ): Promise<Register>
  stop(): Promise<void>
}

/** @param say is told what takes long */
export async function openCluster(
  sizes: number[],
  data: string | undefined,
  say: (text: string) => void,
): Promise<Cluster> {
  const folder = data === undefined ? temporaryFolder() : resolve(data)
  mkdirSync(folder, { recursive: true })
  const dataDir = join(folder, 'postgres')
  await seedMissing(dataDir, folder, sizes, say)
  const server = await startEmbedded({ dataDir })
  const host = server.socketDir
  const registers = sizes.map((size) => ({
    host,
    database: nameOf(size),
    size,
    accounts: findAccounts(folder, size) ?? [],
  }))
  return {
    registers,
    empty: async (name) => await makeDatabase(server, name),
    async filled(name, size, fill) {
      const place = await makeDatabase(server, name)
      const accounts = await fill({ ...server.connection, database: place.database })
      return { ...place, size, accounts }
    },
    async stop() {
      await server.stop()
      if (data === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function urlOf({ host, database }: Place, role: Role): string {
  return `postgres://${role}@localhost/${database}?host=${encodeURIComponent(host)}`
}

/** As root, PostgreSQL runs as another user, who has to get there. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assent-bench-'))
  chmodSync(folder, 0o755)
  return folder
}

const nameOf = (size: number): string => `assent_${size}`
const accountsFile = (folder: string, size: number): string => join(folder, `accounts-${size}.json`)

/** Undefined where there is no register of this size, or one that other migrations made. */
function findAccounts(folder: string, size: number): Account[] | undefined {
  if (!existsSync(accountsFile(folder, size))) return undefined
  const { schema, accounts } = JSON.parse(readFileSync(accountsFile(folder, size), 'utf8'))
  return schema === schemaDigest() ? accounts : undefined
}

const schemaDigest = (): string => digestOfJson(shippedMigrations().map(({ digest }) => digest))

/** Seeded on a server that never waits for the disk, which is stopped before anything is measured. */
async function seedMissing(
  dataDir: string,
  folder: string,
  sizes: number[],
  say: (text: string) => void,
): Promise<void> {
  const missing = sizes.filter((size) => findAccounts(folder, size) === undefined)
  if (missing.length === 0) return
  const settings = { max_wal_size: '16GB', shared_buffers: '512MB', autovacuum: 'off' }
  const server = await startEmbedded({ dataDir, durable: false, settings })
  try {
    for (const size of missing) {
      say(`seeding ${size.toLocaleString('en')} use cases`)
      const place = await makeDatabase(server, nameOf(size))
      const accounts = await seed({ ...server.connection, database: place.database }, size)
      writeFileSync(accountsFile(folder, size), JSON.stringify({ schema: schemaDigest(), accounts }), {
        mode: 0o600,
      })
    }
  } finally {
    await server.stop()
  }
  execFileSync('sync')
}

async function makeDatabase(server: EmbeddedServer, database: string): Promise<Place> {
  const superuser = new pg.Client(server.connection)
  await superuser.connect()
  await superuser.query(`drop database if exists ${pg.escapeIdentifier(database)} with (force)`)
  await superuser.end()
  await prepareDatabase(server.connection, database)
  const owner = new pg.Client({ ...server.connection, database, user: 'assent_owner' })
  await owner.connect()
  await migrate(owner)
  await owner.end()
  return { host: server.socketDir, database }
}
