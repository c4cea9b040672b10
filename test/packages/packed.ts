// Packages as auditors get them: unpacked and summed by the tools of the system, and checked by ours.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { checkPackage } from '../../src/cli/package/checking.js'
import type { Checked } from '../../src/cli/package/finding.js'
import type { Person, TestApp } from '../app.js'

interface Packed {
  bytes: Buffer
  headers: Record<string, unknown>
}

export async function fetchPackage(
  { app }: Pick<TestApp, 'app'>,
  { token }: Person,
  path: string,
): Promise<Packed> {
  const answer = await app.inject({
    url: `/v1/packages/${path}`,
    headers: { authorization: `Bearer ${token}` },
  })
  if (answer.statusCode !== 200) throw new Error(answer.payload)
  return { bytes: answer.rawPayload, headers: answer.headers }
}

/** With the tar of the system; answers the folder in it. */
export function unpack(t: Test, bytes: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'assent-package-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  execFileSync('tar', ['-xf', '-', '-C', folder], { input: bytes })
  const [name = '', ...others] = readdirSync(folder)
  t.same(others, [], 'everything lies in one folder')
  return join(folder, name)
}

export function checkSums(folder: string): string {
  return execFileSync('sha256sum', ['-c', '--strict', 'manifest.sha256'], {
    cwd: folder,
    stdio: 'pipe',
  }).toString()
}

/** What `assent package verify` finds. */
export async function verify(bytes: Buffer): Promise<Checked> {
  return await checkPackage(
    (async function* () {
      yield bytes
    })(),
  )
}

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a record by asserting it
export type Records = Record<string, Record<string, any>[]>

/** By the name of the file, without its ending. */
export function readRecords(folder: string): Records {
  const names = readdirSync(folder).filter((name) => name.endsWith('.ndjson'))
  return Object.fromEntries(
    names.map((name) => {
      const lines = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)
      return [name.replace('.ndjson', ''), lines.map((line) => JSON.parse(line))]
    }),
  )
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export function readManifest(folder: string): any {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
}
