import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { useCases } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { assertRevision } from '../errors.js'
import { assertOrgUnit } from '../org-units/service.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { getReadable } from '../use-cases/reading.js'
import { keyOf } from '../use-cases/use-case.js'
import { bindProfile } from './bind.js'
import {
  assertAnswerable,
  assertMappable,
  type GoneRow,
  type Import,
  type ImportRow,
  type ImportSummary,
  type Outcome,
  type Provenance,
} from './import.js'
import { columnsOf, previewAgain, remap, type Steps } from './previewing.js'
import { ImportProfile } from './profile.js'
import * as store from './store.js'
import { rawRecord } from './table.js'
import { present, presentRow, summarize } from './view.js'

/** Asked before a file is read, so that nobody sends bytes that would be refused in the end. */
export async function assertImporter(tx: ReadTx, orgUnitId: string): Promise<void> {
  const { personId: createdBy } = tx.principal
  await assertOrgUnit(tx, orgUnitId)
  authorize(tx.ability, 'import', 'Import', { createdBy, orgUnitId })
}

export async function getImport(tx: ReadTx, id: string): Promise<Import> {
  return present(await getReadableRun(tx, id))
}

async function getReadableRun(tx: ReadTx, id: string): Promise<store.RunRow> {
  const run = await store.getRunRow(tx, id)
  authorize(tx.ability, 'read', 'Import', run)
  return run
}

/** Imports, the last first. */
export async function listImports(tx: ReadTx, { limit, after }: PageRequest): Promise<PageOf<ImportSummary>> {
  const where = visibleWhere(tx.ability, 'read', 'Import', store.rightsColumns)
  const [createdAt, id] = after ?? []
  const from = after && { createdAt: String(createdAt), id: String(id) }
  const rows = await store.listRunRows(tx, { where, after: from, limit: limit + 1 })
  return cutPage(rows.map(summarize), limit, (run) => [run.createdAt, run.id])
}

/** Rows in the order of the file. */
export async function listRows(
  tx: ReadTx,
  id: string,
  outcome: Outcome | undefined,
  { limit, after }: PageRequest,
): Promise<PageOf<ImportRow>> {
  const run = await getReadableRun(tx, id)
  const from = after ? Number(after[0]) : 0
  const rows = await store.listRows(tx, id, { outcome, after: from, limit: limit + 1 })
  return cutPage(
    rows.map((row) => presentRow(run, row)),
    limit,
    ({ ordinal }) => [ordinal],
  )
}

/** Use cases that an earlier file of this register carried and this one lacks, as far as the caller may see them. */
export async function listGone(
  tx: ReadTx,
  id: string,
  { limit, after }: PageRequest,
): Promise<PageOf<GoneRow>> {
  const run = await getReadableRun(tx, id)
  const { orgUnitId, businessOwnerId, riskOwnerId } = useCases
  const columns = { id: useCases.id, orgUnitId, businessOwnerId, riskOwnerId }
  const where = visibleWhere(tx.ability, 'read', 'UseCase', columns)
  const page = { where, after: String(after?.[0] ?? ''), limit: limit + 1 }
  const rows = await store.listGoneRows(tx, run, page)
  const gone = rows.map(({ number, ...row }) => ({ ...row, key: keyOf(number) }))
  return cutPage(gone, limit, ({ identity }) => [identity])
}

/** Where a use case came from, with the row as it came. */
export async function getProvenance(tx: ReadTx, useCaseRef: string): Promise<Provenance> {
  const { id } = await getReadable(tx, useCaseRef)
  const { cells, columns, ...source } = await store.getSource(tx, id)
  return { ...source, raw: rawRecord(columns, cells) }
}

/** Puts the mapping that a person vouches for in place, by default the proposed one, and goes through the rows again. */
export async function confirmMapping(
  steps: Steps,
  policies: Policies,
  id: string,
  revision: number,
  corrected: ImportProfile | undefined,
): Promise<Import> {
  const { run, profile } = await steps.write((tx) => beginAgain(tx, policies, id, revision, corrected))
  await previewAgain(steps, policies, run, profile)
  return await steps.read((tx) => getImport(tx, id))
}

async function beginAgain(
  tx: WriteTx,
  policies: Policies,
  id: string,
  revision: number,
  corrected: ImportProfile | undefined,
): Promise<{ run: store.RunRow; profile: ImportProfile }> {
  const run = await store.lockRun(tx, id)
  authorize(tx.ability, 'read', 'Import', run)
  authorize(tx.ability, 'import', 'Import', run)
  assertRevision(run, revision)
  assertMappable(run)
  const profile = corrected ?? ImportProfile.parse(run.profile)
  assertAnswerable(profile, policies.riskTiers.questions)
  bindProfile(profile, columnsOf(run)) // before anything is gone through again: does it fit the file?
  return { run: await remap(tx, run, profile), profile }
}
