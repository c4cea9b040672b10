import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { projectRoot } from '../../src/config.js'

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
  ms: number
}

/** Runs `assent` as a process of its own, with these variables and no others. */
export async function assent(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const began = performance.now()
  const main = join(projectRoot, 'dist/src/cli/main.js')
  // `env -i` also takes away what tap would load into each process.
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const command = ['-i', ...variables, process.execPath, main, ...args]
  const child = spawn('env', command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr, ms: performance.now() - began }
}

/** Runs many, a few at a time. */
export async function each<T>(cases: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const left = [...cases]
  const work = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await run(one)
  }
  await Promise.all(Array.from({ length: 4 }, work))
}
