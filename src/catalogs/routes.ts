import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { digestOf, digestOfJson } from '../audit/digest.js'
import { RegistryError } from '../errors.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { receiveUpload, registerUploads, type Upload } from '../http/upload.js'
import { file } from '../http/zod.js'
import type { Policies } from '../policy/load.js'
import { CatalogId, Control } from './catalog.js'
import {
  CatalogFields,
  CatalogSummary,
  CatalogView,
  controlFilters,
  Meeting,
  meetingFilters,
  versionQuery,
} from './catalog-view.js'
import { readCsv } from './csv.js'
import { readOscal } from './oscal.js'
import {
  assertImporter,
  exportCatalog,
  getCatalog,
  importCatalog,
  listCatalogs,
  listControls,
  listMeetings,
  type ReceivedCatalog,
} from './service.js'

const params = z.strictObject({ id: CatalogId })
const tag = 'Catalogs'
const right = { action: 'read', subject: 'Catalog' } as const
/** The largest catalog in common use has 11 MB; it is read in memory. */
const LARGEST = 16 * 2 ** 20

interface Deps {
  policies: Policies
  /** The most bytes that a file may have. */
  uploadLimit: number
}

/** What frameworks ask for, as shipped and as imported. */
export async function catalogRoutes(app: App, deps: Deps): Promise<void> {
  await registerUploads(app)
  importRoute(app, deps)
  readRoutes(app, deps)
  partRoutes(app, deps)
  oscalRoute(app, deps)
}

function importRoute(app: App, { policies, uploadLimit }: Deps): void {
  app.post(
    '/v1/catalogs',
    operation({
      id: 'importCatalog',
      tag,
      summary: 'Import a version of a catalog',
      description:
        'The file is the last part of the form: an OSCAL catalog in JSON, or a table in CSV with the columns `id` and ' +
        '`title` and, if you like, `text`, `function`, `functionTitle`, `category`, `categoryTitle`, `parent`, `ties` and ' +
        '`risks`. Withdrawn controls of OSCAL are left out. A version never changes once it is there.',
      right: { action: 'import', subject: 'Catalog' },
      form: CatalogFields,
      location: '/v1/catalogs/{id}?version={version}',
      answers: { 201: CatalogView },
    }),
    async (request) => {
      await app.read(request, async (tx) => assertImporter(tx))
      const form = { fields: CatalogFields, limit: Math.min(uploadLimit, LARGEST) }
      const received = await receiveUpload(request, form, readUpload)
      return await app.write(request, (tx) => importCatalog(tx, policies, received), {
        content: digestOfJson({ catalog: received.catalog, file: received.fileDigest }),
      })
    },
  )
}

async function readUpload({ fields, bytes }: Upload<CatalogFields>): Promise<ReceivedCatalog> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  const file = Buffer.concat(chunks)
  const content = decode(file)
  const format = fields.format ?? (/^\s*[{[]/.test(content) ? 'oscal' : 'csv')
  const catalog = format === 'oscal' ? readOscal(content, fields) : readCsv(content, fields)
  return { catalog, format, fileDigest: digestOf(file) }
}

function decode(file: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file)
  } catch (cause) {
    throw new RegistryError('invalid', 'the file is not UTF-8; save it as UTF-8', { cause })
  }
}

function readRoutes(app: App, { policies }: Deps): void {
  app.get(
    '/v1/catalogs',
    operation({
      id: 'listCatalogs',
      tag,
      summary: 'Every version of every catalog, by id and version',
      description: 'Those that come with the policy in force, and those that were imported.',
      right,
      query: z.strictObject(pageQuery),
      answers: { 200: page(CatalogSummary) },
    }),
    async (request) => await app.page(request, (tx, page) => listCatalogs(tx, policies, page)),
  )

  app.get(
    '/v1/catalogs/:id',
    operation({
      id: 'getCatalog',
      tag,
      summary: 'One catalog, with how it is arranged',
      description: 'Functions, categories and risks; its controls are at `GET /v1/catalogs/{id}/controls`.',
      right,
      params,
      query: z.strictObject(versionQuery),
      answers: { 200: CatalogView },
    }),
    async (request) => {
      const { params, query } = request
      return await app.read(request, (tx) => getCatalog(tx, policies, params.id, query.version))
    },
  )
}

function oscalRoute(app: App, { policies }: Deps): void {
  app.get(
    '/v1/catalogs/:id/oscal',
    operation({
      id: 'exportCatalog',
      tag,
      summary: 'A version of a catalog as OSCAL',
      description:
        'An OSCAL 1.1.3 catalog. Ids are written as OSCAL writes ids, `GOVERN 1.1` as `GOVERN-1.1`, with the exact one as label.',
      right,
      params,
      query: z.strictObject(versionQuery),
      produces: ['application/oscal.catalog+json'],
      answers: { 200: file },
    }),
    async (request, reply) => {
      const { params, query } = request
      const document = await app.read(request, (tx) => exportCatalog(tx, policies, params.id, query.version))
      await sendDocument(reply, document)
    },
  )
}

async function sendDocument(reply: FastifyReply, document: object): Promise<void> {
  await reply.type('application/oscal.catalog+json').send(JSON.stringify(document))
}

function partRoutes(app: App, { policies }: Deps): void {
  app.get(
    '/v1/catalogs/:id/controls',
    operation({
      id: 'listControls',
      tag,
      summary: 'Controls, in the order of their catalog',
      description: 'Pages that began with one version go on with it.',
      right,
      params,
      query: z.strictObject({ ...pageQuery, ...versionQuery, ...controlFilters }),
      answers: { 200: page(Control) },
    }),
    async (request) => {
      const { cursor, limit, ...asked } = request.query
      const wanted = { ...asked, ...request.params }
      return await app.page(request, (tx, page) => listControls(tx, policies, wanted, page))
    },
  )

  app.get(
    '/v1/catalogs/:id/mappings',
    operation({
      id: 'listMappings',
      tag,
      summary: 'Controls of other catalogs that ask for the same',
      description:
        'By the mappings of the policy in force, and by what controls of its catalogs serve, read in both directions.',
      right,
      params,
      query: z.strictObject({ ...pageQuery, ...meetingFilters }),
      answers: { 200: page(Meeting) },
    }),
    async (request) => {
      const { cursor, limit, ...asked } = request.query
      const wanted = { ...asked, ...request.params }
      return await app.page(request, (tx, page) => listMeetings(tx, policies, wanted, page))
    },
  )
}
