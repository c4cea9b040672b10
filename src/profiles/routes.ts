import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

import { z } from 'zod'
import type { Database } from '../db/database.js'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { list, page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { Assessed, NewAssessments } from './assessment.js'
import { NewCopy, Precedent, ProfileCopy } from './copying.js'
import { below, CoverageEntry, coverageFilters, RegisterCoverage } from './coverage-list.js'
import { exportCoverage, listCoverage, listPrecedents, sumCoverage } from './covering.js'
import * as examples from './examples.js'
import {
  ControlAssessment,
  ControlProfile,
  type FileFormat,
  Format,
  historyFilters,
  profileFilters,
} from './profile.js'
import { type ExportedProfile, exportProfile, getProfile, listAssessments } from './reading.js'
import { assess, copyProfile } from './service.js'

const params = z.strictObject({ id: UseCaseRef })
const tag = 'Controls'

interface Deps {
  policies: Policies
  database: Pick<Database, 'exports'>
}

/** How far the controls of a use case are, and of all of them. */
export async function profileRoutes(app: App, { policies, database }: Deps): Promise<void> {
  coverageRoute(app, { policies, database })
  listRoute(app, { policies, database })
  profileRoute(app, policies)
  app.patch(
    '/v1/use-cases/:id/profile',
    operation({
      id: 'assessControls',
      tag,
      summary: 'Say how far controls are, of up to 500 at once',
      description:
        'A line speaks of a control, or of all of a category or a function. Either all of it is taken or nothing. What was said before stays on record. While a review is open this goes on.',
      right: { action: 'assess', subject: 'Profile' },
      ifMatch: true,
      params,
      body: NewAssessments,
      answers: { 200: Assessed },
    }),
    async (request) => {
      const seen = { useCaseRef: request.params.id, revision: requireRevision(request) }
      return await app.write(request, (tx) => assess(tx, policies, seen, request.body))
    },
  )

  app.post(
    '/v1/use-cases/:id/profile/copies',
    operation({
      id: 'copyProfile',
      tag,
      summary: 'Copy what was said of the controls of another use case',
      description:
        'A copy never counts, for nobody looked at it here: what is in place there arrives as planned, and what does not apply there as not assessed, with what was said there in the note. Evidence is not copied: share it, and let somebody accept it here.',
      right: { action: 'assess', subject: 'Profile' },
      ifMatch: true,
      params,
      body: NewCopy,
      answers: { 200: ProfileCopy },
    }),
    async (request) => {
      const seen = { useCaseRef: request.params.id, revision: requireRevision(request) }
      return await app.write(request, (tx) => copyProfile(tx, policies, seen, request.body))
    },
  )

  app.get(
    '/v1/use-cases/:id/profile/precedents',
    operation({
      id: 'listProfilePrecedents',
      tag,
      summary: 'Approved use cases whose profile could be copied',
      description: 'Of the same tier, as far as you may see them; those first that help most. Ten at most.',
      right: { action: 'read', subject: 'Profile' },
      params,
      answers: { 200: list(Precedent) },
    }),
    async (request) => ({
      items: await app.read(request, (tx) => listPrecedents(tx, policies, request.params.id)),
    }),
  )

  app.get(
    '/v1/use-cases/:id/profile/history',
    operation({
      id: 'listControlAssessments',
      tag,
      summary: 'What was said of its controls, the last first',
      description: 'Every assessment there ever was; none is changed.',
      right: { action: 'read', subject: 'Profile' },
      params,
      query: z.strictObject({ ...pageQuery, ...historyFilters }),
      answers: { 200: page(ControlAssessment) },
    }),
    async (request) =>
      await app.page(request, (tx, page) => {
        const { limit: _limit, cursor: _cursor, ...filters } = request.query
        return listAssessments(tx, request.params.id, filters, page)
      }),
  )
}

const mediaTypes: Record<FileFormat, string> = {
  csv: 'text/csv; charset=utf-8',
  oscal: 'application/oscal.ssp+json',
  'oscal-profile': 'application/oscal.profile+json',
}

function profileRoute(app: App, policies: Policies): void {
  app.get(
    '/v1/use-cases/:id/profile',
    operation({
      id: 'getProfile',
      tag,
      summary: 'The controls of a use case, and how far they are',
      description:
        'Those that policy asks for, by its tier and its facts, and those that somebody assessed beyond. Its ETag is that of the use case. As OSCAL 1.1.3 it is a system security plan: in place is `implemented`, planned `planned`, not effective `partial`, not applicable `not-applicable`, and of what nobody assessed it claims nothing; it holds the OSCAL profile that it imports. In CSV an apostrophe stands before what a spreadsheet would run.',
      right: { action: 'read', subject: 'Profile' },
      params,
      query: z.strictObject({
        ...profileFilters,
        format: Format.optional().describe('Takes precedence over the header Accept'),
      }),
      produces: ['application/json', ...Object.values(mediaTypes).map(bare)],
      answers: { 200: ControlProfile },
      samples: examples.samples,
    }),
    async (request, reply) => {
      const { format = formatOf(request.headers.accept), ...filters } = request.query
      const { id } = request.params
      if (format === 'json') return await app.read(request, (tx) => getProfile(tx, policies, id, filters))
      const exported = await app.read(request, (tx) => exportProfile(tx, policies, id, filters, format))
      await sendFile(reply, mediaTypes[format], exported)
    },
  )
}

async function sendFile(reply: FastifyReply, mediaType: string, { text, fileName }: ExportedProfile) {
  reply.header('content-disposition', `attachment; filename="${fileName}"`)
  await reply.type(mediaType).send(text)
}

const bare = (type: string): string => type.split(';')[0] ?? type

function formatOf(accept = ''): z.infer<typeof Format> {
  const [wanted] = Object.entries(mediaTypes).find(([, type]) => accept.includes(bare(type))) ?? []
  return Format.catch('json').parse(wanted)
}

const WHOLE_LIMIT_MS = 120_000
const wholeTypes = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' }

function coverageRoute(app: App, { policies, database }: Deps): void {
  app.get(
    '/v1/coverage',
    operation({
      id: 'getCoverage',
      tag,
      summary: 'How far the controls of all use cases together are, by function',
      description: 'Of all that you may see and that are not retired, as of one moment.',
      right: { action: 'read', subject: 'Profile' },
      query: z.strictObject(coverageFilters),
      timeoutMs: WHOLE_LIMIT_MS,
      answers: { 200: RegisterCoverage },
    }),
    async (request) =>
      await app.read(request, (tx) => sumCoverage(tx, database.exports, policies, request.query)),
  )
}

function listRoute(app: App, { policies, database }: Deps): void {
  app.get(
    '/v1/profiles',
    operation({
      id: 'listProfiles',
      tag,
      summary: 'How far the controls of each use case are',
      description:
        'Use cases in the order they were registered, but for retired ones. JSON comes by page; CSV and NDJSON are streamed whole, and break off when something goes wrong instead of ending.',
      right: { action: 'read', subject: 'Profile' },
      query: z.strictObject({
        ...pageQuery,
        ...coverageFilters,
        below,
        format: z
          .enum(['json', 'csv', 'ndjson'])
          .optional()
          .describe('Takes precedence over the header Accept'),
      }),
      produces: ['application/json', ...Object.values(wholeTypes).map(bare)],
      timeoutMs: WHOLE_LIMIT_MS,
      answers: { 200: page(CoverageEntry) },
      samples: examples.coverageSamples,
    }),
    async (request, reply) => {
      const { format: asked, limit: _limit, cursor: _cursor, ...filters } = request.query
      const format = asked ?? wholeFormatOf(request.headers.accept)
      if (format === 'json')
        return await app.page(request, (tx, page) => listCoverage(tx, policies, filters, page))
      const bytes = await app.read(request, (tx) =>
        exportCoverage(tx, database.exports, policies, filters, format),
      )
      await sendWhole(reply, format, bytes)
    },
  )
}

function wholeFormatOf(accept = ''): 'json' | keyof typeof wholeTypes {
  if (accept.includes(bare(wholeTypes.csv))) return 'csv'
  return accept.includes(bare(wholeTypes.ndjson)) ? 'ndjson' : 'json'
}

async function sendWhole(
  reply: FastifyReply,
  format: keyof typeof wholeTypes,
  bytes: Readable,
): Promise<void> {
  reply.header('content-disposition', `attachment; filename="coverage.${format}"`)
  await reply.type(wholeTypes[format]).send(bytes)
}
