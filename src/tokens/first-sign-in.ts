import { mintSecret } from '../auth/tokens.js'
import { drizzleOn } from '../db/client.js'
import type { Database } from '../db/database.js'
import type { WriteTx } from '../db/transaction.js'
import { addSeconds, type Instant } from '../instant.js'
import { openRecovery } from '../people/membership.js'
import { hasAdministrator, keepFirstSignIn } from '../people/service.js'

const GOOD_FOR_SECONDS = 3600

/**
 * A one-time code for whoever can read what this process prints, as long as nobody administers. An earlier code no
 * longer works. Nothing that signs anybody in is kept: the database holds its SHA-256.
 */
export async function prepareFirstSignIn({
  pool,
  clock,
}: Pick<Database, 'pool' | 'clock'>): Promise<string | undefined> {
  const sql = drizzleOn(pool)
  if (await hasAdministrator(sql)) return undefined
  const { secret, digest } = mintSecret('first')
  const now = clock.now()
  await keepFirstSignIn(sql, digest, now, addSeconds(now, GOOD_FOR_SECONDS))
  return secret
}

/** A one-time code for one more administrator: a lost or expired token must never lock everybody out. */
export async function prepareRecovery(tx: WriteTx): Promise<{ code: string; expiresAt: Instant }> {
  const { secret: code, digest } = mintSecret('recover')
  return { code, expiresAt: await openRecovery(tx, digest, GOOD_FOR_SECONDS) }
}
