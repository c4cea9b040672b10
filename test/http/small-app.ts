import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { z } from 'zod'
import { buildAbility, type DecisionRights } from '../../src/auth/decision-rights.js'
import type { Principal } from '../../src/auth/principal.js'
import { readConfig } from '../../src/config.js'
import type { ReadTx, WriteTx } from '../../src/db/transaction.js'
import { assertRevision, RegistryError } from '../../src/errors.js'
import { requireRevision } from '../../src/http/etag.js'
import { operation } from '../../src/http/operations.js'
import { page, pageQuery } from '../../src/http/paging.js'
import { createServer } from '../../src/http/server.js'
import type { App, HttpDeps } from '../../src/http/types.js'
import { noContent } from '../../src/http/zod.js'
import { cutPage } from '../../src/page.js'

const noRights: DecisionRights = { allow: [], deny: [], byId: new Map() }

export const callerNamed = (name: string) => {
  const principal: Principal = { personId: name, kind: 'human', name, grants: [], boundUseCaseIds: [] }
  return { principal, ability: buildAbility(noRights, principal) }
}

/** Somebody signs in by saying their name: who may sign in is not what these tests are about. */
const authenticate: HttpDeps['authenticate'] = async ({ headers }) => {
  const [, name] = /^Bearer (\w+)$/.exec(headers.authorization ?? '') ?? []
  if (!name || name === 'wrong') throw new RegistryError('unauthenticated', 'sign in first')
  return callerNamed(name)
}

export interface SmallApp {
  app: App
  /** What was done; a refusal must leave it as it was. */
  deeds: string[]
  /** Every line that was logged. */
  log: string[]
}

interface Options {
  env?: Record<string, string>
  deps?: Partial<HttpDeps>
  /** More routes than `boats`. */
  routes?: (app: App, deeds: string[]) => void
}

/** The HTTP side of Assent with a register of boats in memory, and no database. */
export async function smallApp(t: Test, { env, deps, routes }: Options = {}): Promise<SmallApp> {
  const deeds: string[] = []
  const log: string[] = []
  const dataDir = mkdtempSync(join(tmpdir(), 'assent-http-'))
  const app = await createServer({
    config: readConfig({ ASSENT_DATA_DIR: dataDir, ...env }),
    authenticate,
    renew: async (headers) => await authenticate({ headers } as Parameters<typeof authenticate>[0]),
    database: withoutDatabase(deeds),
    log: { write: (line: string) => void log.push(line) },
    verifyResponses: true,
    ...deps,
  })
  sail(app, deeds)
  routes?.(app, deeds)
  await app.ready()
  t.teardown(async () => await app.close())
  return { app, deeds, log }
}

/** Runs the work as the kernel does, without a transaction around it. */
export function withoutDatabase(deeds: string[]): HttpDeps['database'] {
  return {
    read: async (request, work) => await work({ ...request } as unknown as ReadTx),
    write: async (request, work) => {
      const value = await work({ ...request } as unknown as WriteTx)
      deeds.push(request.idempotency ? `under ${request.idempotency.digest}` : 'written')
      return { value, replayed: request.idempotency?.key === 'seen-before', touched: new Set() }
    },
  }
}

export const Boat = z.strictObject({
  id: z.string(),
  name: z.string(),
  masts: z.number().int().nullable(),
  revision: z.number().int(),
})
const NewBoat = z.strictObject({
  name: z.string().trim().min(2),
  masts: z.number().int().min(0).nullable().default(null),
  crew: z.array(z.strictObject({ name: z.string() })).default([]),
  cargo: z
    .union([z.strictObject({ kind: z.literal('fish'), tons: z.number() }), z.literal('none')])
    .default('none'),
})
const fleet = Array.from({ length: 7 }, (_, n) => ({
  id: `b${n}`,
  name: `Boat ${n}`,
  masts: null,
  revision: 3,
}))

const Rig = z.enum(['sloop', 'ketch'])
const Rigs = z.union([z.array(Rig).min(1), Rig])
const params = z.strictObject({ id: z.string() })
const words = { tag: 'Systems', right: 'authenticated' } as const

export const operations = {
  list: operation({
    ...words,
    id: 'listBoats',
    summary: 'Boats',
    query: z.strictObject({ ...pageQuery, name: z.string().optional(), rig: Rigs.optional() }),
    answers: { 200: page(Boat) },
  }),
  register: operation({
    ...words,
    id: 'registerBoat',
    summary: 'Register a boat',
    right: { action: 'register', subject: 'System' },
    body: NewBoat,
    answers: { 201: Boat },
    location: '/v1/boats/{id}',
  }),
  get: operation({ ...words, id: 'getBoat', summary: 'One boat', params, answers: { 200: Boat } }),
  rename: operation({
    ...words,
    id: 'renameBoat',
    summary: 'Rename a boat',
    params,
    body: z.strictObject({ name: z.string() }),
    ifMatch: true,
    answers: { 200: Boat },
  }),
  sink: operation({ ...words, id: 'sinkBoat', summary: 'Sink a boat', params, answers: { 204: noContent } }),
}

function sail(app: App, deeds: string[]): void {
  app.get('/v1/boats', operations.list, async (request) => {
    const { name } = request.query
    return await app.page(request, async (_tx, { limit, after }) => {
      const rest = fleet.filter((boat) => !after || boat.id > String(after[0]))
      const found = rest.filter((boat) => !name || boat.name.includes(name))
      return cutPage(found.slice(0, limit + 1), limit, (boat) => [boat.id])
    })
  })
  app.post('/v1/boats', operations.register, async (request) => {
    const { name, masts } = request.body
    return await app.write(request, async () => ({ id: 'b7', name, masts, revision: 1 }))
  })
  app.get('/v1/boats/:id', operations.get, async (request) => {
    const boat = fleet.find(({ id }) => id === request.params.id)
    if (!boat) throw new RegistryError('not_found', 'there is no such boat; check its id')
    return boat
  })
  app.patch('/v1/boats/:id', operations.rename, async (request) => {
    const { id } = request.params
    return await app.write(request, async () => {
      assertRevision({ revision: 3 }, requireRevision(request))
      return { id, name: request.body.name, masts: null, revision: 4 }
    })
  })
  app.delete('/v1/boats/:id', operations.sink, async () => void deeds.push('sunk'))
}

export const ana = { authorization: 'Bearer ana' }
