// `assent serve` tells others by itself, and what it had in its hands when it was killed is sent by the next.
import t from 'tap'
import { makePerson } from '../app.js'
import { openClient } from '../database-run.js'
import { startReceiver } from '../net/receiver.js'
import { query } from '../operation/register.js'
import { embeddedAt, scratch, serve } from '../operation/service.js'

t.setTimeout(240_000)

t.test('kill -9 between sending and writing it down: it comes again under the same id', async (t) => {
  const receiver = await startReceiver(t, { tls: false })
  const dataDir = scratch(t)
  const env = { ASSENT_DATA_DIR: dataDir, ASSENT_WEBHOOK_ALLOW_PRIVATE: 'true' }
  const first = await serve(t, env)
  const connection = embeddedAt(dataDir)
  const owner = await openClient(connection)
  owner.on('error', () => {}) // its server may go with the service
  const admin = await makePerson(owner, first.ask, 'Ann', { rights: ['administrator'] })
  await owner.end()
  const { body: root } = await admin.get('/v1/org-units')
  const made = await admin.post('/v1/webhooks', {
    ...{ name: 'Risk system', url: receiver.url, orgUnitId: root.items[0].id },
    eventTypes: ['use_case.retired'],
  })
  t.equal(made.status, 201)
  const killed = new Promise<void>((resolve) => {
    receiver.behave(() => void first.end('SIGKILL').then(() => resolve()))
  })
  const tested = await fetch(`${first.url}/v1/webhooks/${made.body.webhook.id}/tests`, {
    ...{ method: 'POST', headers: { authorization: `Bearer ${admin.token}` } },
  })
  t.equal(tested.status, 202)
  await killed
  t.equal(receiver.calls.length, 1)

  receiver.behave((response) => response.writeHead(204).end())
  const second = await serve(t, env)
  t.same(await query(connection, 'select state, attempts from delivery'), [{ state: 'pending', attempts: 1 }])
  t.comment('its lease is over')
  await query(connection, 'update delivery set next_at = now()')
  await receiver.called(2)
  const [sent, again] = receiver.calls
  t.equal(again?.headers['webhook-id'], sent?.headers['webhook-id'])
  t.equal(again?.body, sent?.body)
  t.equal(await second.end('SIGTERM'), 0)
  t.equal(receiver.calls.length, 2)
})
