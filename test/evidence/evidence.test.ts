import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { type Answer, startApp } from '../app.js'
import { fields, formType, retire, startWorld, trace, upload, type World } from './world.js'

const bytes = Buffer.from([...Buffer.from('%PDF-1.7 a report'), 0, 255, 13, 10, 45, 45, 13, 10])
const digest = digestOf(bytes)
const reviewed = { verdict: 'accepted', note: 'read and sound' }
const attestation = {
  kind: 'vendor_document',
  title: 'No training on our data',
  statement: 'The vendor does not train on our data.',
}

/** For tests that leave nothing behind which another would trip over. */
const shared = await startWorld(t)

t.test('a file is kept, listed, and comes back byte by byte', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, url } = world
  const before = await trace(world)
  const given = { freshUntil: '2090-01-01T00:00:00Z', digest }
  const attached = await upload(world, risk, { bytes }, given, reprDigest(bytes))
  t.equal(attached.status, 201)
  t.match(attached.body, {
    ...{ ...fields, form: 'file', digest, size: bytes.length, statement: null, verdict: null },
    ...{ mediaType: 'application/pdf', fileName: 'report.pdf', freshUntil: '2090-01-01T00:00:00.000Z' },
    ...{ attachedBy: risk.id, useCaseId: world.useCaseId },
  })
  const place = `/v1/evidence/${attached.body.id}`
  t.equal(attached.headers.location, place)
  t.same((await judge.get(place)).body, attached.body)
  t.same((await judge.get(url)).body, { items: [attached.body], next: null })
  const after = await trace(world)
  t.same(after.events, [...before.events, 'evidence.attached'])
  t.equal(after.useCase.revision, before.useCase.revision + 1, 'the ETag of the use case moves')

  const { rawPayload, headers } = await download(world, place)
  t.same(rawPayload, bytes)
  t.match(headers, {
    'content-type': 'application/pdf',
    'content-length': String(bytes.length),
    'content-disposition': `attachment; filename="report.pdf"; filename*=UTF-8''report.pdf`,
    'content-security-policy': /sandbox/,
    'x-content-type-options': 'nosniff',
    'repr-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
    etag: `"${digest}"`,
  })
})

t.test('a statement is evidence too, and its digest is that of its text', async (t) => {
  const world = await startWorld(t)
  const { risk, url } = world
  const attached = await risk.post(url, attestation)
  t.equal(attached.status, 201)
  const size = attestation.statement.length
  t.match(attached.body, {
    ...attestation,
    form: 'attestation',
    digest: digestOf(attestation.statement),
    size,
  })
  t.match(attached.body, { fileName: null, freshUntil: null, verdict: null, state: 'available' })
  const { payload, headers } = await download(world, `/v1/evidence/${attached.body.id}`)
  t.equal(payload, attestation.statement)
  t.match(headers, { 'content-type': 'text/plain; charset=utf-8', 'content-disposition': /^attachment; / })
  const { rows } = await world.owner.query(
    `select convert_from(leaf, 'utf8') as leaf from audit_event where type = 'evidence.attached'`,
  )
  t.notMatch(rows[0].leaf, /vendor does not/, 'the log names the digest, not the statement')
})

