import type { Readable } from 'node:stream'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'

/** Bytes by their SHA-256, as `sha256:` and 64 hex digits. */
export interface StoredBytes {
  digest: string
  size: number
}

/** Both ends are included, counted from 0. */
export interface ByteRange {
  start: number
  end: number
}

/** What stands between bytes and their removal. */
export interface Protection {
  /** Null where no retention is known. */
  retainUntil: Instant | null
  /** By a legal hold. */
  held: boolean
}

/** `altered`: there are bytes, and they have another digest or another size. */
export type Soundness = 'ok' | 'missing' | 'altered'

export type FindNamed = (digests: string[]) => Promise<ReadonlySet<string>>

/** Where the bytes of evidence lie: written once, named by their digest, never changed. */
export interface BlobStore {
  /** Whether it can refuse a removal by itself, whoever asks. Where it cannot, only Assent and its database do. */
  readonly locks: boolean
  /**
   * Keeps a stream. It is there whole when this returns, and not at all when it throws.
   * @param expected refuses any other digest
   * @throws RegistryError `invalid` for another digest, `unavailable` when the store fails, and what the stream throws
   */
  put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredBytes>
  /** @throws RegistryError `unavailable` when the bytes are not there, or not as many */
  open(stored: StoredBytes, range?: ByteRange): Promise<Readable>
  has(digest: string): Promise<boolean>
  /**
   * Reads all of it and compares: for the daily look at what is there.
   * @throws RegistryError `unavailable` when the store does not answer, which says nothing of the bytes
   */
  check(stored: StoredBytes): Promise<Soundness>
  /**
   * Has the store itself refuse a removal, where it locks; elsewhere this does nothing. A retention that is there
   * only ever moves later: an earlier `retainUntil`, or null, leaves it as it is. A hold comes and goes.
   * @throws RegistryError `unavailable` when the bytes are not there
   */
  protect(digest: string, protection: Protection): Promise<void>
  /**
   * Removes bytes for good: lawful disposal, or the end of a restore that failed. Bytes that are not there are fine.
   * @throws RegistryError `conflict` while the store has them locked, and then all of them are still there
   */
  remove(digest: string): Promise<void>
  /** Removes what processes that died left half done. Asked at the start. */
  sweep(): Promise<void>
  /**
   * Removes bytes that have lain there for a day and that no row names: a process died before it wrote the row.
   * Several processes may do so at once, also while the same bytes arrive anew.
   * @param findNamed which of these digests a row names
   * @param orphanedMs how long they have to have lain there, if not a day
   * @returns how many it removed
   */
  collect(findNamed: FindNamed, orphanedMs?: number): Promise<number>
  /** @throws Error, in words for whoever runs Assent, unless files can be put there now */
  assertUsable(): Promise<void>
}

/** Longer than any upload takes from its last byte to its row. */
export const ORPHANED_MS = 86_400_000

/** @throws TypeError for anything else than a digest, so that none is ever a path */
export function hexOf(digest: string): string {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? []
  if (!hex) throw new TypeError(`${digest} is no digest`)
  return hex
}

export function bytesMissing(): RegistryError {
  return new RegistryError(
    'unavailable',
    'these bytes are missing from the evidence store; tell whoever runs Assent to restore them from a backup',
  )
}
