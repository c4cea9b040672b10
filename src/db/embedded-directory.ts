import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { RegistryError } from '../errors.js'
import { type Account, run } from './embedded-account.js'
import type { Binaries } from './embedded-binaries.js'

/** What `postmaster.pid` says. */
export interface Holder {
  pid: number
  socketDir: string
  ready: boolean
}

/** Prefix of the server's `cluster_name`, which ends in the process id of the Assent that started it. */
export const clusterPrefix = 'assent-'

export function readHolder(directory: string): Holder | undefined {
  const lines = readIfThere(join(directory, 'postmaster.pid'))?.split('\n')
  if (!lines?.[0]) return undefined
  return { pid: Number(lines[0]), socketDir: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' }
}

/** Where the server of a directory can be reached, if it runs. */
export async function findSocketDir(directory: string): Promise<string | undefined> {
  const holder = readHolder(directory)
  if (!holder?.ready) return undefined
  return (await answers(join(holder.socketDir, '.s.PGSQL.5432'))) ? holder.socketDir : undefined
}

/**
 * Frees the directory of a server whose Assent died, and refuses one that is in use. A server is an orphan when its
 * parent is no longer the Assent that started it: no recycled process id can forge that.
 * @throws RegistryError `unavailable` when another server holds the directory.
 */
export async function freeDirectory(directory: string): Promise<void> {
  const holder = readHolder(directory)
  if (!holder) return
  const server = findProcess(holder.pid)
  if (!server?.command.includes(directory)) return await removeStalePidFile(directory, holder)
  const starter = starterOf(directory)
  if (server.parent === starter) throw inUse(directory, `process ${starter}`)
  await stopOrphan(directory, holder.pid)
}

/**
 * Makes a new cluster beside the directory and moves it there when it is whole, so a half-made one never counts.
 * @param durable false leaves out fsync, for tests
 */
export async function createCluster(
  account: Account,
  binaries: Binaries,
  directory: string,
  durable: boolean,
): Promise<void> {
  removeHalfMade(directory)
  const draft = `${directory}.draft-${process.pid}`
  try {
    mkdirSync(draft, { mode: 0o700 })
    account.give(draft)
    await run(account, binaries.initdb, ['-D', draft, ...clusterOptions, ...(durable ? [] : ['--no-sync'])])
    renameSync(draft, directory)
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true })
    throw new RegistryError('unavailable', `no database could be made in ${directory}: ${lastLine(cause)}`, {
      cause,
    })
  }
  if (durable) syncFolder(dirname(directory))
}

const clusterOptions = [
  '--username=postgres',
  '--auth-local=trust', // the socket's folder admits its owner alone
  '--auth-host=reject',
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  '--data-checksums',
  '--no-instructions',
]

/** @throws RegistryError `unavailable` when the directory belongs to somebody else. */
export function assertOwn(directory: string): void {
  const user = process.getuid?.()
  if (user === 0 || !existsSync(directory) || statSync(directory).uid === user) return
  const message = `${directory} belongs to another user: start Assent as that user, or choose another data directory`
  throw new RegistryError('unavailable', message)
}

/** @throws RegistryError `unavailable` when the directory holds something else, or another PostgreSQL's cluster. */
export function holdsCluster(directory: string): boolean {
  const version = readIfThere(join(directory, 'PG_VERSION'))?.trim()
  if (version === '18') return true
  if (version !== undefined) {
    const message = `${directory} was written by PostgreSQL ${version}: move it away, or serve it yourself and set DATABASE_URL`
    throw new RegistryError('unavailable', message)
  }
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    const message = `${directory} holds files but no database: empty it, or choose another data directory`
    throw new RegistryError('unavailable', message)
  }
  return false
}

function inUse(directory: string, by: string): RegistryError {
  const message = `another Assent (${by}) is using ${directory}: stop it first, or choose another data directory`
  return new RegistryError('unavailable', message)
}

/** The socket's lock goes too: PostgreSQL takes a server that was killed for alive until its parent has noticed. */
async function removeStalePidFile(directory: string, { socketDir }: Holder): Promise<void> {
  const socket = join(socketDir, '.s.PGSQL.5432')
  if (await answers(socket)) throw inUse(directory, 'in another container')
  rmSync(`${socket}.lock`, { force: true })
  rmSync(join(directory, 'postmaster.pid'), { force: true })
}

async function answers(socket: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => resolve(true)).once('error', () => resolve(false))
    connection.once('connect', () => connection.destroy())
  })
}

async function stopOrphan(directory: string, pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGINT')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return
    const message = `PostgreSQL (process ${pid}) still holds ${directory} and belongs to another user: stop it first`
    throw new RegistryError('unavailable', message, { cause })
  }
  const held = () => readHolder(directory)?.pid === pid && findProcess(pid) !== undefined
  for (let waited = 0; held(); waited += 20) {
    if (waited > 30_000) throw inUse(directory, `its PostgreSQL, process ${pid}, does not stop`)
    await wait(20)
  }
}

/** The process id of the Assent that started the server, from the command line PostgreSQL keeps. */
function starterOf(directory: string): number {
  const command = readIfThere(join(directory, 'postmaster.opts')) ?? ''
  return Number(command.match(new RegExp(`cluster_name=${clusterPrefix}(\\d+)`))?.[1])
}

/** A process of this machine, or undefined when there is none. */
function findProcess(pid: number): { parent: number; command: string } | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)
  if (stat) return { parent: parentIn(stat), command: readIfThere(`/proc/${pid}/cmdline`) ?? '' }
  if (process.platform === 'linux') return undefined
  try {
    const line = execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return { parent: Number.parseInt(line, 10), command: line }
  } catch {
    return undefined
  }
}

/** proc(5): the name in parentheses may itself hold parentheses and spaces; state and parent follow it. */
function parentIn(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function removeHalfMade(directory: string): void {
  const drafts = readdirSync(dirname(directory)).filter((name) =>
    name.startsWith(`${basename(directory)}.draft-`),
  )
  for (const name of drafts) {
    const maker = Number(name.slice(name.lastIndexOf('-') + 1))
    if (maker === process.pid || !findProcess(maker)) {
      rmSync(join(dirname(directory), name), { recursive: true, force: true })
    }
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  return (stderr || message).trim().split('\n').at(-1) ?? ''
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
