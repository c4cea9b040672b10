import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Place, urlOf } from './cluster.js'

/** A process that serves HTTP on loopback. */
export interface Served {
  origin: string
  pid: number
  /** Seconds from the start of the process until it answered requests. */
  startSeconds: number
  /** The one-time code of the first administrator, of a service whose register is empty. */
  firstSignIn: string | undefined
  stop(): Promise<void>
}

/** What a child says when it is ready. */
export interface Ready {
  origin: string
  firstSignIn?: string | undefined
}

/** Nobody is slowed down for asking too much. */
const unlimited = {
  ASSENT_RATE_LIMIT: '1000000',
  ASSENT_GATE_RATE_LIMIT: '10000000',
  ASSENT_SIGN_IN_FAILURE_LIMIT: '100000',
  ASSENT_UPLOAD_LIMIT: '10737418240',
}

/** Known here, to ask for a page without walking there. */
export const cursorSecret = 'known to whoever measures, and to nobody else'

/**
 * One service process, as in production: compiled, one process, its logs switched off.
 * @param place its database; undefined for the embedded one in its own data directory
 */
export async function startService(
  place: Place | undefined,
  { profile, dataDir }: { profile?: string | undefined; dataDir?: string } = {},
): Promise<Served> {
  const own = dataDir === undefined ? mkdtempSync(join(tmpdir(), 'assent-bench-')) : undefined
  const database = place && {
    DATABASE_URL: urlOf(place, 'assent_app'),
    ASSENT_DATABASE_OWNER_URL: urlOf(place, 'assent_owner'),
  }
  const settings = {
    ASSENT_PORT: '0',
    ASSENT_LOG_LEVEL: 'silent',
    ASSENT_DATA_DIR: dataDir ?? own,
    ASSENT_CURSOR_SECRET: cursorSecret,
  }
  const served = await start('service', [], {
    env: { ...unlimited, ...settings, ...database },
    execArgv: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  })
  return {
    ...served,
    async stop() {
      await served.stop()
      if (own) rmSync(own, { recursive: true, force: true })
    },
  }
}

/** The bare routes that ours are compared with. */
export async function startBaseline({ host, database }: Place): Promise<Served> {
  return await start('baseline', [host, database], { env: {}, execArgv: [] })
}

async function start(
  script: string,
  args: string[],
  { env, execArgv }: { env: Record<string, string | undefined>; execArgv: string[] },
): Promise<Served> {
  const began = performance.now()
  const path = fileURLToPath(new URL(`${script}.js`, import.meta.url))
  const child = fork(path, args, { execArgv, env: { PATH: process.env.PATH, ...env } })
  const { origin, firstSignIn } = await ready(child)
  const startSeconds = (performance.now() - began) / 1000
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    if (child.connected) child.disconnect()
    await ended
  }
  return { origin, firstSignIn, startSeconds, pid: child.pid ?? 0, stop }
}

async function ready(child: ChildProcess): Promise<Ready> {
  return await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Ready))
    child.once('exit', (code) =>
      reject(new Error(`${child.spawnargs[1]} ended with ${code} before it was ready`)),
    )
  })
}

/** Forgets the highest memory use so far. Linux only; elsewhere nothing happens. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {}
}

/** The memory a process holds, in MB of 2^20 bytes; undefined where /proc is missing. */
export function residentMegabytes(pid: number): number | undefined {
  return statusMegabytes(pid, 'VmRSS')
}

/** The most memory a process held since, in MB of 2^20 bytes; undefined where /proc is missing. */
export function peakMegabytes(pid: number): number | undefined {
  return statusMegabytes(pid, 'VmHWM')
}

function statusMegabytes(pid: number, name: string): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [, kibibytes] = new RegExp(`${name}:\\s+(\\d+)`).exec(status) ?? []
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024
  } catch {
    return undefined
  }
}
