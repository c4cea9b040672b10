import { once } from 'node:events'
import { connect } from 'node:net'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import type { InjectOptions } from 'fastify'
import pg from 'pg'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { type ErrorCode, RegistryError } from '../../src/errors.js'
import { operation } from '../../src/http/operations.js'
import { Problem } from '../../src/http/problem.js'
import type { App } from '../../src/http/types.js'
import { receiveUpload, registerUploads } from '../../src/http/upload.js'
import { noContent } from '../../src/http/zod.js'
import { explain, issuesOf } from '../../src/issues.js'
import { ana, type SmallApp, smallApp } from './small-app.js'

interface Expected {
  status: number
  code: string
  detail?: string | RegExp
  issues?: { path: string; message?: string | RegExp }[]
}

/** Asks, expects a problem of this kind, and that nothing was done. */
async function refused(t: Test, { app, deeds }: SmallApp, ask: InjectOptions, expected: Expected) {
  const before = deeds.length
  const answer = await app.inject({ headers: ana, ...ask })
  const problem = Problem.parse(answer.json())
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(answer.statusCode, expected.status)
  t.match({ ...problem, status: answer.statusCode }, expected)
  t.equal(problem.status, answer.statusCode)
  t.equal(deeds.length, before, 'nothing was done')
  return answer
}

const json = { ...ana, 'content-type': 'application/json' }
const register = (payload: InjectOptions['payload']): InjectOptions => ({
  method: 'POST',
  url: '/v1/boats',
  payload,
})

t.test('a body that is not usable JSON is malformed', async (t) => {
  const small = await smallApp(t)
  const malformed = { status: 400, code: 'malformed' }
  const bodies = [
    '{"name":',
    'name=Ana',
    '',
    '{"__proto__":{"masts":1},"name":"Ana"}',
    '{"name":"Ana","constructor":{"prototype":{"masts":1}}}',
    '{"name":"Ana","crew":[{"name":"Bo","__proto__":{}}]}',
  ]
  for (const payload of bodies) await refused(t, small, { ...register(payload), headers: json }, malformed)
})

t.test('a body of another media type, or too large, is refused before it is read', async (t) => {
  const small = await smallApp(t, { env: { ASSENT_BODY_LIMIT: '2048' } })
  const text = { ...ana, 'content-type': 'text/plain' }
  const xml = { ...ana, 'content-type': 'application/xml' }
  const unsupported = { status: 415, code: 'unsupported_media_type', detail: /application\/json/ }
  await refused(t, small, { ...register('Ana'), headers: text }, unsupported)
  await refused(t, small, { ...register('<boat/>'), headers: xml }, unsupported)
  await refused(t, small, register({ name: 'A'.repeat(3000) }), { status: 413, code: 'too_large' })
})

t.test('a body of another media type is told what this operation takes', async (t) => {
  const words = { tag: 'Systems', summary: 'x', right: 'authenticated' } as const
  const small = await smallApp(t, {
    routes: (app, deeds) => {
      app.register(async (scope: App) => {
        await registerUploads(scope)
        const form = operation({
          ...words,
          id: 'paint',
          form: z.strictObject({}),
          answers: { 204: noContent },
        })
        scope.post('/v1/paint', form, async (request) => {
          await receiveUpload(request, { fields: z.strictObject({}), limit: 9 }, async () =>
            deeds.push('painted'),
          )
        })
        const body = operation({
          ...words,
          id: 'name',
          body: z.strictObject({ name: z.string() }),
          answers: { 204: noContent },
        })
        scope.post('/v1/names', body, async () => void deeds.push('named'))
        const neither = operation({ ...words, id: 'launch', answers: { 204: noContent } })
        scope.post('/v1/launches', neither, async () => void deeds.push('launched'))
      })
    },
  })
  const form = 'multipart/form-data; boundary=x'
  for (const [url, types, detail] of [
    [
      '/v1/paint',
      ['application/json', 'text/csv', 'multipart/mixed; boundary=x'],
      /^send a form as multipart\/form-data/,
    ],
    ['/v1/names', ['text/csv', form], /^send the body as application\/json$/],
    ['/v1/launches', ['text/csv', form], /^this takes no body/],
  ] as const) {
    for (const type of types) {
      const sent = {
        method: 'POST',
        url,
        headers: { ...ana, 'content-type': type },
        payload: '{"name":"Ana"}',
      } as const
      await refused(t, small, sent, { status: 415, code: 'unsupported_media_type', detail })
    }
  }
})

