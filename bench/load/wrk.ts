import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../../src/config.js'
import { run } from '../tools.js'
import type { Load, LoadRequest } from './load.js'

/** @throws Error unless every answer was a 2xx */
export async function loadByWrk(load: Load): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'assent-bench-'))
  try {
    const list = join(folder, 'requests.tsv')
    writeFileSync(list, load.requests.map(lineOf).join('\n'))
    const output = await run('wrk', [
      ...['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '10s'],
      ...['-s', join(projectRoot, 'bench/load/requests.lua'), load.origin],
      ...['--', list, load.method],
    ])
    return readRate(output)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function lineOf({ path, token, revision, body }: LoadRequest): string {
  return [path, token, revision, body].join('\t')
}

function readRate(output: string): number {
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]
  const trouble = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(output)?.[0]
  if (rate === undefined || trouble) throw new Error(`wrk reports ${trouble ?? output}`)
  return Number(rate)
}
