import { eq } from 'drizzle-orm'
import { digestOf } from '../audit/digest.js'
import { policies, policyContents, policyFiles } from '../db/schema.js'
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

/** Whether the files of a policy are kept. */
export async function hasPolicyFiles(tx: ReadTx, digest: string): Promise<boolean> {
  return (await tx.sql.$count(policyFiles, eq(policyFiles.policyDigest, digest))) > 0
}

/** Keeps the files of a policy; those of one that was loaded before are there already. */
export async function insertPolicyFiles(
  tx: WriteTx,
  policyDigest: string,
  files: ReadonlyMap<string, Buffer>,
): Promise<void> {
  for (const [name, content] of files) {
    const contentDigest = digestOf(content)
    await tx.sql.insert(policyContents).values({ digest: contentDigest, content }).onConflictDoNothing()
    await tx.sql.insert(policyFiles).values({ policyDigest, name, contentDigest }).onConflictDoNothing()
  }
}
