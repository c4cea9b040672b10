import { createRequire } from 'node:module'
import type { Load, LoadRequest } from './load.js'

interface Sent {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

/** What autocannon keeps from a request to its answer. */
interface Context {
  asked?: LoadRequest
}

interface Step {
  setupRequest(request: Sent, context: Context): Sent
  onResponse(status: number, body: string, context: Context): void
}

interface Options {
  url: string
  connections: number
  duration: number
  requests: Step[]
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
  const result = await autocannon({ url, connections, duration, requests: [inTurn(load)] })
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`autocannon reports ${result.non2xx} refusals and ${result.errors} errors`)
  }
  return result.requests.average
}

/** One after another, each with the revision that its last answer left. */
function inTurn({ method, requests }: Load): Step {
  const answered = new Map<LoadRequest, number>()
  let turn = 0
  return {
    setupRequest(request, context) {
      const asked = requests[turn % requests.length] ?? { path: '/' }
      context.asked = asked
      turn += 1
      const headers: Record<string, string> = {}
      if (asked.token) headers.authorization = `Bearer ${asked.token}`
      if (asked.revision) headers['if-match'] = `"${asked.revision + (answered.get(asked) ?? 0)}"`
      if (asked.body) headers['content-type'] = 'application/json'
      return {
        ...request,
        method,
        path: asked.path,
        headers,
        body: asked.body?.replaceAll('{turn}', String(turn)),
      }
    },
    onResponse(_status, _body, { asked }) {
      if (asked?.revision) answered.set(asked, (answered.get(asked) ?? 0) + 1)
    },
  }
}
