import { createHash, randomUUID } from 'node:crypto'
import { access, constants, type FileHandle, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { RegistryError } from '../../errors.js'
import type { StoredBytes } from '../blobs.js'

/** A whole stream on disk, under a name of its own. */
export interface Draft extends StoredBytes {
  path: string
  file: FileHandle
}

/** No upload lasts this long, so a draft that nobody wrote to since was left behind by a process that died. */
const ABANDONED_MS = 3_600_000

const isUuid = /^[0-9a-f-]{36}$/

/** Below this many bytes a disk counts as full: a file of the usual limit would hardly fit. */
const FREE_BYTES = 100_000_000

/** @throws Error unless files can be written to the folder and its disk has so many bytes left */
export async function assertRoom(folder: string, free = FREE_BYTES): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await access(folder, constants.W_OK | constants.X_OK)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < free)
    throw new Error(`the disk of ${folder} is nearly full: free at least ${free} bytes`)
}

/** Where bytes are while they arrive: on disk, hashed on the way, one chunk in memory. */
export class Drafts {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * @param keep takes the whole draft to its place; afterwards there is no draft any more, whatever came of it
   * @throws RegistryError `invalid` unless the bytes have the expected digest, `unavailable` when the disk fails
   */
  async receive(
    bytes: AsyncIterable<Uint8Array>,
    expected: string | undefined,
    keep: (draft: Draft) => Promise<void>,
  ): Promise<StoredBytes> {
    const path = join(this.folder, randomUUID())
    const file = await onDisk(async () => {
      await mkdir(this.folder, { recursive: true, mode: 0o700 })
      return await open(path, 'wx', 0o600)
    })
    try {
      const stored = await write(file, bytes)
      if (expected !== undefined && expected !== stored.digest) {
        throw new RegistryError(
          'invalid',
          `what arrived has the digest ${stored.digest}, not the one you gave; send the file again`,
        )
      }
      await keep({ ...stored, path, file })
      return stored
    } finally {
      await file.close()
      await rm(path, { force: true })
    }
  }

  async sweep(): Promise<void> {
    for (const name of await readdir(this.folder).catch(noneIfMissing)) {
      const path = join(this.folder, name)
      if (isUuid.test(name) && (await isOlder(path, ABANDONED_MS))) await rm(path, { force: true })
    }
  }
}

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

/** @throws RegistryError `unavailable` whatever the disk says */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new RegistryError('unavailable', isFull(cause) ? full : unusable, { cause })
  }
}

const unusable =
  'the evidence store cannot be used now; tell whoever runs Assent to look at its folder and disk'
const full =
  'the disk of the evidence store is full; tell whoever runs Assent to make room, then send the file again'

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '')
}

export async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs >= ms
}

export function noneIfMissing(error: unknown): string[] {
  if (codeOf(error) === 'ENOENT') return []
  throw error
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
