import t from 'tap'
import { mintSecret } from '../../src/auth/tokens.js'
import { ASSENT_ID, ROOT_UNIT_ID } from '../../src/ids.js'
import { ifMatch, type Person, startApp } from '../app.js'
import { openClient } from '../database-run.js'
import { refuses } from '../unchanged.js'

const clock = { at: '2026-03-01T09:00:00.000Z', now: () => clock.at }
const server = await startApp(t, { clock })
const { owner } = server
const admin = await server.person('Ada', { rights: ['administrator'] })
const sales = await server.unit('sales')
const salesDe = await server.unit('sales-de', sales)
const claims = await server.unit('claims')

/** Invites somebody who made a key; answers their id and the key. */
async function invited(name: string): Promise<{ id: string; key: string }> {
  const { secret: key, digest: keyDigest } = mintSecret('key')
  const { body } = await admin.post('/v1/people', { name, proof: { keyDigest } })
  return { id: body.id, key }
}

const accept = async (key: string) =>
  await server.ask({ method: 'POST', url: '/v1/invitations/acceptance', payload: { key } })

const grant = async (by: Person, to: string, body: object) => await by.post(`/v1/people/${to}/grants`, body)
const role = (name: string, orgUnitId = ROOT_UNIT_ID) => ({ kind: 'role', name, orgUnitId })
const seat = (name: string, orgUnitId = ROOT_UNIT_ID) => ({ kind: 'seat', name, orgUnitId })

t.test('whoever is invited by the digest of their key gets a token that nobody else ever sees', async (t) => {
  const { secret: key, digest: keyDigest } = mintSecret('key')
  const invitation = await admin.post('/v1/people', {
    name: 'Ben',
    email: 'ben@example.com',
    proof: { keyDigest },
  })
  t.match(invitation, { status: 201, body: { kind: 'human', name: 'Ben', status: 'invited', revision: 1 } })
  t.equal(invitation.body.invitation.expiresAt, '2026-03-15T09:00:00.000Z')
  t.notMatch(JSON.stringify(invitation.body), keyDigest)

  const accepted = await accept(key)
  t.match(accepted, { status: 201, body: { token: { kind: 'personal', personId: invitation.body.id } } })
  const { secret } = accepted.body
  const me = await server.ask({
    method: 'GET',
    url: '/v1/me',
    headers: { authorization: `Bearer ${secret}` },
  })
  t.match(me, { status: 200, body: { person: { name: 'Ben', status: 'active' }, grants: [] } })

  await t.test('once', async (t) => {
    await refuses(t, server, () => accept(key), { status: 401, detail: /^this key opens no invitation/ })
  })
  await t.test('and the digest is not the key', async (t) => {
    await refuses(t, server, () => accept(keyDigest), { status: 401 })
    await refuses(t, server, () => admin.post('/v1/people', { name: 'Ben2', proof: { keyDigest } }), {
      status: 409,
      detail: 'this identity was invited before; look up who it belongs to',
    })
  })
  await t.test('nothing that signs in is kept anywhere', async (t) => {
    const { rows } = await owner.query(
      `select string_agg(row_to_json(a)::text, '') || (select string_agg(convert_from(leaf, 'utf8'), '') from audit_event)
        || (select string_agg(row_to_json(p)::text, '') from audit_payload p) as kept from access_token a`,
    )
    t.notMatch(rows[0].kept, secret)
    t.notMatch(rows[0].kept, key)
  })
})

