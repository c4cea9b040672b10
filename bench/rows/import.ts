import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../bench.js'
import { type Served, startService } from '../children.js'
import { alternate, type Finding, secondsOf } from '../finding.js'

const FILE = 'us-federal/2024-consolidated-v2.cp1252.csv'
const ROWS = 2133

/** A register of a government, into an empty one, and the same file once more. Both are previewed and applied. */
export async function importRow({ options, cluster }: Bench): Promise<Finding[]> {
  const folder = process.env.ASSENT_TEST_DATA
  const file = folder && new Blob([readFileSync(join(folder, FILE))])
  let service: Served | undefined
  let token = ''
  try {
    const { first, again } = await alternate(options, {
      first: async () => {
        if (!file) return undefined
        await service?.stop()
        service = await startService(await cluster.empty('assent_import'), { profile: options.profile })
        token = await signIn(service)
        return await secondsToImport(service, token, file, { created: ROWS })
      },
      again: async () =>
        file && service ? await secondsToImport(service, token, file, { created: 0 }) : undefined,
    })
    const deed = `import ${ROWS.toLocaleString('en')} rows`
    return [
      { deed, size: 0, unit: 's', ours: first, bar: { atMost: 3 } },
      { deed: `${deed} again`, size: ROWS, unit: 's', ours: again, bar: { atMost: 2 } },
    ]
  } finally {
    await service?.stop()
  }
}

async function signIn({ origin, firstSignIn }: Served): Promise<string> {
  const body = JSON.stringify({ code: firstSignIn, name: 'Administrator' })
  const headers = { 'content-type': 'application/json' }
  const { secret } = await ask<{ secret: string }>(`${origin}/v1/first-sign-in`, { body, headers })
  return secret
}

interface Imported {
  id: string
  revision: number
  counts: { rows: number; created: number }
}

/** @throws Error unless every row was read and as many use cases were registered as should be */
async function secondsToImport(
  { origin }: Served,
  token: string,
  file: Blob,
  expected: { created: number },
): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return await secondsOf(async () => {
    const body = new FormData()
    body.append('file', file, 'register.csv')
    const { id, revision } = await ask<Imported>(`${origin}/v1/imports`, { body, headers })
    const seen = { ...headers, 'if-match': `"${revision}"` }
    const { counts } = await ask<Imported>(`${origin}/v1/imports/${id}/application`, { headers: seen })
    if (counts.rows === ROWS && counts.created <= expected.created) return
    throw new Error(`the import came out as ${JSON.stringify(counts)}`)
  })
}

async function ask<T>(url: string, request: RequestInit): Promise<T> {
  const response = await fetch(url, { method: 'POST', ...request })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}
