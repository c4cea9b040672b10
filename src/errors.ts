/** The codes a caller can act on. Anything that is not a RegistryError is a bug. */
export type ErrorCode = 'invalid' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'unavailable'

export interface Issue {
  /** JSON pointer into the input (RFC 6901), `''` for the whole. */
  path: string
  message: string
}

interface Details {
  /** The decision right that spoke, as `DR-nn`. */
  rule?: string
  issues?: Issue[]
  /** What was refused to whom, for the log of refusals. */
  denied?: { action: string; kind: string; id: string }
  /** True when the caller's `If-Match` named an older revision. */
  stale?: boolean
  cause?: unknown
}

/** The one error of the domain. Its message tells the person what to do next, in one sentence. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: ErrorCode
  readonly rule: string | undefined
  readonly issues: Issue[]
  readonly denied: Details['denied']
  readonly stale: boolean

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.rule = details.rule
    this.issues = details.issues ?? []
    this.denied = details.denied
    this.stale = details.stale ?? false
  }
}

/** What does not exist and what the caller may not see are told apart by nothing. */
export function notFound(noun: string): RegistryError {
  return new RegistryError('not_found', `there is no such ${noun}, or none that you may see; check its id`)
}

/** @throws RegistryError `invalid` when no field of the change differs from the row */
export function assertChanges(row: object, change: object): void {
  const differs = Object.entries(change).some(([field, value]) => Reflect.get(row, field) !== value)
  if (differs) return
  throw new RegistryError('invalid', 'nothing would change; send at least one field that differs')
}

/**
 * Compare-and-swap on what the caller last saw (`If-Match`, RFC 9110 section 13.1.1).
 * @throws RegistryError `conflict`, marked stale, when the row has moved on.
 */
export function assertRevision(row: { revision: number }, seen: number): void {
  if (row.revision === seen) return
  throw new RegistryError(
    'conflict',
    `this changed since you read it (revision ${row.revision}, you saw ${seen}); read it again, then repeat your change`,
    { stale: true },
  )
}
