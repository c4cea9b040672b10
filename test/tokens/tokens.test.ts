import t from 'tap'
import { v7 as newId } from 'uuid'
import { digestOfSecret, mintSecret } from '../../src/auth/tokens.js'
import { ROOT_UNIT_ID } from '../../src/ids.js'
import { prepareFirstSignIn } from '../../src/tokens/first-sign-in.js'
import { startApp } from '../app.js'
import { openClient } from '../database-run.js'
import { refuses } from '../unchanged.js'

const clock = { at: '2026-03-01T09:00:00.000Z', now: () => clock.at }

t.test('the first administrator', async (t) => {
  const server = await startApp(t, { clock })
  const { database, owner } = server
  const sign = async (code: string, name = 'Ada') =>
    await server.ask({ method: 'POST', url: '/v1/first-sign-in', payload: { code, name } })
  const mint = async () => (await prepareFirstSignIn(database)) ?? ''

  await t.test('needs the code that was printed last', async (t) => {
    const [old, code] = [await mint(), await mint()]
    const detail =
      'this code is used, expired or replaced; print a new one with `assent first-sign-in`, where the data lie'
    await refuses(t, server, () => sign(old), { status: 401, detail })
    await refuses(t, server, () => sign(mintSecret('first').secret), { status: 401, detail })
    await refuses(t, server, () => sign(digestOfSecret(code)), { status: 401, detail })
    clock.at = '2026-03-01T10:00:00.000Z'
    await refuses(t, server, () => sign(code), { status: 401, detail })
    clock.at = '2026-03-01T09:00:00.000Z'
  })

  await t.test('is one, also when several try the code at once', async (t) => {
    const code = await mint()
    const answers = await Promise.all([sign(code, 'Ada'), sign(code, 'Eve'), sign(code, 'Mallory')])
    t.same(answers.map(({ status }) => status).sort(), [201, 401, 401])
    const { rows } = await owner.query(`select name from person where kind = 'human'`)
    t.equal(rows.length, 1)
    const [first] = answers.filter(({ status }) => status === 201)
    const me = await server.ask({
      method: 'GET',
      url: '/v1/me',
      headers: { authorization: `Bearer ${first?.body.secret}` },
    })
    t.match(me.body, {
      person: { name: rows[0].name },
      grants: [{ kind: 'role', name: 'administrator', orgUnitId: ROOT_UNIT_ID }],
    })
    t.equal(await prepareFirstSignIn(database), undefined, 'no more codes')
  })

  await t.test('is not joined by a second with a code that was printed before', async (t) => {
    const code = mintSecret('first')
    await owner.query(
      `insert into first_sign_in (digest, created_at, expires_at) values ($1, '2026-03-01', '2026-03-02')`,
      [code.digest],
    )
    await refuses(t, server, () => sign(code.secret), {
      status: 409,
      detail: 'somebody administers this already; ask them to invite you',
    })
  })

  await t.test('can come again once nobody administers the whole organisation', async (t) => {
    const { rows } = await owner.query(`select id, revision from person where kind = 'human'`)
    const unitId = await server.unit('sales')
    await server.person('Lou', { rights: ['administrator'], unitId })
    await owner.query(`update person set status = 'left' where id = $1`, [rows[0].id])
    t.match(await prepareFirstSignIn(database), /^assent_first_/)
  })
})

