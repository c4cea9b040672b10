import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { z } from 'zod'
import { operation } from '../../src/http/operations.js'
import { loadCursorSecret } from '../../src/http/paging.js'
import type { App } from '../../src/http/types.js'
import { compileSerializer, file } from '../../src/http/zod.js'
import { ana, smallApp } from './small-app.js'

const words = { tag: 'Systems', summary: 'x', right: 'authenticated' } as const

t.test('an answer carries what a client needs for the next step', async (t) => {
  const { app, deeds } = await smallApp(t)
  const got = await app.inject({ url: '/v1/boats/b1', headers: ana })
  t.match(got, {
    statusCode: 200,
    headers: { etag: '"3"', 'content-type': 'application/json; charset=utf-8' },
  })
  t.same(got.json(), { id: 'b1', name: 'Boat 1', masts: null, revision: 3 })
  const payload = { name: ' Ana ' }
  const created = await app.inject({ method: 'POST', url: '/v1/boats', headers: ana, payload })
  t.match(created, { statusCode: 201, headers: { etag: '"1"', location: '/v1/boats/b7' } })
  t.same(created.json(), { id: 'b7', name: 'Ana', masts: null, revision: 1 })
  const sunk = await app.inject({ method: 'DELETE', url: '/v1/boats/b1', headers: ana })
  t.match(sunk, { statusCode: 204, body: '' })
  t.same(deeds, ['written', 'sunk'])
})

t.test('pages follow one another by cursor and by link, without a gap', async (t) => {
  const { app } = await smallApp(t)
  const seen: string[] = []
  let url: string | undefined = '/v1/boats?limit=3&name=Boat%20'
  while (url) {
    const answer: Awaited<ReturnType<App['inject']>> = await app.inject({ url, headers: ana })
    const { items, next } = answer.json()
    seen.push(...items.map(({ id }: { id: string }) => id))
    const link = answer.headers.link
    t.equal(link === undefined, next === null)
    url = /^<(.+)>; rel="next"$/.exec(String(link))?.[1]
    if (url) t.equal(new URL(url, 'http://x').searchParams.get('cursor'), next)
  }
  t.same(seen, ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6'])
  const all = await app.inject({ url: '/v1/boats', headers: ana })
  t.match(all.json(), { items: { length: 7 }, next: null })
})

t.test('a cursor outlives the process, and only the process can read its key', async (t) => {
  const dataDir = t.testdir()
  const [one, other] = await Promise.all([loadCursorSecret({ dataDir }), loadCursorSecret({ dataDir })])
  t.equal(one.length, 32)
  t.same(one, other, 'two processes that start at once agree')
  t.same(await loadCursorSecret({ dataDir }), one)
  t.equal(statSync(join(dataDir, 'cursor.key')).mode & 0o777, 0o600)
  const configured = 'a secret that several machines share'
  t.same(await loadCursorSecret({ dataDir, cursorSecret: configured }), Buffer.from(configured))
})

t.test('an Idempotency-Key stands for one request, however it is written', async (t) => {
  const { app, deeds } = await smallApp(t)
  const post = async (payload: string, key = 'k1', query = '') =>
    await app.inject({
      method: 'POST',
      url: `/v1/boats${query}`,
      headers: { ...ana, 'idempotency-key': key, 'content-type': 'application/json' },
      payload,
    })
  await post('{"name":"Ana","masts":2}')
  await post('{ "masts": 2, "name": "Ana" }')
  await post('{"name":"Bo","masts":2}')
  t.match(deeds[0], /^under sha256:[0-9a-f]{64}$/)
  t.equal(deeds[1], deeds[0])
  t.not(deeds[2], deeds[0])
  t.equal((await post('{"name":"Ana"}')).headers['idempotency-replayed'], undefined)
  const replayed = await post('{"name":"Ana"}', 'seen-before')
  t.match(replayed, {
    statusCode: 201,
    headers: { 'idempotency-replayed': 'true', location: '/v1/boats/b7' },
  })
})

t.test('what is serialized is what plain JSON would be', async (t) => {
  const Kind = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('fish'), tons: z.number() }),
    z.strictObject({ kind: z.literal('people'), names: z.array(z.string()) }),
  ])
  const Everything = z.strictObject({
    text: z.string().min(1).max(9).trim(),
    id: z.uuid(),
    at: z.iso.datetime(),
    tier: z.enum(['low', 'high']).nullable(),
    whole: z.number().int().nullable(),
    real: z.number(),
    yes: z.boolean().optional(),
    many: z.array(Kind),
    maybe: z.strictObject({ name: z.string().nullable() }).nullable(),
    nothing: z.null(),
    either: z.union([z.string(), z.number()]),
    byName: z.record(z.string(), z.array(z.number())),
    pair: z.tuple([z.string(), z.number()]),
    any: z.unknown(),
    with: z.string().default('a default'),
  })
  const serialize = compileSerializer({ schema: Everything, method: 'GET', url: '/' })
  const value = {
    text: 'a "quoted" \u2028 line\n\u{1F6A2} \\ \u0007',
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    at: '2026-11-21T09:30:00.000Z',
    tier: null,
    whole: 2 ** 40,
    real: -0.125e-7,
    many: [
      { kind: 'people', names: ['Ana', ''] },
      { kind: 'fish', tons: 2.5 },
    ],
    maybe: { name: null },
    nothing: null,
    either: 7,
    byName: { __proto: [1, 2], '': [] },
    pair: ['x', 1],
    any: { deep: [{ er: null }] },
    with: 'it',
  }
  for (const variant of [
    value,
    { ...value, maybe: null, tier: 'low', either: 'x', yes: false, whole: null, any: null },
  ]) {
    t.same(JSON.parse(serialize(variant)), JSON.parse(JSON.stringify(variant)))
  }
  const Folder: z.ZodType = z.strictObject({ name: z.string(), folders: z.array(z.lazy(() => Folder)) })
  const tree = { name: 'a', folders: [{ name: 'b', folders: [{ name: 'c', folders: [] }] }] }
  t.equal(compileSerializer({ schema: Folder, method: 'GET', url: '/' })(tree), JSON.stringify(tree))
  const shout = z.object({ name: z.string().transform((name) => name.toUpperCase()) })
  t.throws(() => compileSerializer({ schema: shout, method: 'GET', url: '/' }), /Transform/i)
})

