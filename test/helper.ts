import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Test } from 'tap'
import { prepareDatabase } from '../src/db/embedded.js'
import { announce, type Connection, isAlive, openClient, readNews, roleOf } from './database-run.js'

export interface TestDatabase {
  /** As `assent_owner`, who owns the schema. */
  ownerConnection: Connection
  /** As `assent_app`, who serves: what the running Assent may do, and an attacker through it. */
  appConnection: Connection
}

/**
 * A database of the test's own, with both roles and every migration, dropped at its teardown. One server serves the
 * whole run: an embedded one, or that of `ASSENT_TEST_DATABASE_URL` (of a superuser).
 */
export async function createDatabase(t: Test): Promise<TestDatabase> {
  const { connection, prefix } = await findServer()
  const database = `${prefix}${randomBytes(6).toString('hex')}`
  const name = pg.escapeIdentifier(database)
  const template = pg.escapeIdentifier(`${prefix}template`)
  const client = await openClient(connection)
  t.teardown(async () => {
    await client.query(`drop database if exists ${name} with (force)`)
    await client.end()
  })
  await client.query(`create database ${name} template ${template} strategy file_copy owner assent_owner`)
  await prepareDatabase(connection, database)
  return {
    ownerConnection: roleOf(connection, database, 'assent_owner'),
    appConnection: roleOf(connection, database, 'assent_app'),
  }
}

/** Process id of the run: tap starts each file as a child of its own; a file started by hand is a run of its own. */
const run = process.env.TAP_CHILD_ID === undefined ? process.pid : process.ppid
const folder = join(tmpdir(), `assent-test-run-${process.getuid?.() ?? 0}-${run}`)

async function findServer() {
  if (isFirst()) startServer()
  for (;;) {
    const news = readNews(folder)
    if (news && 'error' in news) throw new Error(`no database for the tests: ${news.error}`)
    if (news && !isAlive(news.pid)) throw new Error(`the database of the tests died: remove ${folder}`)
    if (news) return news
    await wait(10)
  }
}

/** Making the folder decides which of the run's files starts the server. */
function isFirst(): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function startServer(): void {
  chmodSync(folder, 0o755) // as root, PostgreSQL runs as another user
  const script = fileURLToPath(new URL('database-server.js', import.meta.url))
  const url = process.env.ASSENT_TEST_DATABASE_URL
  const args = [script, String(run), folder, ...(url ? [url] : [])]
  const log = openSync(join(folder, 'server.log'), 'w')
  const server = spawn(process.execPath, args, {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['ignore', log, log],
  })
  server.once('exit', () => announce(folder, { error: readFileSync(join(folder, 'server.log'), 'utf8') }))
  server.unref()
}
