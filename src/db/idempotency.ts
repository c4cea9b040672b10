import type pg from 'pg'
import { RegistryError } from '../errors.js'
import { addSeconds, type Instant } from '../instant.js'

/** An Idempotency-Key with the digest of the request that carried it. */
export interface Idempotency {
  key: string
  digest: string
}

/**
 * Claims the key for this transaction. A second one with the same key waits here until the first has ended.
 * @returns the first answer if there is one, `undefined` when the key is now ours.
 * @throws RegistryError `conflict` when the key came with another request before.
 */
export async function claimKey(
  client: pg.ClientBase,
  principalId: string,
  { key, digest }: Idempotency,
  now: Instant,
): Promise<{ response: unknown } | undefined> {
  const claimed = await client.query({
    name: 'claim_key',
    text: `insert into idempotency_key (principal_id, key, request_digest, created_at) values ($1, $2, $3, $4)
      on conflict do nothing`,
    values: [principalId, key, digest, now],
  })
  if (claimed.rowCount === 1) return undefined
  const { rows } = await client.query<{ request_digest: string; response: unknown }>({
    name: 'find_key',
    text: 'select request_digest, response from idempotency_key where principal_id = $1 and key = $2',
    values: [principalId, key],
  })
  if (rows[0]?.request_digest !== digest) {
    throw new RegistryError('conflict', 'this Idempotency-Key was used for another request; choose a new one')
  }
  return { response: rows[0].response }
}

/** Keeps the answer in the same transaction as its effect. */
export async function keepResponse(
  client: pg.ClientBase,
  principalId: string,
  { key }: Idempotency,
  response: unknown,
): Promise<void> {
  await client.query({
    name: 'keep_response',
    text: 'update idempotency_key set response = $3 where principal_id = $1 and key = $2',
    values: [principalId, key, JSON.stringify(response ?? null)],
  })
}

const KEPT_SECONDS = 86_400

export async function dropOldKeys(pool: pg.Pool, now: Instant): Promise<void> {
  await pool.query('delete from idempotency_key where created_at < $1', [addSeconds(now, -KEPT_SECONDS)])
}