t.test('in tests, an answer that loses something or breaks its schema is an error', async (t) => {
  const Name = z.object({ name: z.string().max(3) })
  const routes = (app: App) => {
    app.get('/v1/more', operation({ ...words, id: 'more', answers: { 200: Name } }), async () => {
      const answer = { name: 'Ana', secret: 'lost on the way' }
      return answer
    })
    app.get('/v1/long', operation({ ...words, id: 'long', answers: { 200: Name } }), async () => ({
      name: 'Annabella',
    }))
  }
  const verified = await smallApp(t, { routes })
  const more = await verified.app.inject({ url: '/v1/more', headers: ana })
  t.match(more.json(), { status: 500, detail: /returned .*lost on the way.* but sent {"name":"Ana"}/ })
  const long = await verified.app.inject({ url: '/v1/long', headers: ana })
  t.match(long.json(), { status: 500, detail: /refuses.*Too big/s })
  const plain = await smallApp(t, { routes, deps: { verifyResponses: false } })
  t.equal((await plain.app.inject({ url: '/v1/more', headers: ana })).body, '{"name":"Ana"}')
})

t.test('a file is streamed as it is', async (t) => {
  const csv = operation({ ...words, id: 'csv', answers: { 200: file }, produces: ['text/csv'] })
  const routes = (app: App) =>
    app.get('/v1/boats.csv', csv, async (_request, reply) => {
      return await reply.type('text/csv').send(Readable.from(['id,name\r\n', 'b1,"Ana"\r\n']))
    })
  const { app } = await smallApp(t, { routes })
  const answer = await app.inject({ url: '/v1/boats.csv', headers: ana })
  t.match(answer, {
    statusCode: 200,
    body: 'id,name\r\nb1,"Ana"\r\n',
    headers: { 'content-type': 'text/csv' },
  })
})

