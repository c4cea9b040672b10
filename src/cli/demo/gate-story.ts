import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { projectRoot } from '../../config.js'
import type { Stage } from './stage.js'
import type { Telling } from './telling.js'

export async function bindPipeline(stage: Stage, keys: string[]): Promise<void> {
  for (const key of keys) {
    const path = `/v1/use-cases/${key}/pipelines`
    await stage.administrator.post(path, { personId: stage.pipeline.id })
  }
}

/** Asks as the pipeline does. */
export async function askGate(
  stage: Stage,
  telling: Telling,
  key: string,
  more: string[] = [],
): Promise<void> {
  const args = ['gate', 'check', '--use-case', key, '--environment', 'production', ...more]
  await tellCommand(stage, telling, args, stage.pipeline.token)
}

/** Runs the command line against the demo, and tells what it says and how it exits. */
export async function tellCommand(
  { url }: Stage,
  telling: Telling,
  args: string[],
  token: string,
): Promise<void> {
  const { output, code } = await runCommand(args, { ASSENT_URL: url, ASSENT_TOKEN: token })
  telling.say(`$ assent ${args.join(' ')}`)
  for (const line of output.trim().split('\n')) telling.say(`    ${line}`)
  telling.say(`    exit ${code}`)
}

async function runCommand(
  args: string[],
  env: Record<string, string>,
): Promise<{ output: string; code: number }> {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/cli/main.js'), ...args], { env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  return { output, code }
}
