import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { RegistryError } from '../errors.js'
import { type Account, chooseAccount, environment } from './embedded-account.js'
import { type Binaries, findBinaries } from './embedded-binaries.js'
import {
  assertOwn,
  clusterPrefix,
  createCluster,
  freeDirectory,
  holdsCluster,
  lastLine,
  readHolder,
} from './embedded-directory.js'

const PATIENCE_MS = 15_000

type Settings = Record<string, string | number>

export interface EmbeddedOptions {
  /** Made when it is not there. Its log lies beside it, as `<dataDir>.log`. */
  dataDir: string
  /** Server settings, by their names in postgresql.conf. */
  settings?: Settings
  /** False leaves out every fsync: for tests, never for data. */
  durable?: boolean
}

export interface EmbeddedServer {
  /** The superuser. The socket's folder admits only the account that runs PostgreSQL, and root. */
  connection: { host: string; port: number; user: string; database: string }
  socketDir: string
  /** Ends every session and stops the server; a second call changes nothing. */
  stop(): Promise<void>
}

interface Launch {
  account: Account
  binaries: Binaries
  directory: string
  socketDir: string
  settings: Settings
}

/**
 * Starts PostgreSQL 18 from an npm package over a data directory, reachable through a unix socket alone. It is started
 * again when it dies, and stops with this process.
 * @throws RegistryError `unavailable` when it cannot run here or the directory is in use.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { settings = {}, durable = true } = options
  const directory = checkedPath(options.dataDir)
  const binaries = findBinaries()
  makeFolder(dirname(directory))
  assertOwn(directory)
  await freeDirectory(directory)
  const account = await chooseAccount(binaries, directory)
  if (!holdsCluster(directory)) await createCluster(account, binaries, directory, durable)
  const socketDir = chooseSocketDir(account, directory)
  const haste: Settings = durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }
  return await keepRunning({ account, binaries, directory, socketDir, settings: { ...haste, ...settings } })
}

/**
 * Makes the two roles and the database of Assent where they are missing: `assent_owner` migrates, `assent_app` serves.
 * @param superuser may be any role that can create roles and databases
 */
export async function prepareDatabase(superuser: pg.ClientConfig, database = 'assent'): Promise<void> {
  const client = new pg.Client(superuser)
  await client.connect()
  try {
    for (const role of ['assent_owner', 'assent_app']) await unlessThere(client, `create role ${role} login`)
    const name = pg.escapeIdentifier(database)
    await unlessThere(client, `create database ${name} owner assent_owner`)
    await client.query(`revoke all on database ${name} from public`)
    await client.query(`grant connect on database ${name} to assent_app`)
  } finally {
    await client.end()
  }
}

async function unlessThere(client: pg.Client, statement: string): Promise<void> {
  try {
    await client.query(statement)
  } catch (error) {
    // duplicate_object, duplicate_database
    if (!['42710', '42P04'].includes((error as pg.DatabaseError).code ?? '')) throw error
  }
}

function checkedPath(dataDir: string): string {
  const directory = resolve(dataDir)
  if (!/[\r\n]/.test(directory)) return directory
  throw new RegistryError(
    'unavailable',
    'the data directory has a line break in its name: choose another one',
  )
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    throw new RegistryError('unavailable', `${path} cannot be made: choose another data directory`, { cause })
  }
}

/** The data directory itself, unless its path is too long for a socket (sun_path, 107 bytes) or needs quoting. */
function chooseSocketDir(account: Account, directory: string): string {
  if (/^[\w./-]{1,80}$/.test(directory)) return directory
  const base = /^[\w./-]{1,60}$/.test(tmpdir()) ? tmpdir() : '/tmp'
  const socketDir = mkdtempSync(join(base, 'assent-'))
  account.give(socketDir)
  return socketDir
}

async function keepRunning(launch: Launch): Promise<EmbeddedServer> {
  let stopping = false
  let restarted = Promise.resolve()
  let child: ChildProcess
  const start = async () => {
    child = await launchServer(launch)
    child.once('exit', () => {
      restarted = restart()
    })
  }
  const restart = async () => {
    while (!stopping) {
      await wait(200) // the sessions of the dead server end first
      const failed = await start().catch(() => true)
      if (!failed) return
    }
  }
  await patiently(start)
  const stop = async () => {
    stopping = true
    await restarted
    await stopServer(child)
    if (launch.socketDir !== launch.directory) rmSync(launch.socketDir, { recursive: true, force: true })
  }
  const connection = { host: launch.socketDir, port: 5432, user: 'postgres', database: 'postgres' }
  return { connection, socketDir: launch.socketDir, stop }
}

/** Sessions of a server that was killed end with their statements, and until then its memory is theirs. */
async function patiently(start: () => Promise<void>): Promise<void> {
  for (const began = performance.now(); ; await wait(100)) {
    try {
      return await start()
    } catch (error) {
      const isHeld = /shared memory block .* is still in use/.test((error as Error).message)
      if (!isHeld || performance.now() - began > PATIENCE_MS) throw error
    }
  }
}

async function launchServer(launch: Launch): Promise<ChildProcess> {
  const child = spawnServer(launch)
  const gone = new Promise<void>((resolve) => child.once('exit', resolve).once('error', resolve))
  let exited = false
  void gone.then(() => {
    exited = true
  })
  while (!exited) {
    const holder = readHolder(launch.directory)
    if (holder?.pid === child.pid && holder?.ready) return child
    await Promise.race([wait(10), gone])
  }
  await freeDirectory(launch.directory)
  const log = readFileSync(`${launch.directory}.log`, 'utf8')
  const reason = log.match(/FATAL: .*/)?.[0] ?? lastLine({ message: log })
  throw new RegistryError('unavailable', `PostgreSQL did not start in ${launch.directory}: ${reason}`)
}

function spawnServer({ account, binaries, directory, socketDir, settings }: Launch): ChildProcess {
  const all = {
    listen_addresses: '',
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
    port: 5432,
    cluster_name: `${clusterPrefix}${process.pid}`,
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const { file, args, options } = account.command(binaries.postgres, ['-D', directory, ...flags])
  const log = openSync(`${directory}.log`, 'w', 0o600)
  // a group of its own: Ctrl-C reaches Assent, which drains its requests before it stops the server
  const detached = true
  const child = spawn(file, args, {
    ...options,
    detached,
    cwd: '/',
    env: environment,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  return child
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGINT')
  })
}