t.test('a download can be resumed', async (t) => {
  const world = shared
  const { body } = await upload(world, world.risk, { bytes: '0123456789' })
  const place = `/v1/evidence/${body.id}`
  const asked = async (range: string, more = {}) => {
    const { statusCode, payload, headers } = await download(world, place, { range, ...more })
    return [statusCode, payload, headers['content-range'], headers['content-length']]
  }
  t.same(await asked('bytes=2-4'), [206, '234', 'bytes 2-4/10', '3'])
  t.same(await asked('bytes=7-'), [206, '789', 'bytes 7-9/10', '3'])
  t.same(await asked('bytes=-2'), [206, '89', 'bytes 8-9/10', '2'])
  t.same(await asked('bytes=8-99'), [206, '89', 'bytes 8-9/10', '2'])
  t.same(await asked('bytes=0-0', { 'if-range': `"${body.digest}"` }), [206, '0', 'bytes 0-0/10', '1'])
  const whole = [200, '0123456789', undefined, '10']
  t.same(await asked('bytes=-99'), [206, '0123456789', 'bytes 0-9/10', '10'])
  t.same(await asked(`bytes=9-${'9'.repeat(400)}`), [206, '9', 'bytes 9-9/10', '1'])
  const several = `bytes=${'0-1,'.repeat(500)}3-4`
  for (const range of [
    'bytes=4-2',
    `bytes=${'9'.repeat(30)}-2`,
    several,
    'bytes=-',
    'bytes=a-b',
    'lines=1-2',
  ]) {
    t.same(await asked(range), whole, range.slice(0, 40))
  }
  for (const range of ['bytes=10-', 'bytes=-0', 'bytes=10-12', `bytes=${'9'.repeat(400)}-`]) {
    const [status, payload, contentRange] = await asked(range)
    t.same(
      [status, JSON.parse(String(payload)).code, contentRange],
      [416, 'range_not_satisfiable', 'bytes */10'],
    )
    t.same(await asked(range, { 'if-range': '"another"' }), whole)
  }
  t.same(await asked('bytes=2-4', { 'if-range': '"another"' }), whole)
  const authorization = `Bearer ${world.judge.token}`
  for (const range of ['bytes=2-4', 'bytes=10-']) {
    const head = await world.app.inject({
      ...{ method: 'HEAD', url: `${place}/content`, headers: { authorization, range } },
    })
    t.match(head, {
      statusCode: 200,
      payload: '',
      headers: { 'content-length': '10', 'accept-ranges': 'bytes', 'repr-digest': /^sha-256=:/ },
    })
  }
})

t.test('somebody else accepts or refuses, once', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, auditor, owner } = world
  const one = (await upload(world, risk, { bytes })).body
  const other = (await upload(world, risk, { bytes: 'another' })).body
  const verdictOn = (id: string) => `/v1/evidence/${id}/verdict`

  await t.test('never whoever attached it, nor whoever has no say', async (t) => {
    await refuses(t, world, () => risk.post(verdictOn(one.id), reviewed), 403, {
      ...{ rule: 'DR-75', detail: /Nobody accepts or refuses what they attached themselves/ },
    })
    await refuses(t, world, () => auditor.post(verdictOn(one.id), reviewed), 403, { rule: 'DR-85' })
    await refuses(t, world, () => judge.post(verdictOn(one.id), { verdict: 'accepted', note: ' ' }), 422)
    await refuses(t, world, () => judge.post(verdictOn(one.id), { verdict: 'fine', note: 'so so' }), 422)
    const { rows } = await owner.query(`select count(*)::int from audit_event where type = 'access.denied'`)
    t.equal(rows[0].count, 2, 'each refusal is on record')
  })

  const accepted = await judge.post(verdictOn(one.id), reviewed)
  t.equal(accepted.status, 201)
  t.match(accepted.body, { ...one, counts: true, verdict: { ...reviewed, givenBy: judge.id } })
  t.match((await judge.post(verdictOn(other.id), { verdict: 'refused', note: 'too old' })).status, 201)
  t.same((await trace(world)).events.slice(-2), ['evidence.accepted', 'evidence.refused'])
  t.match((await risk.get(world.url)).body.items, [
    { id: other.id, verdict: { verdict: 'refused' } },
    { id: one.id, verdict: { verdict: 'accepted' } },
  ])
  await refuses(t, world, () => judge.post(verdictOn(one.id), reviewed), 409, { detail: /was accepted on/ })
})

t.test('two judges at once: one verdict stands, the other is told', async (t) => {
  const world = await startWorld(t)
  const second = await world.person('Kim', { rights: ['risk_owner'] })
  const { id } = (await upload(world, world.risk, { bytes })).body
  const judged = await Promise.all([
    world.judge.post(`/v1/evidence/${id}/verdict`, reviewed),
    second.post(`/v1/evidence/${id}/verdict`, { verdict: 'refused', note: 'out of date' }),
  ])
  t.same(judged.map(({ status }) => status).sort(), [201, 409])
  const { verdicts, events } = await trace(world)
  t.equal(verdicts, 1)
  t.equal(events.filter((type: string) => /accepted|refused/.test(type)).length, 1)
})

