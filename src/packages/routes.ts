import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Config } from '../config.js'
import type { Database } from '../db/database.js'
import type { BlobStore } from '../evidence/blobs.js'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import { file } from '../http/zod.js'
import { day } from '../instant.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { RegisterPackageQuery, UseCasePackageQuery } from './package.js'
import type { Sources } from './packing.js'
import { type Package, packRegister, packUseCase } from './service.js'

const TRANSFER_LIMIT_MS = 3_600_000

interface Deps {
  database: Pick<Database, 'exports'>
  policies: Pick<Policies, 'digest'>
  config: Pick<Config, 'policiesDir'>
  blobs: BlobStore
}

const common = {
  tag: 'Registers' as const,
  right: { action: 'export', subject: 'Register' } as const,
  produces: ['application/x-tar'],
  timeoutMs: TRANSFER_LIMIT_MS,
  answers: { 200: file },
}
const description =
  'A tar with use cases, versions, reviews, votes, decisions, exceptions, conditions, control profiles, suspensions, ' +
  'incidents, openings by break-glass, delegations, grants, evidence with its retention, holds and disposals, answers ' +
  'of the gate, refusals, the log, and the policies that any of it names, readable without Assent; ' +
  '`sha256sum -c manifest.sha256` verifies it, and `assent package verify` holds it against its log. It is streamed, ' +
  'and when something goes wrong it breaks off, without sums, instead of ending; `INCOMPLETE.txt` says why. Takes ' +
  'the right to read the log as well.'

/** What an auditor takes home. */
export async function packageRoutes(app: App, { database, policies, config, blobs }: Deps): Promise<void> {
  const policy = { digest: policies.digest, dir: config.policiesDir }
  const sources: Sources = { pool: database.exports, blobs, policy }

  app.get(
    '/v1/packages/use-cases/:id',
    operation({
      ...common,
      id: 'packUseCase',
      summary: 'The audit package of one use case',
      description,
      params: z.strictObject({ id: UseCaseRef }),
      query: UseCasePackageQuery,
    }),
    async (request, reply) => {
      const { params, query } = request
      const packed = await app.read(request, (tx) => packUseCase(tx, sources, params.id, query))
      return await sendPackage(reply, packed)
    },
  )

  app.get(
    '/v1/packages/register',
    operation({
      ...common,
      id: 'packRegister',
      summary: 'The audit package of the register',
      description,
      query: RegisterPackageQuery,
    }),
    async (request, reply) =>
      await sendPackage(reply, await app.read(request, (tx) => packRegister(tx, sources, request.query))),
  )
}

async function sendPackage(reply: FastifyReply, { name, asOf, settled, bytes }: Package): Promise<void> {
  reply.headers({
    'assent-as-of': asOf,
    'assent-settled': String(settled),
    'content-disposition': `attachment; filename="${name}-${day(asOf)}.tar"`,
  })
  await reply.type('application/x-tar').send(bytes)
}
