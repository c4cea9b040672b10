import { eq } from 'drizzle-orm'
import { policies } from '../db/schema.js'
import { lock, type ReadTx, type WriteTx } from '../db/transaction.js'
import { POLICY_ID } from '../ids.js'
import type { Instant } from '../instant.js'

export type PolicyRow = typeof policies.$inferSelect

/** The policy that a process loaded last. */
export async function getPolicyRow(tx: ReadTx): Promise<PolicyRow> {
  const [row] = await tx.sql.select().from(policies).where(eq(policies.id, POLICY_ID))
  if (!row) throw new Error('the row of the policy is missing: a migration makes it')
  return row
}

/** Of two who load or apply a policy at once, the second one waits. */
export async function lockPolicy(tx: WriteTx): Promise<PolicyRow> {
  return await lock(tx, policies, POLICY_ID, 'policy')
}

export async function updatePolicy(
  tx: WriteTx,
  change: { digest: string; loadedAt: Instant },
): Promise<void> {
  await tx.sql.update(policies).set(change).where(eq(policies.id, POLICY_ID))
}