t.test('the database itself refuses what nobody may do', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, owner } = world
  const { id } = (await upload(world, risk, { bytes })).body
  const attacker = new pg.Client(world.connections.appConnection)
  await attacker.connect()
  t.teardown(() => attacker.end())
  const before = await trace(world)
  for (const statement of [
    `update evidence set digest = 'sha256:' || repeat('0', 64)`,
    'delete from evidence',
    'truncate evidence cascade',
    `update evidence_verdict set verdict = 'accepted'`,
    'delete from evidence_verdict',
  ]) {
    await t.rejects(attacker.query(statement), { code: '42501' }, statement)
  }
  const { rowCount } = await attacker.query(`update evidence set title = '', disposed_at = now()`)
  t.equal(rowCount, 0, 'what nobody disposed of is out of reach')
  const accept = async (attachedBy: string, givenBy: string) =>
    await attacker.query(
      `insert into evidence_verdict (evidence_id, attached_by, given_by, verdict, note, given_at)
        values ($1, $2, $3, 'accepted', 'mine', now())`,
      [id, attachedBy, givenBy],
    )
  await t.rejects(accept(risk.id, risk.id), { code: '23514' }, 'a verdict on one’s own')
  await t.rejects(accept(judge.id, risk.id), { code: '23503' }, 'with a giver who did not attach it')
  t.same(await trace(world), before)
  await accept(risk.id, judge.id)
  await t.rejects(accept(risk.id, judge.id), { code: '23505' }, 'a second verdict')
  t.equal((await owner.query('select from evidence_verdict')).rowCount, 1)
})

t.test('what one may not see does not exist', async (t) => {
  const world = shared
  const { risk, outsider, url } = world
  const { id } = (await upload(world, risk, { bytes })).body
  const place = `/v1/evidence/${id}`
  const unknown = '/v1/evidence/01900000-0000-7000-8000-000000000000'
  const asks: (() => Promise<Answer>)[] = [
    () => outsider.get(place),
    () => outsider.get(`${place}/content`),
    () => outsider.get(url),
    () => outsider.post(`${place}/verdict`, reviewed),
    () => outsider.post(url, attestation),
    () => upload(world, outsider, { bytes: 'planted' }),
    () => risk.get(unknown),
    () => risk.get(`${unknown}/content`),
    () => risk.post(`${unknown}/verdict`, reviewed),
  ]
  for (const ask of asks) await refuses(t, world, ask, 404)
  t.same((await outsider.get(place)).body.detail, (await outsider.get(unknown)).body.detail, 'same words')
})

t.test('who may only look attaches nothing, and is told before a byte is read', async (t) => {
  const world = shared
  await refuses(t, world, () => world.auditor.post(world.url, attestation), 403, { rule: 'DR-85' })
  await refuses(t, world, () => upload(world, world.auditor, { bytes }), 403, { rule: 'DR-85' })
})

t.test('a retired use case takes no evidence and no verdict', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, url } = world
  const { id } = (await upload(world, risk, { bytes })).body
  await retire(world)
  const retired = { detail: /is retired/ }
  await refuses(t, world, () => risk.post(url, attestation), 409, retired)
  await refuses(t, world, () => upload(world, risk, { bytes: 'late' }), 409, retired)
  await refuses(t, world, () => judge.post(`/v1/evidence/${id}/verdict`, reviewed), 409, retired)
  t.same((await download(world, `/v1/evidence/${id}`)).rawPayload, bytes, 'what was there stays')
})

t.test('stale evidence is neither attached nor accepted, but can be refused', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, url, owner } = world
  const freshUntil = '2020-01-01T00:00:00Z'
  const stale = { detail: /was fresh until 2020-01-01/ }
  await refuses(t, world, () => risk.post(url, { ...attestation, freshUntil }), 409, stale)
  const { id } = (await risk.post(url, { ...attestation, freshUntil: '2090-01-01T00:00:00Z' })).body
  await owner.query('update evidence set fresh_until = $1', [freshUntil])
  await refuses(t, world, () => judge.post(`/v1/evidence/${id}/verdict`, reviewed), 409, stale)
  const refused = await judge.post(`/v1/evidence/${id}/verdict`, { verdict: 'refused', note: 'too old' })
  t.equal(refused.status, 201)
})

