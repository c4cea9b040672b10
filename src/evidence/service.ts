import { Readable } from 'node:stream'
import { canonicalize } from '../audit/canonical.js'
import { digestOf } from '../audit/digest.js'
import { authorize, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Database } from '../db/database.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import { newId } from '../ids.js'
import type { Instant } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Asked } from '../policy/retention-file.js'
import { getReadable } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { assertNotRetired } from '../use-cases/use-case.js'
import type { BlobStore, ByteRange } from './blobs.js'
import {
  assertAvailable,
  assertCurrent,
  assertElsewhere,
  assertFresh,
  assertSameLine,
  assertUnjudged,
  Evidence,
  type EvidenceFilters,
  type Judgement,
  type NewAttestation,
  type NewFile,
  type NewLink,
  type NewUse,
} from './evidence.js'
import { claimBytes, type KeepingPolicy, keepFromNow } from './keeping.js'
import * as scans from './scan-store.js'
import * as store from './store.js'

/** Asked before a file is read, so that nobody sends bytes that would be refused in the end. */
export async function assertAttachable(tx: ReadTx, useCaseRef: string): Promise<void> {
  const useCase = await getReadable(tx, useCaseRef)
  authorize(tx.ability, 'attach', 'UseCase', useCase)
  assertNotRetired(useCase)
}

/**
 * Attaches a file whose bytes are in the store already: first the bytes, then the row, so nothing is half there.
 * @param isScanned keeps it in quarantine until a virus scanner lets it go
 */
export async function attachFile(
  tx: WriteTx,
  useCaseRef: string,
  file: NewFile,
  { isScanned, ...policies }: KeepingPolicy & { isScanned: boolean },
): Promise<Evidence> {
  const attached = await attach(tx, policies, useCaseRef, { form: 'file', ...file })
  if (!isScanned) return attached
  await scans.insertScan(tx, attached.id)
  return { ...attached, state: 'quarantined' }
}

export async function attachAttestation(
  tx: WriteTx,
  policies: KeepingPolicy,
  useCaseRef: string,
  attestation: NewAttestation,
): Promise<Evidence> {
  const { statement } = attestation
  return await attach(tx, policies, useCaseRef, {
    form: 'attestation',
    ...attestation,
    digest: digestOf(statement),
    size: Buffer.byteLength(statement),
    mediaType: 'text/plain',
  })
}

/** The page behind it is never opened; what is kept, and has the digest, is where it is and what it shows. */
export async function attachLink(
  tx: WriteTx,
  policies: KeepingPolicy,
  useCaseRef: string,
  link: NewLink,
): Promise<Evidence> {
  const content = contentOfLink(link)
  const size = Buffer.byteLength(content)
  const mediaType = 'application/json'
  const same = { digest: digestOf(content), size, mediaType }
  return await attach(tx, policies, useCaseRef, { form: 'link', ...link, ...same })
}

/**
 * Lets a piece of evidence serve another use case as well, where somebody accepts it anew.
 * @throws RegistryError `conflict` for what does not count any more, is held back, or serves that use case already
 */
export async function shareEvidence(
  tx: WriteTx,
  policies: KeepingPolicy,
  id: string,
  { useCaseId }: NewUse,
): Promise<Evidence> {
  const source = await store.getAttachedRow(tx, id)
  authorize(tx.ability, 'read', 'Evidence', subjectOf(source.evidence, source.useCase))
  assertElsewhere(source.evidence.useCaseId === useCaseId)
  assertAvailable(stateOf(source))
  assertCurrent(source.supersededById)
  const { kind, title, form, digest, size, mediaType, fileName, statement, url, freshUntil } = source.evidence
  const same = { kind, title, form, digest, size, mediaType, fileName, statement, url, freshUntil }
  return await attach(tx, policies, useCaseId, { ...same, sharedFromId: id })
}

function contentOfLink({ url, statement }: { url: string; statement: string }): string {
  return canonicalize({ statement, url })
}

type Content = Omit<
  Parameters<typeof store.insertEvidence>[1],
  'id' | 'useCaseId' | 'attachedBy' | 'attachedAt'
>

async function attach(
  tx: WriteTx,
  policies: KeepingPolicy,
  useCaseRef: string,
  content: Content,
): Promise<Evidence> {
  const useCase = await lockUseCase(tx, useCaseRef)
  const right = authorize(tx.ability, 'attach', 'UseCase', useCase)
  assertNotRetired(useCase)
  assertFresh(content.freshUntil ?? null, tx.now)
  await assertFitting(tx, useCase.id, content)
  await claimBytes(tx, content)
  const { personId: attachedBy } = tx.principal
  const row = { id: newId(), useCaseId: useCase.id, ...content, attachedBy, attachedAt: tx.now }
  const evidence = await store.insertEvidence(tx, row)
  saveUseCase(tx, useCase, {})
  const asked = await keepFromNow(tx, policies, useCase, evidence)
  recordAttached(tx, useCase, evidence, { right, asked })
  return present({ ...nothingYet, evidence }, tx.now)
}

