import { z } from 'zod'
import { operation } from './operations.js'
import type { App, Readiness as Asked } from './types.js'

/** Load balancers ask often, and all at once. */
const FRESH_MS = 1000

const Alive = z
  .strictObject({ status: z.literal('alive') })
  .meta({ id: 'Alive', examples: [{ status: 'alive' }] })

const Readiness = z
  .strictObject({
    status: z.enum(['ready', 'not_ready']),
    checks: z
      .record(z.string(), z.enum(['ok', 'failing']))
      .describe('What this process needs, and the evidence store'),
  })
  .meta({
    id: 'Readiness',
    examples: [
      { status: 'ready', checks: { policy: 'ok', evidence: 'ok', database: 'ok', migrations: 'ok' } },
    ],
  })
type Readiness = z.infer<typeof Readiness>

const readHealth = operation({
  id: 'readHealth',
  tag: 'Operation',
  summary: 'Does this process run?',
  description: 'Says that this process answers, and nothing of what it needs; /readyz does.',
  right: 'public',
  answers: { 200: Alive },
})

const readReadiness = operation({
  id: 'readReadiness',
  tag: 'Operation',
  summary: 'Should this process get requests?',
  description:
    '503 while something fails that every request needs, and while the process stops: send requests elsewhere. While `evidence` alone fails, uploads and downloads fail in every process, and all else goes on.',
  right: 'public',
  answers: {
    200: Readiness,
    503: Readiness.meta({ examples: [{ status: 'not_ready', checks: { database: 'failing' } }] }),
  },
})

export function registerHealth(app: App, asked: Asked = { needs: {}, parts: {} }): void {
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  const examine = cached(async () => await runChecks(app, asked))

  app.get('/healthz', readHealth, async () => ({ status: 'alive' as const }))
  app.get('/readyz', readReadiness, async (_request, reply) => {
    const readiness = await examine()
    const isReady = readiness.status === 'ready' && !isClosing
    return await reply
      .code(isReady ? 200 : 503)
      .send({ ...readiness, status: isReady ? 'ready' : 'not_ready' })
  })
}

async function runChecks(app: App, { needs, parts }: Asked): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries({ ...needs, ...parts }).map(async ([name, check]) => {
      try {
        await check()
        return [name, 'ok'] as const
      } catch (err) {
        app.log.warn({ err, check: name }, 'a check of readiness fails')
        return [name, 'failing'] as const
      }
    }),
  )
  const isReady = results.every(([name, result]) => result === 'ok' || name in parts)
  return { status: isReady ? 'ready' : 'not_ready', checks: Object.fromEntries(results) }
}

function cached<T>(examine: () => Promise<T>): () => Promise<T> {
  let last: { at: number; result: Promise<T> } | undefined
  return async () => {
    const now = performance.now()
    if (!last || now - last.at >= FRESH_MS) last = { at: now, result: examine() }
    return await last.result
  }
}
