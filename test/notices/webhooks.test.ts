// Other systems are told what happens, signed, thin, and only what lies in their unit.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { catalogue } from '../../src/audit/events.js'
import { toldTypes } from '../../src/audit/told.js'
import { projectRoot } from '../../src/config.js'
import { RETRY_AFTER_SECONDS } from '../../src/notices/delivery.js'
import { mintWebhookSecret, signedHeaders } from '../../src/notices/signing.js'
import { Vault } from '../../src/notices/vault.js'
import { register, submit } from '../committee.js'
import type { Call } from '../net/receiver.js'
import { refuses } from '../unchanged.js'
import { listen, startWorld, type World } from './world.js'

/** As a receiver does it that was written by the specification alone. */
function isSigned(secret: string, { headers, body }: Pick<Call, 'headers' | 'body'>): boolean {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const expected = createHmac('sha256', key).update(content).digest()
  return String(headers['webhook-signature'])
    .split(' ')
    .map((signature) => Buffer.from(signature.replace('v1,', ''), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected))
}

t.test('a signature is the one that the Standard Webhooks libraries compute', async (t) => {
  const body = '{"test": 2432232314}'
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body }
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  t.same(signedHeaders([secret], message), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
  t.ok(isSigned(secret, { headers: signedHeaders([secret], message), body }))
})

t.test('the code that our README gives to receivers verifies, and refuses the rest', async (t) => {
  const readme = readFileSync(join(projectRoot, 'src/notices/README.md'), 'utf8')
  const code = readme.match(/```js\n([\s\S]*?)```/)?.[1] ?? ''
  const { default: verify } = await import(
    `data:text/javascript,${encodeURIComponent(`${code}\nexport default verify`)}`
  )
  const secrets = [mintWebhookSecret(), mintWebhookSecret()]
  const message = { id: 'msg_1', timestamp: Math.floor(Date.now() / 1000), body: '{"a":1}' }
  const headers = signedHeaders(secrets, message)
  for (const secret of secrets) t.doesNotThrow(() => verify(secret, headers, message.body))
  t.throws(() => verify(mintWebhookSecret(), headers, message.body))
  t.throws(() => verify(secrets[0], headers, '{"a":2}'))
  t.throws(() => verify(secrets[0], { ...headers, 'webhook-id': 'msg_2' }, message.body))
  const old = signedHeaders(secrets, { ...message, timestamp: message.timestamp - 600 })
  t.throws(() => verify(secrets[0], old, message.body))
})

t.test('what is sealed opens with its own key, for its own row, unaltered', async (t) => {
  const vault = new Vault(Buffer.from('one key'))
  const sealed = vault.seal('whsec_x', 'row')
  t.equal(vault.open(sealed, 'row'), 'whsec_x')
  t.notSame(vault.seal('whsec_x', 'row'), sealed, 'never twice the same')
  const altered = Buffer.from(sealed)
  altered[sealed.length - 1] = (altered[sealed.length - 1] ?? 0) ^ 1
  const refused = { name: 'RegistryError', code: 'unavailable' }
  t.throws(() => vault.open(altered, 'row'), refused)
  t.throws(() => vault.open(sealed, 'another row'), refused)
  t.throws(() => vault.open(sealed.subarray(0, 20), 'row'), refused)
  t.throws(() => new Vault(Buffer.from('another key')).open(sealed, 'row'), refused)
})

t.test('every type that is told is in the catalogue', async (t) => {
  t.same(
    toldTypes.filter((type) => !(type in catalogue)),
    [],
  )
  t.equal(RETRY_AFTER_SECONDS.length, 9, 'ten tries')
})

let world: World
t.before(async () => {
  world = await startWorld(t)
})

t.test('an event arrives signed, with ids, names and digests, and nothing that is sealed', async (t) => {
  const { receiver, dispatcher, admin } = world
  const hook = await listen(world, { eventTypes: ['review.opened'] })
  const useCase = await register(world, { title: 'Secret plans', purpose: 'Plans in secret' })
  const reviewId = await submit(world, useCase.id)
  await dispatcher.pass()
  const [call] = receiver.calls.splice(0)
  if (!call) return t.fail('nothing arrived')
  t.ok(isSigned(hook.secret, call))
  t.match(call.headers, { 'content-type': 'application/json', 'webhook-id': /^msg_[0-9a-f-]{36}$/ })
  const event = (await admin.get(`/v1/events?type=review.opened&aggregate=${useCase.id}`)).body.items[0]
  t.match(JSON.parse(call.body), {
    type: 'review.opened',
    timestamp: event.recordedAt,
    data: {
      eventId: event.id,
      aggregate: event.aggregate,
      useCase: useCase.key,
      actorId: event.actorId,
      reviewId,
    },
  })
  t.notMatch(call.body, /secret plans|in secret|sealed|request/i)
  t.same(Object.keys(JSON.parse(call.body)), ['type', 'timestamp', 'data'])
  t.match(await hook.deliveries(), [
    {
      ...{ eventId: event.id, messageId: call.headers['webhook-id'], type: 'review.opened' },
      ...{ state: 'delivered', nextAt: null, attempts: [{ status: 204, problem: null }] },
    },
  ])
  await end(hook.id)
})

