import { createHash, randomUUID } from 'node:crypto'
import {
  access,
  constants,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  utimes,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { RegistryError } from '../errors.js'

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

export type FindNamed = (digests: string[]) => Promise<ReadonlySet<string>>

/** Where the bytes of evidence lie: written once, named by their digest, never changed. */
export interface BlobStore {
  /**
   * Keeps a stream. It is there whole when this returns, and not at all when it throws.
   * @param expected refuses any other digest
   * @throws RegistryError `invalid` for another digest, `unavailable` when the store fails, and what the stream throws
   */
  put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredBytes>
  /** @throws RegistryError `unavailable` when the bytes are not there, or not as many */
  open(stored: StoredBytes, range?: ByteRange): Promise<Readable>
  has(digest: string): Promise<boolean>
  /** Removes what processes that died left half done. Asked at the start. */
  sweep(): Promise<void>
  /**
   * Removes bytes that have lain there for a day and that no row names: a process died before it wrote the row.
   * Several processes may do so at once, also while the same bytes arrive anew.
   * @param findNamed which of these digests a row names
   * @returns how many it removed
   */
  collect(findNamed: FindNamed): Promise<number>
}

/** No upload lasts this long, so a draft that nobody wrote to since was left behind by a process that died. */
const ABANDONED_MS = 3_600_000

/** Longer than any upload takes from its last byte to its row. */
const ORPHANED_MS = 86_400_000

/** Below this many bytes a process should get no requests: a file of the usual limit would hardly fit. */
const FREE_BYTES = 100_000_000

/** @throws Error unless files can be written to the folder and its disk has so many bytes left */
export async function assertRoom(folder: string, free = FREE_BYTES): Promise<void> {
  await mkdir(folder, { recursive: true })
  await access(folder, constants.W_OK | constants.X_OK)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < free)
    throw new Error(`the disk of ${folder} is nearly full: free at least ${free} bytes`)
}

/**
 * Blobs in a folder, which several processes may share: `sha256/ab/cd/abcd…`, read-only. Bytes arrive in `drafts/`
 * under a random name, reach the disk, and are then linked to their place, so whatever has a place is whole.
 */
export class FolderStore implements BlobStore {
  readonly #folder: string
  readonly #drafts: string

  constructor(folder: string) {
    this.#folder = resolve(folder)
    this.#drafts = join(this.#folder, 'drafts')
  }

  async put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredBytes> {
    const draft = join(this.#drafts, randomUUID())
    const file = await onDisk(async () => {
      await mkdir(this.#drafts, { recursive: true, mode: 0o700 })
      return await open(draft, 'wx', 0o600)
    })
    try {
      const stored = await write(file, bytes)
      if (expected !== undefined && expected !== stored.digest) {
        throw new RegistryError(
          'invalid',
          `what arrived has the digest ${stored.digest}, not the one you gave; send the file again`,
        )
      }
      await onDisk(async () => {
        await file.chmod(0o400)
        await file.sync()
        await this.#keep(draft, stored.digest)
      })
      return stored
    } finally {
      await file.close()
      await rm(draft, { force: true })
    }
  }

  async open({ digest, size }: StoredBytes, range?: ByteRange): Promise<Readable> {
    if (!(await this.has(digest))) throw new RegistryError('unavailable', missing)
    const file = await onDisk(() => open(this.#placeOf(digest), 'r'))
    if ((await file.stat()).size === size) return file.createReadStream(range)
    await file.close()
    throw new RegistryError('unavailable', missing)
  }

  async has(digest: string): Promise<boolean> {
    const place = this.#placeOf(digest)
    try {
      await stat(place)
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      throw new RegistryError('unavailable', unusable, { cause: error })
    }
  }

  /** Removes bytes that no row names, when a restore could not finish. Otherwise evidence is never deleted. */
  async takeBack(digest: string): Promise<void> {
    await rm(this.#placeOf(digest), { force: true })
  }

  async sweep(abandonedMs = ABANDONED_MS): Promise<void> {
    for (const name of await readdir(this.#drafts).catch(noneIfMissing)) {
      const draft = join(this.#drafts, name)
      const [, hex] = /^orphan-([0-9a-f]{64})-/.exec(name) ?? []
      if (hex) {
        await this.#putBack(draft, `sha256:${hex}`)
        continue
      }
      const found = await stat(draft).catch(() => undefined)
      if (found && Date.now() - found.mtimeMs >= abandonedMs) await rm(draft, { force: true })
    }
  }

  /** A link appears whole or not at all, and never takes the place of what is there. */
  async #keep(draft: string, digest: string): Promise<void> {
    const place = this.#placeOf(digest)
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    while (!((await isLinked(draft, place)) || (await isTouched(place))));
    for (let folder = dirname(place); folder.length >= this.#folder.length; folder = dirname(folder)) {
      await syncFolder(folder)
    }
  }

  async collect(findNamed: FindNamed, orphanedMs = ORPHANED_MS): Promise<number> {
    const top = join(this.#folder, 'sha256')
    let removed = 0
    for (const first of await readdir(top).catch(noneIfMissing)) {
      for (const second of await readdir(join(top, first)).catch(noneIfMissing)) {
        const folder = join(top, first, second)
        const old: string[] = []
        for (const hex of await readdir(folder).catch(noneIfMissing)) {
          if (await isOlder(join(folder, hex), orphanedMs)) old.push(`sha256:${hex}`)
        }
        if (old.length === 0) continue
        const named = await findNamed(old)
        for (const digest of old) {
          if (!named.has(digest) && (await this.#takeAway(digest, orphanedMs))) removed += 1
        }
      }
    }
    return removed
  }

  /** Whoever puts the same bytes touches them first, so what was touched meanwhile is put back. */
  async #takeAway(digest: string, orphanedMs: number): Promise<boolean> {
    await mkdir(this.#drafts, { recursive: true, mode: 0o700 })
    const held = join(this.#drafts, `orphan-${digest.slice('sha256:'.length)}-${randomUUID()}`)
    try {
      await rename(this.#placeOf(digest), held)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    }
    if (await isOlder(held, orphanedMs)) {
      await rm(held, { force: true })
      return true
    }
    await this.#putBack(held, digest)
    return false
  }

  async #putBack(held: string, digest: string): Promise<void> {
    await link(held, this.#placeOf(digest)).catch((error) => {
      if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOENT') throw error
    })
    await rm(held, { force: true })
  }

  #placeOf(digest: string): string {
    const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? []
    if (!hex) throw new TypeError(`${digest} is no digest`)
    return join(this.#folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
  }
}

const unusable =
  'the evidence store cannot be used now; tell whoever runs Assent to look at its folder and disk'
const missing =
  'these bytes are missing from the evidence store; tell whoever runs Assent to restore its folder'

/** One chunk at a time: memory does not grow with the file. */
async function write(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<StoredBytes> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    size += chunk.length
    await onDisk(() => file.writeFile(chunk))
  }
  return { digest: `sha256:${hash.digest('hex')}`, size }
}

/** A name in a folder outlives a power cut only when the folder itself was synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs >= ms
}

async function isLinked(draft: string, place: string): Promise<boolean> {
  try {
    await link(draft, place)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** False when it was taken away meanwhile, as an orphan. */
async function isTouched(place: string): Promise<boolean> {
  const now = new Date()
  try {
    await utimes(place, now, now)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new RegistryError('unavailable', unusable, { cause })
  }
}

function noneIfMissing(error: unknown): string[] {
  if (codeOf(error) === 'ENOENT') return []
  throw error
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
