import { createHash, randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import {
  type BlobStore,
  type ByteRange,
  bytesMissing,
  type FindNamed,
  hexOf,
  ORPHANED_MS,
  type Soundness,
  type StoredBytes,
} from '../blobs.js'
import { assertRoom, codeOf, type Draft, Drafts, isOlder, noneIfMissing, onDisk } from './drafts.js'

/**
 * Blobs in a folder, which several processes may share: `sha256/ab/cd/abcd…`, read-only. Bytes arrive in `drafts/`
 * under a random name, reach the disk, and are then linked to their place, so whatever has a place is whole.
 */
export class FolderStore implements BlobStore {
  /** Whoever may write to the folder may empty it. */
  readonly locks = false
  readonly #folder: string
  readonly #drafts: Drafts

  constructor(folder: string) {
    this.#folder = resolve(folder)
    this.#drafts = new Drafts(join(this.#folder, 'drafts'))
  }

  async put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredBytes> {
    return await this.#drafts.receive(bytes, expected, async (draft) => {
      await onDisk(async () => {
        await draft.file.chmod(0o400)
        await draft.file.sync()
        await this.#keep(draft)
      })
    })
  }

  async open({ digest, size }: StoredBytes, range?: ByteRange): Promise<Readable> {
    if (!(await this.has(digest))) throw bytesMissing()
    const file = await onDisk(() => open(this.#placeOf(digest), 'r'))
    if ((await file.stat()).size === size) return file.createReadStream(range)
    await file.close()
    throw bytesMissing()
  }

  async has(digest: string): Promise<boolean> {
    const place = this.#placeOf(digest)
    return await onDisk(async () => {
      try {
        await stat(place)
        return true
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false
        throw error
      }
    })
  }

  async check({ digest, size }: StoredBytes): Promise<Soundness> {
    if (!(await this.has(digest))) return 'missing'
    return await onDisk(async () => {
      const file = await open(this.#placeOf(digest), 'r')
      const hash = createHash('sha256')
      let read = 0
      for await (const chunk of file.createReadStream()) {
        hash.update(chunk)
        read += chunk.length
      }
      return read === size && `sha256:${hash.digest('hex')}` === digest ? 'ok' : 'altered'
    })
  }

  async protect(digest: string): Promise<void> {
    if (!(await this.has(digest))) throw bytesMissing()
  }

  async remove(digest: string): Promise<void> {
    const place = this.#placeOf(digest)
    await onDisk(async () => {
      await rm(place, { force: true })
      await syncFolder(dirname(place)).catch(noneIfMissing)
    })
  }

  async sweep(): Promise<void> {
    for (const name of await readdir(this.#drafts.folder).catch(noneIfMissing)) {
      const [, hex] = /^orphan-([0-9a-f]{64})-/.exec(name) ?? []
      if (hex) await this.#putBack(join(this.#drafts.folder, name), `sha256:${hex}`)
    }
    await this.#drafts.sweep()
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

  async assertUsable(free?: number): Promise<void> {
    await assertRoom(this.#folder, free)
  }

  /** A link appears whole or not at all, and never takes the place of what is there. */
  async #keep({ path, digest }: Draft): Promise<void> {
    const place = this.#placeOf(digest)
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    while (!((await isLinked(path, place)) || (await isTouched(place))));
    for (let folder = dirname(place); folder.length >= this.#folder.length; folder = dirname(folder)) {
      await syncFolder(folder)
    }
  }

  /** Whoever puts the same bytes touches them first, so what was touched meanwhile is put back. */
  async #takeAway(digest: string, orphanedMs: number): Promise<boolean> {
    await mkdir(this.#drafts.folder, { recursive: true, mode: 0o700 })
    const held = join(this.#drafts.folder, `orphan-${hexOf(digest)}-${randomUUID()}`)
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
    const hex = hexOf(digest)
    return join(this.#folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
  }
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
