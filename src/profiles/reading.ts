import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { loadOutlines } from '../catalogs/service.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { asksOn, holdingsOf } from '../requirements/service.js'
import { loadUseCase } from '../use-cases/reading.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { effectiveTier, keyOf } from '../use-cases/use-case.js'
import { entriesOf } from './entries.js'
import {
  type ControlAssessment,
  type ControlProfile,
  type HistoryFilters,
  isFitting,
  nameOf,
  type ProfileFilters,
} from './profile.js'
import * as store from './store.js'

type ProfilePolicies = Pick<Policies, 'requirements' | 'catalogs' | 'digest'>

/**
 * The controls of a use case, those that policy asks for and those assessed beyond.
 * @param filters of the entries; coverage is of all of them
 * @throws RegistryError `invalid` for an instant in the future
 */
export async function getProfile(
  tx: ReadTx,
  policies: ProfilePolicies,
  useCaseRef: string,
  { asOf = tx.now, ...filters }: ProfileFilters = {},
): Promise<ControlProfile> {
  const useCase = await getReadable(tx, useCaseRef)
  if (asOf > tx.now) throw new RegistryError('invalid', `asOf lies in the future; it is ${tx.now} now`)
  const profile = await readProfile(tx, policies, useCase, asOf)
  return { ...profile, controls: profile.controls.filter((entry) => isFitting(entry, filters)) }
}

/** The profile of a use case that the caller may read. What applies is by the facts and the policy of now. */
export async function readProfile(
  tx: ReadTx,
  policies: ProfilePolicies,
  useCase: UseCaseRow,
  at: Instant,
): Promise<ControlProfile> {
  const { id: useCaseId, number, title, revision } = useCase
  const tier = effectiveTier(useCase)
  const isPast = at < tx.now
  const [asks, said, pieces] = await Promise.all([
    asksOn(tx, policies, useCase, tier),
    store.listSaid(tx, useCaseId, isPast ? at : undefined),
    isPast ? store.listPiecesAt(tx, useCaseId, at) : holdingsOf(tx, useCaseId).then((all) => all.pieces),
  ])
  const names = [...asks.flatMap(({ ask }) => (ask.type === 'control' ? [ask] : [])), ...said].map(nameOf)
  const ids = [...new Set(said.flatMap(({ evidenceIds }) => evidenceIds))]
  const where = visibleWhere(tx.ability, 'read', 'Evidence', store.evidenceRights)
  const [catalogs, readable] = await Promise.all([
    loadOutlines(tx, policies, new Set(names)),
    store.readNamed(tx, where, ids),
  ])
  const about = {
    useCaseId,
    key: keyOf(number),
    title,
    tier,
    revision,
    asOf: at,
    policyDigest: policies.digest,
  }
  return { ...about, ...entriesOf({ asks, said, catalogs, pieces, readable, at }) }
}

/** what was said of controls, the last first. */
export async function listAssessments(
  tx: ReadTx,
  useCaseRef: string,
  filters: HistoryFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<ControlAssessment>> {
  const { id } = await getReadable(tx, useCaseRef)
  const [assessedAt, last] = after ?? []
  const from = after && { assessedAt: String(assessedAt), id: String(last) }
  const rows = await store.listHistory(tx, id, { filters, after: from, limit: limit + 1 })
  return cutPage(rows, limit, (row) => [row.assessedAt, row.id])
}

async function getReadable(tx: ReadTx, useCaseRef: string): Promise<UseCaseRow> {
  const useCase = await loadUseCase(tx, useCaseRef)
  const { id, orgUnitId, businessOwnerId, riskOwnerId } = useCase
  authorize(tx.ability, 'read', 'Profile', { id, useCaseId: id, orgUnitId, businessOwnerId, riskOwnerId })
  return useCase
}