t.test('a webhook hears the types it asked for, from its unit and below, and nothing else', async (t) => {
  const { receiver, dispatcher, owner } = world
  const elsewhere = await world.unit('elsewhere')
  const below = await world.unit('claims-motor', world.unitId)
  const hooks = {
    all: await listen(world),
    decisions: await listen(world, { eventTypes: ['decision.made'] }),
    elsewhere: await listen(world, { orgUnitId: elsewhere }),
  }
  await submit(world, (await register(world)).id)
  const inBelow = await register(world)
  await owner.query('update use_case set org_unit_id = $1 where id = $2', [below, inBelow.id])
  await submit(world, inBelow.id)
  await dispatcher.pass()
  receiver.calls.splice(0)
  const heard = async ({ deliveries }: { deliveries(): Promise<{ type: string }[]> }) =>
    (await deliveries()).filter(({ type }) => type === 'review.opened').length
  t.equal(await heard(hooks.all), 2)
  t.equal(await heard(hooks.decisions), 0)
  t.same(await hooks.elsewhere.deliveries(), [])
  for (const { id } of Object.values(hooks)) await end(id)
})

t.test('a test goes to the webhook that is tested, whatever it asked for', async (t) => {
  const { receiver, dispatcher, admin } = world
  const hook = await listen(world, { eventTypes: ['decision.made'] })
  const other = await listen(world)
  t.equal((await admin.post(`/v1/webhooks/${hook.id}/tests`)).status, 202)
  await dispatcher.pass()
  t.match(
    receiver.calls.splice(0).map(({ body }) => JSON.parse(body).type),
    ['webhook.tested'],
  )
  t.match(await hook.deliveries(), [{ type: 'webhook.tested', state: 'delivered' }])
  t.same(await other.deliveries(), [])
  for (const { id } of [hook, other]) await end(id)
})

t.test('while a secret is changed both sign, and afterwards the new one alone', async (t) => {
  const { receiver, dispatcher, admin, owner, later } = world
  const hook = await listen(world)
  const place = `/v1/webhooks/${hook.id}`
  const rotated = await admin.post(`${place}/secrets`, { overlapHours: 2 })
  t.equal(rotated.status, 201)
  t.equal(rotated.body.webhook.secrets.length, 2)
  const ping = async () => {
    await admin.post(`${place}/tests`)
    await dispatcher.pass()
    const [call] = receiver.calls.splice(0)
    if (!call) throw new Error('nothing arrived')
    return call
  }
  const during = await ping()
  t.equal(String(during.headers['webhook-signature']).split(' ').length, 2)
  t.ok(isSigned(hook.secret, during) && isSigned(rotated.body.secret, during))
  await refuses(t, world, async () => await admin.post(`${place}/secrets`, {}), {
    status: 409,
    detail: /two secrets/,
  })
  later(2 * 3600)
  const after = await ping()
  t.ok(isSigned(rotated.body.secret, after))
  t.notOk(isSigned(hook.secret, after), 'the one before signs no more')

  const leaked = await admin.post(`${place}/secrets`, { overlapHours: 0 })
  t.equal(leaked.body.webhook.secrets.length, 1, 'a leaked one ends at once')
  const { rows } = await owner.query('select sealed from webhook_secret where webhook_id = $1', [hook.id])
  t.equal(rows.filter(({ sealed }) => sealed !== null).length, 1, 'what is over is forgotten')
  t.notMatch(rows.map(({ sealed }) => String(sealed)).join(), leaked.body.secret.slice(6, 20))
  t.ok(isSigned(leaked.body.secret, await ping()))
  await end(hook.id)
})

t.test('a secret is shown once, and an Idempotency-Key cannot ask for it again', async (t) => {
  const { admin, unitId, receiver } = world
  const body = { name: 'x', url: receiver.url, orgUnitId: unitId }
  const keyed = await admin.post('/v1/webhooks', body, { 'idempotency-key': 'once-more-please' })
  t.equal(keyed.status, 422)
  const hook = await listen(world)
  const listed = await admin.get('/v1/webhooks')
  t.notMatch(JSON.stringify(listed.body), hook.secret)
  t.match(listed.body.items, [{ id: hook.id, secrets: [{ expiresAt: null }] }])
  await end(hook.id)
})

