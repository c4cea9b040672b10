import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import pg from 'pg'
import pino from 'pino'
import type { Test } from 'tap'
import { v7 as newId } from 'uuid'
import { buildApp } from '../src/app.js'
import { digestOfSecret, mintSecret } from '../src/auth/tokens.js'
import { projectRoot, readConfig } from '../src/config.js'
import type { Clock } from '../src/db/clock.js'
import { type Database, openDatabase } from '../src/db/database.js'
import { openStore } from '../src/evidence/stores/open.js'
import type { App } from '../src/http/types.js'
import { ASSENT_ID, ROOT_UNIT_ID } from '../src/ids.js'
import { ImportProfile } from '../src/imports/profile.js'
import { loadPolicies, type Policies } from '../src/policy/load.js'
import { RequirementsFile } from '../src/policy/requirements.js'
import { createDatabase, type TestDatabase } from './helper.js'

/** A right as `administrator` or `seat:legal`, for the whole organisation or for one unit. */
export interface Holds {
  rights: string[]
  unitId?: string
  kind?: 'human' | 'service'
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of an answer by asserting it
  body: any
  headers: Record<string, unknown>
}

/** Somebody signed in: asks as themselves. */
export interface Person {
  id: string
  token: string
  get(url: string): Promise<Answer>
  post(url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  patch(url: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  delete(url: string, headers?: Record<string, string>): Promise<Answer>
}

export interface TestApp {
  app: App
  database: Database
  policies: Policies<ImportProfile>
  connections: TestDatabase
  owner: pg.Client
  /** Makes a person with these rights, as if they had been there from the beginning. */
  person(name: string, holds: Holds): Promise<Person>
  /** Makes an org unit below another; answers its id. */
  unit(key: string, parentId?: string): Promise<string>
  ask(options: InjectOptions): Promise<Answer>
}

export interface TestAppOptions {
  clock?: Clock
  env?: Record<string, string>
  /** Left out, {@link policyAsking} for nothing. */
  policies?: Policies<ImportProfile>
  /** A database that is there already. */
  connections?: TestDatabase
}

/**
 * The shipped policy, but with these requirements: a test says itself what has to be there before something is approved,
 * so that one about votes need not attach evidence first.
 */
export function policyAsking(...requirements: unknown[]): Policies<ImportProfile> {
  const policies = loadPolicies(join(projectRoot, 'policies'), ImportProfile)
  return { ...policies, requirements: RequirementsFile.parse({ version: 1, requirements }) }
}

/** The whole service on a database of the test's own, asked without a socket. */
export async function startApp(t: Test, options: TestAppOptions = {}): Promise<TestApp> {
  const connections = options.connections ?? (await createDatabase(t))
  const dataDir = mkdtempSync(join(tmpdir(), 'assent-test-'))
  const config = readConfig({
    ASSENT_DATA_DIR: dataDir,
    ASSENT_LOG_LEVEL: 'silent',
    ASSENT_RATE_LIMIT: '1000000',
    ASSENT_SIGN_IN_TIMEOUT_MS: '20000',
    ...options.env,
  })
  const policies = options.policies ?? policyAsking()
  const database = await openDatabase({
    connection: connections.appConnection,
    poolSize: 4,
    exportPoolSize: 2,
    statementTimeoutMs: 5000,
    clock: options.clock,
  })
  const app = await buildApp({
    config,
    policies,
    database,
    blobs: await openStore(config),
    verifyResponses: true,
    log: pino.destination('/dev/null'),
  })
  await app.ready()
  const owner = new pg.Client(connections.ownerConnection)
  await owner.connect()
  t.teardown(async () => {
    await app.close()
    await database.close()
    await owner.end()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const ask = asking(app)
  return {
    ...{ app, database, policies, connections, owner, ask },
    person: async (name, holds) => await makePerson(owner, ask, name, holds),
    unit: async (key, parentId = ROOT_UNIT_ID) => await makeUnit(owner, key, parentId),
  }
}

function asking(app: App) {
  return async (options: InjectOptions): Promise<Answer> => {
    const response = await app.inject(options)
    const isJson = String(response.headers['content-type']).includes('json')
    const body = isJson && response.payload !== '' ? JSON.parse(response.payload) : response.payload
    return { status: response.statusCode, body, headers: response.headers }
  }
}

/** A person with a token, made behind the back of a service that `ask` reaches. */
export async function makePerson(
  owner: pg.Client,
  ask: TestApp['ask'],
  name: string,
  holds: Holds,
): Promise<Person> {
  const { rights, unitId = ROOT_UNIT_ID, kind = 'human' } = holds
  const id = newId()
  await owner.query(
    `insert into person (id, kind, name, status, created_at) values ($1, $2, $3, 'active', '2020-01-01')`,
    [id, kind, name],
  )
  for (const right of rights) {
    const [seatOrRole, seat] = right.split(':')
    await owner.query(
      `insert into rights_grant (id, person_id, kind, name, org_unit_id, granted_by, granted_at)
        values ($1, $2, $3, $4, $5, $6, '2020-01-01')`,
      [newId(), id, seat ? 'seat' : 'role', seat ?? seatOrRole, unitId, ASSENT_ID],
    )
  }
  const { secret } = mintSecret(kind === 'service' ? 'sk' : 'pt')
  await owner.query(
    `insert into access_token (id, person_id, person_kind, kind, name, digest, created_by, created_at, expires_at)
      values ($1, $2, $3, $4, 'test', $5, $2, '2020-01-01', '2100-01-01')`,
    [newId(), id, kind, kind === 'service' ? 'service' : 'personal', digestOfSecret(secret)],
  )
  return personOf(ask, id, secret)
}

/** Somebody who signs in with this token, wherever `ask` reaches. */
export function personOf(ask: TestApp['ask'], id: string, token: string): Person {
  const authorization = `Bearer ${token}`
  const send =
    (method: 'GET' | 'POST' | 'PATCH' | 'DELETE') =>
    async (url: string, payload?: unknown, headers = {}) =>
      await ask({
        method,
        url,
        headers: { authorization, ...headers },
        ...(payload !== undefined && { payload: payload as object }),
      })
  return {
    ...{ id, token },
    get: async (url) => await send('GET')(url),
    post: send('POST'),
    patch: async (url, body, headers) => await send('PATCH')(url, body, headers),
    delete: async (url, headers) => await send('DELETE')(url, undefined, headers),
  }
}

export async function makeUnit(owner: pg.Client, key: string, parentId: string): Promise<string> {
  const id = newId()
  await owner.query(
    `insert into org_unit (id, key, name, parent_id, created_at) values ($1, $2, $2, $3, '2020-01-01')`,
    [id, key, parentId],
  )
  return id
}

/** `If-Match` for something that was read. */
export function ifMatch({ body }: Answer): Record<string, string> {
  return { 'if-match': `"${body.revision}"` }
}