t.test('every wrong field is named, with a pointer to it', async (t) => {
  const small = await smallApp(t)
  const invalid = { status: 422, code: 'invalid' }
  await refused(
    t,
    small,
    register({ name: 'A', masts: 'two', 'sa/il~s': 1, crew: [{ name: 'Bo', age: 3 }] }),
    {
      ...invalid,
      detail: /^correct the body at \/name: .*, and 3 more$/,
      issues: [
        { path: '/name' },
        { path: '/masts', message: /number/ },
        { path: '/crew/0/age', message: 'is not a field here; correct its name or remove it' },
        { path: '/sa~1il~0s', message: 'is not a field here; correct its name or remove it' },
      ],
    },
  )
  await refused(t, small, register({ name: 'Ana', cargo: { kind: 'fish' } }), {
    ...invalid,
    issues: [{ path: '/cargo/tons' }],
  })
  for (const body of ['null', '[]', '"Ana"', '7'])
    await refused(t, small, { ...register(body), headers: json }, invalid)
  await refused(t, small, { method: 'POST', url: '/v1/boats' }, { ...invalid, issues: [{ path: '' }] })
})

t.test('each wrong field says in plain words what to do', async (t) => {
  const small = await smallApp(t)
  const says = async (ask: InjectOptions, path: string, message: string) => {
    const detail = new RegExp(`^correct the (body|query) at ${path}: ${message}$`)
    await refused(t, small, ask, { status: 422, code: 'invalid', detail, issues: [{ path, message }] })
  }
  await says(register({}), '/name', 'is missing; add it')
  await says(register({ name: 'A' }), '/name', 'must have at least 2 characters')
  await says(register({ name: 7 }), '/name', 'must be text')
  await says(register({ name: 'Ana', masts: 1.5 }), '/masts', 'must be a whole number')
  await says(register({ name: 'Ana', masts: -1 }), '/masts', 'must be at least 0')
  await says(register({ name: 'Ana', crew: 'Bo' }), '/crew', 'must be a list')
  await says(register({ name: 'Ana', cargo: 'fish' }), '/cargo', 'must be none')
  await says({ url: '/v1/boats?limit=all' }, '/limit', 'must be a number')
  await says({ url: '/v1/boats?limit=201' }, '/limit', 'must be at most 200')
  await says({ url: '/v1/boats?rig=yawl' }, '/rig', 'must be one of sloop, ketch')
  await says({ url: '/v1/boats?rig=ketch&rig=yawl' }, '/rig/1', 'must be one of sloop, ketch')
})

t.test('an issue is said in words, whatever the field is, and words of its own stay', async (t) => {
  const own = z.union([z.string(), z.array(z.string())], 'name a column, or a list of columns')
  const kinds = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('a') }),
    z.strictObject({ kind: z.literal('b') }),
  ])
  const says = (schema: z.ZodType, value: unknown, message: string) =>
    t.match(issuesOf(schema.safeParse(value, { error: explain }).error ?? { issues: [] }), [{ message }])
  says(z.uuid(), 'UC-1', 'must be an id such as 019')
  says(z.iso.datetime(), 'today', 'must be an instant in UTC such as 2026-')
  says(z.iso.date(), 'today', 'must be a day such as 2026-')
  says(z.url(), 'x', 'must be an address such as https://')
  says(z.enum(['idea', 'pilot']), undefined, 'is missing; it must be one of idea, pilot')
  says(z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 entry')
  says(z.number().gt(3), 3, 'must be more than 3')
  says(z.number().multipleOf(5), 3, 'must be a multiple of 5')
  says(z.record(z.enum(['a']), z.string()).optional(), { a: 'x', b: 'y' }, 'is not')
  says(z.string().regex(/^UC-/), 'x', 'must be of the form /^UC-/')
  says(kinds, { kind: 'c' }, 'must be one of a, b')
  says(own, 7, 'name a column, or a list of columns')
  says(own, ['a', 7], 'must be text')
})

