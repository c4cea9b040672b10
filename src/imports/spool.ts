import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { RegistryError } from '../errors.js'

/** A file that waits on disk while its rows are read. */
export interface Spooled {
  path: string
  /** `sha256:` and 64 hex digits. */
  digest: string
}

/** No file is read this long, so one that is older was left behind by a process that died. */
const ABANDONED_MS = 86_400_000

/** A folder for files on their way into the database: each lies there only while `work` reads it. */
export class Spool {
  readonly #folder: string

  constructor(dataDir: string) {
    this.#folder = resolve(dataDir, 'uploads')
  }

  /** @throws RegistryError `unavailable` when the disk fails, and what the stream or `work` throws */
  async hold<T>(bytes: AsyncIterable<Uint8Array>, work: (file: Spooled) => Promise<T>): Promise<T> {
    const path = join(this.#folder, randomUUID())
    try {
      return await work({ path, digest: await write(path, this.#folder, bytes) })
    } finally {
      await rm(path, { force: true })
    }
  }

  /** Removes what processes that died left behind. Asked at the start. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, name)
      const found = await stat(path).catch(() => undefined)
      if (found && Date.now() - found.mtimeMs >= ABANDONED_MS) await rm(path, { force: true })
    }
  }
}

async function write(path: string, folder: string, bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const file = await onDisk(async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return await open(path, 'wx', 0o600)
  })
  try {
    return `sha256:${await copy(file, bytes)}`
  } finally {
    await file.close()
  }
}

/** One chunk at a time: memory does not grow with the file. */
async function copy(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of bytes) {
    hash.update(chunk)
    await onDisk(() => file.writeFile(chunk))
  }
  return hash.digest('hex')
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const message =
      'the file cannot be kept now; tell whoever runs Assent to look at the disk, then try again'
    throw new RegistryError('unavailable', message, { cause })
  }
}
