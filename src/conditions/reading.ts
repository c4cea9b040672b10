import { authorize, isAllowed } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { getReadable } from '../use-cases/reading.js'
import type { Condition, ConditionQuery, ConditionState } from './condition.js'
import * as store from './store.js'
import { present, subjectOf } from './view.js'

/** Any condition that the caller may read. */
export async function getCondition(tx: ReadTx, id: string): Promise<Condition> {
  const row = await store.getImposedRow(tx, id)
  authorize(tx.ability, 'read', 'Condition', subjectOf(row.condition, row.useCase))
  return present(row, tx.now)
}

/** Conditions of a use case that the caller may read, in the order in which they were imposed. */
export async function listConditionsOf(
  tx: ReadTx,
  idOrKey: string,
  state: ConditionState | undefined,
): Promise<Condition[]> {
  const { id } = await getReadable(tx, idOrKey)
  const rows = await store.listImposedOn(tx, id, { state })
  return rows
    .filter(({ condition, useCase }) =>
      isAllowed(tx.ability, 'read', 'Condition', subjectOf(condition, useCase)),
    )
    .map((row) => present(row, tx.now))
}

/** Conditions that the caller may read, what is due first before the rest; without a state, those in force. */
export async function listConditions(
  tx: ReadTx,
  { ownedBy, state, dueBefore }: ConditionQuery,
  { limit, after }: PageRequest,
): Promise<PageOf<Condition>> {
  const visible = visibleWhere(tx.ability, 'read', 'Condition', store.rightsColumns)
  const [dueAt, id] = after ?? []
  const from = after && { dueAt: String(dueAt), id: String(id) }
  const ownerId = ownedBy === 'me' ? tx.principal.personId : ownedBy
  const filter = { visible, state, ownerId, dueBefore }
  const rows = await store.listImposedRows(tx, { ...filter, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, ({ condition }) => [
    condition.dueAt ?? store.NO_DATE,
    condition.id,
  ])
  return { items: items.map((row) => present(row, tx.now)), last }
}