t.test('what cannot be called is refused when it is asked for', async (t) => {
  const { admin, unitId } = world
  for (const url of [
    'https://169.254.169.254/',
    'ftp://a.example/',
    'https://a:b@c.example/',
    'x',
    'http://10.0.0.1/',
  ]) {
    await refuses(
      t,
      world,
      async () => await admin.post('/v1/webhooks', { name: 'x', url, orgUnitId: unitId }),
      { status: 422 },
    )
  }
  const unknown = { name: 'x', url: 'https://a.example/', orgUnitId: unitId, eventTypes: ['vote.cast'] }
  await refuses(t, world, async () => await admin.post('/v1/webhooks', unknown), { status: 422 })
})

t.test('who is told is decided by administrators of the unit, and seen by its auditors', async (t) => {
  const { unitId, auditor, seats, receiver } = world
  const hook = await listen(world)
  const place = `/v1/webhooks/${hook.id}`
  t.equal((await auditor.get(place)).status, 200)
  const body = { name: 'x', url: receiver.url, orgUnitId: unitId }
  await refuses(t, world, async () => await auditor.post('/v1/webhooks', body), {
    status: 403,
    rule: 'DR-88',
  })
  for (const deed of ['disabling', 'tests']) {
    await refuses(t, world, async () => await auditor.post(`${place}/${deed}`), { status: 403 })
  }
  const elsewhere = await world.unit('far-away')
  const stranger = await world.person('Sam', { rights: ['administrator'], unitId: elsewhere })
  await refuses(t, world, async () => await stranger.get(place), { status: 404 })
  await refuses(t, world, async () => await stranger.delete(place), { status: 404 })
  await refuses(t, world, async () => await stranger.post('/v1/webhooks', body), {
    status: 403,
    rule: 'DR-49',
  })
  await refuses(t, world, async () => await seats.legal.get('/v1/webhooks'), { status: 403, rule: 'DR-16' })
  t.same((await stranger.get('/v1/webhooks')).body.items, [])
  await end(hook.id)
})

t.test('disabled, it hears nothing; a replay brings what it missed, under ids of its own', async (t) => {
  const { receiver, dispatcher, admin, clock, later } = world
  const hook = await listen(world, { eventTypes: ['review.opened'] })
  const place = `/v1/webhooks/${hook.id}`
  await submit(world, (await register(world)).id)
  await dispatcher.pass()
  const [first] = receiver.calls.splice(0)
  const [delivered] = await hook.deliveries()

  later(60)
  const since = clock.at
  t.match((await admin.post(`${place}/disabling`)).body, { disabledBecause: 'asked' })
  await submit(world, (await register(world)).id)
  await dispatcher.pass()
  t.same(receiver.calls, [])
  await refuses(t, world, async () => await admin.post(`${place}/replays`, { since }), { status: 409 })
  await refuses(t, world, async () => await admin.post(`${place}/tests`), { status: 409 })
  t.match((await admin.post(`${place}/enabling`)).body, { disabledAt: null })
  await refuses(t, world, async () => await admin.post(`${place}/enabling`), { status: 409 })

  t.match(await admin.post(`${place}/replays`, { since }), { status: 202, body: { deliveries: 1 } })
  await dispatcher.pass()
  t.equal(receiver.calls.splice(0).length, 1, 'what happened since')

  const one = await admin.post(`${place}/replays`, { deliveryId: delivered.id })
  t.match(one, { status: 202, body: { deliveries: 1 } })
  await dispatcher.pass()
  const [again] = receiver.calls.splice(0)
  t.equal(again?.headers['webhook-id'], first?.headers['webhook-id'])
  t.equal(again?.body, first?.body)
  t.equal((await hook.deliveries()).length, 2)

  const both = { since, deliveryId: delivered.id }
  await refuses(t, world, async () => await admin.post(`${place}/replays`, both), { status: 422 })
  const nowhere = { deliveryId: hook.id }
  await refuses(t, world, async () => await admin.post(`${place}/replays`, nowhere), { status: 404 })
  await end(hook.id)
})

t.test('deleted, it is on record and does nothing any more', async (t) => {
  const { admin, dispatcher, receiver, owner } = world
  const hook = await listen(world)
  const place = `/v1/webhooks/${hook.id}`
  await submit(world, (await register(world)).id)
  t.match((await admin.delete(place)).body, { endedAt: /./, disabledAt: /./, secrets: [] })
  await dispatcher.pass()
  t.same(receiver.calls, [])
  t.equal((await admin.get(place)).status, 200)
  t.same((await admin.get('/v1/webhooks')).body.items, [])
  const { rows } = await owner.query(
    'select 1 from webhook_secret where webhook_id = $1 and sealed is not null',
    [hook.id],
  )
  t.same(rows, [])
  for (const deed of ['disabling', 'enabling', 'tests', 'secrets']) {
    const body = deed === 'secrets' ? {} : undefined
    await refuses(t, world, async () => await admin.post(`${place}/${deed}`, body), { status: 409 })
  }
})

async function end(id: string): Promise<void> {
  await world.admin.delete(`/v1/webhooks/${id}`)
}
