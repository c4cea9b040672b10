import { spawn, spawnSync } from 'node:child_process'

export type Tool = 'wrk' | 'psql' | 'pgbench'

const known = new Map<Tool, boolean>()

/** Whether it is on the PATH. */
export function isHere(tool: Tool): boolean {
  const found = known.get(tool) ?? spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0
  known.set(tool, found)
  return found
}

/**
 * Runs a program to its end.
 * @returns what it wrote to standard output
 * @throws Error with its own words when it fails
 */
export async function run(file: string, args: string[]): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${file} failed: ${complaint || output}`)
  return output
}
