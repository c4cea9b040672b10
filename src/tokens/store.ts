import { and, asc, eq, gt, isNull } from 'drizzle-orm'
import type { Sql } from '../db/client.js'
import { accessTokens, people } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'

export type TokenRow = typeof accessTokens.$inferSelect

export async function insertToken(tx: WriteTx, token: typeof accessTokens.$inferInsert): Promise<TokenRow> {
  const [row] = await tx.sql.insert(accessTokens).values(token).returning()
  if (!row) throw new Error('an inserted token came back empty')
  return row
}

export async function getTokenRow(tx: ReadTx, id: string): Promise<TokenRow> {
  const [row] = await tx.sql.select().from(accessTokens).where(eq(accessTokens.id, id))
  if (!row) throw notFound('token')
  return row
}

export async function listTokenRows(tx: ReadTx, personId: string): Promise<TokenRow[]> {
  return await tx.sql
    .select()
    .from(accessTokens)
    .where(eq(accessTokens.personId, personId))
    .orderBy(asc(accessTokens.createdAt), asc(accessTokens.id))
}

export async function countLiveTokens(tx: WriteTx, personId: string): Promise<number> {
  return await tx.sql.$count(
    accessTokens,
    and(
      eq(accessTokens.personId, personId),
      isNull(accessTokens.revokedAt),
      gt(accessTokens.expiresAt, tx.now),
    ),
  )
}

export async function revokeTokenRow(tx: WriteTx, id: string): Promise<void> {
  await tx.sql
    .update(accessTokens)
    .set({ revokedAt: tx.now, revokedBy: tx.principal.personId })
    .where(and(eq(accessTokens.id, id), isNull(accessTokens.revokedAt)))
}

/** A live token of somebody active. */
export async function findLiveToken(on: Sql, digest: string, now: Instant): Promise<TokenRow | undefined> {
  const [row] = await on
    .select({ token: accessTokens })
    .from(accessTokens)
    .innerJoin(people, eq(people.id, accessTokens.personId))
    .where(
      and(
        eq(accessTokens.digest, digest),
        isNull(accessTokens.revokedAt),
        gt(accessTokens.expiresAt, now),
        eq(people.status, 'active'),
      ),
    )
  return row?.token
}
