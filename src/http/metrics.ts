import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import { z } from 'zod'
import type { Config } from '../config.js'
import { RegistryError } from '../errors.js'
import { operation } from './operations.js'
import { Problem } from './problem.js'
import type { App } from './types.js'

/** Where the parts of this process register what they count. */
export interface Metrics {
  registry: Registry
  /** One for each answer of the gate and each of its reasons. */
  gateAnswers: Counter<'decision' | 'reason'>
}

const readMetrics = operation({
  id: 'readMetrics',
  tag: 'Operation',
  summary: 'Metrics for Prometheus',
  description:
    'With the token of ASSENT_METRICS_TOKEN; from this machine also without one, if none is configured.',
  right: 'public',
  answers: { 200: z.string(), 401: Problem, 403: Problem },
  produces: ['text/plain'],
  samples: { 'text/plain': 'assent_gate_answers_total{decision="deny",reason="lapsed"} 3\n' },
})

export function registerMetrics(app: App, config: Pick<Config, 'metricsToken'>): void {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'assent_http_request_seconds',
    help: 'Time to answer, by route',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  const gateAnswers = new Counter({
    name: 'assent_gate_answers_total',
    help: 'Answers of the gate, by decision and reason',
    labelNames: ['decision', 'reason'],
    registers: [registry],
  })
  app.decorate('metrics', { registry, gateAnswers })
  countRequests(app, requests)
  app.get('/metrics', readMetrics, async (request, reply) => {
    assertScraper(request, config.metricsToken)
    reply.type(registry.contentType)
    return await registry.metrics()
  })
}

/** Looking a counter up by its labels costs more than counting, so each is looked up once. */
function countRequests(app: App, requests: Histogram<'route' | 'method' | 'status'>): void {
  const known = new Map<string, Histogram.Internal<'route' | 'method' | 'status'>>()
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'none'
    const key = `${method} ${reply.statusCode} ${route}`
    let counter = known.get(key)
    if (!counter) {
      counter = requests.labels({ route, method, status: reply.statusCode })
      known.set(key, counter)
    }
    counter.observe(reply.elapsedTime / 1000)
    done()
  })
}

/** Route names and rates are nobody else's business. They must be readable while the database is down. */
function assertScraper(request: FastifyRequest, token: string | undefined): void {
  if (token === undefined) {
    if (isFromHere(request)) return
    throw new RegistryError(
      'forbidden',
      'metrics are for this machine only; configure ASSENT_METRICS_TOKEN to read them from elsewhere',
    )
  }
  const given = request.headers.authorization?.replace(/^Bearer /i, '') ?? ''
  if (!timingSafeEqual(sha256(given), sha256(token))) {
    throw new RegistryError('unauthenticated', 'send the metrics token as Authorization: Bearer …')
  }
}

/** A proxy on this machine would make everybody look like this machine. */
function isFromHere({ ip, headers }: FastifyRequest): boolean {
  const isLocal = ip === '::1' || /^(::ffff:)?127\./.test(ip)
  return isLocal && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
