import t from 'tap'
import { trustIssuer } from '../../src/auth/issuer.js'
import { type Answer, startApp } from '../app.js'
import { refuses } from '../unchanged.js'
import { AUDIENCE, startProvider } from './provider.js'

const subjects = ['ben', 'twin', 'lee', 'stranger']
const provider = await startProvider(t, subjects)
const other = await startProvider(t, subjects)
const foreign = await startProvider(t, subjects)
const server = await startApp(t, {
  env: {
    ASSENT_OIDC_ISSUER: `${provider.issuer} ${other.issuer}`,
    ASSENT_OIDC_AUDIENCE: AUDIENCE,
    ASSENT_SIGN_IN_FAILURE_LIMIT: '1000',
  },
})
const { owner } = server
const admin = await server.person('Ada', { rights: ['administrator'] })

const meOf = async (token: string): Promise<Answer> =>
  await server.ask({ method: 'GET', url: '/v1/me', headers: { authorization: `Bearer ${token}` } })
const invite = async (subject: string, issuer = provider.issuer) =>
  await admin.post('/v1/people', { name: subject, proof: { subject, issuer } })

t.test('whoever the issuer vouches for is in once they were invited, and not before', async (t) => {
  const token = await provider.tokenOf('ben')
  await refuses(t, server, () => meOf(token), {
    status: 403,
    detail: 'you are signed in but not registered here; ask an administrator to invite subject "ben"',
  })
  const { body: person } = await invite('ben')
  t.match(await meOf(token), { status: 200, body: { person: { id: person.id, status: 'active' } } })
  t.equal((await meOf(await provider.tokenOf('ben'))).body.person.id, person.id)
  const { rows } = await owner.query(
    `select convert_from(leaf, 'utf8')::json ->> 'by' as by from audit_event
      where type = 'person.joined' and aggregate_id = $1`,
    [person.id],
  )
  t.same(rows, [{ by: 'issuer' }])

  await t.test('the same subject of another issuer is somebody else', async (t) => {
    const namesake = await other.tokenOf('ben')
    await refuses(t, server, () => meOf(namesake), { status: 403 })
    const invitation = await invite('ben', other.issuer)
    t.equal(invitation.status, 201)
    t.equal((await meOf(namesake)).body.person.id, invitation.body.id)
    t.equal((await meOf(token)).body.person.id, person.id)
    await refuses(t, server, () => invite('ben'), { status: 409 })
    const unnamed = () => admin.post('/v1/people', { name: 'Eve', proof: { subject: 'eve' } })
    const detail = `say which sign-in provider the subject is of: its issuer is ${provider.issuer} or ${other.issuer}`
    for (const ask of [() => invite('eve', foreign.issuer), unnamed]) {
      await refuses(t, server, ask, { status: 422, detail })
    }
  })
})

t.test(
  'where a provider says who people are, nobody is let in by a key that an inviter may have made',
  async (t) => {
    const byKey = () => admin.post('/v1/people', { name: 'Puppet', proof: { keyDigest: 'a'.repeat(64) } })
    await refuses(t, server, byKey, { status: 422, detail: /sign-in provider/ })
  },
)

t.test('two first requests at once are both let in, and one of them accepts', async (t) => {
  const { body: person } = await invite('twin')
  const token = await provider.tokenOf('twin')
  const answers = await Promise.all([meOf(token), meOf(token), meOf(token)])
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  const { rows } = await owner.query(
    `select 1 from audit_event where type = 'person.joined' and aggregate_id = $1`,
    [person.id],
  )
  t.equal(rows.length, 1)
})

t.test('somebody who left is out at once, though their issuer still vouches for them', async (t) => {
  const { body: person } = await invite('lee')
  const token = await provider.tokenOf('lee')
  t.equal((await meOf(token)).status, 200)
  const read = await admin.get(`/v1/people/${person.id}`)
  const seen = { 'if-match': String(read.headers.etag) }
  await admin.post(`/v1/people/${person.id}/departure`, { reason: 'left' }, seen)
  await refuses(t, server, () => meOf(token), { status: 403, detail: /not registered here/ })
})

t.test('a token that is not an access token for us, from an issuer of ours, is nobody’s', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const sub = 'ben'
  const [header, payload] = (await provider.tokenOf(sub)).split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const wrong: Record<string, string> = {
    'of another audience': await provider.tokenOf(sub, 'https://other.example.com'),
    'of another issuer': await foreign.tokenOf(sub),
    'of another issuer that says it is ours': await foreign.forge({ sub, iss: provider.issuer }),
    'of ours in the name of another of ours': await other.forge({ sub, iss: provider.issuer }),
    'an ID token': await provider.forge({ sub }, { typ: 'JWT' }),
    expired: await provider.forge({ sub, exp: now - 31 }),
    'not valid yet': await provider.forge({ sub, nbf: now + 3600 }),
    'without a subject': await provider.forge({}),
    'without an end': await provider.forge({ sub, exp: undefined }),
    'signed with a key nobody published': await provider.forge({ sub }, { kid: 'unknown' }),
    unsigned: `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
    'signed by its own header': `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${payload}.AAAA`,
    'with another payload': `${header}.${encode({ iss: provider.issuer, sub })}.AAAA`,
    'no token at all': 'nonsense',
  }
  for (const [what, token] of Object.entries(wrong)) {
    await t.test(what, async (t) => {
      await refuses(t, server, () => meOf(token), { status: 401, detail: /sign in again|^sign in:/ })
    })
  }
  t.equal((await meOf(await provider.forge({ sub, exp: now - 25 }))).status, 200, 'clocks may differ by 30 s')
})

t.test('a key that was rotated is found, and the old one no longer counts', async (t) => {
  const rotating = await startProvider(t, ['ben'])
  const issuer = trustIssuer({ issuer: rotating.issuer, audience: AUDIENCE, keysCooldownMs: 0 })
  const old = await rotating.tokenOf('ben')
  t.match(await issuer.verify(old), { issuer: rotating.issuer, subject: 'ben' })
  await rotating.rotate()
  t.match(await issuer.verify(await rotating.tokenOf('ben')), { subject: 'ben' })
  await t.rejects(issuer.verify(old), { code: 'unauthenticated' })
})

t.test('an issuer that cannot be asked keeps its people out for as long, and no longer', async (t) => {
  const shaky = await startProvider(t, ['ben'])
  const token = await shaky.tokenOf('ben')
  const unavailable = { code: 'unavailable', message: /^the sign-in provider does not answer/ }
  for (const [what, listener] of [
    ['down', (_request, response) => response.destroy()],
    ['failing', (_request, response) => response.writeHead(500).end('oops')],
    ['redirecting', (_request, response) => response.writeHead(302, { location: other.issuer }).end()],
    [
      'somebody else',
      (_request, response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ issuer: other.issuer, jwks_uri: `${other.issuer}/jwks` })),
    ],
    ['slower than five seconds', () => {}],
  ] as [string, Parameters<typeof shaky.become>[0]][]) {
    await t.test(what, async (t) => {
      const issuer = trustIssuer({ issuer: shaky.issuer, audience: AUDIENCE })
      shaky.become(listener)
      await t.rejects(issuer.verify(token), unavailable)
      shaky.become(undefined)
      t.match(await issuer.verify(token), { subject: 'ben' })
    })
  }
})
