// Somebody always administers, and the operator can always make somebody do so.
import t from 'tap'
import { buildAbility } from '../../src/auth/decision-rights.js'
import type { Principal } from '../../src/auth/principal.js'
import { readRights } from '../../src/auth/rights-words.js'
import { ASSENT_ID, newId, ROOT_UNIT_ID } from '../../src/ids.js'
import { prepareFirstSignIn, prepareRecovery } from '../../src/tokens/first-sign-in.js'
import { ifMatch, type Person, startApp, type TestApp } from '../app.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'

const refusal = {
  status: 409,
  detail: 'nobody else administers the whole organisation; make somebody else an administrator of it first',
}

async function leaving(by: Person, person: Person) {
  const seen = ifMatch(await by.get(`/v1/people/${person.id}`))
  return async () => await by.post(`/v1/people/${person.id}/departure`, { reason: 'gone' }, seen)
}

async function revoking(by: Person, person: Person) {
  const { body } = await by.get(`/v1/people/${person.id}/grants`)
  const { id } = body.items.find(({ name }: { name: string }) => name === 'administrator')
  return async () => await by.post(`/v1/grants/${id}/revocation`, { reason: 'enough' })
}

t.test('the last administrator of the whole organisation stays', async (t) => {
  const server = await startApp(t)
  const ada = await server.person('Ada', { rights: ['administrator'] })
  await server.person('Lou', { rights: ['administrator'], unitId: await server.unit('sales') })
  await refuses(t, server, await leaving(ada, ada), refusal)
  await refuses(t, server, await revoking(ada, ada), refusal)

  const bo = await server.person('Bo', { rights: ['administrator'] })
  t.equal((await (await revoking(bo, ada))()).status, 200)
  await refuses(t, server, await leaving(bo, bo), refusal)
})

t.test('of two administrators who end each other at once, one stays', async (t) => {
  for (const ending of [leaving, revoking]) {
    const server = await startApp(t)
    const ada = await server.person('Ada', { rights: ['administrator'] })
    const bo = await server.person('Bo', { rights: ['administrator'] })
    const asks = [await ending(ada, bo), await ending(bo, ada)]
    const answers = await meeting(server, { table: 'person', id: ASSENT_ID }, asks)
    t.equal(answers.filter(({ status }) => status === 200).length, 1)
    t.equal(await prepareFirstSignIn(server.database), undefined, 'somebody administers')
  }
})

t.test('with a code of the operator one more administrator joins, and it is on record', async (t) => {
  const server = await startApp(t)
  const { database, owner } = server
  await server.person('Ada, who lost her token', { rights: ['administrator'] })
  const sign = async (code: string) =>
    await server.ask({ method: 'POST', url: '/v1/first-sign-in', payload: { code, name: 'Bo' } })
  const [old, { code, expiresAt }] = [await recover(server), await recover(server)]
  await refuses(t, server, () => sign(old.code), { status: 401, detail: /with `assent first-sign-in`/ })
  const joined = await sign(code)
  t.equal(joined.status, 201)
  await refuses(t, server, () => sign(code), { status: 401, detail: /^this code is used, / })

  const headers = { authorization: `Bearer ${joined.body.secret}` }
  t.match((await server.ask({ method: 'GET', url: '/v1/me', headers })).body, {
    person: { name: 'Bo' },
    grants: [{ name: 'administrator', orgUnitId: ROOT_UNIT_ID }],
  })
  const { rows } = await owner.query(
    `select convert_from(leaf, 'UTF8')::json as leaf from audit_event
      where type = 'recovery.opened' and actor_id = $1 order by event_no`,
    [ASSENT_ID],
  )
  t.equal(rows.length, 2)
  t.match(rows[1]?.leaf, { expiresAt, aggregate: { kind: 'person', id: ASSENT_ID } })
  t.notMatch(JSON.stringify(rows), code)
  t.equal(await prepareFirstSignIn(database), undefined)
})

async function recover({ database, policies }: TestApp) {
  const principal: Principal = {
    personId: ASSENT_ID,
    kind: 'service',
    name: 'Assent',
    grants: [],
    boundUseCaseIds: [],
  }
  const ability = buildAbility(readRights(policies.decisionRights), principal)
  return (await database.write({ principal, ability, requestId: newId() }, prepareRecovery)).value
}
