import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Database } from '../db/database.js'
import { RegistryError } from '../errors.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { day } from '../instant.js'
import type { Policies } from '../policy/load.js'
import * as examples from './examples.js'
import {
  DecisionQuery,
  DecisionRecord,
  decisionKinds,
  type Format,
  GrantQuery,
  GrantRecord,
  grantKinds,
  type Moment,
  UseCaseQuery,
  UseCaseRecord,
  useCaseKinds,
  VoteQuery,
  VoteRecord,
  voteKinds,
} from './register.js'
import {
  type AnyQuery,
  type Exported,
  type Exports,
  exportColumns,
  exportRegister,
  type FileFormat,
  listRegister,
  type Select,
  selectDecisions,
  selectGrants,
  selectUseCases,
  selectVotes,
} from './service.js'

const EXPORT_LIMIT_MS = 600_000
const mediaTypes = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}
const bareTypes = Object.entries(mediaTypes).map(
  ([format, type]) => [format as FileFormat, type.split(';')[0] ?? type] as const,
)

/** What the four registers have in common. */
const common = {
  tag: 'Registers' as const,
  description:
    'JSON comes by page; CSV, XLSX and NDJSON are streamed whole, and break off when something goes wrong instead ' +
    'of ending. `Assent-As-Of` is the instant the register is of; `Assent-Settled: false` says that it lies less than ' +
    'a minute back, so that writes may still be under way. In CSV an apostrophe stands before what a spreadsheet ' +
    'would run; in XLSX all texts and instants are text, and one longer than 32,767 characters is cut; NDJSON ' +
    'is exact, and canonical (RFC 8785).',
  right: { action: 'export', subject: 'Register' } as const,
  produces: ['application/json', ...bareTypes.map(([, type]) => type)],
  timeoutMs: EXPORT_LIMIT_MS,
}

const momentShape = {
  asOf: z.iso.datetime().describe('The instant the register is of, the same on all pages'),
  settled: z.boolean().describe('False while writes may be under way that it does not show yet'),
}
const registerPage = <T extends z.ZodType>(id: string, record: T, example: object) =>
  page(record)
    .extend(momentShape)
    .meta({ id, examples: [example] })

interface Parts {
  database: Pick<Database, 'exports'>
  policies: Policies
}

/** The register as a whole, for whoever has to keep, check or publish it. */
export async function registerRoutes(app: App, { database, policies }: Parts): Promise<void> {
  const questions = policies.riskTiers.questions.map(({ id }) => id)
  const exports = { pool: database.exports, questions }
  const answer = answering(app, exports)

  app.get(
    '/v1/registers/use-cases',
    operation({
      ...common,
      id: 'exportUseCases',
      summary: 'Use cases with standing, tier and owners, now or as of a past instant',
      query: z.strictObject({ ...UseCaseQuery.shape, ...pageQuery }),
      answers: { 200: registerPage('UseCaseRegister', UseCaseRecord, examples.useCaseRegister) },
      samples: examples.streamed(examples.useCaseRegister, useCaseKinds),
    }),
    async (request, reply) => {
      const { query } = request
      const { columns } = query
      if (columns === undefined) return await answer(request, reply, 'use-cases', selectUseCases)
      const format = tableOf(request)
      const exported = await app.read(request, (tx) =>
        exportColumns(tx, exports, { ...query, columns }, format),
      )
      return await sendFile(reply, `${columns}-use-cases`, format, exported)
    },
  )

  app.get(
    '/v1/registers/decisions',
    operation({
      ...common,
      id: 'exportDecisions',
      summary: 'Every decision that was made by an instant',
      query: z.strictObject({ ...DecisionQuery.shape, ...pageQuery }),
      answers: { 200: registerPage('DecisionRegister', DecisionRecord, examples.decisionRegister) },
      samples: examples.streamed(examples.decisionRegister, decisionKinds),
    }),
    async (request, reply) => await answer(request, reply, 'decisions', selectDecisions),
  )

  app.get(
    '/v1/registers/votes',
    operation({
      ...common,
      id: 'exportVotes',
      summary: 'Every vote that was cast by an instant, replaced ones included',
      query: z.strictObject({ ...VoteQuery.shape, ...pageQuery }),
      answers: { 200: registerPage('VoteRegister', VoteRecord, examples.voteRegister) },
      samples: examples.streamed(examples.voteRegister, voteKinds),
    }),
    async (request, reply) => await answer(request, reply, 'votes', selectVotes),
  )

  app.get(
    '/v1/registers/grants',
    operation({
      ...common,
      id: 'exportGrants',
      summary: 'Every role and seat granted by an instant, and whether it was revoked by then',
      query: z.strictObject({ ...GrantQuery.shape, ...pageQuery }),
      answers: { 200: registerPage('GrantRegister', GrantRecord, examples.grantRegister) },
      samples: examples.streamed(examples.grantRegister, grantKinds),
    }),
    async (request, reply) => await answer(request, reply, 'grants', selectGrants),
  )
}

type Asked<Q> = Parameters<App['page']>[0] & { query: Q }
type Question = AnyQuery & { format?: Format | undefined }

function answering(app: App, exports: Exports) {
  return async <Q extends Question, R>(
    request: Asked<Q>,
    reply: FastifyReply,
    name: string,
    select: Select<Q, R>,
  ) => {
    const { query } = request
    const format = formatOf(request)
    if (format === 'json') {
      const answer = await app.page(request, (tx, page) => listRegister(tx, select, query, page))
      announceMoment(reply, answer)
      return answer
    }
    const register = { select, name }
    const exported = await app.read(request, (tx) => exportRegister(tx, exports, register, query, format))
    return await sendFile(reply, name, format, exported)
  }
}

async function sendFile(
  reply: FastifyReply,
  name: string,
  format: FileFormat,
  { bytes, ...moment }: Exported,
): Promise<void> {
  announceMoment(reply, moment)
  const fileName = `${name}-${day(moment.asOf)}.${format}`
  reply.header('content-disposition', `attachment; filename="${fileName}"`)
  await reply.type(mediaTypes[format]).send(bytes)
}

function tableOf(request: Asked<Question>): 'csv' | 'xlsx' {
  const format = formatOf(request)
  if (format === 'csv' || format === 'xlsx') return format
  throw new RegistryError(
    'invalid',
    'these columns come as CSV or XLSX only; ask for format=csv or format=xlsx',
  )
}

function formatOf({ query, headers }: Asked<Question>): Format {
  const accept = String(headers.accept ?? '')
  const [wanted] = bareTypes.find(([, type]) => accept.includes(type)) ?? []
  return query.format ?? wanted ?? 'json'
}

/** Streams say in headers what JSON says in fields. */
function announceMoment(reply: FastifyReply, { asOf, settled }: Moment): void {
  reply.headers({ 'assent-as-of': asOf, 'assent-settled': String(settled) })
}
