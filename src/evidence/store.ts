import { and, asc, desc, eq, gt, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { evidence, evidenceVerdicts, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'

export type EvidenceRow = typeof evidence.$inferSelect
export type VerdictRow = typeof evidenceVerdicts.$inferSelect

/** A piece of evidence with its verdict, and with what rights look at in its use case. */
export interface AttachedRow {
  evidence: EvidenceRow
  verdict: VerdictRow | null
  useCase: { orgUnitId: string; businessOwnerId: string | null; riskOwnerId: string | null }
}

const { orgUnitId, businessOwnerId, riskOwnerId } = useCases

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: evidence.useCaseId,
  attachedBy: evidence.attachedBy,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

const attached = { evidence, verdict: evidenceVerdicts, useCase: { orgUnitId, businessOwnerId, riskOwnerId } }

export async function getAttachedRow(tx: ReadTx, id: string): Promise<AttachedRow> {
  const [row] = await tx.sql
    .select(attached)
    .from(evidence)
    .innerJoin(useCases, eq(useCases.id, evidence.useCaseId))
    .leftJoin(evidenceVerdicts, eq(evidenceVerdicts.evidenceId, evidence.id))
    .where(eq(evidence.id, id))
  if (!row) throw notFound('evidence')
  return row
}

export interface EvidencePage {
  where: SQL
  after: { attachedAt: string; id: string } | undefined
  limit: number
}

/** Evidence of one use case, the last attached first. */
export async function listAttachedRows(
  tx: ReadTx,
  useCaseId: string,
  { where, after, limit }: EvidencePage,
): Promise<AttachedRow[]> {
  const beyond =
    after &&
    or(
      lt(evidence.attachedAt, after.attachedAt),
      and(eq(evidence.attachedAt, after.attachedAt), lt(evidence.id, after.id)),
    )
  return await tx.sql
    .select(attached)
    .from(evidence)
    .innerJoin(useCases, eq(useCases.id, evidence.useCaseId))
    .leftJoin(evidenceVerdicts, eq(evidenceVerdicts.evidenceId, evidence.id))
    .where(and(eq(evidence.useCaseId, useCaseId), where, beyond))
    .orderBy(desc(evidence.attachedAt), desc(evidence.id))
    .limit(limit)
}

/** Evidence of several use cases, in the order it was attached. */
export async function listAttachedTo(tx: ReadTx, useCaseIds: string[], where: SQL): Promise<AttachedRow[]> {
  return await tx.sql
    .select(attached)
    .from(evidence)
    .innerJoin(useCases, eq(useCases.id, evidence.useCaseId))
    .leftJoin(evidenceVerdicts, eq(evidenceVerdicts.evidenceId, evidence.id))
    .where(and(sql`${evidence.useCaseId} = any(${sql.param(useCaseIds)}::uuid[])`, where))
    .orderBy(asc(evidence.attachedAt), asc(evidence.id))
}

/** What is accepted and still fresh, in the order it was attached. */
export async function listAcceptedRows(tx: ReadTx, useCaseId: string): Promise<EvidenceRow[]> {
  const isFresh = or(isNull(evidence.freshUntil), gt(evidence.freshUntil, tx.now))
  const rows = await tx.sql
    .select({ evidence })
    .from(evidence)
    .innerJoin(evidenceVerdicts, eq(evidenceVerdicts.evidenceId, evidence.id))
    .where(and(eq(evidence.useCaseId, useCaseId), eq(evidenceVerdicts.verdict, 'accepted'), isFresh))
    .orderBy(asc(evidence.attachedAt), asc(evidence.id))
  return rows.map((row) => row.evidence)
}

export async function insertEvidence(tx: WriteTx, row: typeof evidence.$inferInsert): Promise<EvidenceRow> {
  const [inserted] = await tx.sql.insert(evidence).values(row).returning()
  if (!inserted) throw new Error('inserted evidence came back empty')
  return inserted
}

export async function insertVerdict(
  tx: WriteTx,
  row: typeof evidenceVerdicts.$inferInsert,
): Promise<VerdictRow> {
  const [inserted] = await tx.sql.insert(evidenceVerdicts).values(row).returning()
  if (!inserted) throw new Error('an inserted verdict came back empty')
  return inserted
}
