import { createHash } from 'node:crypto'
import { canonicalize } from './canonical.js'

/** SHA-256 of some bytes as `sha256:` and 64 hex digits. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** SHA-256 of the canonical JSON (RFC 8785) of a value. */
export function digestOfJson(value: unknown): string {
  return digestOf(canonicalize(value))
}
