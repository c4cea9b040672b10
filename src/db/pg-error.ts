interface PgError {
  code: string
  constraint?: string
}

/** The error PostgreSQL reported, under whatever wrapped it. */
export function pgErrorOf(error: unknown): PgError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as Error & { code?: unknown }).code
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return cause as Error & PgError
  }
  return undefined
}

/** True for a unique violation (23505), of the named constraint if one is named. */
export function isDuplicate(error: unknown, constraint?: string): boolean {
  const known = pgErrorOf(error)
  return known?.code === '23505' && (constraint === undefined || known.constraint === constraint)
}

/** True when the same transaction, tried again, may well succeed: serialization failure or deadlock. */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(pgErrorOf(error)?.code ?? '')
}
