import { createHash, randomBytes } from 'node:crypto'

/**
 * Opaque secrets: `assent_<kind>_` + 256 random bits + a checksum of 6 characters, so that a mistyped one never
 * reaches the database and a leaked one is found by a scanner. Only the SHA-256 of the whole is stored.
 */
export type SecretKind = 'sk' | 'pt' | 'key' | 'first' | 'recover'

const FORM = /^assent_(sk|pt|key|first|recover)_([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{6})$/

export function mintSecret(kind: SecretKind): { secret: string; digest: string } {
  const random = randomBytes(32).toString('base64url')
  const secret = `assent_${kind}_${random}${checksum(kind, random)}`
  return { secret, digest: digestOfSecret(secret) }
}

/** The kind of a well-formed secret, `undefined` for anything else. */
export function kindOfSecret(text: string): SecretKind | undefined {
  const [, kind, random, sum] = FORM.exec(text) ?? []
  if (!kind || !random || checksum(kind, random) !== sum) return undefined
  return kind as SecretKind
}

/** 64 hex digits; safe to show, and the only form that is stored. */
export function digestOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

function checksum(kind: string, random: string): string {
  return createHash('sha256').update(`${kind}:${random}`).digest('base64url').slice(0, 6)
}
