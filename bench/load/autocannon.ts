import { createRequire } from 'node:module'
import type { Load } from './load.js'

interface Sent {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

interface Options {
  url: string
  connections: number
  duration: number
  requests: { setupRequest(request: Sent): Sent }[]
}

interface Result {
  requests: { average: number }
  non2xx: number
  errors: number
}

/** It comes without types, and these are all that is used of it. */
type Autocannon = (options: Options) => Promise<Result>

/** Where wrk is missing. It costs more of the processor, so the figures are lower, though their ratios hold. */
export async function loadByAutocannon(load: Load): Promise<number> {
  const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon
  const { origin: url, connections, seconds: duration } = load
  const result = await autocannon({ url, connections, duration, requests: [{ setupRequest: inTurn(load) }] })
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`autocannon reports ${result.non2xx} refusals and ${result.errors} errors`)
  }
  return result.requests.average
}

function inTurn({ method, requests }: Load): (request: Sent) => Sent {
  let turn = 0
  return (request) => {
    const { path, token, revision, body } = requests[turn % requests.length] ?? { path: '/' }
    const pass = Math.floor(turn / requests.length)
    const headers: Record<string, string> = {}
    if (token) headers.authorization = `Bearer ${token}`
    if (revision) headers['if-match'] = `"${revision + pass}"`
    if (body) headers['content-type'] = 'application/json'
    turn += 1
    return { ...request, method, path, headers, body: body?.replaceAll('{turn}', String(turn)) }
  }
}