t.test('a query or a body that was not declared is refused', async (t) => {
  const small = await smallApp(t)
  const invalid = { status: 422, code: 'invalid' }
  const unknown = (path: string) => ({ ...invalid, detail: /^correct the query/, issues: [{ path }] })
  await refused(t, small, { url: '/v1/boats?colour=red' }, unknown('/colour'))
  await refused(t, small, { url: '/v1/boats?__proto__=x' }, unknown('/__proto__'))
  await refused(t, small, { url: '/v1/boats/b1?verbose=true' }, unknown('/verbose'))
  const sink = { method: 'DELETE', url: '/v1/boats/b1', payload: { why: 'storm' } } as const
  await refused(t, small, sink, { ...invalid, detail: /takes no body/ })
  for (const limit of ['0', '201', 'all', '1.5', '-1', '']) {
    await refused(t, small, { url: `/v1/boats?limit=${limit}` }, { ...invalid, issues: [{ path: '/limit' }] })
  }
})

t.test('a path that leads nowhere is refused, and a wrong method is told the right ones', async (t) => {
  const small = await smallApp(t)
  await refused(t, small, { url: '/v1/ships' }, { status: 404, code: 'not_found', detail: /\/docs/ })
  await refused(t, small, { url: '/v1/boats/b99' }, { status: 404, code: 'not_found', detail: /boat/ })
  await refused(t, small, { url: `/v1/boats/${'b'.repeat(101)}` }, { status: 414, code: 'too_long' })
  await refused(t, small, { url: '/v1/boats/%zz' }, { status: 400, code: 'malformed' })
  const wrong = await refused(
    t,
    small,
    { method: 'PUT', url: '/v1/boats/b1?x=1' },
    {
      status: 405,
      code: 'method_not_allowed',
      detail: /DELETE, GET, HEAD, PATCH/,
    },
  )
  t.equal(wrong.headers.allow, 'DELETE, GET, HEAD, PATCH')
})

t.test('a change has to say which revision it changes, and loses against an earlier one', async (t) => {
  const small = await smallApp(t)
  const rename: InjectOptions = { method: 'PATCH', url: '/v1/boats/b1', payload: { name: 'Ana' } }
  const under = (tag: string) => ({ ...rename, headers: { ...ana, 'if-match': tag } })
  await refused(t, small, rename, { status: 428, code: 'precondition_required' })
  for (const tag of ['*', '3', 'W/"3"', '"3", "4"', '"three"', '"03"', '""', '"99999999999"']) {
    await refused(t, small, under(tag), { status: 400, code: 'malformed', detail: /If-Match/ })
  }
  await refused(t, small, under('"2"'), { status: 412, code: 'stale', detail: /revision 3, you saw 2/ })
  const renamed = await small.app.inject(under('"3"'))
  t.match(renamed, { statusCode: 200, headers: { etag: '"4"' } })
})

t.test('an Idempotency-Key has to be readable', async (t) => {
  const small = await smallApp(t)
  for (const key of ['', 'two words', 'a'.repeat(201), 'clé']) {
    const headers = { ...ana, 'idempotency-key': Buffer.from(key).toString('latin1') }
    const ask = { ...register({ name: 'Ana' }), headers }
    await refused(t, small, ask, { status: 400, code: 'malformed', detail: /Idempotency-Key/ })
  }
})