t.test('the log says who did what and how it ended, and keeps every secret', async (t) => {
  const { app, log } = await smallApp(t)
  const headers = { ...ana, cookie: 'session=hunter2', 'x-request-id': 'trace-00000001' }
  const url = '/v1/boats?name=hunter2'
  const answer = await app.inject({ url, headers })
  t.equal(answer.headers['x-request-id'], 'trace-00000001')
  const payload = { name: 'hunter2' }
  await app.inject({ method: 'POST', url: '/v1/boats', headers, payload })
  app.log.info(
    { token: 'hunter2', headers: { authorization: 'hunter2' }, a: { b: { secret: 'hunter2' } } },
    'x',
  )
  const params = '\nparams: a,first line\n    at hunter2\nhunter2'
  app.log.error(new Error(`Failed query: select 1${params}`, { cause: new Error(`it failed${params}`) }))
  const lines = log.map((line) => JSON.parse(line))
  t.match(lines[3]?.err, { message: 'Failed query: select 1', stack: /\n {4}at / })
  t.match(lines[0], {
    recordedAs: /^[0-9a-f-]{36}$/,
    requestId: 'trace-00000001',
    personId: 'ana',
    method: 'GET',
    route: '/v1/boats',
    status: 200,
  })
  t.match(lines[1], { method: 'POST', route: '/v1/boats', status: 201, ms: Number })
  t.match(lines[2], {
    token: '[redacted]',
    headers: { authorization: '[redacted]' },
    a: { b: { secret: '[redacted]' } },
  })
  t.notMatch(log.join(''), /hunter2|Bearer/)
  const forged = await app.inject({ url, headers: { ...ana, 'x-request-id': 'a\tb "x" {}' } })
  t.match(forged.headers['x-request-id'], /^[0-9a-f-]{36}$/)
})

t.test('every answer carries the security headers, also the refused ones', async (t) => {
  const { app } = await smallApp(t)
  for (const url of ['/v1/boats', '/v1/nowhere', '/v1/boats/%zz', '/docs', '/healthz']) {
    const { headers } = await app.inject({ url })
    t.match(headers, {
      'content-security-policy': /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': /max-age=31536000/,
      'x-request-id': String,
    })
    t.notOk(headers['x-powered-by'] ?? headers.server)
  }
})

t.test(
  'the API page comes from its package, without a script or style inline or from elsewhere',
  async (t) => {
    const { app } = await smallApp(t)
    const { body } = await app.inject({ url: '/docs' })
    const sources = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source)
    t.ok(sources.length > 4)
    for (const source of sources) {
      t.match(source, /^\/docs\/static\//)
      t.equal((await app.inject({ url: source })).statusCode, 200, source)
    }
    t.notMatch(body, /<script(?![^>]*src=)|<style|\son\w+=/)
    const { body: start } = await app.inject({ url: '/docs/static/swagger-initializer.js' })
    t.match(start, /"layout":"BaseLayout"/, 'without a bar to load other documents, or the logo of another')
    const document = (await app.inject({ url: '/docs/json' })).json()
    t.match(document, { openapi: '3.1.0', paths: { '/v1/boats': {} } })
    t.match(document.info.description, /`ETag`.*`Idempotency-Key`.*`cursor`.*`issues`/s)
    t.notMatch(document.info.description, /README/, 'nothing that is not served')
    for (const token of ['assent_pt_', 'assent_sk_', 'identity provider']) {
      t.match(document.components.securitySchemes.bearer.description, token)
    }
  },
)

