import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A key of this machine's own, 32 random bytes in a file that only we read; made on first use. */
export async function loadOwnKey(dataDir: string, name: string): Promise<Buffer> {
  const path = join(dataDir, `${name}.key`)
  return (await readIfThere(path)) ?? (await makeKey(path))
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Linking makes the file appear whole or not at all, and only for the first of two processes. */
async function makeKey(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, randomBytes(32), { mode: 0o600 })
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft)
  }
  return await readFile(path)
}