t.test('a file sent again under its key has no second effect', async (t) => {
  const world = await startWorld(t)
  const key = { 'idempotency-key': 'upload-1' }
  const first = await upload(world, world.risk, { bytes }, {}, key)
  const after = await trace(world)
  const again = await upload(world, world.risk, { bytes }, {}, key)
  t.same([again.status, again.body], [201, first.body])
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.same(await trace(world), after)
  const conflict = { detail: /Idempotency-Key was used for another request/ }
  for (const change of [{ title: 'Another title' }, { kind: 'other' }]) {
    await refuses(t, world, () => upload(world, world.risk, { bytes }, change, key), 409, conflict)
  }
  await refuses(t, world, () => upload(world, world.risk, { bytes, name: 'b.pdf' }, {}, key), 409, conflict)
  const other = await upload(world, world.risk, { bytes: 'other bytes' }, {}, key)
  t.match(other, { status: 409, body: conflict })
  t.same({ ...(await trace(world)), files: [] }, { ...after, files: [] }, 'bytes without a row are nothing')
})

t.test('a name is a name, whatever a client writes', async (t) => {
  const world = shared
  const named = async (name: string) => {
    const { status, body } = await upload(world, world.risk, { bytes: `named ${JSON.stringify(name)}`, name })
    if (status !== 201) return [status, body.detail]
    const { headers } = await download(world, `/v1/evidence/${body.id}`)
    return [body.fileName, headers['content-disposition']]
  }
  const plain = (name: string) => [name, `attachment; filename="${name}.txt"; filename*=UTF-8''${name}.txt`]
  t.same(await named('../../etc/passwd'), plain('passwd'))
  t.same(await named('C:\\\\temp\\\\a.pdf'), plain('a.pdf'))
  t.same(await named('/'), plain('unnamed'))
  t.same(await named('..'), plain('unnamed'))
  t.same(await named('...'), plain('unnamed'))
  t.same(await named('a\u0000b\u0007.pdf'), plain('ab.pdf'))
  t.same(await named('exe\u202efdp.pdf'), plain('exefdp.pdf'))
  t.same(await named('Prüfung 50%.pdf'), [
    'Prüfung 50%.pdf',
    `attachment; filename="Pr_fung 50_.pdf.txt"; filename*=UTF-8''Pr%C3%BCfung%2050%25.pdf.txt`,
  ])
  t.same(await named(`it's (1)*.pdf`), [
    `it's (1)*.pdf`,
    `attachment; filename="it's (1)*.pdf.txt"; filename*=UTF-8''it%27s%20%281%29%2A.pdf.txt`,
  ])
  t.same(await named(`${'x'.repeat(251)}.pdf`), plain(`${'x'.repeat(251)}.pdf`))
  t.match(await named(`${'x'.repeat(252)}.pdf`), [422, /longer than 255 characters/])
})

