import { z } from 'zod'
import { digestOfJson } from '../audit/digest.js'
import { announceDownload, requestedRange } from '../http/download.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import { Problem } from '../http/problem.js'
import { givenReprDigest } from '../http/repr-digest.js'
import type { App } from '../http/types.js'
import { receiveUpload, registerUploads, type Upload } from '../http/upload.js'
import { file } from '../http/zod.js'
import type { EvidenceFile } from '../policy/evidence-file.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import type { BlobStore } from './blobs.js'
import {
  assertSameDigest,
  Evidence,
  EvidenceQuery,
  evidenceFilters,
  FileFields,
  fileNameOf,
  Judgement,
  mediaTypeOf,
  NewAttestation,
  type NewFile,
  NewLink,
  NewUse,
} from './evidence.js'
import { assertTaken, nameFitting } from './media-type.js'
import { findEvidence, getEvidence, listEvidence, openContent } from './reading.js'
import { recognizing } from './recognizing.js'
import {
  assertAttachable,
  attachAttestation,
  attachFile,
  attachLink,
  judge,
  shareEvidence,
} from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the piece of evidence') })
const ofUseCase = z.strictObject({ id: UseCaseRef })
const tag = 'Evidence'
const TRANSFER_LIMIT_MS = 600_000

interface Deps {
  blobs: BlobStore
  /** The most bytes that a file may have. */
  uploadLimit: number
  policies: Pick<Policies, 'digest' | 'evidence' | 'retention'>
  /** Whether files wait for a virus scanner. */
  isScanned: boolean
}

/** Files, attestations and links, and their acceptance. */
export async function evidenceRoutes(app: App, deps: Deps): Promise<void> {
  await registerUploads(app)
  app.addHook('onReady', async () => {
    await deps.blobs.sweep().catch((err) => app.log.warn({ err }, 'drafts of evidence stay'))
  })
  wordRoutes(app, deps)
  shareRoutes(app, deps)
  fileRoutes(app, deps)
  judgeRoutes(app)
  listRoutes(app)
  findRoute(app)
  contentRoutes(app, deps.blobs)
}

function wordRoutes(app: App, { policies }: Deps): void {
  app.post(
    '/v1/use-cases/:id/evidence',
    operation({
      id: 'attachAttestation',
      tag,
      summary: 'Attach a statement that you vouch for',
      description: 'In words of your own, when there is no file. It counts once somebody else accepted it.',
      right: { action: 'attach', subject: 'UseCase' },
      params: ofUseCase,
      body: NewAttestation,
      location: '/v1/evidence/{id}',
      answers: { 201: Evidence },
    }),
    async (request) =>
      await app.write(request, (tx) => attachAttestation(tx, policies, request.params.id, request.body)),
  )

  app.post(
    '/v1/use-cases/:id/evidence/links',
    operation({
      id: 'attachLink',
      tag,
      summary: 'Attach a link, and say what it shows',
      description:
        'For people to open; Assent never does. Its digest is that of `{"statement":…,"url":…}` as canonical JSON (RFC 8785).',
      right: { action: 'attach', subject: 'UseCase' },
      params: ofUseCase,
      body: NewLink,
      location: '/v1/evidence/{id}',
      answers: { 201: Evidence },
    }),
    async (request) =>
      await app.write(request, (tx) => attachLink(tx, policies, request.params.id, request.body)),
  )
}

function shareRoutes(app: App, { policies }: Deps): void {
  app.post(
    '/v1/evidence/:id/uses',
    operation({
      id: 'shareEvidence',
      tag,
      summary: 'Let a piece of evidence serve another use case as well',
      description:
        'The other use case gets a piece of its own with the same bytes, which somebody accepts or refuses there. Its giver is whoever shares it.',
      right: { action: 'attach', subject: 'UseCase' },
      params,
      body: NewUse,
      location: '/v1/evidence/{id}',
      answers: { 201: Evidence },
    }),
    async (request) =>
      await app.write(request, (tx) => shareEvidence(tx, policies, request.params.id, request.body)),
  )
}

function fileRoutes(app: App, { blobs, uploadLimit, policies, isScanned }: Deps): void {
  const taken = policies.evidence
  app.post(
    '/v1/use-cases/:id/evidence/files',
    operation({
      id: 'attachFile',
      tag,
      summary: 'Attach a file',
      description:
        'The file is the last part of the form, and is what it is declared to be: its first bytes are looked at, and policy names the types that are taken. With its `digest`, or `Repr-Digest: sha-256=:…:` (RFC 9530) of the file, one that arrives otherwise is refused.',
      right: { action: 'attach', subject: 'UseCase' },
      params: ofUseCase,
      form: FileFields,
      timeoutMs: TRANSFER_LIMIT_MS,
      location: '/v1/evidence/{id}',
      answers: { 201: Evidence },
    }),
    async (request) => {
      const { id } = request.params
      await app.read(request, (tx) => assertAttachable(tx, id))
      const form = { fields: FileFields, limit: Math.min(uploadLimit, taken.largestBytes) }
      const announced = givenReprDigest(request)
      const received = await receiveUpload(request, form, (upload) => keep(blobs, taken, upload, announced))
      return await app.write(request, (tx) => attachFile(tx, id, received, { ...policies, isScanned }), {
        content: digestOfJson(received),
      })
    },
  )
}

