import type {
  preHandlerHookHandler,
  preParsingHookHandler,
  preSerializationHookHandler,
  preValidationHookHandler,
  RouteOptions,
} from 'fastify'
import { z } from 'zod'
import type { Config } from '../config.js'
import { RegistryError } from '../errors.js'
import { etagOf, requireRevision } from './etag.js'
import { HttpRefusal, pathOf } from './problem.js'
import type { App, Right } from './types.js'

/** The chapters of the API document. */
export const tags = {
  Gate: 'May this go to production? Asked by pipelines',
  'Use cases': 'Uses of AI: their facts, versions, owners and tier',
  Reviews: 'Submission, votes and the decision',
  Conditions: 'Obligations and limits that approvals carry',
  Suspensions: 'Stopped at once, and lifted by another person',
  Incidents: 'Harm, or what nearly was, from the report to what was learned',
  Evidence: 'Files and attestations, and their acceptance',
  Retention: 'How long evidence is kept, what holds it, how it goes, and whether it is sound',
  Controls: 'How far the controls of each use case are, and of all together',
  Catalogs: 'What frameworks ask for: controls, their versions, and where they meet',
  Registers: 'The register as a whole: lists and exports, also as of a past day',
  Imports: 'Registers that exist elsewhere',
  Systems: 'The systems that use cases run on',
  People: 'People, service accounts, invitations, tokens and what they may do',
  'Org units': 'The tree of units that rights are scoped to',
  Notices: 'Who is told what happens: webhooks, mail, and whether it arrived',
  Events: 'Everything that happened',
  Policies: 'The rules in force',
  Operation: 'Health and metrics of this process',
} as const
export type Tag = keyof typeof tags

type Answers = Record<number, z.ZodType>

/** All that is said about one operation; validation, types, serialisation and the document follow from it. */
export interface OperationWords<P, Q, B, A extends Answers> {
  /** Verb and noun, as `withdrawReview`. */
  id: string
  tag: Tag
  summary: string
  description?: string
  right: Right
  params?: P
  query?: Q
  body?: B
  /** By status: the one below 400 is what the handler returns; list others only if it sends them itself. */
  answers: A
  /** The caller has to say with `If-Match` which revision they change; read it with `requireRevision`. */
  ifMatch?: boolean
  /** The gate has a rate limit of its own, and so have keys and codes that are exchanged for a token. */
  bucket?: 'gate' | 'sign_in'
  /** The answer holds a secret, which is said once and kept nowhere: no Idempotency-Key can ask for it again. */
  secret?: boolean
  /** The fields of a form whose last part is a file; the handler reads it with `receiveUpload`. */
  form?: z.ZodType
  /** Media types of an answer that is not JSON. */
  produces?: string[]
  /** What such an answer looks like, by media type. */
  samples?: Record<string, string>
  /** Where the created thing is, as `/v1/use-cases/{id}` with fields of the answer. */
  location?: string
  /** For streams that may take longer than a request usually may. */
  timeoutMs?: number
}
export type AnyOperation = OperationWords<
  z.ZodType | undefined,
  z.ZodType | undefined,
  z.ZodType | undefined,
  Answers
>

const noQuery = z.strictObject({})

/** The options of a route. What an operation does not declare (a query, a body) it refuses. */
export function operation<
  A extends Answers,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType = typeof noQuery,
  B extends z.ZodType | undefined = undefined,
>(words: OperationWords<P, Q, B, A>) {
  const { params, body, query = noQuery, answers, right } = words
  const parts = { querystring: query, response: answers, ...(params && { params }), ...(body && { body }) }
  const spoken = { operationId: words.id, tags: [words.tag], summary: words.summary }
  return {
    schema: { ...spoken, ...parts } as typeof spoken & { params: P; querystring: Q; body: B; response: A },
    config: { right, operation: { ...words, query } as AnyOperation },
  }
}

/** A key or a code and a name. Anybody may send it. */
const SIGN_IN_BODY_BYTES = 16_384

/** Gives each route the hooks that its operation's words ask for, and no others. */
export function registerOperations(app: App, { requestTimeoutMs }: Pick<Config, 'requestTimeoutMs'>): void {
  app.addHook('onRoute', (route) => {
    const words = route.config?.operation
    if (!words) return
    assertParamsDeclared(route, words)
    const success = successOf(words)
    // The gate keeps shorter times of its own on its connections, and is asked too often for a timer each.
    const isHot = words.bucket === 'gate' && route.method === 'GET'
    if (!isHot) route.handlerTimeout = words.timeoutMs ?? requestTimeoutMs
    if (words.bucket === 'sign_in') route.bodyLimit = SIGN_IN_BODY_BYTES
    if (words.ifMatch) append(route, 'preParsing', demandRevision)
    if (words.secret) append(route, 'preParsing', refuseKey)
    if (!words.form && route.method !== 'GET') append(route, 'preValidation', refuseForm)
    if (!words.body && !words.form) append(route, 'preHandler', refuseBody)
    if (success.status !== 200) append(route, 'preHandler', answerWith(success.status))
    for (const hook of representationHooks(words, success.schema)) append(route, 'preSerialization', hook)
  })
}

