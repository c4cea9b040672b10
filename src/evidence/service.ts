import { digestOf } from '../audit/digest.js'
import { authorize } from '../auth/decision-rights.js'
import { seatsIn } from '../auth/principal.js'
import type { Database } from '../db/database.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import type { Instant } from '../instant.js'
import type { Asked } from '../policy/retention-file.js'
import { settle } from '../requirements/service.js'
import { getReadable } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { assertNotRetired } from '../use-cases/use-case.js'
import type { BlobStore } from './blobs.js'
import {
  assertAvailable,
  assertElsewhere,
  assertFresh,
  assertUnjudged,
  type Evidence,
  type Judgement,
  type NewAttestation,
  type NewFile,
  type NewLink,
  type NewUse,
} from './evidence.js'
import { claimBytes, type KeepingPolicy, keepFromNow } from './keeping.js'
import * as scans from './scan-store.js'
import * as store from './store.js'
import { assertCurrent, assertFollows } from './succession.js'
import { contentOfLink, present, stateOf, subjectOf } from './view.js'

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
 * Lets a piece of evidence serve another use case as well, where somebody accepts it anew. It is as old as it was.
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
  const givenAt = source.evidence.givenAt ?? source.evidence.attachedAt
  return await attach(tx, policies, useCaseId, { ...same, givenAt, sharedFromId: id })
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
  const attempt = await assertFitting(tx, useCase.id, content)
  await claimBytes(tx, content)
  const by = { attachedBy: tx.principal.personId, attachedAt: tx.now }
  const given = { givenAt: await givenAtOf(tx, useCase.id, content), attempt }
  const row = { id: newId(), useCaseId: useCase.id, ...content, ...by, ...given }
  const evidence = await store.insertEvidence(tx, row)
  saveUseCase(tx, useCase, await settle(tx, useCase))
  const asked = await keepFromNow(tx, policies, useCase, evidence)
  recordAttached(tx, useCase, evidence, { right, asked })
  return present({ ...nothingYet, evidence }, tx.now)
}

/**
 * The lock on the use case keeps two newer pieces from coming in place of one, and one piece from coming twice.
 * @returns which attempt it is to take the place of the older one
 */
async function assertFitting(
  tx: ReadTx,
  useCaseId: string,
  { supersedesId, kind, sharedFromId }: Content,
): Promise<number> {
  if (sharedFromId) assertElsewhere(await store.isShared(tx, sharedFromId, useCaseId))
  if (!supersedesId) return 1
  const { evidence, verdict, useCase, ...newer } = await store.getAttachedRow(tx, supersedesId)
  authorize(tx.ability, 'read', 'Evidence', subjectOf(evidence, useCase))
  assertFollows({ ...evidence, ...newer, verdict: verdict?.verdict ?? null }, { useCaseId, kind })
  return (await store.countAttempts(tx, supersedesId)) + 1
}

/** what somebody gives again, or shares, is no fresher for that. */
async function givenAtOf(
  tx: WriteTx,
  useCaseId: string,
  { form, digest, givenAt }: Content,
): Promise<Instant> {
  const before = form === 'file' ? await store.firstGiven(tx, useCaseId, digest) : null
  return [before, givenAt, tx.now].reduce<Instant>((a, b) => (b && b < a ? b : a), tx.now)
}

const nothingYet = {
  ...{ verdict: null, scan: null, disposal: null, blob: null },
  ...{ supersededById: null, newerId: null },
}

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
 * accepts or refuses what somebody else attached, once. What is accepted takes the place of the older one; what
 * is refused leaves that as it was.
 * @throws RegistryError `forbidden` to whoever attached it, there or where it is shared from, `conflict` when it is
 * stale, superseded, held back by a scanner, or judged already
 */
export async function judge(tx: WriteTx, id: string, { verdict, note }: Judgement): Promise<Evidence> {
  const { useCaseId } = (await store.getAttachedRow(tx, id)).evidence
  const useCase = await lockUseCase(tx, useCaseId)
  const attached = await store.getAttachedRow(tx, id)
  const { evidence, verdict: earlier, supersededById } = attached
  const right = authorize(tx.ability, 'judge', 'Evidence', subjectOf(evidence, useCase))
  await assertNotGiver(tx, id, right)
  assertNotRetired(useCase)
  assertUnjudged(earlier)
  assertAvailable(stateOf(attached))
  assertCurrent(supersededById)
  if (verdict === 'accepted') assertFresh(evidence.freshUntil, tx.now)
  const { attachedBy, digest } = evidence
  const given = { verdict, note, givenBy: tx.principal.personId, givenAt: tx.now }
  const seats = seatsIn(tx.principal, useCase.orgUnitId)
  const row = await store.insertVerdict(tx, { evidenceId: id, attachedBy, ...given, seats })
  saveUseCase(tx, useCase, await settle(tx, useCase))
  tx.record(useCase, { type: `evidence.${verdict}`, right, evidenceId: id, digest, seats, sealed: { note } })
  return present({ ...attached, verdict: row }, tx.now)
}

/** whoever gave a piece does not accept it by way of somebody who shared it, nor do their delegates. */
async function assertNotGiver(tx: WriteTx, id: string, right: string): Promise<void> {
  const { personId, standsFor = [] } = tx.principal
  const me = [personId, ...standsFor.map((one) => one.personId)]
  const givers = await store.listGivers(tx, id)
  if (!givers.some((giver) => me.includes(giver))) return
  throw new RegistryError(
    'forbidden',
    'you gave this evidence, where it is shared from; somebody else judges it',
    {
      rule: right,
      denied: { action: 'judge', kind: 'Evidence', id },
    },
  )
}

/** Removes bytes that no evidence has, left by a process that died between bytes and row. @returns how many */
export async function collectOrphans({ pool }: Pick<Database, 'pool'>, blobs: BlobStore): Promise<number> {
  return await blobs.collect((digests) => store.findNamed(pool, digests))
}
