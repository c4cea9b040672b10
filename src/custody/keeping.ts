import type { Database } from '../db/database.js'
import type { BlobStore } from '../evidence/blobs.js'
import * as store from './store.js'

interface Keeping {
  database: Pick<Database, 'pool' | 'clock'>
  blobs: BlobStore
  log: { warn(about: object, message: string): void }
}

const BATCH = 100

/** bytes of which every piece was disposed of go, after the commit that said so. @returns how many went */
export async function removeDisposed({ database, blobs, log }: Keeping): Promise<number> {
  let removed = 0
  for await (const digest of inBatches(
    (after) => store.listRemovable(database.pool, after, BATCH),
    (one) => one,
  )) {
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
  return removed
}

/** a store that can lock is told how long, and what is held. @returns how many it was told of */
export async function tellStore({ database, blobs, log }: Keeping): Promise<number> {
  if (!blobs.locks) return 0
  let told = 0
  const now = database.clock.now()
  const next = (after: string) => store.listUntold(database.pool, now, { after, limit: BATCH })
  for await (const untold of inBatches(next, ({ digest }) => digest)) {
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
  return told
}

/** Each once, in the order of digests, however many fail. */
async function* inBatches<T>(
  next: (after: string) => Promise<T[]>,
  digestOf: (one: T) => string,
): AsyncGenerator<T> {
  for (let after = ''; ; ) {
    const batch = await next(after)
    yield* batch
    const last = batch.at(-1)
    if (last === undefined || batch.length < BATCH) return
    after = digestOf(last)
  }
}
