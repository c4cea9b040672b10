import { and, eq, gt, isNull, lte, type SQL } from 'drizzle-orm'
import { delegations } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'

export type DelegationRow = typeof delegations.$inferSelect

/** Not ended by anybody, begun and not over. */
const inForceAt = (at: Instant): SQL | undefined =>
  and(isNull(delegations.endedAt), lte(delegations.startsAt, at), gt(delegations.endsAt, at))

export async function findInForce(
  tx: ReadTx,
  { fromId, toId }: { fromId: string; toId: string },
): Promise<DelegationRow | undefined> {
  const [row] = await tx.sql
    .select()
    .from(delegations)
    .where(and(eq(delegations.fromId, fromId), eq(delegations.toId, toId), inForceAt(tx.now)))
  return row
}
