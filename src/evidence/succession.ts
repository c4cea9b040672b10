import { RegistryError } from '../errors.js'

/** What a newer piece looks at in the older one, in whose place it comes once somebody accepted it. */
export interface Older {
  useCaseId: string
  kind: string
  /** The piece in whose place this one itself came. */
  supersedesId: string | null
  /** The newer piece that was accepted in its place. */
  supersededById: string | null
  /** The last piece in its line that is not refused: accepted, or not judged yet. */
  newerId: string | null
  verdict: 'accepted' | 'refused' | null
}

/** @throws RegistryError `conflict` for a piece in whose place a newer one was accepted */
export function assertCurrent(supersededById: string | null): void {
  if (supersededById === null) return
  throw new RegistryError(
    'conflict',
    `a newer piece of evidence, ${supersededById}, came in place of this one; use that`,
  )
}

/**
 * newer pieces come one after the other, in one line. Another one comes in the place of the last of them, or, if
 * that was refused, of the one before it.
 * @throws RegistryError `invalid` unless the older piece is of the same use case and kind, `conflict` when another newer
 * one came, or when this one was refused
 */
export function assertFollows(older: Older, newer: { useCaseId: string; kind: string }): void {
  if (older.useCaseId !== newer.useCaseId || older.kind !== newer.kind) {
    throw new RegistryError(
      'invalid',
      'evidence supersedes a piece of the same use case and the same kind; name such a one, or none',
    )
  }
  assertCurrent(older.supersededById)
  if (older.newerId !== null) {
    throw new RegistryError(
      'conflict',
      `a newer piece of evidence, ${older.newerId}, came already and waits to be judged; name that one`,
    )
  }
  if (older.supersedesId !== null && older.verdict === 'refused') {
    throw new RegistryError(
      'conflict',
      `this piece was refused, and ${older.supersedesId} counts as before; name that one`,
    )
  }
}