t.test('while somebody administers', async (t) => {
  const server = await startApp(t, { clock })
  const { owner, connections } = server
  const admin = await server.person('Ada', { rights: ['administrator'] })
  const human = await server.person('Hal', { rights: ['risk_owner'] })
  const auditor = await server.person('Aud', { rights: ['auditor'] })
  const { body: machine } = await admin.post('/v1/service-accounts', { name: 'deploy' })
  const tokens = `/v1/people/${machine.id}/tokens`
  const meOf = async (secret: string) =>
    await server.ask({ method: 'GET', url: '/v1/me', headers: { authorization: `Bearer ${secret}` } })

  await t.test('a service account signs in with a token that was shown once', async (t) => {
    const issued = await admin.post(tokens, { name: 'claims deploy', expiresInDays: 30 })
    t.match(issued, {
      status: 201,
      body: {
        secret: /^assent_sk_/,
        token: { kind: 'service', createdBy: admin.id, expiresAt: '2026-03-31T09:00:00.000Z' },
      },
    })
    t.match((await meOf(issued.body.secret)).body, { person: { name: 'deploy', kind: 'service' } })
    t.notMatch(JSON.stringify((await admin.get(tokens)).body), issued.body.secret)

    await t.test('until it expires, at the very instant', async (t) => {
      clock.at = '2026-03-31T08:59:59.999Z'
      t.equal((await meOf(issued.body.secret)).status, 200)
      clock.at = '2026-03-31T09:00:00.000Z'
      await admin.post('/v1/service-accounts', { name: 'forgets what was believed' })
      t.equal((await meOf(issued.body.secret)).status, 401)
      clock.at = '2026-03-01T09:00:00.000Z'
    })

    await t.test('or is revoked, at once', async (t) => {
      const revoke = () => admin.post(`/v1/tokens/${issued.body.token.id}/revocation`)
      t.match(await revoke(), { status: 200, body: { revokedAt: clock.at } })
      t.equal((await meOf(issued.body.secret)).status, 401)
      await refuses(t, server, revoke, {
        status: 409,
        detail: 'this token is revoked already; nothing to do',
      })
    })
  })

  await t.test('two live tokens let a pipeline rotate; a third is refused, also at once', async (t) => {
    const issue = () => admin.post(tokens, { name: 'rotation' })
    const answers = await Promise.all([issue(), issue(), issue(), issue()])
    t.same(answers.map(({ status }) => status).sort(), [201, 201, 409, 409])
    await refuses(t, server, issue, {
      status: 409,
      detail: 'there are 2 live tokens already; revoke one first',
    })
  })

  await t.test('nobody obtains a token of somebody else', async (t) => {
    const wanted = { name: 'mine' }
    const sentence = 'People sign in themselves: nobody is issued a token that stands for a person'
    await refuses(t, server, () => admin.post(`/v1/people/${human.id}/tokens`, wanted), {
      status: 403,
      rule: 'DR-77',
      detail: sentence,
    })
    await refuses(t, server, () => admin.post(`/v1/people/${admin.id}/tokens`, wanted), { status: 403 })
    await refuses(t, server, () => human.post(tokens, wanted), { status: 403, rule: 'DR-53' })
    await refuses(t, server, () => auditor.post(tokens, wanted), { status: 403, rule: 'DR-87' })
    const { secret } = await tokenOf(machine.id, 'service')
    const asMachine = { authorization: `Bearer ${secret}` }
    const renewal = () =>
      server.ask({ method: 'POST', url: '/v1/me/tokens', payload: wanted, headers: asMachine })
    await refuses(t, server, renewal, { status: 409, detail: /gets its tokens from an administrator/ })
    const upgrade = () => server.ask({ method: 'POST', url: tokens, payload: wanted, headers: asMachine })
    await refuses(t, server, upgrade, { status: 403 })
    const { items } = (await admin.get(`/v1/people/${human.id}/tokens`)).body
    t.equal(items.length, 1)
    t.notOk('digest' in items[0] || 'secret' in items[0])

    await t.test('nor in SQL, as the service', async (t) => {
      const app = await openClient(connections.appConnection)
      t.teardown(() => app.end())
      const insert = (kind: string, personKind: string) =>
        app.query(
          `insert into access_token (id, person_id, person_kind, kind, name, digest, created_by, created_at, expires_at)
            values ($1, $2, $3, $4, 'x', $5, $6, now(), now() + interval '1 day')`,
          [newId(), human.id, personKind, kind, newId(), admin.id],
        )
      await t.rejects(insert('personal', 'human'), { code: '23514' }, 'made by somebody else')
      await t.rejects(insert('service', 'human'), { code: '23514' }, 'as a service token')
      await t.rejects(insert('service', 'service'), { code: '23503' }, 'as if they were a machine')
      for (const attack of [
        `update access_token set digest = 'mine'`,
        'update access_token set person_id = created_by',
        `update access_token set expires_at = '2100-01-01'`,
        `update invitation set key_digest = 'mine'`,
        `update invitation set subject = 'me'`,
        `update first_sign_in set digest = 'mine'`,
        'delete from access_token',
      ]) {
        await t.rejects(app.query(attack), { code: '42501' }, attack)
      }
    })
  })

  await t.test('whoever signs in through a provider gets no token that would outlive it', async (t) => {
    await server.owner.query(
      `update person set issuer = 'https://idp.example', subject = 'human' where id = $1`,
      [human.id],
    )
    const renewal = () => human.post('/v1/me/tokens', { name: 'laptop' })
    await refuses(t, server, renewal, { status: 409, detail: /your provider/ })
    await server.owner.query('update person set issuer = null, subject = null where id = $1', [human.id])
  })

  await t.test('a token of one’s own ends within ninety days', async (t) => {
    const renewal = () => human.post('/v1/me/tokens', { name: 'laptop', expiresInDays: 366 })
    await refuses(t, server, renewal, { status: 422, detail: /90 days/ })
  })

  await t.test('a person renews their own, lists and gives up their own', async (t) => {
    const renewed = await human.post('/v1/me/tokens', { name: 'laptop' })
    t.match(renewed, { status: 201, body: { token: { kind: 'personal', personId: human.id } } })
    t.match((await meOf(renewed.body.secret)).body, { person: { id: human.id } })
    t.equal((await human.get('/v1/me/tokens')).body.items.length, 2)
    await refuses(t, server, () => human.post('/v1/me/tokens', { name: 'phone' }), { status: 409 })
    t.equal((await human.post(`/v1/tokens/${renewed.body.token.id}/revocation`)).status, 200)
    t.equal((await meOf(renewed.body.secret)).status, 401)
  })

  await t.test('what one may not see does not exist', async (t) => {
    const { items } = (await human.get('/v1/me/tokens')).body
    const stranger = await server.person('Sam', { rights: [] })
    const hidden = () => stranger.post(`/v1/tokens/${items[0].id}/revocation`)
    const missing = () => stranger.post(`/v1/tokens/${newId()}/revocation`)
    const details = [
      (await refuses(t, server, hidden, { status: 404 })).body.detail,
      (await refuses(t, server, missing, { status: 404 })).body.detail,
    ]
    t.equal(details[0], details[1])
    await refuses(t, server, () => stranger.post(tokens, { name: 'x' }), { status: 404 })
  })

  await t.test('a secret is not kept for an Idempotency-Key', async (t) => {
    const key = { 'idempotency-key': 'again' }
    const digest = mintSecret('key')
    await admin.post('/v1/people', { name: 'Kim', proof: { keyDigest: digest.digest } })
    const asks = [
      () => human.post('/v1/me/tokens', { name: 'x' }, key),
      () => admin.post(tokens, { name: 'x' }, key),
      () =>
        server.ask({
          method: 'POST',
          url: '/v1/invitations/acceptance',
          payload: { key: digest.secret },
          headers: key,
        }),
    ]
    for (const ask of asks) {
      await refuses(t, server, ask, {
        status: 422,
        detail: 'the answer holds a secret, which is not kept to be given again; send no Idempotency-Key',
      })
    }
    const { rows } = await owner.query('select 1 from idempotency_key')
    t.equal(rows.length, 0)
  })

  /** A token as if the person had always had it. */
  async function tokenOf(personId: string, kind: 'service') {
    const minted = mintSecret('sk')
    await owner.query(
      `insert into access_token (id, person_id, person_kind, kind, name, digest, created_by, created_at, expires_at)
        values ($1, $2, $3, $3, 'test', $4, $2, '2020-01-01', '2100-01-01')`,
      [newId(), personId, kind, minted.digest],
    )
    return minted
  }
})

