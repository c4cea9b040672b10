import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { loadOutlines } from '../catalogs/service.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { idOfName } from '../ids.js'
import { day, type Instant } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { asksOn, holdingsOf } from '../requirements/service.js'
import { loadUseCase } from '../use-cases/reading.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { effectiveTier, keyOf } from '../use-cases/use-case.js'
import { entriesOf } from './entries.js'
import { planToOscal, selectionToOscal } from './oscal.js'
import {
  type ControlAssessment,
  type ControlProfile,
  type FileFormat,
  type HistoryFilters,
  isFitting,
  nameOf,
  type ProfileFilters,
} from './profile.js'
import * as store from './store.js'
import { profileToCsv } from './table.js'

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
  const useCase = await getProfiled(tx, useCaseRef)
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

export interface ExportedProfile {
  text: string
  fileName: string
}

/**
 * The same as a file. Of the same profile it is the same, byte by byte.
 * @throws RegistryError `conflict` for OSCAL without any control: it knows no empty plan
 */
export async function exportProfile(
  tx: ReadTx,
  policies: ProfilePolicies,
  useCaseRef: string,
  filters: ProfileFilters,
  format: FileFormat,
): Promise<ExportedProfile> {
  const profile = await getProfile(tx, policies, useCaseRef, filters)
  const useCase = await loadUseCase(tx, profile.useCaseId)
  const names = await namesOf(tx, profile, useCase)
  const fileName = `${profile.key}-controls-${day(profile.asOf)}.${extensions[format]}`
  if (format === 'csv') return { text: profileToCsv(profile, names), fileName }
  if (profile.controls.length === 0) {
    const message =
      'no control applies here and none was assessed, and OSCAL knows no empty plan; assess one first'
    throw new RegistryError('conflict', message)
  }
  const catalogs = await loadOutlines(tx, policies, new Set(profile.controls.map(nameOf)))
  const { retiredAt, ...facts } = useCase
  const written = { profile, useCase: { ...facts, isRetired: retiredAt !== null }, catalogs, names }
  const document = format === 'oscal' ? planToOscal(written, idOfName) : selectionToOscal(written, idOfName)
  return { text: JSON.stringify(document), fileName }
}

const extensions: Record<FileFormat, string> = {
  ...{ csv: 'csv', oscal: 'oscal-ssp.json', 'oscal-profile': 'oscal-profile.json' },
}

async function namesOf(
  tx: ReadTx,
  { controls }: ControlProfile,
  { businessOwnerId, riskOwnerId }: UseCaseRow,
): Promise<Map<string, string>> {
  const ids = new Set([businessOwnerId, riskOwnerId, ...controls.map(({ assessedBy }) => assessedBy)])
  const where = visibleWhere(tx.ability, 'read', 'Person', store.personRights)
  return await store.readNames(
    tx,
    where,
    [...ids].filter((id) => id !== null),
  )
}

/** what was said of controls, the last first. */
export async function listAssessments(
  tx: ReadTx,
  useCaseRef: string,
  filters: HistoryFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<ControlAssessment>> {
  const { id } = await getProfiled(tx, useCaseRef)
  const [assessedAt, last] = after ?? []
  const from = after && { assessedAt: String(assessedAt), id: String(last) }
  const rows = await store.listHistory(tx, id, { filters, after: from, limit: limit + 1 })
  return cutPage(rows, limit, (row) => [row.assessedAt, row.id])
}

/** A use case whose profile the caller may read. */
export async function getProfiled(tx: ReadTx, useCaseRef: string): Promise<UseCaseRow> {
  const useCase = await loadUseCase(tx, useCaseRef)
  const { id, orgUnitId, businessOwnerId, riskOwnerId } = useCase
  authorize(tx.ability, 'read', 'Profile', { id, useCaseId: id, orgUnitId, businessOwnerId, riskOwnerId })
  return useCase
}
