// A real Assent in a process of its own, reached over HTTP, which may be killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { ROOT_UNIT_ID } from '../../src/ids.js'
import { makePerson, makeUnit, type TestApp } from '../app.js'
import { type Connection, openClient } from '../database-run.js'
import { makeTeam, type Team } from './register.js'

type Environment = Record<string, string>

export interface Service {
  url: string
  child: ChildProcess
  /** From the start of the process to its first line. */
  startedInMs: number
  ask: TestApp['ask']
  /** Sends a signal; answers the exit code, or `null` when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** A folder of the test's own, outside the checkout, removed at its teardown. */
export function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'assent-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts `assent serve` and waits until it says that it is ready. */
export async function serve(t: Test, env: Environment): Promise<Service> {
  const began = performance.now()
  const child = runCommand('serve', [], { ASSENT_PORT: '0', ASSENT_RATE_LIMIT: '1000000', ...env })
  t.teardown(async () => void (await endChild(child, 'SIGTERM'))) // lets go of its folder
  const output = await readUntil(child, /ready at (\S+)/)
  const url = output.match(/ready at (\S+)/)?.[1]
  if (!url) throw new Error(`it did not start: ${output}`)
  return {
    ...{ url, child, startedInMs: performance.now() - began },
    ask: asking(url),
    end: async (signal) => await endChild(child, signal),
  }
}

/** Runs `assent <command>` to its end. */
export async function runToEnd(command: string, args: string[], env: Environment) {
  const child = runCommand(command, args, env)
  const output = readUntil(child, /$^/)
  const [code] = await once(child, 'exit')
  return { code, output: await output }
}

function runCommand(command: string, args: string[], env: Environment): ChildProcess {
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
  const environment = { PATH: process.env.PATH, ASSENT_LOG_LEVEL: 'silent', ...env }
  return spawn(process.execPath, [main, command, ...args], {
    cwd: '/',
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** What a process prints, until it prints what was waited for or ends. */
async function readUntil(child: ChildProcess, awaited: RegExp): Promise<string> {
  return await new Promise((resolve) => {
    let output = ''
    const read = (chunk: Buffer) => {
      output += chunk
      if (awaited.test(output)) resolve(output)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('close', () => resolve(output))
  })
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exit = once(child, 'exit')
  child.kill(signal)
  return (await exit)[0]
}

function asking(base: string): TestApp['ask'] {
  return async ({ method = 'GET', url, headers = {}, payload }) => {
    const response = await fetch(`${base}${url}`, {
      method,
      headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
      body: payload === undefined ? null : JSON.stringify(payload),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    const body = isJson && text !== '' ? JSON.parse(text) : text
    return { status: response.status, body, headers: Object.fromEntries(response.headers) }
  }
}

/** People who reach the service over HTTP, made behind its back. */
export async function makeTeamAt({ ask }: Service, connection: Connection): Promise<Team> {
  const owner = await openClient(connection)
  const person = async (name: string, holds: Parameters<typeof makePerson>[3]) =>
    await makePerson(owner, ask, name, holds)
  const unit = async (key: string, parentId = ROOT_UNIT_ID) => await makeUnit(owner, key, parentId)
  return await makeTeam({ person, unit }).finally(() => owner.end())
}

/** The owner's way into the embedded database of a data directory, while it runs. */
export function embeddedAt(dataDir: string): Connection {
  return { host: join(dataDir, 'postgres'), port: 5432, user: 'assent_owner', database: 'assent' }
}

/** The process id of the embedded PostgreSQL. */
export function postmasterOf(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10)
}
