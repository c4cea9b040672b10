import { and, asc, eq, isNull, lt, type SQL, sql } from 'drizzle-orm'
import { insertAll } from '../db/insert-all.js'
import { conditionEndings, conditions, useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import type { ConditionState } from './condition.js'

export type ConditionRow = typeof conditions.$inferSelect
export type EndingRow = typeof conditionEndings.$inferSelect

/** A condition with its ending, and with what rights and readers look at in its use case. */
export interface ImposedRow {
  condition: ConditionRow
  ending: EndingRow | null
  useCase: {
    number: number
    title: string
    orgUnitId: string
    businessOwnerId: string | null
    riskOwnerId: string | null
  }
}

const { number, title, orgUnitId, businessOwnerId, riskOwnerId } = useCases

/** Where the fields that rights look at come from in the queries below. */
export const rightsColumns = {
  useCaseId: conditions.useCaseId,
  ownerId: conditions.ownerId,
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

function selectImposed(tx: ReadTx) {
  const useCase = { number, title, orgUnitId, businessOwnerId, riskOwnerId }
  return tx.sql
    .select({ condition: conditions, ending: conditionEndings, useCase })
    .from(conditions)
    .innerJoin(useCases, eq(useCases.id, conditions.useCaseId))
    .leftJoin(conditionEndings, eq(conditionEndings.conditionId, conditions.id))
}

export async function getImposedRow(tx: ReadTx, id: string): Promise<ImposedRow> {
  const [row] = await selectImposed(tx).where(eq(conditions.id, id))
  if (!row) throw notFound('condition')
  return row
}

export interface ConditionFilter {
  state?: ConditionState | undefined
  ownerId?: string | undefined
  dueBefore?: Instant | undefined
}

/** Conditions of one use case, in the order in which they were imposed; those that have ended are among them. */
export async function listImposedOn(
  tx: ReadTx,
  useCaseId: string,
  filter: ConditionFilter = {},
): Promise<ImposedRow[]> {
  return await selectImposed(tx)
    .where(and(eq(conditions.useCaseId, useCaseId), filtered(filter, tx.now)))
    .orderBy(asc(conditions.ordinal))
}

/** Those without an ending, in the order in which they were imposed. */
export async function listInForceOn(tx: ReadTx, useCaseId: string): Promise<ImposedRow[]> {
  return await selectImposed(tx)
    .where(and(eq(conditions.useCaseId, useCaseId), isInForce))
    .orderBy(asc(conditions.ordinal))
}

const isInForce = isNull(conditionEndings.state)

function filtered({ state, ownerId, dueBefore }: ConditionFilter, now: Instant): SQL | undefined {
  return and(
    state && isInState(state, now),
    ownerId === undefined ? undefined : eq(conditions.ownerId, ownerId),
    dueBefore === undefined ? undefined : lt(conditions.dueAt, dueBefore),
  )
}

/** The same as `conditionState`, in SQL. */
function isInState(state: ConditionState, now: Instant): SQL | undefined {
  const isOverdue = sql`(${conditions.dueAt} <= ${now}::timestamptz)`
  if (state === 'in_force') return and(isInForce, eq(conditions.type, 'limit'))
  if (state === 'overdue') return and(isInForce, isOverdue)
  if (state !== 'open') return eq(conditionEndings.state, state)
  return and(isInForce, eq(conditions.type, 'obligation'), sql`${isOverdue} is not true`)
}

/** Sorts what has no date after everything that has one. */
export const NO_DATE: Instant = '9999-12-31T23:59:59.999Z'
const dueKey = sql`coalesce(${conditions.dueAt}, ${sql.raw(`'${NO_DATE}'`)}::timestamptz)`

export interface ConditionPage extends ConditionFilter {
  visible: SQL
  after: { dueAt: Instant; id: string } | undefined
  limit: number
}

/** Conditions of use cases that are not retired, what is due first before the rest; without a state, those in force. */
export async function listImposedRows(
  tx: ReadTx,
  { visible, after, limit, ...filter }: ConditionPage,
): Promise<ImposedRow[]> {
  const beyond =
    after && sql`(${dueKey}, ${conditions.id}) > (${after.dueAt}::timestamptz, ${after.id}::uuid)`
  const inForce = filter.state === undefined ? isInForce : undefined
  return await selectImposed(tx)
    .where(and(isNull(useCases.retiredAt), inForce, filtered(filter, tx.now), visible, beyond))
    .orderBy(asc(dueKey), asc(conditions.id))
    .limit(limit)
}

export async function countConditions(tx: ReadTx, useCaseId: string): Promise<number> {
  return await tx.sql.$count(conditions, eq(conditions.useCaseId, useCaseId))
}

export async function insertConditions(tx: WriteTx, rows: ConditionRow[]): Promise<void> {
  await insertAll(tx.client, conditions, rows)
}

/** @throws RegistryError `conflict` when one of them has an ending already */
export async function insertEndings(tx: WriteTx, rows: EndingRow[]): Promise<void> {
  if (rows.length === 0) return
  const inserted = await tx.sql.insert(conditionEndings).values(rows).onConflictDoNothing()
  if (inserted.rowCount === rows.length) return
  throw new RegistryError('conflict', 'this condition ended at the same moment; read it again')
}

export async function updateOwner(tx: WriteTx, id: string, ownerId: string): Promise<void> {
  await tx.sql.update(conditions).set({ ownerId }).where(eq(conditions.id, id))
}