t.test('a cursor serves only the list and the person it was given to', async (t) => {
  const small = await smallApp(t, {
    routes: (app) => {
      const words = { id: 'listShips', tag: 'Systems', summary: 'Ships', right: 'authenticated' } as const
      const query = z.strictObject({ limit: z.coerce.number().default(2), cursor: z.string().optional() })
      const ships = operation({ ...words, query, answers: { 200: z.unknown() } })
      app.get(
        '/v1/ships',
        ships,
        async (request) => await app.page(request, async () => ({ items: [], last: null })),
      )
    },
  })
  const first = await small.app.inject({ url: '/v1/boats?limit=2&name=Boat', headers: ana })
  const cursor = first.json().next
  const [key, mac] = cursor.split('.')
  const elsewhere = Buffer.from('["b5"]').toString('base64url')
  const foreign = { status: 422, code: 'invalid', detail: /start again without a cursor/ }
  const ask = (url: string) => refused(t, small, { url }, foreign)
  await ask(`/v1/boats?name=Boat&cursor=${elsewhere}.${mac}`)
  await ask(`/v1/boats?name=Boat&cursor=${key}`)
  await ask(`/v1/boats?name=Boat&cursor=${key}.`)
  await ask('/v1/boats?name=Boat&cursor=nonsense')
  await ask(`/v1/boats?name=Bo&cursor=${cursor}`)
  await ask(`/v1/boats?cursor=${cursor}`)
  await ask(`/v1/ships?cursor=${cursor}`)
  const bo = { authorization: 'Bearer bo' }
  await refused(t, small, { url: `/v1/boats?name=Boat&cursor=${cursor}`, headers: bo }, foreign)
  const next = await small.app.inject({ url: `/v1/boats?limit=7&name=Boat&cursor=${cursor}`, headers: ana })
  t.match(next.json(), { items: [{ id: 'b2' }, {}, {}, {}, { id: 'b6' }], next: null })
})

t.test('nobody gets in without signing in, and guessing is slowed down for the guesser alone', async (t) => {
  const small = await smallApp(t, { env: { ASSENT_SIGN_IN_FAILURE_LIMIT: '3' } })
  const unknown = { status: 401, code: 'unauthenticated' }
  const nobody = await refused(t, small, { url: '/v1/boats', headers: {} }, unknown)
  t.equal(nobody.headers['www-authenticate'], 'Bearer realm="assent"')
  const guess = { url: '/v1/boats', headers: { authorization: 'Bearer wrong' } }
  const wrong = await refused(t, small, guess, unknown)
  t.equal(wrong.headers['www-authenticate'], 'Bearer realm="assent", error="invalid_token"')
  await refused(t, small, guess, unknown)
  await refused(t, small, guess, { status: 429, code: 'rate_limited', detail: /failed sign-ins/ })
  t.equal((await small.app.inject({ url: '/v1/boats', headers: ana })).statusCode, 200)
})

t.test('each person has their own rate, and the gate one of its own', async (t) => {
  const env = { ASSENT_RATE_LIMIT: '2', ASSENT_GATE_RATE_LIMIT: '3' }
  const words = { tag: 'Gate', summary: 'Ask', right: 'authenticated', bucket: 'gate' } as const
  const answers = { 200: z.string() }
  const routes = (app: App) => {
    app.get('/v1/gate', operation({ ...words, id: 'askGate', answers }), async () => 'yes')
    app.get('/v1/gate/again', operation({ ...words, id: 'askAgain', answers }), async () => 'yes')
  }
  const small = await smallApp(t, { env, routes })
  const ask = async (url: string, name = 'ana') =>
    (await small.app.inject({ url, headers: { authorization: `Bearer ${name}` } })).statusCode
  t.same([await ask('/v1/boats'), await ask('/v1/boats/b1')], [200, 200])
  const tooMany = await refused(t, small, { url: '/v1/boats' }, { status: 429, code: 'rate_limited' })
  t.match(tooMany.headers['retry-after'], /^\d+$/)
  t.equal(await ask('/v1/boats', 'bo'), 200)
  t.same([await ask('/v1/gate'), await ask('/v1/gate/again'), await ask('/v1/gate')], [200, 200, 200])
  t.same([await ask('/v1/gate'), await ask('/v1/gate', 'bo')], [429, 200])
  t.same([await ask('/v1/nowhere'), await ask('/v1/nowhere'), await ask('/v1/nowhere')], [404, 404, 429])
})

