import { z } from 'zod'
import { digestOfJson } from '../audit/digest.js'
import { authorizeSome } from '../auth/decision-rights.js'
import { fileNameOf } from '../evidence/evidence.js'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { receiveUpload, registerUploads, type Upload } from '../http/upload.js'
import { ROOT_UNIT_ID } from '../ids.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { applyImport } from './applying.js'
import { draftImport } from './drafting.js'
import {
  GoneRow,
  Import,
  ImportRow,
  ImportSummary,
  Mapping,
  Outcome,
  Provenance,
  UploadFields,
} from './import.js'
import { type Draft, preview, type Steps } from './previewing.js'
import type { ImportProfile } from './profile.js'
import {
  assertImporter,
  confirmMapping,
  getImport,
  getProvenance,
  listGone,
  listImports,
  listRows,
} from './service.js'
import type { Spool } from './spool.js'

const params = z.strictObject({ id: z.uuid().describe('Of the import') })
const tag = 'Imports'
/** A large register is read, and applied, in many transactions of one request. */
const LONG_MS = 600_000

interface Deps {
  policies: Policies<ImportProfile>
  spool: Spool
  /** The most bytes that a file may have. */
  uploadLimit: number
}

type Request = Parameters<App['read']>[0]

/** Registers that exist elsewhere: what comes in, what would become of it, what became of it. */
export async function importRoutes(app: App, deps: Deps): Promise<void> {
  await registerUploads(app)
  app.addHook('onReady', async () => {
    await deps.spool.sweep().catch((err) => app.log.warn({ err }, 'files on their way in stay'))
  })
  uploadRoute(app, deps)
  deedRoutes(app, deps)
  readRoutes(app)
  rowRoutes(app)
}

function uploadRoute(app: App, { policies, spool, uploadLimit }: Deps): void {
  app.post(
    '/v1/imports',
    operation({
      id: 'uploadImport',
      tag,
      summary: 'Upload a register and see what would become of each row',
      description:
        'The file is the last part of the form: CSV, XLSX or NDJSON, told by its bytes. Nothing is registered yet. A ' +
        'header that no profile fits gets an inferred mapping, which a person confirms.',
      right: { action: 'import', subject: 'Import' },
      form: UploadFields,
      timeoutMs: LONG_MS,
      location: '/v1/imports/{id}',
      answers: { 201: Import },
    }),
    async (request) => {
      await app.read(request, async ({ ability }) => authorizeSome(ability, 'import', 'Import'))
      const form = { fields: UploadFields, limit: uploadLimit }
      const id = await receiveUpload(request, form, async (upload) => {
        const { orgUnitId = ROOT_UNIT_ID } = upload.fields
        await app.read(request, (tx) => assertImporter(tx, orgUnitId))
        return await spool.hold(upload.bytes, async ({ path, digest }) => {
          const fileName = fileNameOf(upload.fileName)
          const received = { path, digest, fileName, orgUnitId, fields: upload.fields }
          const draft = await draftImport(received, policies)
          return await previewDraft(app, request, policies, draft, upload)
        })
      })
      return await app.read(request, (tx) => getImport(tx, id))
    },
  )
}

async function previewDraft(
  app: App,
  request: Request,
  policies: Policies,
  draft: Draft,
  { fields }: Upload<UploadFields>,
): Promise<string> {
  const content = digestOfJson({ ...fields, file: draft.fileDigest, fileName: draft.fileName })
  return await preview(
    stepsOf(app, request),
    async (work) => {
      const { id } = await app.write(request, work, { content })
      return { id, isNew: !request.replayed }
    },
    policies,
    draft,
  )
}

function stepsOf(app: App, request: Request): Steps {
  return {
    read: async (work) => await app.read(request, work),
    write: async (work) => await app.write(request, work, { step: true }),
  }
}

