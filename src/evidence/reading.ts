import { Readable } from 'node:stream'
import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { getReadable } from '../use-cases/reading.js'
import type { BlobStore, ByteRange } from './blobs.js'
import { assertAvailable, type Evidence, type EvidenceFilters, type EvidenceQuery } from './evidence.js'
import * as store from './store.js'
import { contentOfLink, present, subjectOf } from './view.js'

/** Any piece that the caller may read. */
export async function getEvidence(tx: ReadTx, id: string): Promise<Evidence> {
  const attached = await store.getAttachedRow(tx, id)
  authorize(tx.ability, 'read', 'Evidence', subjectOf(attached.evidence, attached.useCase))
  return present(attached, tx.now)
}

/**
 * For a later feature, which authorizes what it does with it.
 * @throws RegistryError `not_found` also for evidence of another use case
 */
export async function loadEvidenceOf(tx: ReadTx, useCaseId: string, id: string): Promise<Evidence> {
  const attached = await store.getAttachedRow(tx, id)
  if (attached.evidence.useCaseId !== useCaseId) throw notFound('evidence')
  return present(attached, tx.now)
}

/** Evidence of one use case, the last attached first. */
export async function listEvidence(
  tx: ReadTx,
  useCaseRef: string,
  filters: EvidenceFilters,
  page: PageRequest,
): Promise<PageOf<Evidence>> {
  const { id: useCaseId } = await getReadable(tx, useCaseRef)
  return await listReadable(tx, { filters: { ...filters, useCaseId }, sort: '-attachedAt' }, page)
}

/** Evidence of all use cases that the caller may read. */
export async function findEvidence(
  tx: ReadTx,
  { sort, ...filters }: EvidenceQuery,
  page: PageRequest,
): Promise<PageOf<Evidence>> {
  return await listReadable(tx, { filters, sort }, page)
}

async function listReadable(
  tx: ReadTx,
  query: Pick<store.EvidencePage, 'filters' | 'sort'>,
  { limit, after }: PageRequest,
): Promise<PageOf<Evidence>> {
  const where = visibleWhere(tx.ability, 'read', 'Evidence', store.rightsColumns)
  const [at, id] = after ?? []
  const from = after && { at: String(at), id: String(id) }
  const rows = await store.listAttachedRows(tx, { ...query, where, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, store.sortKeyOf(query.sort))
  return { items: items.map((row) => present(row, tx.now)), last }
}

/** All evidence of these use cases that the caller may read, in the order it was attached. */
export async function listEvidenceOf(tx: ReadTx, useCaseIds: string[]): Promise<Evidence[]> {
  if (useCaseIds.length === 0) return []
  const where = visibleWhere(tx.ability, 'read', 'Evidence', store.rightsColumns)
  const rows = await store.listAttachedTo(tx, useCaseIds, where)
  return rows.map((row) => present(row, tx.now))
}

/**
 * The bytes of evidence that the caller has read: those of the file, the statement in UTF-8, or the link as JSON.
 * @throws RegistryError `conflict` while a scanner holds it back, or when it rejected it
 */
export async function openContent(
  blobs: BlobStore,
  { digest, size, statement, url, state }: Evidence,
  range?: ByteRange,
): Promise<Readable> {
  assertAvailable(state)
  if (statement === null) return await blobs.open({ digest, size }, range)
  const bytes = Buffer.from(url === null ? statement : contentOfLink({ url, statement }))
  return Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes])
}

/** What a decision rests on, as it names it. The caller has read the use case. */
export async function acceptedEvidence(
  tx: ReadTx,
  useCaseId: string,
): Promise<Pick<store.EvidenceRow, 'id' | 'kind' | 'title' | 'digest'>[]> {
  const rows = await store.listAcceptedRows(tx, useCaseId)
  return rows.map(({ id, kind, title, digest }) => ({ id, kind, title, digest }))
}
