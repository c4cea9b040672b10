import { execFile, type SpawnOptions, spawnSync } from 'node:child_process'
import { chownSync, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { RegistryError } from '../errors.js'
import type { Binaries } from './embedded-binaries.js'

/** Who runs PostgreSQL, which refuses to run as root. */
export interface Account {
  command(file: string, args: string[]): Command
  /** Gives a file to the account. */
  give(path: string): void
}

interface Command {
  file: string
  args: string[]
  options: SpawnOptions
}

interface Identity {
  uid: number
  gid: number
}

const runFile = promisify(execFile)

/**
 * The account for a data directory: as root the owner of the directory, else `postgres` or `nobody`; otherwise
 * whoever runs Assent.
 * @throws RegistryError `unavailable` when that account cannot run the binaries or reach the directory.
 */
export async function chooseAccount(binaries: Binaries, directory: string): Promise<Account> {
  const identity = isRoot() ? await findIdentity(directory) : undefined
  const accounts = identity ? [runAs(identity), runAs(identity, true)] : [runAs()]
  let failure: unknown
  for (const account of accounts) {
    try {
      await probe(account, binaries.postgres, dirname(directory))
      return account
    } catch (error) {
      failure = error
    }
  }
  throw new RegistryError('unavailable', explain(binaries, directory), { cause: failure })
}

/** Environment of every PostgreSQL process: none of ours, since `PG…` variables would change what it does. */
export const environment = { LC_ALL: 'C', TZ: 'UTC' }

/** Runs a command of the account to its end and returns what it printed. */
export async function run(account: Account, program: string, programArgs: string[]): Promise<string> {
  const { file, args, options } = account.command(program, programArgs)
  const { uid, gid } = options
  const { stdout } = await runFile(file, args, { cwd: '/', env: environment, uid, gid, encoding: 'utf8' })
  return stdout
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

async function findIdentity(directory: string): Promise<Identity> {
  const owner = existsSync(directory) ? statSync(directory) : undefined
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  return (await lookUp('postgres')) ?? (await lookUp('nobody')) ?? { uid: 65534, gid: 65534 }
}

async function lookUp(name: string): Promise<Identity | undefined> {
  try {
    const [uid, gid] = await Promise.all([runFile('id', ['-u', name]), runFile('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

/**
 * @param passing lets a non-root account pass directories that are closed to it, as a checkout under `/root` is:
 *   PostgreSQL keeps that one capability and no other right of root
 */
function runAs(identity?: Identity, passing = false): Account {
  const give = (path: string) => identity && chownSync(path, identity.uid, identity.gid)
  if (!hasSetpriv()) return { give, command: (file, args) => ({ file, args, options: { ...identity } }) }
  const drop = identity ? [`--reuid=${identity.uid}`, `--regid=${identity.gid}`, '--clear-groups'] : []
  const keep = passing ? ['--inh-caps=-all,+dac_override', '--ambient-caps=-all,+dac_override'] : []
  // PostgreSQL stops when Assent dies, however Assent dies
  const prefix = [...drop, ...keep, '--pdeathsig', 'INT', '--']
  return {
    give,
    command: (file, args) => ({ file: 'setpriv', args: [...prefix, file, ...args], options: {} }),
  }
}

function hasSetpriv(): boolean {
  return spawnSync('setpriv', ['--pdeathsig', 'INT', '--', 'true']).status === 0
}

async function probe(account: Account, postgres: string, parent: string): Promise<void> {
  await run(account, 'sh', ['-c', '"$1" --version && test -x "$2"', 'sh', postgres, parent])
}

function explain({ postgres }: Binaries, directory: string): string {
  return isRoot()
    ? `no account but root can run ${postgres} and reach ${directory}: start Assent as a normal user, or set DATABASE_URL`
    : `${postgres} does not run here, or ${directory} cannot be reached: mend that, or set DATABASE_URL`
}
