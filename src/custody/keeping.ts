import type { Database } from '../db/database.js'
import type { BlobStore } from '../evidence/blobs.js'
import * as store from './store.js'

interface Keeping {
  database: Pick<Database, 'pool' | 'clock'>
  blobs: BlobStore
  log: { warn(about: object, message: string): void }
}

const BATCH = 1000

/** bytes of which every piece was disposed of go, after the commit that said so. @returns how many went */
export async function removeDisposed({ database, blobs, log }: Keeping): Promise<number> {
  let removed = 0
  for (let after: string | undefined = ''; after !== undefined; ) {
    const digests: string[] = await store.listRemovable(database.pool, after, BATCH)
    for (const digest of digests) {
      const remove = async (isHeld: boolean) => {
        if (isHeld) await blobs.protect(digest, { retainUntil: null, held: false })
        await blobs.remove(digest)
      }
      try {
        const now = () => database.clock.now()
        if (await store.removeLocked(database.pool, digest, { now, remove })) removed += 1
      } catch (err) {
        log.warn({ err, digest }, 'bytes that were disposed of are still there; they are removed later')
      }
    }
    after = digests.length < BATCH ? undefined : digests.at(-1)
  }
  return removed
}

/** a store that can lock is told how long, and what is held. @returns how many it was told of */
export async function tellStore({ database, blobs, log }: Keeping): Promise<number> {
  if (!blobs.locks) return 0
  let told = 0
  const now = database.clock.now()
  for (let after: string | null = ''; after !== null; ) {
    const batch: Awaited<ReturnType<typeof store.listUntold>> = await store.listUntold(database.pool, now, {
      ...{ after, limit: BATCH },
    })
    for (const untold of batch.untold) {
      const { digest, retainUntil, held } = untold
      try {
        await blobs.protect(digest, { retainUntil, held })
        await store.keepTold(database.pool, untold, now)
        told += 1
      } catch (err) {
        log.warn(
          { err, digest },
          'the evidence store could not be told how long to keep this; it is told again',
        )
      }
    }
    after = batch.last
  }
  return told
}
