import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { useCases } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { getReadable } from '../use-cases/reading.js'
import { standingOf } from '../use-cases/standing.js'
import { findStateAt } from './past-store.js'
import type { StandingAt } from './standing-at.js'
import * as store from './store.js'
import type { UseCaseEntry, UseCaseFilters, UseCaseSort } from './use-case-list.js'

export { inUnit } from '../db/units.js'
export { type FilterColumns, filterConditions } from './store.js'

/**
 * One page of the use cases that the caller may see.
 * @param filters with the instant that they are asked for: of a past one as they were, of a later one as they will be if
 *   nobody does anything
 */
export async function listUseCases(
  tx: ReadTx,
  { at, ...filters }: UseCaseFilters & { at?: Instant | undefined },
  sort: UseCaseSort,
  { after, limit }: PageRequest,
): Promise<PageOf<UseCaseEntry>> {
  const visible = visibleTo(tx.ability)
  const entries = await store.listEntries(tx, { visible, filters, sort, at, after, limit: limit + 1 })
  return cutPage(entries, limit, store.sortKeyOf(sort))
}

/**
 * how one use case stands, stood or will stand if nobody does anything.
 * @throws RegistryError `not_found` for an instant before it was registered
 */
export async function getStanding(tx: ReadTx, idOrKey: string, at: Instant): Promise<StandingAt> {
  const row = await getReadable(tx, idOrKey)
  const known = at < tx.now ? await findStateAt(tx, row.id, at) : row
  if (!known) throw new RegistryError('not_found', 'it was not registered yet; ask for a later instant')
  return { ...standingOf(known, at), at, revision: known.revision }
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
