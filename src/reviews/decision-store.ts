import { and, desc, eq, gte, inArray, ne, sql } from 'drizzle-orm'
import { decisions, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'
import type { Tier } from '../use-cases/use-case.js'

export type DecisionRow = typeof decisions.$inferSelect
export type NewDecisionRow = typeof decisions.$inferInsert

export async function insertDecision(tx: WriteTx, decision: NewDecisionRow): Promise<DecisionRow> {
  const [row] = await tx.sql.insert(decisions).values(decision).returning()
  if (!row) throw new Error('an inserted decision came back empty')
  return row
}

export async function getDecisionRow(tx: ReadTx, id: string): Promise<DecisionRow> {
  const [row] = await tx.sql.select().from(decisions).where(eq(decisions.id, id))
  if (!row) throw notFound('decision')
  return row
}

/** The last first. */
export async function listDecisionRows(tx: ReadTx, useCaseId: string): Promise<DecisionRow[]> {
  return await tx.sql
    .select()
    .from(decisions)
    .where(eq(decisions.useCaseId, useCaseId))
    .orderBy(desc(decisions.decidedAt), desc(decisions.id))
}

export async function findLastDecisionRow(tx: ReadTx, useCaseId: string): Promise<DecisionRow | undefined> {
  const [row] = await tx.sql
    .select()
    .from(decisions)
    .where(eq(decisions.useCaseId, useCaseId))
    .orderBy(desc(decisions.decidedAt), desc(decisions.id))
    .limit(1)
  return row
}

/** Which decision took the place of each of these: wrong one to new one. */
export async function listSupersessions(tx: ReadTx, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await tx.sql
    .select({ id: decisions.id, supersedesId: decisions.supersedesId })
    .from(decisions)
    .where(inArray(decisions.supersedesId, ids))
  return new Map(rows.map(({ id, supersedesId }) => [supersedesId ?? '', id]))
}

/** Candidates for a precedent, looked at one by one afterwards. */
const CANDIDATES = 20

/** Approvals of full reviews of other use cases that these still stand on, the newest first. */
export async function listCitableRows(
  tx: ReadTx,
  { useCaseId, tier, since }: { useCaseId: string; tier: Tier; since: Instant },
): Promise<DecisionRow[]> {
  const rows = await tx.sql
    .select({ decision: decisions })
    .from(decisions)
    .innerJoin(useCases, eq(useCases.approvalId, decisions.id))
    .where(
      and(
        ne(decisions.useCaseId, useCaseId),
        eq(decisions.tier, tier),
        eq(decisions.route, 'full'),
        gte(decisions.decidedAt, sql`${since}::timestamptz`),
      ),
    )
    .orderBy(desc(decisions.decidedAt), desc(decisions.id))
    .limit(CANDIDATES)
  return rows.map(({ decision }) => decision)
}