function deedRoutes(app: App, { policies }: Deps): void {
  app.patch(
    '/v1/imports/:id',
    operation({
      id: 'mapImport',
      tag,
      summary: 'Confirm or correct how columns are understood',
      description:
        'Without a profile it is confirmed as proposed. What would become of each row is worked out anew. Until then ' +
        'an inferred mapping cannot be applied.',
      right: { action: 'import', subject: 'Import' },
      params,
      body: Mapping,
      ifMatch: true,
      timeoutMs: LONG_MS,
      answers: { 200: Import },
    }),
    async (request) => {
      const { params, body } = request
      const revision = requireRevision(request)
      return await confirmMapping(stepsOf(app, request), policies, params.id, revision, body.profile)
    },
  )

  app.post(
    '/v1/imports/:id/application',
    operation({
      id: 'applyImport',
      tag,
      summary: 'Register what the rows say',
      description:
        'If-Match names the revision whose preview you saw. Rows are written in order, in several transactions. If ' +
        'the answer is lost, ask again with the same revision: it goes on where it stopped, and once all is applied ' +
        'it answers the same.',
      right: { action: 'import', subject: 'Import' },
      params,
      ifMatch: true,
      timeoutMs: LONG_MS,
      answers: { 200: Import },
    }),
    async (request) => {
      const last = async (work: Parameters<typeof app.write<Import>>[1]) => await app.write(request, work)
      const { id } = request.params
      return await applyImport(stepsOf(app, request), last, policies, id, requireRevision(request))
    },
  )
}

function readRoutes(app: App): void {
  app.get(
    '/v1/imports',
    operation({
      id: 'listImports',
      tag,
      summary: 'Imports, the last first',
      description: 'Previews that were never applied are among them.',
      right: { action: 'read', subject: 'Import' },
      query: z.strictObject(pageQuery),
      answers: { 200: page(ImportSummary) },
    }),
    async (request) => await app.page(request, listImports),
  )

  app.get(
    '/v1/imports/:id',
    operation({
      id: 'getImport',
      tag,
      summary: 'One import, with its mapping and counts',
      description: 'While `needsConfirmation` is true, confirm the mapping with `PATCH` before you apply it.',
      right: { action: 'read', subject: 'Import' },
      params,
      answers: { 200: Import },
    }),
    async (request) => await app.read(request, (tx) => getImport(tx, request.params.id)),
  )

  app.get(
    '/v1/use-cases/:id/source',
    operation({
      id: 'getSource',
      tag,
      summary: 'Where a use case came from, with the row as it came',
      description: 'What a source says of decisions of its own is shown here, and clears nothing.',
      right: { action: 'read', subject: 'UseCase' },
      params: z.strictObject({ id: UseCaseRef }),
      answers: { 200: Provenance },
    }),
    async (request) => await app.read(request, (tx) => getProvenance(tx, request.params.id)),
  )
}

function rowRoutes(app: App): void {
  app.get(
    '/v1/imports/:id/rows',
    operation({
      id: 'listImportRows',
      tag,
      summary: 'Every row with its outcome and the reasons for it',
      description: 'Filter by `outcome` to see only what needs attention.',
      right: { action: 'read', subject: 'Import' },
      params,
      query: z.strictObject({
        ...pageQuery,
        outcome: Outcome.optional().describe('Only rows with this outcome'),
      }),
      answers: { 200: page(ImportRow) },
    }),
    async (request) => {
      const { params, query } = request
      return await app.page(request, (tx, page) => listRows(tx, params.id, query.outcome, page))
    },
  )

  app.get(
    '/v1/imports/:id/gone',
    operation({
      id: 'listGoneRows',
      tag,
      summary: 'Use cases that an earlier file of this register carried, and this one lacks',
      description: 'They are reported and stay as they are; retire those that ended.',
      right: { action: 'read', subject: 'Import' },
      params,
      query: z.strictObject(pageQuery),
      answers: { 200: page(GoneRow) },
    }),
    async (request) => await app.page(request, (tx, page) => listGone(tx, request.params.id, page)),
  )
}
