import { setTimeout as wait } from 'node:timers/promises'
import { isHere } from '../tools.js'
import { loadByAutocannon } from './autocannon.js'
import { loadByWrk } from './wrk.js'

/** Many requests of one kind, sent in turn, over and over, by as many connections as given. */
export interface Load {
  origin: string
  method: 'GET' | 'POST' | 'PATCH'
  requests: LoadRequest[]
  connections: number
  seconds: number
}

export interface LoadRequest {
  path: string
  token?: string
  /** For If-Match; one more each time the list begins anew. */
  revision?: number
  /** JSON; each `{turn}` in it becomes the number of the request, so that no two are the same. */
  body?: string
}

/** The load ends in the middle of requests: these are served before anything else is measured. */
const SETTLING_MS = 300

export const loadTool = (): string => (isHere('wrk') ? 'wrk' : 'autocannon')

/**
 * Sends as many as it can.
 * @returns answered requests a second
 * @throws Error unless every answer was a 2xx
 */
export async function requestsPerSecond(load: Load): Promise<number> {
  const rate = isHere('wrk') ? await loadByWrk(load) : await loadByAutocannon(load)
  await wait(SETTLING_MS)
  return rate
}