t.test('an invitation', async (t) => {
  await t.test('accepted twice at once is accepted once', async (t) => {
    const { id, key } = await invited('Twin')
    const answers = await Promise.all([accept(key), accept(key), accept(key)])
    t.same(answers.filter(({ status }) => status === 201).length, 1)
    const { rows } = await owner.query('select 1 from access_token where person_id = $1', [id])
    t.equal(rows.length, 1)
  })

  await t.test('expires at the very instant, and can be renewed', async (t) => {
    const { id, key } = await invited('Late')
    clock.at = '2026-03-15T09:00:00.000Z'
    await refuses(t, server, () => accept(key), {
      status: 409,
      detail: 'this invitation has expired; ask an administrator for a new one',
    })
    t.match(await admin.post(`/v1/people/${id}/invitation`), {
      status: 200,
      body: { expiresAt: '2026-03-29T09:00:00.000Z' },
    })
    t.equal((await accept(key)).status, 201)
    await refuses(t, server, () => admin.post(`/v1/people/${id}/invitation`), { status: 409 })
    clock.at = '2026-03-01T09:00:00.000Z'
  })

  await t.test('is taken back when the person leaves before they came', async (t) => {
    const { id, key } = await invited('Gone')
    await admin.post(`/v1/people/${id}/departure`, { reason: 'changed their mind' }, { 'if-match': '"1"' })
    await refuses(t, server, () => accept(key), {
      status: 409,
      detail: 'this invitation was taken back; there is nothing to accept',
    })
  })

  await t.test('names an identity, not an e-mail address', async (t) => {
    const ask = () => admin.post('/v1/people', { name: 'Eve', proof: { email: 'eve@example.com' } })
    await refuses(t, server, ask, { status: 422 })
    const bySubject = () => admin.post('/v1/people', { name: 'Eve', proof: { subject: 'eve' } })
    await refuses(t, server, bySubject, { status: 422, detail: /^no sign-in provider is configured/ })
  })

  await t.test('comes from an administrator of the whole organisation', async (t) => {
    const proof = { keyDigest: 'a'.repeat(64) }
    const local = await server.person('Lola', { rights: ['administrator'], unitId: sales })
    await refuses(t, server, () => local.post('/v1/people', { name: 'X', proof }), {
      status: 403,
      rule: 'DR-51',
    })
    await refuses(t, server, () => local.post('/v1/service-accounts', { name: 'x' }), {
      status: 403,
      rule: 'DR-50',
    })
  })
})

t.test('R-44: nobody grants themselves anything', async (t) => {
  for (const wanted of [role('auditor'), role('risk_owner', sales), seat('risk')]) {
    await refuses(t, server, () => grant(admin, admin.id, wanted), {
      status: 403,
      rule: 'DR-76',
      detail: 'Nobody grants anything to themselves',
    })
  }
  const nobody = await server.person('Nia', { rights: [] })
  await refuses(t, server, () => grant(nobody, nobody.id, role('administrator')), { status: 403 })

  await t.test('nor in SQL, as the service', async (t) => {
    const app = await openClient(server.connections.appConnection)
    t.teardown(() => app.end())
    const insert = `insert into rights_grant (id, person_id, kind, name, org_unit_id, granted_by, granted_at)
      values (gen_random_uuid(), $1, 'role', 'administrator', $2, $1, now())`
    await t.rejects(app.query(insert, [nobody.id, ROOT_UNIT_ID]), { code: '23514' })
    for (const attack of [
      'update rights_grant set person_id = $1',
      'update rights_grant set granted_by = $1 where person_id <> $1',
      `update person set kind = 'human' where id = $1`,
      'update access_token set person_id = $1',
      'delete from rights_grant where person_id = $1',
    ]) {
      await t.rejects(app.query(attack, [nobody.id]), { code: '42501' }, attack)
    }
  })
})

