import { join } from 'node:path'
import pg from 'pg'
import { RegistryError } from '../errors.js'
import { prepareDatabase, startEmbedded } from './embedded.js'
import { findSocketDir, holdsCluster } from './embedded-directory.js'
import { pgErrorOf } from './pg-error.js'

interface LocationOptions {
  databaseUrl: string | undefined
  databaseOwnerUrl: string | undefined
  dataDir: string
}

/** Where the data lies: how the owner migrates it, how the service reads and writes it. */
export interface DatabaseLocation {
  /** For people: where the data lies. */
  name: string
  owner: pg.ClientConfig
  app: pg.ClientConfig
  stop(): Promise<void>
}

/**
 * The database of `DATABASE_URL`, or PostgreSQL from an npm package over a folder of ours. The service acts as
 * `assent_app` in both, whoever the URL signs in as.
 */
export async function findDatabase({
  databaseUrl,
  databaseOwnerUrl,
  dataDir,
}: LocationOptions): Promise<DatabaseLocation> {
  if (databaseUrl === undefined) return await embedded(dataDir)
  const location = locateUrl(databaseUrl, databaseOwnerUrl)
  await prepareRole(location.owner)
  return location
}

/**
 * The database as it is, for a command beside the service: PostgreSQL is started only where it does not run, and
 * nothing is made.
 * @throws RegistryError `unavailable` when there is no database.
 */
export async function findExistingDatabase(options: LocationOptions): Promise<DatabaseLocation> {
  const { databaseUrl, databaseOwnerUrl, dataDir } = options
  if (databaseUrl !== undefined) return locateUrl(databaseUrl, databaseOwnerUrl)
  const directory = directoryIn(dataDir)
  if (!holdsCluster(directory)) {
    const message = `there is no database in ${directory}; name yours by ASSENT_DATA_DIR or DATABASE_URL`
    throw new RegistryError('unavailable', message)
  }
  const socketDir = await findSocketDir(directory)
  if (socketDir === undefined) return await embedded(dataDir)
  return locateSocket(directory, { host: socketDir, port: 5432 }, async () => {})
}

async function embedded(dataDir: string): Promise<DatabaseLocation> {
  const directory = directoryIn(dataDir)
  const server = await startEmbedded({ dataDir: directory })
  await prepareDatabase(server.connection)
  return locateSocket(directory, server.connection, server.stop)
}

function directoryIn(dataDir: string): string {
  return join(dataDir, 'postgres')
}

/** @throws RegistryError `invalid` for a URL with `options`, which would take the place of the role we act as */
function locateUrl(databaseUrl: string, databaseOwnerUrl = databaseUrl): DatabaseLocation {
  if (new URL(databaseUrl).searchParams.has('options')) {
    throw new RegistryError(
      'invalid',
      'DATABASE_URL holds options; set them for the role in PostgreSQL instead',
    )
  }
  return {
    name: new URL(databaseUrl).host,
    owner: { connectionString: databaseOwnerUrl },
    app: { connectionString: databaseUrl, options: '-c role=assent_app' },
    stop: async () => {},
  }
}

function locateSocket(
  directory: string,
  { host, port }: { host: string; port: number },
  stop: () => Promise<void>,
): DatabaseLocation {
  const as = (user: string) => ({ host, port, user, database: 'assent' })
  return { name: directory, owner: as('assent_owner'), app: as('assent_app'), stop }
}

/** `assent_app` may do less than the owner; whoever the URL signs in as must be allowed to become it. */
async function prepareRole(owner: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(owner)
  try {
    await client.connect()
    const { rowCount } = await client.query(`select from pg_roles where rolname = 'assent_app'`)
    if (rowCount === 0) await makeRole(client)
  } catch (error) {
    const advice =
      pgErrorOf(error)?.code === '42501'
        ? 'the owner may not create the role assent_app; create it and grant it to the user of DATABASE_URL'
        : 'the database does not answer; check DATABASE_URL'
    throw new RegistryError('unavailable', advice, { cause: error })
  } finally {
    await client.end()
  }
}

/** Both or nothing, unless a process that starts at the same moment makes it first. */
async function makeRole(client: pg.Client): Promise<void> {
  try {
    await client.query('begin; create role assent_app nologin; grant assent_app to current_user; commit')
  } catch (error) {
    await client.query('rollback')
    if (!['42710', '23505'].includes(pgErrorOf(error)?.code ?? '')) throw error
  }
}

/** Runs `work` on one connection of the owner. */
export async function asOwner<T>(
  { owner }: DatabaseLocation,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(owner)
  client.on('error', () => {}) // what is asked of it next fails, and says so
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
