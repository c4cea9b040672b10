import pg from 'pg'
import { RegistryError } from '../errors.js'
import { prepareDatabase, startEmbedded } from './embedded.js'
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
  const owner = { connectionString: databaseOwnerUrl ?? databaseUrl }
  await prepareRole(owner)
  const app = { connectionString: databaseUrl, options: '-c role=assent_app' }
  return { name: new URL(databaseUrl).host, owner, app, stop: async () => {} }
}

async function embedded(dataDir: string): Promise<DatabaseLocation> {
  const server = await startEmbedded({ dataDir: `${dataDir}/postgres` })
  await prepareDatabase(server.connection)
  const as = (user: string) => ({ ...server.connection, user, database: 'assent' })
  return { name: `${dataDir}/postgres`, owner: as('assent_owner'), app: as('assent_app'), stop: server.stop }
}

/** `assent_app` may do less than the owner; whoever the URL signs in as must be allowed to become it. */
async function prepareRole(owner: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(owner)
  try {
    await client.connect()
    const { rowCount } = await client.query(`select from pg_roles where rolname = 'assent_app'`)
    if (rowCount === 0) {
      await client.query('create role assent_app nologin')
      await client.query('grant assent_app to current_user')
    }
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

/** Runs `work` on one connection of the owner. */
export async function asOwner<T>(
  { owner }: DatabaseLocation,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(owner)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