t.test(
  'R-43, R-44: who administers does not decide, and machines are pipelines and nothing else',
  async (t) => {
    const other = await server.person('Otto', { rights: ['administrator'] })
    const person = await server.person('Pia', { rights: [] })
    const { body: machine } = await admin.post('/v1/service-accounts', { name: 'deploy' })

    await refuses(t, server, () => grant(admin, other.id, seat('legal')), {
      status: 409,
      detail: 'an administrator holds no seat on the committee; give one of the two to somebody else',
    })
    await refuses(t, server, () => grant(admin, other.id, role('committee_member')), { status: 409 })
    t.equal((await grant(admin, person.id, seat('legal', sales))).status, 201)
    await refuses(t, server, () => grant(admin, person.id, role('auditor')), {
      status: 409,
      detail: 'an auditor holds no seat on the committee; give one of the two to somebody else',
    })
    await refuses(t, server, () => grant(admin, person.id, role('administrator', claims)), { status: 409 })
    await refuses(t, server, () => grant(admin, person.id, role('pipeline')), { status: 409 })
    await refuses(t, server, () => grant(admin, machine.id, role('risk_owner')), { status: 409 })
    await refuses(t, server, () => grant(admin, machine.id, seat('risk')), { status: 409 })
    t.equal((await grant(admin, machine.id, role('pipeline', sales))).status, 201)

    await t.test('also when both come at once', async (t) => {
      const { id } = await server.person('Qi', { rights: [] })
      const answers = await Promise.all([
        grant(admin, id, role('administrator')),
        grant(admin, id, seat('risk')),
        grant(admin, id, role('committee_member')),
      ])
      const { rows } = await owner.query('select name from rights_grant where person_id = $1', [id])
      const held = rows.map(({ name }) => name)
      t.notOk(held.includes('administrator') && held.length > 1, held.join())
      t.ok(answers.every(({ status }) => status === 201 || status === 409))
    })
  },
)

t.test('a grant', async (t) => {
  const { id } = await server.person('Gil', { rights: [] })
  const granted = await grant(admin, id, role('risk_owner', sales))
  t.match(granted, { status: 201, body: { personId: id, name: 'risk_owner', grantedBy: admin.id } })

  await t.test('is given once, for a name and a unit that exist, to somebody who is there', async (t) => {
    await refuses(t, server, () => grant(admin, id, role('risk_owner', sales)), {
      status: 409,
      detail: 'this person holds that already; nothing to do',
    })
    await refuses(t, server, () => grant(admin, id, role('legal')), { status: 422 })
    await refuses(t, server, () => grant(admin, id, seat('auditor')), { status: 422 })
    await refuses(t, server, () => grant(admin, id, role('auditor', id)), {
      status: 422,
      detail: 'there is no org unit with this id; list the units and choose one',
    })
    await refuses(t, server, () => grant(admin, sales, role('auditor')), { status: 404 })
  })

  await t.test('is revoked with a reason, once, and stays on record', async (t) => {
    const revoke = () => admin.post(`/v1/grants/${granted.body.id}/revocation`, { reason: 'moved on' })
    t.match(await revoke(), { status: 200, body: { revokedBy: admin.id, revokedAt: clock.at } })
    await refuses(t, server, revoke, { status: 409, detail: 'this grant has ended already; nothing to do' })
    t.match((await admin.get(`/v1/people/${id}/grants`)).body.items, [{ revokedBy: admin.id }])
    t.equal((await grant(admin, id, role('risk_owner', sales))).status, 201)
  })
})

t.test('an administrator of a unit acts in that unit alone', async (t) => {
  const local = await server.person('Lou', { rights: ['administrator'], unitId: sales })
  const { id } = await server.person('Max', { rights: [] })
  t.equal((await grant(local, id, role('risk_owner', salesDe))).status, 201)
  for (const unit of [claims, ROOT_UNIT_ID]) {
    await refuses(t, server, () => grant(local, id, role('risk_owner', unit)), {
      status: 403,
      rule: 'DR-52',
    })
  }
  const elsewhere = await grant(admin, id, role('risk_owner', claims))
  const revoke = () => local.post(`/v1/grants/${elsewhere.body.id}/revocation`, { reason: 'not mine' })
  const unknown = () => local.post(`/v1/grants/${sales}/revocation`, { reason: 'not there' })
  const [hidden, missing] = [
    await refuses(t, server, revoke, { status: 404 }),
    await refuses(t, server, unknown, { status: 404 }),
  ]
  t.equal(hidden.body.detail, missing.body.detail)
  t.same(
    (await local.get(`/v1/people/${id}/grants`)).body.items.map(
      (one: { orgUnitId: string }) => one.orgUnitId,
    ),
    [salesDe],
  )
})

