import { digestOfJson } from '../audit/digest.js'
import type { Idempotency } from '../db/idempotency.js'
import { HttpRefusal, pathOf } from './problem.js'

interface Deed {
  method: string
  url: string
  headers: Record<string, string | string[] | undefined>
  query: unknown
  body: unknown
}

/**
 * The Idempotency-Key of a POST with the digest of what it asks; `undefined` without the header.
 * @param content digest of what the body streamed, when it is not in `request.body`
 * @throws HttpRefusal 400 unless the key has 1 to 200 visible ASCII characters.
 */
export function readIdempotencyKey(request: Deed, content?: string): Idempotency | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined || request.method !== 'POST') return undefined
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    const detail = 'Idempotency-Key must be 1 to 200 visible ASCII characters'
    throw new HttpRefusal({ status: 400, code: 'malformed', detail })
  }
  const { method, url, query, body, headers } = request
  const asked = { method, path: pathOf(url), query, body, content, ifMatch: headers['if-match'] }
  return { key, digest: digestOfJson(asked) }
}
