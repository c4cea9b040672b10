import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import type { DestinationStream } from 'pino'
import type { Caller } from '../auth/authenticate.js'
import type { Action, SubjectType } from '../auth/subjects.js'
import type { Config } from '../config.js'
import type { Database } from '../db/database.js'
import type { Described } from './describe.js'
import type { Kernel } from './kernel.js'
import type { Metrics } from './metrics.js'
import type { AnyOperation } from './operations.js'
import type { ZodTypes } from './zod.js'

/** Who may call a route: anybody, anybody signed in, or whoever a decision right allows to do this deed. */
export type Right =
  | 'public'
  | 'authenticated'
  | { [T in SubjectType]: { action: Action<T>; subject: T } }[SubjectType]

type Checks = Record<string, () => Promise<void>>

/** Each rejects when something fails; the reason goes to the log, never into the answer. */
export interface Readiness {
  /** Without these the process should get no requests. */
  needs: Checks
  /** Without these some requests fail, and all others go on: in no process would they fare better. */
  parts: Checks
}

/** What the HTTP side of Assent is made of. */
export interface HttpDeps {
  config: Config
  database: Pick<Database, 'read' | 'write'>
  /** @throws RegistryError `unauthenticated` when the request does not say who asks. */
  authenticate(request: FastifyRequest): Promise<Caller>
  /** The same, believing nothing that was read before. */
  renew(headers: { authorization?: string | undefined }): Promise<Caller>
  readiness?: Readiness
  /** Where log lines go; standard output unless given. */
  log?: DestinationStream
  /** In tests: an answer that differs from what the handler returned, or from its schema, becomes a 500. */
  verifyResponses?: boolean
}

/** The server as features see it: request parts are typed by the zod schemas of the route. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypes
>

declare module 'fastify' {
  interface FastifyContextConfig {
    right?: Right
    operation?: AnyOperation
  }
  interface FastifyRequest {
    /** Unset on public routes, and before anybody was authenticated. */
    caller: Caller | null
    /** @throws Error on a public route, which has nobody to speak of. */
    readonly principal: Caller['principal']
    readonly ability: Caller['ability']
    /** Names this request in the events that it leaves: our own id, for what a client sends stays out of the log of events. */
    recordedAs: string
    /** True when the answer is the first one given to this Idempotency-Key. */
    replayed: boolean
  }
  interface FastifyInstance extends Kernel {
    metrics: Metrics
    /** Every operation that the API document describes. */
    readonly operations: readonly Described[]
  }
}