t.test('rights that change count from the next request on', async (t) => {
  const person = await server.person('Roy', { rights: [] })
  const list = async () => (await person.get('/v1/people')).body.items.length
  t.equal(await list(), 1, 'only themselves')
  const { body } = await grant(admin, person.id, role('auditor'))
  t.ok((await list()) > 1)
  await admin.post(`/v1/grants/${body.id}/revocation`, { reason: 'a mistake' })
  t.equal(await list(), 1)
})

t.test('somebody who left is out at once, and stays on record by name', async (t) => {
  const person = await server.person('Lee', { rights: ['risk_owner', 'auditor'] })
  t.equal((await person.get('/v1/me')).status, 200)
  const place = `/v1/people/${person.id}`
  const read = await admin.get(place)
  const leave = (headers: Record<string, string>) => () =>
    admin.post(`${place}/departure`, { reason: 'left the company' }, headers)
  await refuses(t, server, leave({}), { status: 428 })
  await refuses(t, server, leave({ 'if-match': '"9"' }), { status: 412 })
  const left = await leave(ifMatch(read))()
  t.match(left, { status: 200, body: { name: 'Lee', status: 'left', revision: 2 } })
  t.equal((await person.get('/v1/me')).status, 401)
  const { rows } = await owner.query(
    'select 1 from rights_grant where person_id = $1 and revoked_at is null',
    [person.id],
  )
  t.equal(rows.length, 0)
  await refuses(t, server, leave(ifMatch(left)), {
    status: 409,
    detail: 'Lee has left; choose somebody else',
  })
  await refuses(t, server, () => grant(admin, person.id, role('auditor')), { status: 409 })
})

t.test('people are found by name, page by page, and corrected', async (t) => {
  const names = ['Zoe 1', 'zoe 2', 'Zoë 3', 'Zoe 4', '100% Zoe', 'under_score']
  for (const name of names) await server.person(name, { rights: [] })
  const found = async (search: string) => {
    const seen: string[] = []
    let next = `/v1/people?limit=2&search=${encodeURIComponent(search)}`
    while (next) {
      const { body } = await admin.get(next)
      seen.push(...body.items.map(({ name }: { name: string }) => name))
      next = body.next && `/v1/people?limit=2&search=${encodeURIComponent(search)}&cursor=${body.next}`
    }
    return seen
  }
  t.same((await found('ZOE')).sort(), ['100% Zoe', 'Zoe 1', 'Zoe 4', 'zoe 2'])
  t.same(await found('%'), ['100% Zoe'])
  t.same(await found('_'), ['under_score'])

  const { items } = (await admin.get('/v1/people?search=under')).body
  const place = `/v1/people/${items[0].id}`
  const seen = { 'if-match': '"1"' }
  t.match(await admin.patch(place, { name: 'Uma', email: 'uma@example.com' }, seen), {
    status: 200,
    body: { name: 'Uma', email: 'uma@example.com', revision: 2 },
    headers: { etag: '"2"' },
  })
  await refuses(t, server, () => admin.patch(place, { name: 'Una' }, seen), { status: 412 })
  await refuses(t, server, () => admin.patch(place, { name: 'Una' }), { status: 428 })
  for (const body of [{}, { name: 'Uma' }]) {
    await refuses(t, server, () => admin.patch(place, body, { 'if-match': '"2"' }), {
      status: 422,
      detail: 'nothing would change; send at least one field that differs',
    })
  }
})

t.test('Assent itself is nobody’s account', async (t) => {
  const place = `/v1/people/${ASSENT_ID}`
  t.match((await admin.get(place)).body, { name: 'Assent', kind: 'service' })
  const detail = 'this is Assent itself and no account; choose somebody else'
  for (const deed of [
    () => grant(admin, ASSENT_ID, role('pipeline')),
    () => admin.post(`${place}/tokens`, { name: 'mine' }),
    () => admin.patch(place, { name: 'Me' }, { 'if-match': '"1"' }),
    () => admin.post(`${place}/departure`, { reason: 'gone' }, { 'if-match': '"1"' }),
  ]) {
    await refuses(t, server, deed, { status: 409, detail })
  }
})