t.test('what is exchanged for a token has a rate of its own, by address', async (t) => {
  const words = { tag: 'People', summary: 'Exchange', right: 'public', bucket: 'sign_in' } as const
  const exchange = operation({ ...words, id: 'exchange', answers: { 200: z.string() } })
  const routes = (app: App) => void app.post('/v1/exchange', exchange, async () => 'token')
  const small = await smallApp(t, { env: { ASSENT_SIGN_IN_FAILURE_LIMIT: '2' }, routes })
  const ask = { method: 'POST', url: '/v1/exchange', headers: {} } as const
  t.equal((await small.app.inject(ask)).statusCode, 200)
  t.equal((await small.app.inject(ask)).statusCode, 200)
  await refused(t, small, ask, { status: 429, code: 'rate_limited' })
  t.equal((await small.app.inject({ ...ask, remoteAddress: '192.0.2.7' })).statusCode, 200)
})

t.test('an answer that holds a secret is not kept for an Idempotency-Key', async (t) => {
  const words = { tag: 'People', summary: 'Issue', right: 'authenticated', secret: true } as const
  const issue = operation({ ...words, id: 'issue', answers: { 201: z.strictObject({ token: z.string() }) } })
  const routes = (app: App) => {
    app.post('/v1/tokens', issue, async (request) => await app.write(request, async () => ({ token: 'x' })))
  }
  const small = await smallApp(t, { routes })
  const headers = { ...ana, 'idempotency-key': 'k1' }
  const invalid = { status: 422, code: 'invalid', detail: /send no Idempotency-Key/ }
  await refused(t, small, { method: 'POST', url: '/v1/tokens', headers }, invalid)
  t.equal((await small.app.inject({ method: 'POST', url: '/v1/tokens', headers: ana })).statusCode, 201)
})

/** An app with a route that fails as the test says. */
async function failing(t: Test, failure: () => unknown): Promise<SmallApp> {
  const fail = operation({
    id: 'fail',
    tag: 'Systems',
    summary: 'Fail',
    right: 'authenticated',
    answers: { 200: z.strictObject({}), 409: z.strictObject({ decision: z.literal('deny') }) },
  })
  return await smallApp(t, {
    routes: (app) =>
      app.get('/v1/failure', fail, async () => {
        throw failure()
      }),
  })
}

t.test('each code of the domain has its status, and says what to do', async (t) => {
  const statuses: Record<ErrorCode, number> = {
    invalid: 422,
    unauthenticated: 401,
    forbidden: 403,
    not_found: 404,
    conflict: 409,
    unavailable: 503,
  }
  let error: unknown
  const small = await failing(t, () => error)
  for (const [code, status] of Object.entries(statuses)) {
    error = new RegistryError(code as ErrorCode, 'do this next', {
      rule: 'DR-07',
      cause: new Error('secret'),
    })
    const answer = await refused(t, small, { url: '/v1/failure?' }, { status, code, detail: 'do this next' })
    t.match(answer.json(), { rule: 'DR-07', title: String, instance: '/v1/failure' })
    t.equal(answer.json().requestId, answer.headers['x-request-id'])
    t.notMatch(answer.body, 'secret')
    if (status === 503) t.equal(answer.headers['retry-after'], '2')
  }
})

const databaseError = (code: string) => {
  const error = new pg.DatabaseError('invalid input syntax for type uuid: "ana@example.org"', 0, 'error')
  Object.assign(error, { severity: 'ERROR', code, detail: 'Key (email)=(ana@example.org) already exists.' })
  return new DrizzleQueryError('insert into person', ['ana@example.org'], error)
}