/** The lock on the use case keeps two newer pieces from coming in place of one, and one piece from coming twice. */
async function assertFitting(
  tx: ReadTx,
  useCaseId: string,
  { supersedesId, kind, sharedFromId }: Content,
): Promise<void> {
  if (supersedesId) {
    const older = await store.getAttachedRow(tx, supersedesId)
    authorize(tx.ability, 'read', 'Evidence', subjectOf(older.evidence, older.useCase))
    assertSameLine(older.evidence, { useCaseId, kind })
    assertCurrent(older.supersededById)
  }
  if (sharedFromId) assertElsewhere(await store.isShared(tx, sharedFromId, useCaseId))
}

const nothingYet = { verdict: null, scan: null, disposal: null, blob: null, supersededById: null }

function recordAttached(
  tx: WriteTx,
  useCase: UseCaseRow,
  evidence: store.EvidenceRow,
  { right, asked: { policy, classes } }: { right: string; asked: Asked },
): void {
  const { id: evidenceId, kind, form, digest, size, title, fileName, statement, url } = evidence
  const { supersedesId, sharedFromId } = evidence
  tx.record(useCase, {
    ...{ type: 'evidence.attached', right, evidenceId, kind, form, digest, size },
    ...(supersedesId && { supersedesId }),
    ...(sharedFromId && { sharedFromId }),
    ...{ retainUntil: policy.until, daysAfterRetirement: policy.daysAfterRetirement, classes },
    sealed: { title, fileName, statement, ...(url !== null && { url }) },
  })
}

/**
 * Accepts or refuses what somebody else attached, once.
 * @throws RegistryError `forbidden` to whoever attached it, `conflict` when it is stale, superseded, held back by a
 * scanner, or judged already
 */
export async function judge(tx: WriteTx, id: string, { verdict, note }: Judgement): Promise<Evidence> {
  const { useCaseId } = (await store.getAttachedRow(tx, id)).evidence
  const useCase = await lockUseCase(tx, useCaseId)
  const attached = await store.getAttachedRow(tx, id)
  const { evidence, verdict: earlier, supersededById } = attached
  const right = authorize(tx.ability, 'judge', 'Evidence', subjectOf(evidence, useCase))
  assertNotRetired(useCase)
  assertUnjudged(earlier)
  assertAvailable(stateOf(attached))
  assertCurrent(supersededById)
  if (verdict === 'accepted') assertFresh(evidence.freshUntil, tx.now)
  const { attachedBy, digest } = evidence
  const given = { verdict, note, givenBy: tx.principal.personId, givenAt: tx.now }
  const row = await store.insertVerdict(tx, { evidenceId: id, attachedBy, ...given })
  saveUseCase(tx, useCase, {})
  tx.record(useCase, { type: `evidence.${verdict}`, right, evidenceId: id, digest, sealed: { note } })
  return present({ ...attached, verdict: row }, tx.now)
}

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
  { limit, after }: PageRequest,
): Promise<PageOf<Evidence>> {
  const { id: useCaseId } = await getReadable(tx, useCaseRef)
  const where = visibleWhere(tx.ability, 'read', 'Evidence', store.rightsColumns)
  const [attachedAt, id] = after ?? []
  const from = after && { attachedAt: String(attachedAt), id: String(id) }
  const rows = await store.listAttachedRows(tx, useCaseId, { where, filters, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.evidence.attachedAt, row.evidence.id])
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

/** Removes bytes that no evidence has, left by a process that died between bytes and row. @returns how many */
export async function collectOrphans({ pool }: Pick<Database, 'pool'>, blobs: BlobStore): Promise<number> {
  return await blobs.collect((digests) => store.findNamed(pool, digests))
}

/** What a decision rests on, as it names it. The caller has read the use case. */
export async function acceptedEvidence(
  tx: ReadTx,
  useCaseId: string,
): Promise<Pick<store.EvidenceRow, 'id' | 'kind' | 'title' | 'digest'>[]> {
  const rows = await store.listAcceptedRows(tx, useCaseId)
  return rows.map(({ id, kind, title, digest }) => ({ id, kind, title, digest }))
}

type Presented = Omit<store.AttachedRow, 'useCase'>

function subjectOf(
  { id, useCaseId, attachedBy }: store.EvidenceRow,
  { orgUnitId, businessOwnerId, riskOwnerId }: store.AttachedRow['useCase'] | UseCaseRow,
): RowOf<'Evidence'> & { id: string } {
  return { id, useCaseId, attachedBy, orgUnitId, businessOwnerId, riskOwnerId }
}

function stateOf({ evidence, scan }: Pick<Presented, 'evidence' | 'scan'>): Evidence['state'] {
  return evidence.disposedAt === null ? (scan?.state ?? 'available') : 'disposed'
}

function present(attached: Presented, now: Instant): Evidence {
  const { verdict: given, supersededById, disposal, blob } = attached
  const { givenAt: _given, disposedAt: _disposed, ...evidence } = attached.evidence
  const verdict = given && {
    ...{ verdict: given.verdict, givenBy: given.givenBy },
    ...{ givenAt: given.givenAt, note: given.note },
  }
  const state = stateOf(attached)
  const isFresh = evidence.freshUntil === null || evidence.freshUntil > now
  const isSound = state === 'available' && isFresh && supersededById === null
  const counts = isSound && verdict?.verdict === 'accepted'
  const disposalId = disposal?.id ?? null
  const damagedAt = state === 'disposed' ? null : (blob?.damagedAt ?? null)
  return Evidence.parse({
    ...{ ...evidence, verdict, state, isFresh, counts, supersededById, disposalId, damagedAt },
  })
}
