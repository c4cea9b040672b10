import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { v7 as newId } from 'uuid'
import { toInstant } from '../../src/instant.js'
import { startApp } from '../app.js'
import { approved, registered } from '../gate/register.js'
import { assent, each } from './command.js'

const app = await startApp(t)
const url = await app.app.listen({ host: '127.0.0.1', port: 0 })
const pipeline = await app.person('Deploy', { kind: 'service', rights: ['pipeline'] })
const risk = await app.person('Rita', { rights: ['risk_owner'] })
const auditor = await app.person('Ada', { rights: ['auditor'] })
const forLong = { ...approved, valid_until: '2100-01-01T00:00:00.000Z' }
const cleared = await bound(forLong)
const blocked = await bound({ block_id: newId(), last_outcome: 'blocked' })
const unreviewed = await bound({})

async function bound(head: Record<string, unknown>) {
  const useCase = await registered(app, head)
  await risk.post(`/v1/use-cases/${useCase.id}/pipelines`, { personId: pipeline.id })
  return useCase
}

const env = { ASSENT_URL: url, ASSENT_TOKEN: pipeline.token }
const check = async (args: string[], more: Record<string, string> = {}) =>
  await assent(['gate', 'check', ...args], { ...env, ...more })
const on = (key: string, environment = 'production') => ['--use-case', key, '--environment', environment]
const kept = async () => (await app.owner.query('select count(*)::int as n from gate_answer')).rows[0].n

