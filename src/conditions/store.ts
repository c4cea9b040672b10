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

/** All conditions of one use case that there ever were, in the order in which they were imposed. */
export async function listImposedOn(tx: ReadTx, useCaseId: string, where?: SQL): Promise<ImposedRow[]> {
  return await selectImposed(tx)
    .where(and(eq(conditions.useCaseId, useCaseId), where))
    .orderBy(asc(conditions.ordinal))
}

/** In one of these states at `now`; the same as `conditionState`, in SQL. */
export function isInState(state: ConditionState, now: Instant): SQL | undefined {
  const isInForce = isNull(conditionEndings.state)
  const isOverdue = sql`${conditions.dueAt} <= ${now}::timestamptz`
  if (state === 'in_force') return and(isInForce, eq(conditions.type, 'limit'))
  if (state === 'overdue') return and(isInForce, isOverdue)
  if (state === 'open')
    return and(isInForce, eq(conditions.type, 'obligation'), sql`${isOverdue} is not true`)
  return eq(conditionEndings.state, state)
}

export const isInForce = (): SQL => isNull(conditionEndings.state)
export const isOwnedBy = (personId: string): SQL => eq(conditions.ownerId, personId)
export const isDueBefore = (instant: Instant): SQL => lt(conditions.dueAt, instant)

/** Sorts what has no date after everything that has one. */
export const NO_DATE: Instant = '9999-12-31T23:59:59.999Z'
const dueKey = sql`coalesce(${conditions.dueAt}, ${sql.raw(`'${NO_DATE}'`)}::timestamptz)`

export interface ConditionPage {
  where: SQL | undefined
  after: { dueAt: Instant; id: string } | undefined
  limit: number
}

/** Conditions of use cases that are not retired, what is due first before the rest. */
export async function listImposedRows(
  tx: ReadTx,
  { where, after, limit }: ConditionPage,
): Promise<ImposedRow[]> {
  const beyond =
    after && sql`(${dueKey}, ${conditions.id}) > (${after.dueAt}::timestamptz, ${after.id}::uuid)`
  return await selectImposed(tx)
    .where(and(isNull(useCases.retiredAt), where, beyond))
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
