// A real ClamAV daemon, with signatures of our own that know EICAR alone: nothing is downloaded.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { scratch } from '../operation/service.js'
import { until } from '../waiting.js'
import { eicar } from './clamd.js'

const program = ['/usr/sbin/clamd', '/usr/local/sbin/clamd', '/opt/homebrew/sbin/clamd'].find(existsSync)

/** Why the tests with it are skipped, unless they have to run; `false` where ClamAV is installed. */
export const noClamav: string | false =
  program === undefined &&
  process.env.ASSENT_TEST_CLAMAV !== 'required' &&
  'clamd is not installed: `npm run test:clamav` installs it, on Debian'

export interface Clamav {
  /** Of its socket. */
  address: { path: string }
  /** What it was started with, in bytes. */
  limits: { stream: number; file: number }
  start(): Promise<void>
  /** @returns when it has ended, or, for a signal that does not end it, at once */
  signal(signal: NodeJS.Signals): Promise<void>
}

const limits = { stream: 2_000_000, file: 1_000_000 }

/** Starts one. It looks into archives, as those of users do, and says so when a file is too large for it. */
export async function startClamav(t: Test): Promise<Clamav> {
  const folder = scratch(t)
  const path = join(folder, 'clamd.sock')
  const settings = join(folder, 'clamd.conf')
  const signatures = join(folder, 'signatures')
  mkdirSync(signatures)
  writeFileSync(join(signatures, 'own.ndb'), `Own.EICAR:0:*:${Buffer.from(eicar).toString('hex')}\n`)
  writeFileSync(
    settings,
    `Foreground yes\nLocalSocket ${path}\nDatabaseDirectory ${signatures}\nTemporaryDirectory ${folder}
StreamMaxLength ${limits.stream}\nMaxFileSize ${limits.file}\nAlertExceedsMax yes\n`,
  )
  let daemon: ChildProcess | undefined
  const signal = async (name: NodeJS.Signals) => {
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
    const exit = once(daemon, 'exit')
    daemon.kill(name)
    if (name === 'SIGKILL') await exit
  }
  const start = async () => {
    await signal('SIGKILL')
    rmSync(path, { force: true })
    daemon = spawn(program ?? 'clamd', ['--config-file', settings], { stdio: 'ignore', cwd: folder })
    await until(async () => existsSync(path))
  }
  t.teardown(async () => await signal('SIGKILL'))
  await start()
  return { address: { path }, limits, start, signal }
}
