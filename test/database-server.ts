// The PostgreSQL of one test run, in a process of its own. It serves every test file and ends when the run has ended,
// however it ended: `node database-server.js <process id of the run> <folder> [url of a superuser]`.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import pg from 'pg'
import { prepareDatabase, startEmbedded } from '../src/db/embedded.js'
import { migrate } from '../src/db/migrate.js'
import { announce, type Connection, isAlive, openClient, roleOf } from './database-run.js'

interface Server {
  connection: Connection
  stop(): Promise<void>
}

const [run = '', folder = '', url] = process.argv.slice(2)
const prefix = `assent_test_${run}_`

try {
  const server = url ? ownServer(url) : await startEmbedded({ dataDir: join(folder, 'db'), durable: false })
  try {
    await makeTemplate(server.connection, `${prefix}template`)
    announce(folder, { connection: server.connection, prefix, pid: process.pid })
    while (isAlive(Number(run))) await wait(100)
    if (url) await dropDatabases(server.connection)
  } finally {
    await server.stop()
  }
} catch (error) {
  announce(folder, { error: inspect(error) })
  while (isAlive(Number(run))) await wait(100)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function ownServer(url: string): Server {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const connection = {
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: password ? decodeURIComponent(password) : undefined,
    database: pathname.slice(1) || 'postgres',
  }
  return { connection, stop: async () => {} }
}

async function makeTemplate(superuser: Connection, database: string): Promise<void> {
  await prepareDatabase(superuser, database)
  const owner = await openClient(roleOf(superuser, database, 'assent_owner'))
  await migrate(owner)
  await owner.end()
}

async function dropDatabases(superuser: Connection): Promise<void> {
  const client = await openClient(superuser)
  const { rows } = await client.query<{ datname: string }>(
    'select datname from pg_database where starts_with(datname, $1)',
    [prefix],
  )
  for (const { datname } of rows) {
    await client.query(`drop database ${pg.escapeIdentifier(datname)} with (force)`)
  }
  await client.end()
}
