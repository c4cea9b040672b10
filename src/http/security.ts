import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Caller } from '../auth/authenticate.js'
import type { Config } from '../config.js'
import { RegistryError } from '../errors.js'
import { HttpRefusal } from './problem.js'
import type { App, HttpDeps } from './types.js'

const MINUTE_MS = 60_000

/** Everything comes from here and nothing is inline, which also suits the API page: it is served from its package. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Browsers heed HSTS only over TLS. What a route says itself (caching of a file) takes precedence. */
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
}

export function registerHeaders(app: App): void {
  app.addHook('onRequest', (request, reply, done) => {
    secure(request, reply)
    done()
  })
}

/** Also for answers that are given before any hook runs. */
export function secure(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.headers(headers).header('x-request-id', request.id)
}

/** Counters per person and process, for signed-in requests; per address for the others. */
export async function registerRateLimits(
  app: App,
  { rateLimits }: Pick<Config, 'rateLimits'>,
): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    max: rateLimits.general,
    timeWindow: MINUTE_MS,
    keyGenerator: (request) => request.caller?.principal.personId ?? addressOf(request),
    addHeadersOnExceeding: {
      'x-ratelimit-limit': false,
      'x-ratelimit-remaining': false,
      'x-ratelimit-reset': false,
    },
  })
  const limits = {
    general: app.rateLimit({ max: rateLimits.general }),
    gate: app.rateLimit({ max: rateLimits.gate }),
    sign_in: app.rateLimit({ max: rateLimits.signInFailures }),
  }
  // After authentication, to know whom to count, and before the body is read.
  app.addHook('onRoute', (route: RouteOptions) => {
    const limit = limits[route.config?.operation?.bucket ?? 'general']
    const hook = async (request: FastifyRequest, reply: FastifyReply) => await limit.call(app, request, reply)
    Object.assign(route, { preParsing: [route.preParsing ?? [], hook].flat() })
  })
}

/** A route that does not say who may call it does not exist: the server refuses to start. */
export function registerGuard(app: App): void {
  const unguarded: string[] = []
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  app.addHook('onReady', async () => {
    for (const { config, method, url } of routes) if (!config?.right) unguarded.push(`${method} ${url}`)
    if (unguarded.length > 0) throw new Error(`no right is declared for ${unguarded.join(', ')}`)
  })
}

/** Every route but the public ones asks who is there. Registered before the limits, which count by person. */
export function registerAuthentication(app: App, deps: Pick<HttpDeps, 'authenticate' | 'config'>): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('principal', { getter: principalOf })
  app.decorateRequest('ability', { getter: abilityOf })
  const failures = app.createRateLimit({
    max: deps.config.rateLimits.signInFailures,
    timeWindow: MINUTE_MS,
    keyGenerator: addressOf,
  })
  app.addHook('onRequest', async (request) => {
    const { right } = request.routeOptions.config
    if (right === undefined || right === 'public') return
    try {
      request.caller = await deps.authenticate(request)
    } catch (error) {
      throw (await isTooMany(error, request)) ? tooManyFailures() : error
    }
  })

  /** Only failures are counted, so whoever shares the address with a guesser is still served. */
  async function isTooMany(error: unknown, request: FastifyRequest): Promise<boolean> {
    if (!(error instanceof RegistryError) || error.code !== 'unauthenticated') return false
    const count = await failures(request)
    return 'isExceeded' in count && count.isExceeded
  }
}

function tooManyFailures(): HttpRefusal {
  const detail = 'too many failed sign-ins from this address; wait a minute'
  return new HttpRefusal({ status: 429, code: 'rate_limited', detail })
}

function addressOf(request: FastifyRequest): string {
  return normalizeIP(request.ip)
}

function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error(`nobody is signed in on ${request.routeOptions.url}`)
  return request.caller
}

function principalOf(this: FastifyRequest): Caller['principal'] {
  return callerOf(this).principal
}

function abilityOf(this: FastifyRequest): Caller['ability'] {
  return callerOf(this).ability
}
