import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { RegistryError } from '../../errors.js'
import type { S3Location } from '../../net/s3-address.js'
import {
  type BlobStore,
  type ByteRange,
  bytesMissing,
  type FindNamed,
  hexOf,
  ORPHANED_MS,
  type Protection,
  type Soundness,
  type StoredBytes,
} from '../blobs.js'
import { Bucket, type Version } from './bucket.js'
import { BucketFault } from './bucket-fault.js'
import { assertRoom, type Draft, Drafts } from './drafts.js'

/** Those who ask whether a process is ready do not wait longer. */
const LOOK_MS = 5000

/**
 * Blobs in a bucket with versions and object lock: `sha256/ab/cd/abcd…` below its prefix. A file is received on this
 * machine's disk first, so it is known, and has the digest it should have, before the bucket sees any of it.
 *
 * Of several versions the oldest of the right size counts. So whoever can write to the bucket, but not delete what is
 * locked, hides and replaces nothing: neither with a delete marker nor with other bytes on top.
 */
export class S3Store implements BlobStore {
  readonly locks: boolean
  readonly #bucket: Bucket
  readonly #prefix: string
  readonly #drafts: Drafts
  #isFit = false

  /** @param folder where files are while they arrive */
  constructor(location: S3Location, folder: string, limits?: ConstructorParameters<typeof Bucket>[1]) {
    this.locks = !location.acceptUnlocked
    this.#bucket = new Bucket(location, limits)
    this.#prefix = `${location.prefix}sha256/`
    this.#drafts = new Drafts(join(folder, 'drafts'))
  }

  /**
   * Refuses a bucket that cannot serve. One that cannot be reached now may do so later: until it was seen to lock,
   * nothing is put there.
   * @throws BucketFault
   */
  async start(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      if (error instanceof BucketFault && error.isAnswer) throw error
    }
  }

  async put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredBytes> {
    return await this.#drafts.receive(bytes, expected, async (draft) => {
      if (!this.#isFit) await this.#look()
      if (!(await this.#stays(draft))) await this.#bucket.put(this.#keyOf(draft.digest), draft)
    })
  }

  async open(stored: StoredBytes, range?: ByteRange): Promise<Readable> {
    const version = await this.#counting(stored)
    if (!version) throw bytesMissing()
    return await this.#bucket.get(version, range)
  }

  async has(digest: string): Promise<boolean> {
    return (await this.#versionsOf(digest)).some(({ isMarker }) => !isMarker)
  }

  async check(stored: StoredBytes): Promise<Soundness> {
    const version = await this.#counting(stored)
    if (!version) return (await this.has(stored.digest)) ? 'altered' : 'missing'
    const hash = createHash('sha256')
    try {
      for await (const chunk of await this.#bucket.get(version)) hash.update(chunk)
    } catch (cause) {
      if (cause instanceof RegistryError) throw cause
      throw new RegistryError('unavailable', 'the evidence store broke off; try again later', { cause })
    }
    return `sha256:${hash.digest('hex')}` === stored.digest ? 'ok' : 'altered'
  }

  async protect(digest: string, { retainUntil, held }: Protection): Promise<void> {
    const version = await this.#counting({ digest })
    if (!version) throw bytesMissing()
    if (!this.locks) return
    const now = await this.#bucket.protectionOf(version)
    const isLater = retainUntil !== null && (now.retainUntil === null || now.retainUntil < retainUntil)
    if (isLater && retainUntil > new Date().toISOString()) await this.#bucket.retain(version, retainUntil)
    if (now.held !== held) await this.#bucket.hold(version, held)
  }

  async remove(digest: string): Promise<void> {
    const versions = await this.#versionsOf(digest)
    for (const version of versions) {
      if (this.locks && !version.isMarker) assertUnlocked(await this.#bucket.protectionOf(version))
    }
    for (const version of versions) {
      if (!(await this.#isDeleted(version))) throw locked('')
    }
  }

  async sweep(): Promise<void> {
    await this.#drafts.sweep()
  }

  async collect(findNamed: FindNamed, orphanedMs = ORPHANED_MS): Promise<number> {
    const before = new Date(Date.now() - orphanedMs)
    await this.#bucket.abortUploads(this.#prefix, before)
    let removed = 0
    for await (const page of this.#bucket.versions(this.#prefix)) {
      const old = page.filter(({ isMarker, putAt }) => !isMarker && putAt <= before)
      const digests = [...new Set(old.map((version) => this.#digestOf(version)))]
      const named = await findNamed(digests.filter((digest) => digest !== undefined))
      for (const version of old) {
        const digest = this.#digestOf(version)
        if (digest && !named.has(digest) && (await this.#isDeleted(version))) removed += 1
      }
    }
    return removed
  }

  async assertUsable(): Promise<void> {
    await Promise.all([assertRoom(this.#drafts.folder), this.#look()])
  }

  /** @throws BucketFault unless the bucket is what it has to be */
  async #look(): Promise<void> {
    const signal = AbortSignal.timeout(LOOK_MS)
    if (this.locks) await this.#bucket.assertLocking(signal)
    else await this.#bucket.assertThere(signal)
    this.#isFit = true
  }

  /** Whether the same bytes are there, and no collection of orphans takes them before their row is written. */
  async #stays(draft: Draft): Promise<boolean> {
    const version = await this.#counting(draft)
    if (!version) return false
    if (Date.now() - version.putAt.getTime() < ORPHANED_MS / 2) return true
    return this.locks && isLocked(await this.#bucket.protectionOf(version))
  }

  async #counting({ digest, size }: { digest: string; size?: number }): Promise<Version | undefined> {
    const versions = await this.#versionsOf(digest)
    return versions.findLast((version) => !version.isMarker && (size ?? version.size) === version.size)
  }

  /** The newest first. */
  async #versionsOf(digest: string): Promise<Version[]> {
    const key = this.#keyOf(digest)
    const found: Version[] = []
    for await (const page of this.#bucket.versions(key)) found.push(...page)
    return found.filter((version) => version.key === key)
  }

  /** False where the bucket refuses, as it does for what is locked. */
  async #isDeleted(version: Version): Promise<boolean> {
    try {
      await this.#bucket.delete(version)
      return true
    } catch (error) {
      if (error instanceof BucketFault && error.word === 'AccessDenied') return false
      throw error
    }
  }

  #keyOf(digest: string): string {
    const hex = hexOf(digest)
    return `${this.#prefix}${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
  }

  /** Undefined for what somebody else put there. */
  #digestOf({ key }: Version): string | undefined {
    const [, hex] = /^[0-9a-f]{2}\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(key.slice(this.#prefix.length)) ?? []
    return hex && this.#keyOf(`sha256:${hex}`) === key ? `sha256:${hex}` : undefined
  }
}

function isLocked({ retainUntil, held }: Protection): boolean {
  return held || (retainUntil !== null && retainUntil > new Date().toISOString())
}

function assertUnlocked(protection: Protection): void {
  if (!isLocked(protection)) return
  throw locked(protection.held ? ' by a legal hold' : ` until ${protection.retainUntil}`)
}

function locked(why: string): RegistryError {
  return new RegistryError(
    'conflict',
    `the evidence store has these bytes locked${why}; remove them after that`,
  )
}
