import { Readable } from 'node:stream'
import { digestOf } from '../audit/digest.js'
import { authorize, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import { newId } from '../ids.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { getReadable } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { assertNotRetired } from '../use-cases/use-case.js'
import type { BlobStore, ByteRange } from './blobs.js'
import {
  assertFresh,
  assertUnjudged,
  Evidence,
  type Judgement,
  type NewAttestation,
  type NewFile,
} from './evidence.js'
import * as store from './store.js'

/** Asked before a file is read, so that nobody sends bytes that would be refused in the end. */
export async function assertAttachable(tx: ReadTx, useCaseRef: string): Promise<void> {
  const useCase = await getReadable(tx, useCaseRef)
  authorize(tx.ability, 'attach', 'UseCase', useCase)
  assertNotRetired(useCase)
}

/** Attaches a file whose bytes are in the store already: first the bytes, then the row, so nothing is half there. */
export async function attachFile(tx: WriteTx, useCaseRef: string, file: NewFile): Promise<Evidence> {
  return await attach(tx, useCaseRef, { form: 'file', ...file })
}

export async function attachAttestation(
  tx: WriteTx,
  useCaseRef: string,
  attestation: NewAttestation,
): Promise<Evidence> {
  const { statement } = attestation
  return await attach(tx, useCaseRef, {
    form: 'attestation',
    ...attestation,
    digest: digestOf(statement),
    size: Buffer.byteLength(statement),
    mediaType: 'text/plain',
  })
}

type Content = Omit<
  Parameters<typeof store.insertEvidence>[1],
  'id' | 'useCaseId' | 'attachedBy' | 'attachedAt'
>

async function attach(tx: WriteTx, useCaseRef: string, content: Content): Promise<Evidence> {
  const useCase = await lockUseCase(tx, useCaseRef)
  const right = authorize(tx.ability, 'attach', 'UseCase', useCase)
  assertNotRetired(useCase)
  assertFresh(content.freshUntil ?? null, tx.now)
  const { personId: attachedBy } = tx.principal
  const row = { id: newId(), useCaseId: useCase.id, ...content, attachedBy, attachedAt: tx.now }
  const evidence = await store.insertEvidence(tx, row)
  saveUseCase(tx, useCase, {})
  const { id: evidenceId, kind, form, digest, size, title, fileName, statement } = evidence
  const sealed = { title, fileName, statement }
  tx.record(useCase, { type: 'evidence.attached', right, evidenceId, kind, form, digest, size, sealed })
  return present(evidence, null)
}

/**
 * Accepts or refuses what somebody else attached, once.
 * @throws RegistryError `forbidden` to whoever attached it, `conflict` when it is stale or judged already
 */
export async function judge(tx: WriteTx, id: string, { verdict, note }: Judgement): Promise<Evidence> {
  const { useCaseId } = (await store.getAttachedRow(tx, id)).evidence
  const useCase = await lockUseCase(tx, useCaseId)
  const { evidence, verdict: earlier } = await store.getAttachedRow(tx, id)
  const right = authorize(tx.ability, 'judge', 'Evidence', subjectOf(evidence, useCase))
  assertNotRetired(useCase)
  assertUnjudged(earlier)
  if (verdict === 'accepted') assertFresh(evidence.freshUntil, tx.now)
  const { attachedBy, digest } = evidence
  const given = { verdict, note, givenBy: tx.principal.personId, givenAt: tx.now }
  const row = await store.insertVerdict(tx, { evidenceId: id, attachedBy, ...given })
  saveUseCase(tx, useCase, {})
  tx.record(useCase, { type: `evidence.${verdict}`, right, evidenceId: id, digest, sealed: { note } })
  return present(evidence, row)
}

export async function getEvidence(tx: ReadTx, id: string): Promise<Evidence> {
  const { evidence, verdict, useCase } = await store.getAttachedRow(tx, id)
  authorize(tx.ability, 'read', 'Evidence', subjectOf(evidence, useCase))
  return present(evidence, verdict)
}

/**
 * For a later feature, which authorizes what it does with it.
 * @throws RegistryError `not_found` also for evidence of another use case
 */
export async function loadEvidenceOf(tx: ReadTx, useCaseId: string, id: string): Promise<Evidence> {
  const { evidence, verdict } = await store.getAttachedRow(tx, id)
  if (evidence.useCaseId !== useCaseId) throw notFound('evidence')
  return present(evidence, verdict)
}

/** Evidence of one use case, the last attached first. */
export async function listEvidence(
  tx: ReadTx,
  useCaseRef: string,
  { limit, after }: PageRequest,
): Promise<PageOf<Evidence>> {
  const { id: useCaseId } = await getReadable(tx, useCaseRef)
  const where = visibleWhere(tx.ability, 'read', 'Evidence', store.rightsColumns)
  const [attachedAt, id] = after ?? []
  const from = after && { attachedAt: String(attachedAt), id: String(id) }
  const rows = await store.listAttachedRows(tx, useCaseId, { where, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.evidence.attachedAt, row.evidence.id])
  return { items: items.map(({ evidence, verdict }) => present(evidence, verdict)), last }
}

/** All evidence of these use cases that the caller may read, in the order it was attached. */
export async function listEvidenceOf(tx: ReadTx, useCaseIds: string[]): Promise<Evidence[]> {
  if (useCaseIds.length === 0) return []
  const where = visibleWhere(tx.ability, 'read', 'Evidence', store.rightsColumns)
  const rows = await store.listAttachedTo(tx, useCaseIds, where)
  return rows.map(({ evidence, verdict }) => present(evidence, verdict))
}

/** The bytes of evidence that the caller has read: those of the file, or the statement in UTF-8. */
export async function openContent(
  blobs: BlobStore,
  { digest, size, statement }: Evidence,
  range?: ByteRange,
): Promise<Readable> {
  if (statement === null) return await blobs.open({ digest, size }, range)
  const bytes = Buffer.from(statement)
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

function subjectOf(
  { id, useCaseId, attachedBy }: store.EvidenceRow,
  { orgUnitId, businessOwnerId, riskOwnerId }: store.AttachedRow['useCase'] | UseCaseRow,
): RowOf<'Evidence'> & { id: string } {
  return { id, useCaseId, attachedBy, orgUnitId, businessOwnerId, riskOwnerId }
}

function present(row: store.EvidenceRow, given: store.VerdictRow | null): Evidence {
  if (given === null) return Evidence.parse({ ...row, verdict: null })
  const { verdict, givenBy, givenAt, note } = given
  return Evidence.parse({ ...row, verdict: { verdict, givenBy, givenAt, note } })
}
