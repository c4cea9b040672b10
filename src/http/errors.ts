import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { pgErrorOf } from '../db/pg-error.js'
import { type ErrorCode, RegistryError } from '../errors.js'
import { unsupportedType } from './operations.js'
import { describeProblem, HttpRefusal, problemType, type Refusal, sendProblem } from './problem.js'
import type { App } from './types.js'
import { ResponseMismatch } from './verify-responses.js'

const RETRY_AFTER_S = 2

const statusOf: Record<ErrorCode, number> = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
}

const bug: Refusal = {
  status: 500,
  code: 'internal',
  detail: 'something went wrong on our side; report the requestId to whoever runs Assent',
}

const noDatabase: Refusal = {
  status: 503,
  code: 'unavailable',
  detail: 'the database does not answer; try again in a few seconds',
}

const tooSlow: Refusal = {
  status: 503,
  code: 'unavailable',
  detail: 'this took too long and was stopped; try again later, or ask for less',
}

const notStorable: Refusal = {
  status: 422,
  code: 'invalid',
  detail: 'the input holds a character that cannot be stored; remove NUL and send valid UTF-8',
}

const nothingHere: Refusal = {
  status: 404,
  code: 'not_found',
  detail: 'there is nothing here; see /docs for what there is',
}

/** What Fastify and its plugins refuse by themselves, by status. Their own wording is not ours to pass on. */
const httpRefusals: Record<number, Refusal> = {
  400: {
    status: 400,
    code: 'malformed',
    detail: 'the request is malformed; send valid HTTP with a valid JSON body',
  },
  404: nothingHere,
  408: { status: 408, code: 'timeout', detail: 'the request arrived too slowly; send it again' },
  413: { status: 413, code: 'too_large', detail: 'the body is too large; send less at once' },
  414: {
    status: 414,
    code: 'too_long',
    detail: 'a part of the path is longer than 100 characters; shorten it',
  },
  429: { status: 429, code: 'rate_limited', detail: 'too many requests; wait as long as Retry-After says' },
  431: { status: 431, code: 'too_large', detail: 'the headers are too large; send fewer or shorter ones' },
}

const unusableJson: Refusal = {
  status: 400,
  code: 'malformed',
  detail: 'the body is not a JSON document that can be used; correct it and send it again',
}

const fastifyRefusals: Record<string, Refusal> = {
  FST_ERR_CTP_INVALID_JSON_BODY: unusableJson,
  FST_ERR_CTP_EMPTY_JSON_BODY: { ...unusableJson, detail: 'the body is empty; send a JSON document' },
  FST_ERR_HANDLER_TIMEOUT: tooSlow,
}

/** Everything that goes wrong leaves through here, as problem+json. */
export function registerErrors(app: App): void {
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply))
  const methodsAt = collectRoutes(app)
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
    const allowed = methodsAt(request.url)
    if (allowed.length === 0) return sendProblem(reply, nothingHere)
    const detail = `this path answers only to ${allowed.join(', ')}; use one of them`
    return sendProblem(reply.header('allow', allowed.join(', ')), {
      status: 405,
      code: 'method_not_allowed',
      detail,
    })
  })
}

/** Also for what Fastify refuses before a route is found. */
export function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error, request)
  if (refusal.status >= 500) request.log.error({ err: error }, 'failed')
  if (refusal.status === 503) reply.header('retry-after', String(RETRY_AFTER_S))
  if (refusal.status === 401) reply.header('www-authenticate', challengeFor(request))
  return sendProblem(reply, refusal)
}

function refusalOf(error: unknown, { routeOptions }: FastifyRequest): Refusal {
  if (error instanceof HttpRefusal) return error.refusal
  if (error instanceof RegistryError) return refusalOfDomain(error)
  if (error instanceof ResponseMismatch) return { ...bug, detail: error.message }
  if (!(error instanceof Error)) return bug
  if (isOfOtherType(error)) return unsupportedType(routeOptions.config?.operation).refusal
  return refusalOfHttp(error) ?? refusalOfDatabase(error) ?? bug
}

function refusalOfDomain(error: RegistryError): Refusal {
  const { code, message: detail, rule, issues } = error
  if (error.stale) return { status: 412, code: 'stale', detail, rule, issues }
  return { status: statusOf[code], code, detail, rule, issues }
}

/** 406 is how the parser of forms says that a body is none. */
function isOfOtherType({ statusCode }: Partial<FastifyError>): boolean {
  return statusCode === 406 || statusCode === 415
}

function refusalOfHttp(error: Partial<FastifyError>): Refusal | undefined {
  return fastifyRefusals[error.code ?? ''] ?? httpRefusals[error.statusCode ?? 0]
}

/** PostgreSQL's classes 08, 53, 57P and 25006 (a standby) say that it cannot serve now; see its appendix A. */
function refusalOfDatabase(error: Error): Refusal | undefined {
  const code = pgErrorOf(error)?.code
  if (code === '57014' || code === '25P03' || code === '55P03') return tooSlow
  if (code === '22021' || code === '22P05') return notStorable
  if (code && /^(08|53|57P|25006|40001|40P01)/.test(code)) return noDatabase
  return isLostConnection(error) ? noDatabase : undefined
}

/** `pg` reports a lost connection and an exhausted pool in words only. */
const lostInWords =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/
const lostByCode = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])

function isLostConnection(error: Error): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException
    if (lostInWords.test(cause.message)) return true
    if (code && lostByCode.has(code) && (code !== 'ENOENT' || syscall === 'connect')) return true
  }
  return false
}

/** RFC 6750: an error code only when a token was shown. */
function challengeFor(request: FastifyRequest): string {
  return request.headers.authorization
    ? 'Bearer realm="assent", error="invalid_token"'
    : 'Bearer realm="assent"'
}

/** Which methods a path answers to, so that a wrong one is 405 and not 404. */
function collectRoutes(app: App): (url: string) => string[] {
  const routes: { pattern: RegExp; method: string | string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.*')
    routes.push({ pattern: new RegExp(`^${pattern}$`), method })
  })
  return (url) => {
    const path = url.replace(/[?#].*$/, '')
    const found = routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ method }) => method)
    return [...new Set(found)].sort()
  }
}

/** Bytes that are not HTTP never reach a route; they get their answer on the bare socket. */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return
  const status = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }[error.code ?? ''] ?? 400
  const refusal = httpRefusals[status] ?? bug
  const problem = describeProblem(refusal, { url: '', id: '' })
  const body = JSON.stringify(problem)
  const head = `HTTP/1.1 ${status} ${problem.title}\r\nContent-Type: ${problemType}\r\nConnection: close`
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
