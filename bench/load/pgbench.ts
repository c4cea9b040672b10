import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../../src/config.js'
import type { Register } from '../cluster.js'
import { isHere, run } from '../tools.js'

interface Script {
  name: 'ask' | 'revise'
  /** False leaves out what writes the event. */
  audited: boolean
  seconds: number
  variables?: Record<string, string>
}

const CLIENTS = 8

/**
 * Runs one of the scripts as fast as PostgreSQL can, its statements prepared.
 * @returns transactions a second; undefined where pgbench is missing
 */
export async function transactionsPerSecond(
  { host, database, size }: Register,
  { name, audited, seconds, variables = {} }: Script,
): Promise<number | undefined> {
  if (!isHere('pgbench')) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'assent-bench-'))
  try {
    const file = join(folder, 'script.sql')
    const text = readFileSync(join(projectRoot, 'bench/pgbench', `${name}.sql`), 'utf8')
    writeFileSync(file, audited ? text : text.replace(/^-- audit$[\s\S]*^-- end$/m, ''))
    const defines = Object.entries({ size: String(size), ...variables })
    const output = await run('pgbench', [
      ...['-h', host, '-U', 'assent_app', '-n', '-f', file, '-M', 'prepared'],
      ...['-c', String(CLIENTS), '-j', '2', '-T', String(seconds)],
      ...defines.flatMap(([variable, value]) => ['-D', `${variable}=${value}`]),
      database,
    ])
    return readRate(output)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function readRate(output: string): number {
  const rate = /tps = ([\d.]+)/.exec(output)?.[1]
  const failed = /number of failed transactions: ([1-9]\d*)/.exec(output)?.[0]
  if (rate === undefined || failed) throw new Error(`pgbench reports ${failed ?? output}`)
  return Number(rate)
}