t.test('the gate of a real server, by exit code', async (t) => {
  const unknown = 'UC-999999'
  const cases: [args: string[], code: number, stdout: RegExp, more?: Record<string, string>][] = [
    [on(cleared.key), 0, /^allowed: UC-\d+ for production until .*\n {2}cleared: UC-\d+ is approved/],
    [on(cleared.id), 0, /^allowed: UC-/],
    [on(blocked.key), 1, /^denied: UC-\d+ for production\n {2}blocked: The committee blocked/],
    [on(unreviewed.key), 1, /unreviewed: UC-\d+ has never been reviewed/],
    [on(unreviewed.key, 'staging'), 0, /^allowed: [\s\S]*warning: policy only warns here/],
    [on(blocked.key, 'staging'), 1, /^denied/],
    [[...on(cleared.key), '--version', '2'], 1, /version_mismatch/],
    [on(unknown), 4, /^denied: UC-999999 for production\n {2}not_registered/],
    [on(cleared.key), 3, /^$/, { ASSENT_TOKEN: auditor.token }],
    [on(cleared.key), 3, /^$/, { ASSENT_TOKEN: 'assent_sk_nobody' }],
    [
      ['--format', 'json', ...on(blocked.key)],
      1,
      /^\{"outcome":"denied","exitCode":1,.*"reasons":\[\{"code":"blocked"/,
    ],
    [
      ['--format', 'github', ...on(blocked.key)],
      1,
      /^::error title=Assent gate, denied::The committee blocked UC-\d+/,
    ],
    [
      ['--format', 'github', ...on(unreviewed.key, 'staging')],
      0,
      /^::warning title=Assent gate, allowed::Allowed, because/,
    ],
    [['--format', 'github', ...on(cleared.key)], 0, /^::notice title=Assent gate, allowed::/],
    [[], 0, /^allowed/, { ASSENT_USE_CASE: cleared.key, ASSENT_ENVIRONMENT: 'production' }],
    [['--dry-run', ...on(cleared.key)], 0, /^allowed/],
    [['--dry-run', ...on(blocked.key)], 1, /^denied/],
  ]
  await each(cases, async ([args, code, stdout, more]) => {
    const ended = await check(args, more)
    t.equal(ended.code, code, `${args.join(' ')}\n${ended.stderr}`)
    t.match(ended.stdout, stdout)
    t.notMatch(ended.stdout + ended.stderr, pipeline.token)
    if (code === 3) t.match(ended.stderr, /^assent gate check: /)
  })
})

t.test('an answer is kept with what the CI says about itself, a look is not', async (t) => {
  const before = await kept()
  t.equal((await check(['--dry-run', ...on(cleared.key)])).code, 0)
  t.equal(await kept(), before)
  const github = {
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/claims',
    GITHUB_SHA: 'c0ffee',
    GITHUB_RUN_ID: '17',
  }
  const artifacts = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`)
  const more = [
    ...artifacts.flatMap((digest) => ['--artifact', digest]),
    '--channel=phone',
    '--jurisdiction=US-NY',
  ]
  const { stdout } = await check([...on(cleared.key), ...more, '--version=3', '--format=json'], github)
  t.equal(await kept(), before + 1)
  const record = await pipeline.get(`/v1/gate/answers/${JSON.parse(stdout).answer.id}`)
  t.match(record.body.question, {
    ...{
      useCase: cleared.key,
      environment: 'production',
      channel: 'phone',
      jurisdiction: 'US-NY',
      version: 3,
    },
    artifacts,
    context: { repository: 'acme/claims', commit: 'c0ffee', run: '17' },
  })
})

t.test('a token may come from a file', async (t) => {
  const folder = t.testdir({ token: `${pipeline.token}\n`, empty: ' \n', odd: 'two words' })
  const by = async (file: string) =>
    await assent(['gate', 'check', ...on(cleared.key), '--token-file', join(folder, file)], {
      ASSENT_URL: url,
    })
  t.equal((await by('token')).code, 0)
  for (const file of ['empty', 'odd', 'missing']) t.equal((await by(file)).code, 2, file)
})

t.test('an empty or blank value of any flag or variable is refused, and nothing is asked', async (t) => {
  const before = await kept()
  const flags = [
    'use-case',
    'environment',
    'server',
    'token-file',
    'jurisdiction',
    'channel',
    'artifact',
    'version',
    'format',
    'timeout',
  ]
  const blankFlags = [...flags.map((flag) => [`--${flag}=`]), ['--version', ''], ['--version', ' \t']]
  await each(blankFlags, async (blank) => {
    const rest = on(cleared.key)
      .join(' ')
      .replace(new RegExp(`${blank[0]?.replace('=', '')} \\S+`), '')
      .trim()
    const ended = await check([...rest.split(' '), ...blank])
    t.equal(ended.code, 2, JSON.stringify(blank))
    t.match(ended.stderr, /is empty; give it a value/)
  })
  const ci = { GITHUB_ACTIONS: 'true', GITLAB_CI: '' }
  const gitlab = { GITLAB_CI: 'true' }
  const variables: Record<string, string>[] = [
    ...['ASSENT_URL', 'ASSENT_TOKEN', 'ASSENT_USE_CASE', 'ASSENT_ENVIRONMENT'].map((name) => ({
      [name]: '',
    })),
    ...['GITHUB_REPOSITORY', 'GITHUB_SHA', 'GITHUB_RUN_ID'].map((name) => ({ ...ci, [name]: ' ' })),
    ...['CI_PROJECT_PATH', 'CI_COMMIT_SHA', 'CI_PIPELINE_ID'].map((name) => ({ ...gitlab, [name]: '' })),
  ]
  await each(variables, async (blank) => {
    const ended = await check(on(cleared.key), blank)
    t.equal(ended.code, 2, JSON.stringify(blank))
    t.match(ended.stderr, /is empty; give it a value or remove it/)
  })
  t.equal(await kept(), before)
})

t.test('a program can read what was wrong with its call', async (t) => {
  const { code, stdout } = await check(['--use-case=', '--format', 'json'])
  t.equal(code, 2)
  t.match(JSON.parse(stdout), {
    outcome: 'usage',
    exitCode: 2,
    sentence: /--use-case is empty/,
    answer: null,
  })
})

t.test('whatever could be misunderstood is wrong usage', async (t) => {
  const before = await kept()
  const good = on(cleared.key)
  const cases: [args: string[], stderr: RegExp, env?: Record<string, string>][] = [
    [[], /--use-case is missing/],
    [['--use-case', cleared.key], /--environment is missing/],
    [['--environment', 'production', '--use-case'], /--use-case needs a value/],
    [['--use-case', '--environment', 'production'], /--use-case needs a value/],
    [[...good, '--environment', 'staging'], /--environment is given 2 times/],
    [on('claims triage'), /--use-case must be a key/],
    [on(cleared.key, 'Production'), /--environment must be lower-case/],
    [[...good, '--version', 'seven'], /--version must be a whole number/],
    [[...good, '--artifact', 'sha1:00'], /--artifact must be sha256/],
    [[...good, '--format', 'xml'], /--format must be one of text, json, github/],
    [[...good, '--timeout', '61'], /--timeout must be/],
    [[...good, '--timeout', '0'], /--timeout must be/],
    [[...good, '--dry-run=yes'], /--dry-run takes no value/],
    [[...good, '--dry-run=false'], /--dry-run takes no value/],
    [[...good, '--no-dry-run'], /not a flag/],
    [[...good, '--on-unavailable=allow'], /--on-unavailable is not a flag/],
    [[...good, '--token', pipeline.token], /use ASSENT_TOKEN or --token-file/],
    [[...good, pipeline.token], /takes flags only/],
    [[...good, '--server', 'assent.example.com'], /must be a URL/],
    [[...good, '--server', 'ftp://127.0.0.1'], /must be a URL/],
    [[...good, '--server', 'https://me:secret@127.0.0.1'], /leave user and password out/],
    [[...good, '--server', 'http://192.0.2.1'], /would show your token to the network/],
    [good, /say which server/, { ASSENT_TOKEN: 'x' }],
    [good, /say who asks/, { ASSENT_URL: url }],
    [good, /no token has/, { ASSENT_URL: url, ASSENT_TOKEN: 'two\nlines' }],
  ]
  await each(cases, async ([args, stderr, own = env]) => {
    const ended = await assent(['gate', 'check', ...args], own)
    t.equal(ended.code, 2, args.join(' '))
    t.match(ended.stderr, stderr)
    t.equal(ended.stdout, '')
    t.notMatch(ended.stderr, pipeline.token)
  })
  t.equal(await kept(), before)
})

t.test('R-92: what is open in an emergency only ends with 7, and with 0 for who accepts that', async (t) => {
  const { id, key } = await bound({})
  const asked = [...on(key), '--format']
  const accepted = ['--accept-break-glass', ...on(key), '--format']
  t.equal((await check([...accepted, 'text'])).code, 1, 'nothing is open to be accepted')
  const { body } = await risk.post(`/v1/use-cases/${id}/break-glass`, {
    ...{ environment: 'production', reason: 'the portal is down', hours: 1 },
  })
  const cases: [args: string[], code: number, stdout: RegExp][] = [
    [
      [...asked, 'text'],
      7,
      /^denied: UC-\d+ for production\n {2}unreviewed: .*\n {2}break_glass: .*: accept that explicitly/,
    ],
    [[...asked, 'json'], 7, /^\{"outcome":"break_glass_only","exitCode":7,.*"decision":"deny"/],
    [[...asked, 'github'], 7, /^::error title=Assent gate, break glass only::.*accept that explicitly/],
    [[...asked, 'text', '--dry-run'], 7, /^denied/],
    [
      [...accepted, 'text'],
      0,
      /^allowed: UC-\d+ for production until .*\n {2}warning: this is an emergency opening.*\n {2}break_glass: /,
    ],
    [[...accepted, 'text', '--dry-run'], 0, /^allowed/],
    [
      [...accepted, 'json'],
      0,
      new RegExp(`^\\{"outcome":"allowed","exitCode":0,.*"breakGlassId":"${body.id}"`),
    ],
    [[...accepted, 'github'], 0, /^::warning title=Assent gate, allowed::Allowed in an emergency: UC-/],
  ]
  await each(cases, async ([args, code, stdout]) => {
    const ended = await check(args)
    t.equal(ended.code, code, `${args.join(' ')}\n${ended.stderr}`)
    t.match(ended.stdout, stdout)
  })
  await risk.post(`/v1/use-cases/${id}/suspensions`, { reason: 'it names prices' })
  for (const args of [asked, accepted])
    t.equal((await check([...args, 'text'])).code, 1, 'suspended is denied')
})

t.test('R-82: a limit that is left unstated denies, and one that is stated does not', async (t) => {
  const limits = [
    { on: 'jurisdiction', values: ['EU'] },
    { on: 'channel', values: ['phone'] },
  ]
  const { key } = await bound({ ...forLong, has_conditions: true, limits })
  const cases: [more: string[], code: number, stdout: RegExp][] = [
    [[], 1, /limit_not_stated: .* limited to the jurisdictions EU and to the channels phone: say/],
    [['--jurisdiction', 'DE'], 1, /limit_not_stated: .* limited to the channels phone/],
    [['--jurisdiction', 'US', '--channel', 'phone'], 1, /limit_exceeded: .* the jurisdictions EU, not US/],
    [['--jurisdiction', 'DE', '--channel', 'phone'], 0, /cleared_with_conditions: /],
  ]
  await each(cases, async ([more, code, stdout]) => {
    const ended = await check([...on(key), ...more])
    t.equal(ended.code, code, more.join(' '))
    t.match(ended.stdout, stdout)
  })
})

const inSeconds = (seconds: number) => toInstant(new Date(Date.now() + seconds * 1000))

/** What a server says that clears the use case UC-1 for production. */
const clearance = {
  ...{ id: newId(), decision: 'allow', enforced: true, wouldBe: 'allow' },
  reasons: [{ code: 'cleared', sentence: 'UC-1 is approved' }],
  ...{ useCase: 'UC-1', useCaseId: newId(), version: 3, standing: 'cleared', environment: 'production' },
  get askedAt() {
    return inSeconds(0)
  },
  validUntil: inSeconds(900),
  policyDigest: 'sha256:0',
}
const denial = { ...clearance, decision: 'deny', wouldBe: 'deny', validUntil: null, detail: 'no' }
const emergency = [{ code: 'break_glass', sentence: 'x' }]
const allow = { 'gate-decision': 'allow' }
const deny = { 'gate-decision': 'deny' }

/** Serves on loopback until the test ends, one behaviour a path. */
async function serve(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const ask = async (server: string, seconds: string, ...more: string[]) =>
  await assent(['gate', 'check', ...on('UC-1'), '--server', server, '--timeout', seconds, ...more], {
    ASSENT_TOKEN: pipeline.token,
  })

t.test('an answer that cannot be read or contradicts itself is never an allow', async (t) => {
  const replies: Record<
    string,
    [status: number, headers: Record<string, string>, body: unknown, code: number]
  > = {
    'allow that is one': [200, allow, clearance, 0],
    'allow with fields of a later time': [200, allow, { ...clearance, receipt: 'e30' }, 0],
    'denial that is one': [409, deny, denial, 1],
    'emergency only': [409, deny, { ...denial, reasons: emergency }, 7],
    'allow in an emergency that was not accepted': [200, allow, { ...clearance, reasons: emergency }, 6],
    'warning of an emergency': [
      ...([200, allow] as const),
      { ...clearance, enforced: false, wouldBe: 'deny', reasons: emergency },
      0,
    ],
    'allow without the header': [200, {}, clearance, 6],
    'allow with the other header': [200, deny, clearance, 6],
    'allow with a header of two words': [200, { 'gate-decision': 'allow, deny' }, clearance, 6],
    'denial as 200': [200, deny, denial, 6],
    'denial with the header of an allow': [200, allow, denial, 6],
    'allow as 409': [409, allow, clearance, 6],
    'allow as 409 with the header of a denial': [409, deny, clearance, 6],
    'allow that would be denied': [200, allow, { ...clearance, wouldBe: 'deny' }, 6],
    'allow for another environment': [200, allow, { ...clearance, environment: 'staging' }, 6],
    'allow for another use case': [200, allow, { ...clearance, useCase: 'UC-2' }, 6],
    'allow that is over': [200, allow, { ...clearance, validUntil: inSeconds(-60) }, 6],
    'allow without an end': [200, allow, { ...clearance, validUntil: null }, 6],
    'allow that ends at no time': [200, allow, { ...clearance, validUntil: 'tomorrow' }, 6],
    'allow of an hour ago': [200, allow, { ...clearance, askedAt: inSeconds(-3600) }, 6],
    'allow of no time': [200, allow, { ...clearance, askedAt: 'now' }, 6],
    'allow of a clock that is slow': [200, allow, { ...clearance, askedAt: inSeconds(-5) }, 0],
    'allow as 201': [201, allow, clearance, 6],
    'allow as 404': [404, allow, clearance, 6],
    'nothing as 204': [204, allow, '', 6],
    'allow without reasons': [200, allow, { ...clearance, reasons: [] }, 5],
    'allow in other words': [200, allow, { ...clearance, decision: 'ALLOW' }, 5],
    'a web page': [200, {}, '<html>Welcome</html>', 5],
    'a web page with the header': [200, allow, '<html>', 5],
    'half of a JSON document': [200, allow, JSON.stringify(clearance).slice(0, -9), 5],
    'a list': [200, allow, [clearance], 5],
    null: [200, allow, null, 5],
    'a conflict that is no denial': [409, {}, { detail: 'the key was used' }, 5],
    'a bug': [500, {}, { detail: 'oops' }, 5],
    'a bug that says allow': [500, {}, clearance, 5],
    'not signed in': [401, {}, { detail: 'sign in' }, 3],
    'not permitted': [403, {}, { detail: 'Auditors change nothing' }, 3],
    'not registered': [404, {}, { ...denial, useCaseId: null, version: null }, 4],
    'not there': [404, {}, 'nginx', 4],
    'not a question': [422, {}, { detail: 'correct the body' }, 2],
    'too large': [200, allow, { ...clearance, more: 'x'.repeat(2 ** 20) }, 5],
  }
  const server = await serve(
    createServer((request, response) => {
      const [status = 0, headers, body] = replies[decodeURIComponent(request.url?.split('/')[1] ?? '')] ?? []
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      response.writeHead(status, headers).end(status === 204 ? undefined : text)
    }),
  )
  await each(Object.entries(replies), async ([name, [, , , code]]) => {
    const ended = await ask(
      `${server}/${encodeURIComponent(name)}`,
      name === 'too large' ? '1' : '20',
      '--format=json',
    )
    t.equal(ended.code, code, `${name}\n${ended.stderr}`)
    t.match(JSON.parse(ended.stdout), { exitCode: code })
    t.equal(ended.stdout.includes('"outcome":"allowed"'), code === 0)
  })
  for (const [name, code] of [
    ['emergency only', 6],
    ['allow in an emergency that was not accepted', 0],
  ] as const) {
    const ended = await ask(`${server}/${encodeURIComponent(name)}`, '20', '--accept-break-glass')
    t.equal(ended.code, code, `${name}, accepted`)
  }
})

t.test('a server that is slow, silent or gone is unavailable, in time', async (t) => {
  const http: Record<string, RequestListener> = {
    silent: () => {},
    'half an answer': (_request, response) => void response.writeHead(200, allow).write('{"decision":'),
    'an answer too late': (_request, response) =>
      void setTimeout(() => response.writeHead(200, allow).end(JSON.stringify(clearance)), 1500),
    'always busy': (_request, response) => void response.writeHead(503).end('{}'),
    'busy for an hour': (_request, response) =>
      void response.writeHead(429, { 'retry-after': '3600' }).end('{}'),
    'cut off': (request) => void request.socket.destroy(),
    elsewhere: (_request, response) =>
      void response.writeHead(307, { location: '/target/v1/gate/answers' }).end(),
    target: () => t.fail('a redirect was followed'),
  }
  const server = await serve(
    createServer((request, response) => {
      http[decodeURIComponent(request.url?.split('/')[1] ?? '')]?.(request, response)
    }),
  )
  const noise = await serve(createTcpServer((socket) => void socket.end('SSH-2.0-OpenSSH\r\n')))
  const closed = createTcpServer()
  const nobody = await serve(closed)
  closed.close()
  const addresses = [
    ...Object.keys(http)
      .filter((name) => name !== 'target')
      .map((name) => `${server}/${encodeURIComponent(name)}`),
    noise,
    nobody,
  ]
  await each(addresses, async (address) => {
    const ended = await ask(address, '2')
    t.equal(ended.code, 5, `${address}\n${ended.stderr}`)
    t.equal(ended.stdout, '')
    t.ok(ended.ms < 6000, `${address} took ${Math.round(ended.ms)} ms`)
    t.match(ended.stderr, /^assent gate check: \S/)
  })
})

t.test('what passes is tried again, with the same key, and not before the server wants it', async (t) => {
  const script: [status: number, headers: Record<string, string>][] = [
    [503, {}],
    [429, { 'retry-after': '1' }],
    [502, {}],
    [504, {}],
  ]
  const seen: { key: unknown; at: number }[] = []
  const server = await serve(
    createServer((request, response) => {
      seen.push({ key: request.headers['idempotency-key'], at: performance.now() })
      if (seen.length === 1) return void request.socket.destroy()
      const [status, headers] = script[seen.length - 2] ?? [200, allow]
      response.writeHead(status, headers).end(JSON.stringify(clearance))
    }),
  )
  const ended = await ask(server, '40')
  t.equal(ended.code, 0, ended.stderr)
  t.equal(seen.length, 6)
  t.equal(new Set(seen.map(({ key }) => key)).size, 1)
  t.match(seen[0]?.key, /^[0-9a-f-]{36}$/)
  t.ok((seen[3]?.at ?? 0) - (seen[2]?.at ?? 0) >= 1000)
  t.match(ended.stderr, /the server answered 503; trying again in [\d.]+ s/)
})

t.test('nobody writes into a terminal or a workflow through an answer', async (t) => {
  const evil = 'fine\n::set-output name=x::y\r\u001b[2J\u2028100%'
  const server = await serve(
    createServer((request, response) => {
      const body = { ...denial, reasons: [{ code: 'blocked', sentence: evil }], detail: evil }
      const isRefusal = request.url?.startsWith('/refusal/')
      response.writeHead(isRefusal ? 403 : 409, isRefusal ? {} : deny).end(JSON.stringify(body))
    }),
  )
  for (const format of ['text', 'github', 'json']) {
    for (const path of ['', '/refusal']) {
      const { stdout, stderr } = await ask(server + path, '20', '--format', format)
      for (const line of `${stdout}\n${stderr}`.split('\n')) {
        t.notMatch(line, /^\s*::set-output/)
        t.notMatch(line, /[\p{Cc}\p{Zl}]/u)
      }
    }
  }
})

t.test('every command explains itself, and what is no command is wrong usage', async (t) => {
  const overview = await assent(['--help'])
  t.equal(overview.code, 0)
  const names = ['serve', 'demo', 'migrate', 'backup', 'restore', 'gate check', 'catalog import', 'join']
  for (const name of names) t.match(overview.stdout, `  ${name}`)
  await each(names, async (name) => {
    const { code, stdout } = await assent([...name.split(' '), '--help'])
    t.equal(code, 0, name)
    t.match(stdout, `usage: assent ${name}`)
  })
  await each(
    [
      ['gate', 'check', ...on(cleared.key, '-h')],
      ['gate', 'check', ...on(cleared.key, '--help')],
      ['gate', 'check', ...on(cleared.key), '--channel', '--help'],
      ['gate', 'check', ...on(cleared.key), '--help'],
      ['gate', 'check', '-h', '-h'],
      ['serve', '--port=80', '-h'],
      ['backup', 'copy', '-h'],
    ],
    async (args) => {
      const { code, stdout } = await assent(args, env)
      t.equal(code, 2, args.join(' '))
      t.equal(stdout, '')
    },
  )
  await each(
    [[], ['gate'], ['gate', 'open'], ['frobnicate'], ['serve', '--port=80'], ['constructor']],
    async (args) => {
      t.equal((await assent(args)).code, 2, args.join(' '))
    },
  )
  const half = await assent(['policy', '--help'])
  t.match(half, {
    code: 2,
    stderr: /say which: assent policy check, assent policy diff, assent policy apply/,
  })
})