t.test('a database that cannot serve is unavailable, and what it cannot store is invalid', async (t) => {
  let error: unknown
  const small = await failing(t, () => error)
  const unavailable = { status: 503, code: 'unavailable' }
  for (const code of [
    '57014',
    '57P01',
    '57P03',
    '08006',
    '53300',
    '53100',
    '25006',
    '40001',
    '40P01',
    '55P03',
  ]) {
    error = databaseError(code)
    await refused(t, small, { url: '/v1/failure' }, unavailable)
  }
  error = await new pg.Client({ host: '127.0.0.1', port: 1 }).connect().catch((cause) => cause)
  await refused(t, small, { url: '/v1/failure' }, { ...unavailable, detail: /database does not answer/ })
  error = await new pg.Client({ host: '/nowhere' }).connect().catch((cause) => cause)
  await refused(t, small, { url: '/v1/failure' }, unavailable)
  for (const code of ['22021', '22P05']) {
    error = databaseError(code)
    await refused(t, small, { url: '/v1/failure' }, { status: 422, code: 'invalid' })
  }
})

t.test('a bug says nothing of itself to the caller, and nothing personal to the log', async (t) => {
  let error: unknown
  const small = await failing(t, () => error)
  const internal = { status: 500, code: 'internal', detail: /report the requestId/ }
  const bugs = [
    databaseError('23505'),
    new TypeError('x of undefined'),
    Object.assign(new Error('x'), { code: 'ENOENT' }),
  ]
  for (const bug of [...bugs, 'a string', undefined]) {
    error = bug
    const answer = await refused(t, small, { url: '/v1/failure' }, internal)
    t.notMatch(answer.body, /undefined|example|insert|at .*\.js/)
  }
  const lines = small.log.join('')
  t.notMatch(lines, 'ana@example.org')
  t.match(lines, /insert into person/)
  t.match(lines, /x of undefined/)
  t.match(lines, /23505/)
})

t.test('what takes too long is stopped', async (t) => {
  const words = {
    id: 'wait',
    tag: 'Systems',
    summary: 'Wait',
    right: 'authenticated',
    timeoutMs: 20,
  } as const
  const small = await smallApp(t, {
    routes: (app) =>
      app.get('/v1/wait', operation({ ...words, answers: { 200: z.unknown() } }), async (request) => {
        await once(request.signal, 'abort')
      }),
  })
  await refused(t, small, { url: '/v1/wait' }, { status: 503, code: 'unavailable', detail: /too long/ })
})

t.test('bytes that are not HTTP get a problem, too', async (t) => {
  const { app } = await smallApp(t)
  const port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
  const send = async (bytes: string) => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    socket.end(bytes)
    let answer = ''
    for await (const chunk of socket) answer += chunk
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    t.match(head, 'Content-Type: application/problem+json')
    return Problem.parse(JSON.parse(body)).status
  }
  t.equal(await send('HELLO\r\n\r\n'), 400)
  t.equal(await send(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), 431)
})

t.test('a route that does not say who may call it keeps the server from starting', async (t) => {
  const open = (app: App) => void app.get('/v1/open', async () => 'anybody')
  await t.rejects(smallApp(t, { routes: open }), /no right is declared for .*GET \/v1\/open/)
  const words = {
    tag: 'Systems',
    summary: 'x',
    right: 'authenticated',
    answers: { 200: z.string() },
  } as const
  const blind = (app: App) => void app.get('/v1/:key', operation({ ...words, id: 'a' }), async () => 'x')
  await t.rejects(smallApp(t, { routes: blind }), /a does not declare the parameter key/)
  const twice = (app: App) => {
    app.get('/v1/a', operation({ ...words, id: 'a' }), async () => 'x')
    app.get('/v1/b', operation({ ...words, id: 'a' }), async () => 'x')
  }
  await t.rejects(smallApp(t, { routes: twice }), /two operations are called a/)
})