async function keep(
  blobs: BlobStore,
  taken: EvidenceFile,
  { fields, fileName, mediaType: declared, bytes }: Upload<FileFields>,
  announced: string | undefined,
): Promise<NewFile> {
  const { digest = announced, ...described } = fields
  assertSameDigest(digest, announced)
  const mediaType = assertTaken(mediaTypeOf(declared), taken.mediaTypes)
  const named = { fileName: fileNameOf(fileName), mediaType }
  return { ...described, ...named, ...(await blobs.put(recognizing(bytes, mediaType), digest)) }
}

function judgeRoutes(app: App): void {
  app.post(
    '/v1/evidence/:id/verdict',
    operation({
      id: 'judgeEvidence',
      tag,
      summary: 'Accept or refuse what somebody else attached',
      description: 'There is one verdict, and it stays. Whoever attached the evidence cannot give it.',
      right: { action: 'judge', subject: 'Evidence' },
      params,
      body: Judgement,
      answers: { 201: Evidence },
    }),
    async (request) => await app.write(request, (tx) => judge(tx, request.params.id, request.body)),
  )
}

function listRoutes(app: App): void {
  app.get(
    '/v1/use-cases/:id/evidence',
    operation({
      id: 'listEvidence',
      tag,
      summary: 'Evidence of a use case, the last attached first',
      description: 'Refused and superseded pieces are among them; `counts` says which a decision rests on.',
      right: { action: 'read', subject: 'Evidence' },
      params: ofUseCase,
      query: z.strictObject({ ...pageQuery, ...evidenceFilters }),
      answers: { 200: page(Evidence) },
    }),
    async (request) =>
      await app.page(request, (tx, page) => {
        const { limit: _limit, cursor: _cursor, ...filters } = request.query
        return listEvidence(tx, request.params.id, filters, page)
      }),
  )

  app.get(
    '/v1/evidence/:id',
    operation({
      id: 'getEvidence',
      tag,
      summary: 'One piece of evidence with its verdict',
      description: 'Its bytes are at `GET /v1/evidence/{id}/content`.',
      right: { action: 'read', subject: 'Evidence' },
      params,
      answers: { 200: Evidence },
    }),
    async (request) => await app.read(request, (tx) => getEvidence(tx, request.params.id)),
  )
}

function findRoute(app: App): void {
  app.get(
    '/v1/evidence',
    operation({
      id: 'findEvidence',
      tag,
      summary: 'Evidence across use cases',
      description:
        'What waits for a verdict: `verdict=none&state=available&isCurrent=true&sort=attachedAt`. What the virus scanner did not let go: `state=quarantined`. What goes stale next: `verdict=accepted&isCurrent=true&freshAt=…&freshBefore=…&sort=freshUntil`.',
      right: { action: 'read', subject: 'Evidence' },
      query: z.strictObject({ ...pageQuery, ...EvidenceQuery.shape }),
      answers: { 200: page(Evidence) },
    }),
    async (request) =>
      await app.page(request, (tx, page) => {
        const { limit: _limit, cursor: _cursor, ...query } = request.query
        return findEvidence(tx, query, page)
      }),
  )
}

function contentRoutes(app: App, blobs: BlobStore): void {
  app.get(
    '/v1/evidence/:id/content',
    operation({
      id: 'downloadEvidence',
      tag,
      summary: 'The bytes of the file, the statement that was attested, or the link as JSON',
      description:
        'Always sent as an attachment, under a name that ends as its type does, with the digest of the whole in `Repr-Digest` (RFC 9530). One range is served.',
      right: { action: 'read', subject: 'Evidence' },
      params,
      produces: ['application/octet-stream'],
      timeoutMs: TRANSFER_LIMIT_MS,
      answers: { 200: file, 206: file, 416: Problem },
    }),
    async (request, reply) => {
      const evidence = await app.read(request, (tx) => getEvidence(tx, request.params.id))
      const download = downloadOf(evidence)
      const range = requestedRange(request, reply, download)
      const bytes = await openContent(blobs, evidence, range)
      announceDownload(reply, download, range)
      return bytes
    },
  )
}

function downloadOf({ id, fileName, mediaType, digest, size, form }: Evidence) {
  const isText = form === 'attestation'
  return {
    fileName: nameFitting(fileName ?? `${form}-${id}`, mediaType),
    mediaType: isText ? `${mediaType}; charset=utf-8` : mediaType,
    digest,
    size,
  }
}