t.test('keys and codes are tried as seldom as sign-ins may fail', async (t) => {
  const server = await startApp(t, { env: { ASSENT_SIGN_IN_FAILURE_LIMIT: '5' } })
  const { secret: key, digest: keyDigest } = mintSecret('key')
  const admin = await server.person('Ada', { rights: ['administrator'] })
  await admin.post('/v1/people', { name: 'Ben', proof: { keyDigest } })
  const accept = (attempt: string) => () =>
    server.ask({ method: 'POST', url: '/v1/invitations/acceptance', payload: { key: attempt } })
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await refuses(t, server, accept(mintSecret('key').secret), { status: 401 })
  }
  await refuses(t, server, accept(key), { status: 429 })
  t.equal((await admin.get('/v1/me')).status, 200, 'others are served')
})

t.test('who is not signed in gets no answer that is many times as long as the request', async (t) => {
  const world = await startApp(t)
  const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, 0]))
  for (const path of ['/v1/first-sign-in', '/v1/invitations/acceptance']) {
    const inject = async (payload: object) => await world.app.inject({ method: 'POST', url: path, payload })
    const many = await inject(fields(1000))
    t.equal(many.statusCode, 422)
    t.equal(many.json().issues.length, 20)
    t.ok(many.body.length < 4000)
    t.equal((await inject({ ['x'.repeat(5000)]: 0 })).statusCode, 422)
    t.ok((await inject({ ['x'.repeat(5000)]: 0 })).body.length < 2000)
    t.equal((await inject(fields(100_000))).statusCode, 413)
  }
})