/** The answer when all goes well. */
export function successOf({ id, answers }: AnyOperation): { status: number; schema: z.ZodType } {
  const [found] = Object.entries(answers).filter(([status]) => Number(status) < 400)
  if (!found) throw new Error(`${id} declares no answer below 400`)
  return { status: Number(found[0]), schema: found[1] }
}

/** True when the answer carries a `revision`, which is then its ETag. */
export function hasRevision(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && 'revision' in schema.shape
}

export function isPage(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && 'items' in schema.shape && 'next' in schema.shape
}

/** True when the first answer is kept for whoever sends the same Idempotency-Key again. */
export function isRepeatable({ right, secret }: AnyOperation, method: string): boolean {
  return method === 'POST' && right !== 'public' && !secret
}

/** An undeclared parameter would reach the handler unchecked. */
function assertParamsDeclared({ url }: { url: string }, { id, params }: AnyOperation): void {
  const shape = params instanceof z.ZodObject ? params.shape : {}
  for (const [, name = ''] of url.matchAll(/:(\w+)/g)) {
    if (!(name in shape)) throw new Error(`${id} does not declare the parameter ${name} of ${url}`)
  }
}

interface Hooks {
  preParsing: preParsingHookHandler
  preHandler: preHandlerHookHandler
  preValidation: preValidationHookHandler
  preSerialization: preSerializationHookHandler<Answer>
}

function append<K extends keyof Hooks>(route: RouteOptions, name: K, hook: Hooks[K]): void {
  Object.assign(route, { [name]: [route[name] ?? [], hook].flat() })
}

const demandRevision: preParsingHookHandler = (request, _reply, payload, done) => {
  try {
    requireRevision(request)
    done(null, payload)
  } catch (error) {
    done(error as Error, payload)
  }
}

const refuseKey: preParsingHookHandler = (request, _reply, payload, done) => {
  if (request.headers['idempotency-key'] === undefined) return done(null, payload)
  const message = 'the answer holds a secret, which is not kept to be given again; send no Idempotency-Key'
  done(new RegistryError('invalid', message), payload)
}

const refuseBody: preHandlerHookHandler = (request, _reply, done) => {
  if (request.body === undefined || request.body === null) return done()
  done(new RegistryError('invalid', 'this takes no body; send the request without one'))
}

/** The parser of forms, where a feature has one, takes them for every operation beside it. */
const refuseForm: preValidationHookHandler = (request, _reply, done) => {
  if (!/^multipart\//i.test(request.headers['content-type'] ?? '')) return done()
  done(unsupportedType(request.routeOptions.config.operation))
}

/** 415, in words that say what this takes. */
export function unsupportedType(words: Pick<AnyOperation, 'body' | 'form'> = {}): HttpRefusal {
  const ofBody = words.body
    ? 'send the body as application/json'
    : 'this takes no body; send the request without one'
  const detail = words.form ? 'send a form as multipart/form-data, with the file as its last part' : ofBody
  return new HttpRefusal({ status: 415, code: 'unsupported_media_type', detail })
}

const answerWith = (status: number): preHandlerHookHandler => {
  return (_request, reply, done) => {
    reply.code(status)
    done()
  }
}

type Answer = Record<string, unknown>

function representationHooks(words: AnyOperation, schema: z.ZodType): preSerializationHookHandler<Answer>[] {
  const hooks: preSerializationHookHandler<Answer>[] = []
  if (hasRevision(schema)) hooks.push(sendEtag)
  if (isPage(schema)) hooks.push(sendLink)
  if (words.location) hooks.push(sendLocation(words.location))
  return hooks
}

const sendEtag: preSerializationHookHandler<Answer> = (_request, reply, answer, done) => {
  if (reply.statusCode < 400 && typeof answer.revision === 'number')
    reply.header('etag', etagOf(answer.revision))
  done(null, answer)
}

/** RFC 8288. */
const sendLink: preSerializationHookHandler<Answer> = (request, reply, answer, done) => {
  if (typeof answer.next === 'string') {
    const query = new URLSearchParams(request.url.slice(pathOf(request.url).length))
    query.set('cursor', answer.next)
    reply.header('link', `<${pathOf(request.url)}?${query}>; rel="next"`)
  }
  done(null, answer)
}

const sendLocation = (template: string): preSerializationHookHandler<Answer> => {
  return (_request, reply, answer, done) => {
    if (reply.statusCode < 400) {
      reply.header(
        'location',
        template.replace(/\{(\w+)\}/g, (_, field) => encodeURIComponent(String(answer[field]))),
      )
    }
    done(null, answer)
  }
}