t.test('health is about the process, readiness about what it needs', async (t) => {
  let fails = false
  let asked = 0
  const database = async () => {
    asked += 1
    if (fails) throw new Error('password wrong for ana')
  }
  const readiness = { needs: { database }, parts: {} }
  const { app, log } = await smallApp(t, { deps: { readiness } })
  t.same((await app.inject({ url: '/healthz' })).json(), { status: 'alive' })
  const ready = await app.inject({ url: '/readyz' })
  t.match(ready, { statusCode: 200, body: '{"status":"ready","checks":{"database":"ok"}}' })
  await app.inject({ url: '/readyz' })
  t.equal(asked, 1, 'the answer is kept for a second')
  fails = true
  const other = await smallApp(t, { deps: { readiness } })
  const not = await other.app.inject({ url: '/readyz' })
  t.match(not, { statusCode: 503, body: '{"status":"not_ready","checks":{"database":"failing"}}' })
  t.match(other.log.join(''), /password wrong/)
  t.notMatch(log.join(''), /password/)

  fails = false
  const evidence = async () => await Promise.reject(new Error('the bucket is gone'))
  const lame = await smallApp(t, { deps: { readiness: { needs: { database }, parts: { evidence } } } })
  const goesOn = {
    statusCode: 200,
    body: '{"status":"ready","checks":{"database":"ok","evidence":"failing"}}',
  }
  t.match(
    await lame.app.inject({ url: '/readyz' }),
    goesOn,
    'what fails everywhere is no reason to go elsewhere',
  )
  t.match(lame.log.join(''), /the bucket is gone/)
})

t.test('metrics count by route, and are read by whoever may', async (t) => {
  const { app } = await smallApp(t)
  await app.inject({ url: '/v1/boats/b1', headers: ana })
  await app.inject({ url: '/v1/boats/b2', headers: ana })
  await app.inject({ url: '/v1/nowhere' })
  app.metrics.gateAnswers.inc({ decision: 'deny', reason: 'unreviewed' })
  const { body, headers } = await app.inject({ url: '/metrics' })
  t.match(headers['content-type'], /^text\/plain/)
  t.match(body, 'assent_http_request_seconds_count{route="/v1/boats/:id",method="GET",status="200"} 2')
  t.match(body, 'assent_http_request_seconds_count{route="none",method="GET",status="404"} 1')
  t.match(body, 'assent_gate_answers_total{decision="deny",reason="unreviewed"} 1')
  t.match(body, 'process_resident_memory_bytes')

  t.equal((await app.inject({ url: '/metrics', remoteAddress: '10.0.0.7' })).statusCode, 403)
  const proxied = { 'x-forwarded-for': '10.0.0.7' }
  t.equal((await app.inject({ url: '/metrics', headers: proxied })).statusCode, 403)
  const token = 'a-token-of-at-least-32-characters'
  const guarded = await smallApp(t, { env: { ASSENT_METRICS_TOKEN: token } })
  const scrape = async (authorization?: string) => {
    const from = { url: '/metrics', remoteAddress: '10.0.0.7' }
    return (await guarded.app.inject({ ...from, headers: authorization ? { authorization } : {} })).statusCode
  }
  t.same([await scrape(), await scrape('Bearer no'), await scrape(`Bearer ${token}`)], [401, 401, 200])
})

t.test('requests that are on their way are served while the server closes', async (t) => {
  let closing: Promise<void> | undefined
  const close = operation({ ...words, id: 'close', answers: { 200: z.string() } })
  const { app } = await smallApp(t, {
    routes: (app) =>
      app.get('/v1/close', close, async () => {
        closing = app.close()
        return 'served'
      }),
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = await fetch(`${address}/v1/close`, { headers: ana })
  t.equal(await answer.text(), 'served')
  await closing
})

t.test('the conventions page speaks of every code a problem can have', async (t) => {
  const { projectRoot } = await import('../../src/config.js')
  const { ProblemCode } = await import('../../src/http/problem.js')
  const conventions = readFileSync(join(projectRoot, 'openapi', 'README.md'), 'utf8')
  for (const code of ProblemCode.options) t.match(conventions, `\`${code}\``)
})
