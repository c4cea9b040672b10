import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import t from 'tap'
import { ROOT_UNIT_ID } from '../../src/ids.js'
import { ifMatch, type Person, startApp } from '../app.js'

const world = await startApp(t)
await world.app.listen({ port: 0, host: '127.0.0.1' })
const { port } = world.app.server.address() as AddressInfo
const administrator = await world.person('Administrator', { rights: ['administrator'] })

/** Sends the head of a request and the first byte of its body, and the rest when told to. */
async function begin(person: Person, path: string, body: object) {
  const text = JSON.stringify(body)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    `authorization: Bearer ${person.token}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${text.slice(0, 1)}`)
  return async () => {
    socket.write(text.slice(1))
    let answer = ''
    for await (const chunk of socket) answer += chunk
    return Number(answer.slice(9, 12))
  }
}

const count = async (table: string) =>
  (await world.owner.query(`select count(*)::int as n from ${table}`)).rows[0].n

/** Until the server has read the head, and so knows who asks. */
async function untilSeen(person: Person): Promise<void> {
  t.equal((await person.get('/v1/me')).status, 200)
}

t.test('whoever leaves in the middle of a request cannot finish it', async (t) => {
  const leaver = await world.person('Leaver', { rights: ['administrator'] })
  const friend = await world.person('Friend', { rights: [] })
  const grant = { kind: 'role', name: 'administrator', orgUnitId: ROOT_UNIT_ID }
  const finish = await begin(leaver, `/v1/people/${friend.id}/grants`, grant)
  await untilSeen(leaver)
  const known = await administrator.get(`/v1/people/${leaver.id}`)
  t.equal(
    (await administrator.post(`/v1/people/${leaver.id}/departure`, { reason: 'gone' }, ifMatch(known)))
      .status,
    200,
  )
  const before = await count('rights_grant')
  t.equal(await finish(), 401)
  t.equal(await count('rights_grant'), before)
})

t.test('whoever loses a right in the middle of a request is refused by the rights of now', async (t) => {
  const owner = await world.person('Owner', { rights: ['business_owner'] })
  const useCase = { title: 'Claims triage', purpose: 'Sort claims', orgUnitId: ROOT_UNIT_ID }
  const finish = await begin(owner, '/v1/use-cases', useCase)
  await untilSeen(owner)
  const { body } = await administrator.get(`/v1/people/${owner.id}/grants`)
  const revoked = await administrator.post(`/v1/grants/${body.items[0].id}/revocation`, {
    reason: 'moved on',
  })
  t.equal(revoked.status, 200)
  t.equal(await finish(), 403)
  t.equal(await count('use_case'), 0)
})
