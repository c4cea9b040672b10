import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { useCases } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import * as store from './store.js'
import type { UseCaseEntry, UseCaseFilters, UseCaseSort } from './use-case-list.js'

export { type FilterColumns, filterConditions, inUnit } from './store.js'

/** One page of the use cases that the caller may see. */
export async function listUseCases(
  tx: ReadTx,
  filters: UseCaseFilters,
  sort: UseCaseSort,
  { after, limit }: PageRequest,
): Promise<PageOf<UseCaseEntry>> {
  const visible = visibleTo(tx.ability)
  const entries = await store.listEntries(tx, { visible, filters, sort, after, limit: limit + 1 })
  return cutPage(entries, limit, store.sortKeyOf(sort))
}

const visible = new WeakMap<Ability, store.Visible>()

/** Built once for each caller: a caller is kept beside the token, and asks many times. */
function visibleTo(ability: Ability): store.Visible {
  const known = visible.get(ability)
  if (known) return known
  const made = store.readVisible(visibleWhere(ability, 'read', 'UseCase', useCases))
  visible.set(ability, made)
  return made
}
