import { asc, eq, sql } from 'drizzle-orm'
import { exceptions, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'

export type ExceptionRow = typeof exceptions.$inferSelect

/** An exception with the decision that ended it, and with what rights and readers look at in its use case. */
export interface GrantedRow {
  exception: ExceptionRow
  /** The first decision after it that an approval with it did not outlive; null while it is in the approval in force. */
  endedById: string | null
  endedAt: Instant | null
  useCase: {
    number: number
    title: string
    orgUnitId: string
    businessOwnerId: string | null
    riskOwnerId: string | null
  }
}

const { number, title, orgUnitId, businessOwnerId, riskOwnerId } = useCases

/** An approval without it, a block, or what takes the place of a wrong decision. */
const ending = (what: 'id' | 'decided_at') => sql`(select d.${sql.raw(what)} from decision d
  where d.use_case_id = ${exceptions.useCaseId}
    and (d.decided_at, d.id) > (${exceptions.grantedAt}, ${exceptions.decisionId})
    and (d.outcome <> 'changes_requested' or d.supersedes_id is not null)
    and not d.required @> jsonb_build_array(jsonb_build_object('exceptionId', ${exceptions.id}))
  order by d.decided_at, d.id limit 1)`

function selectGranted(tx: ReadTx) {
  return tx.sql
    .select({
      exception: exceptions,
      endedById: sql<string | null>`${ending('id')}`,
      endedAt: sql<Instant | null>`${ending('decided_at')}`.mapWith(exceptions.grantedAt),
      useCase: { number, title, orgUnitId, businessOwnerId, riskOwnerId },
    })
    .from(exceptions)
    .innerJoin(useCases, eq(useCases.id, exceptions.useCaseId))
}

export async function getGrantedRow(tx: ReadTx, id: string): Promise<GrantedRow> {
  const [row] = await selectGranted(tx).where(eq(exceptions.id, id))
  if (!row) throw notFound('exception')
  return row
}

/** In the order in which they were granted. */
export async function listGrantedOn(tx: ReadTx, useCaseId: string): Promise<GrantedRow[]> {
  return await selectGranted(tx).where(eq(exceptions.useCaseId, useCaseId)).orderBy(asc(exceptions.ordinal))
}

export async function countExceptions(tx: ReadTx, useCaseId: string): Promise<number> {
  return await tx.sql.$count(exceptions, eq(exceptions.useCaseId, useCaseId))
}

export async function insertExceptions(tx: WriteTx, rows: ExceptionRow[]): Promise<void> {
  if (rows.length > 0) await tx.sql.insert(exceptions).values(rows)
}