t.test('a form that is wrong is refused in one sentence, and nothing is kept', async (t) => {
  const world = await startWorld(t, { ASSENT_UPLOAD_LIMIT: '2048' })
  const { risk, url } = world
  const sent = (body: string, type = formType) => risk.post(`${url}/files`, body, { 'content-type': type })
  const part = (name: string, value: string) =>
    `------assent-test-boundary\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const file = part('file"; filename="a.txt', 'some text')
  const both = part('kind', 'other') + part('title', 'A title')
  const end = '------assent-test-boundary--\r\n'
  const cases: [string, () => Promise<Answer>, number, RegExp][] = [
    [
      'another digest',
      () => upload(world, risk, { bytes }, { digest: digestOf('x') }),
      422,
      /send the file again/,
    ],
    [
      'two digests',
      () => upload(world, risk, { bytes }, { digest }, reprDigest(Buffer.from('x'))),
      422,
      /Repr-Digest differ/,
    ],
    [
      'another Repr-Digest',
      () => upload(world, risk, { bytes }, {}, reprDigest(Buffer.from('x'))),
      422,
      /send the/,
    ],
    [
      'no Repr-Digest',
      () => upload(world, risk, { bytes }, {}, { 'repr-digest': 'sha-256=:x:' }),
      422,
      /sha-256=:…:/,
    ],
    ['no digest', () => upload(world, risk, { bytes }, { digest: 'md5:1' }), 422, /\/digest: give `sha256:`/],
    ['too large', () => upload(world, risk, { bytes: Buffer.alloc(2049) }), 413, /larger than 2048 bytes/],
    [
      'far too large',
      () => upload(world, risk, { bytes: Buffer.alloc(99_999) }),
      413,
      /larger than 2048 bytes/,
    ],
    ['empty', () => upload(world, risk, { bytes: '' }), 422, /is empty/],
    ['no title', () => upload(world, risk, { bytes }, { title: undefined }), 422, /\/title/],
    ['unknown kind', () => upload(world, risk, { bytes }, { kind: 'poem' }), 422, /\/kind/],
    ['unknown field', () => upload(world, risk, { bytes }, { note: 'x' }), 422, /\/note: is not a field/],
    ['prototype', () => upload(world, risk, { bytes }, { constructor: 'x' }), 400, /malformed/],
    ['long field', () => upload(world, risk, { bytes }, { title: 'x'.repeat(20_000) }), 422, /too long/],
    ['no media type', () => upload(world, risk, { bytes, type: 'pdf' }), 422, /media type/],
    ['file first', () => sent(file + both + end), 422, /\/kind/],
    [
      'field after the file',
      () => sent(both + file + part('digest', digest) + end),
      422,
      /must be the last part/,
    ],
    ['a field twice', () => sent(both + part('title', 'B title') + file + end), 422, /there twice/],
    ['two files', () => sent(both + file + file + end), 400, /too many parts/],
    ['no file', () => sent(both + end), 422, /holds no file/],
    ['cut short', () => sent(both + file), 400, /cut short/],
    ['no form at all', () => sent('hello'), 400, /cut short, malformed/],
    ['empty form', () => sent('', formType), 422, /holds no file/],
    ['no boundary', () => sent(both + file + end, 'multipart/form-data'), 400, /malformed/],
    ['JSON', () => risk.post(`${url}/files`, attestation), 415, /multipart\/form-data/],
  ]
  for (const [name, ask, status, detail] of cases) {
    await t.test(name, (t) => refuses(t, world, ask, status, { detail }))
  }
  t.equal((await upload(world, risk, { bytes: 'x'.repeat(2048) })).status, 201, 'the limit itself is allowed')
})

t.test('a statement that is wrong is refused', async (t) => {
  const world = shared
  const wrong = [
    { statement: 'Trust me' },
    { statement: 'x'.repeat(20_001) },
    { statement: 'With a NUL \u0000 inside' },
    { title: '' },
    { freshUntil: 'tomorrow' },
    { freshUntil: '2090-02-30T00:00:00Z' },
    { digest },
  ]
  for (const change of wrong) {
    await refuses(t, world, () => world.risk.post(world.url, { ...attestation, ...change }), 422)
  }
})

t.test('pages of evidence follow one another, the last attached first', async (t) => {
  const world = await startWorld(t)
  const ids: string[] = []
  for (let i = 0; i < 5; i += 1) ids.unshift((await world.risk.post(world.url, attestation)).body.id)
  const seen: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const { body } = await world.auditor.get(`${world.url}?limit=2${next && `&cursor=${next}`}`)
    seen.push(...body.items.map(({ id }: { id: string }) => id))
    next = body.next
  }
  t.same(seen, ids)
})

t.test('bytes that got lost are said to be lost', async (t) => {
  const world = await startWorld(t)
  const { id } = (await upload(world, world.risk, { bytes })).body
  rmSync(join(world.folder, 'sha256'), { recursive: true })
  const lost = await world.judge.get(`/v1/evidence/${id}/content`)
  t.match(lost, { status: 503, body: { detail: /restore them from a backup/ } })
  t.notOk(lost.headers['content-disposition'])
})

/** A refusal has the status and the words, and changes nothing. */
async function refuses(
  t: Test,
  world: World,
  ask: () => Promise<Answer>,
  status: number,
  problem: Record<string, unknown> = {},
): Promise<void> {
  const before = await trace(world)
  const answer = await ask()
  t.match(answer, { status, headers: { 'content-type': 'application/problem+json' }, body: problem })
  t.same(await trace(world), before, 'nothing changed')
}

t.test('readiness is also about the policy and the evidence store', async (t) => {
  const { app } = await startApp(t)
  const { statusCode, body } = await app.inject({ url: '/readyz' })
  t.equal(statusCode, 200)
  t.match(JSON.parse(body), { checks: { policy: 'ok', evidence: 'ok', database: 'ok', migrations: 'ok' } })
})

async function download({ app, judge }: World, place: string, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${judge.token}`
  return await app.inject({ url: `${place}/content`, headers: { authorization, ...headers } })
}

function reprDigest(content: Buffer) {
  return { 'repr-digest': `md5=:x:, sha-256=:${createHash('sha256').update(content).digest('base64')}:` }
}

function digestOf(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
