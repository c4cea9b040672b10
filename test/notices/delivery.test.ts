// A notice arrives at least once, each attempt is in the hands of one process, and no receiver holds up another.
import t from 'tap'
import { judgeMail, judgeWebhook, RETRY_AFTER_SECONDS, retryAfter } from '../../src/notices/delivery.js'
import { act, register, submit } from '../committee.js'
import { openClient } from '../database-run.js'
import { listen, startWorld, type World } from './world.js'

t.test('an ending is judged by its status, and tried again after ever longer waits', async (t) => {
  const ending = (status: number | null) => ({ status, problem: status === 204 ? null : 'x' })
  for (const status of [200, 204, 299]) t.same(judgeWebhook(ending(status), 1, 0), { state: 'delivered' })
  t.same(judgeWebhook(ending(410), 1, 0), { state: 'given_up' }, 'gone')
  for (const status of [null, 199, 301, 307, 400, 404, 429, 500, 503]) {
    t.same(judgeWebhook(ending(status), 1, 0), { state: 'pending', afterSeconds: 5 }, String(status))
  }
  const waits = RETRY_AFTER_SECONDS.map((_, index) => judgeWebhook(ending(500), index + 1, 0))
  t.same(
    waits,
    RETRY_AFTER_SECONDS.map((afterSeconds) => ({ state: 'pending', afterSeconds })),
  )
  t.same(judgeWebhook(ending(500), 10, 0), { state: 'given_up' })
  t.same(judgeWebhook(ending(500), 2, 1), { state: 'pending', afterSeconds: 360 }, 'spread by up to a fifth')
  const asked = (retryAfterSeconds: number) => judgeWebhook({ ...ending(503), retryAfterSeconds }, 1, 0)
  t.same(asked(600), { state: 'pending', afterSeconds: 600 }, 'as the receiver asks')
  t.same(asked(1), { state: 'pending', afterSeconds: 5 }, 'but not sooner')
  t.same(asked(1e9), { state: 'pending', afterSeconds: 86_400 }, 'nor years later')
  t.same([retryAfter('120'), retryAfter('soon'), retryAfter(undefined)], [120, undefined, undefined])
  t.same(judgeMail({ status: 250, problem: null }, 1, 0), { state: 'delivered' })
  t.same(judgeMail({ status: 550, problem: 'refused' }, 1, 0), { state: 'given_up' })
  t.same(judgeMail({ status: 451, problem: 'refused' }, 1, 0), { state: 'pending', afterSeconds: 5 })
  t.same(judgeMail({ status: null, problem: 'timed_out' }, 10, 0), { state: 'given_up' })
})

t.test('a write that is undone leaves nothing to tell', async (t) => {
  const world = await startWorld(t)
  const { owner, riskOwner } = world
  const useCase = await register(world)
  const count = async () => (await owner.query('select count(*)::int as n from outbox')).rows[0].n
  const before = await count()
  const failing = act(world, riskOwner, async (tx) => {
    const { rows } = await tx.client.query(
      'select id, last_event_no as "lastEventNo" from use_case where id = $1',
      [useCase.id],
    )
    tx.record(rows[0], {
      type: 'tier.raised',
      right: 'DR-24',
      from: 'limited',
      to: 'high',
      sealed: { reason: 'x' },
    })
    tx.alongside(tx.client.query('select 1 / 0'))
  })
  await t.rejects(failing)
  t.equal(await count(), before)
  const unheard = await world.businessOwner.patch(
    `/v1/use-cases/${useCase.id}`,
    { facts: { benefits: 'Faster' }, reason: 'as it is' },
    { 'if-match': '"1"' },
  )
  t.equal(unheard.status, 200)
  t.equal(await count(), before, 'nor does what nobody is told of')
  await submit(world, useCase.id)
  t.ok((await count()) > before)
})

t.test('what a process had in its hands when it died is sent again, under the same id', async (t) => {
  const world = await startWorld(t)
  const { dispatcher, receiver, later, warnings } = world
  const hook = await listen(world, { eventTypes: ['review.opened'] })
  await submit(world, (await register(world)).id)
  const dying = await world.another()
  await lockDeliveries(world, async () => {
    const passing = dying.pass().catch(() => {})
    await receiver.called(1)
    // It has sent, and waits to write down that it did, when it dies.
    await untilWaiting(world)
    await killConnections(world)
    await passing
  })
  t.same(warnings.slice(0, 1), ['what became of a notice is not known; it is sent again'])
  t.equal(receiver.calls.length, 1)
  t.match(await hook.deliveries(), [{ state: 'pending', attempts: [] }])
  await dispatcher.pass()
  t.equal(receiver.calls.length, 1, 'not while it may still be under way')
  later(61)
  await dispatcher.pass()
  t.equal(receiver.calls.length, 2)
  const [first, second] = receiver.calls
  t.equal(second?.headers['webhook-id'], first?.headers['webhook-id'])
  t.equal(second?.body, first?.body)
  t.not(second?.headers['webhook-timestamp'], first?.headers['webhook-timestamp'])
  t.match(await hook.deliveries(), [{ state: 'delivered', attempts: [{ status: 204 }] }])
})

/** Nobody can write down what became of a delivery until this is done. */
async function lockDeliveries({ connections }: World, work: () => Promise<void>): Promise<void> {
  const holder = await openClient(connections.ownerConnection)
  await holder.query('begin; lock table delivery_attempt in exclusive mode')
  try {
    await work()
  } finally {
    await holder.query('rollback')
    await holder.end()
  }
}

async function untilWaiting({ owner }: World): Promise<void> {
  for (;;) {
    const { rowCount } = await owner.query(
      `select from pg_locks where not granted and relation = 'delivery_attempt'::regclass`,
    )
    if (rowCount !== 0) return
  }
}

/** As if the process had been killed: its connections end in the middle of what they do. */
async function killConnections({ connections }: World): Promise<void> {
  const client = await openClient(connections.appConnection)
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'assent notices' and datname = current_database()`,
  )
  await client.end()
}

t.test('several processes at once send each notice once', async (t) => {
  const world = await startWorld(t)
  const { dispatcher, receiver } = world
  const hook = await listen(world, { eventTypes: ['review.opened'] })
  for (let n = 0; n < 40; n += 1) await submit(world, (await register(world)).id)
  const dispatchers = [dispatcher, await world.another(), await world.another()]
  await Promise.all(dispatchers.map(async (one) => await one.pass()))
  const ids = receiver.calls.map(({ headers }) => headers['webhook-id'])
  t.equal(ids.length, 40)
  t.equal(new Set(ids).size, 40)
  const deliveries = await hook.deliveries('?limit=100')
  t.ok(deliveries.every(({ state }: { state: string }) => state === 'delivered'))
})

t.test('whoever cannot take it now is asked again; whoever never does is disabled', async (t) => {
  const world = await startWorld(t)
  const { dispatcher, receiver, later, admin } = world
  const hook = await listen(world, { eventTypes: ['review.opened'] })
  await submit(world, (await register(world)).id)
  receiver.behave((response) => response.writeHead(503, { 'retry-after': '30' }).end('busy'))
  await dispatcher.pass()
  t.match(await hook.deliveries(), [
    { state: 'pending', attempts: [{ status: 503, problem: 'not_accepted' }] },
  ])
  later(20)
  await dispatcher.pass()
  t.equal(receiver.calls.length, 1, 'not before the time it asked for')
  receiver.behave((response) => response.writeHead(307, { location: '/elsewhere' }).end())
  for (let tries = 2; tries <= 10; tries += 1) {
    later(86_400 * 1.2)
    await dispatcher.pass()
  }
  t.equal(receiver.calls.length, 10)
  t.same(new Set(receiver.calls.map(({ path }) => path)), new Set(['/hooks']), 'no redirect is followed')
  t.equal(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size, 1)
  t.match(await hook.deliveries(), [{ state: 'given_up', nextAt: null }])
  t.match((await admin.get(`/v1/webhooks/${hook.id}`)).body, { disabledBecause: 'gave_up' })
  const events = (await admin.get('/v1/events?type=webhook.disabled')).body.items
  t.match(events, [{ data: { because: 'gave_up' }, aggregate: { id: hook.id } }])
})

t.test('whoever says that it is gone is not asked again', async (t) => {
  const world = await startWorld(t)
  const { dispatcher, receiver, admin } = world
  const hook = await listen(world, { eventTypes: ['review.opened'] })
  for (let n = 0; n < 20; n += 1) await submit(world, (await register(world)).id)
  receiver.behave((response) => response.writeHead(410).end())
  await dispatcher.pass()
  t.ok(receiver.calls.length <= 16, `${receiver.calls.length} were on their way`)
  t.match((await admin.get(`/v1/webhooks/${hook.id}`)).body, { disabledBecause: 'gone' })
  t.same(
    (await hook.deliveries('?state=pending')).length,
    0,
    'what waited is dropped; a replay brings it when it is back',
  )
})

t.test('a silent, slow, endless or inner receiver holds up nobody else', async (t) => {
  const world = await startWorld(t)
  const { dispatcher, receiver, owner } = world
  const silent = await listen(world, { url: receiver.url.replace(/hooks$/, 'silent') })
  const endless = await listen(world, { url: receiver.url.replace(/hooks$/, 'endless') })
  const inner = await listen(world, { url: 'https://hooks.example/' })
  await owner.query(`update webhook set url = 'https://169.254.169.254/' where id = $1`, [inner.id])
  const good = await listen(world)
  receiver.behave((response, { path }) => {
    if (path === '/silent') return
    response.writeHead(200)
    if (path !== '/endless') return void response.end()
    response.write(Buffer.alloc(100_000))
  })
  for (let n = 0; n < 3; n += 1) await submit(world, (await register(world)).id)
  dispatcher.start()
  const began = performance.now()
  const opened = () =>
    receiver.calls.filter(({ path, body }) => path === '/hooks' && body.includes('review.opened'))
  for (let calls = 1; opened().length < 3; calls += 1) await receiver.called(calls)
  t.ok(performance.now() - began < 4000, 'the good one is told while others are waited for')
  await dispatcher.stop()
  const types = '?state=delivered'
  t.equal((await good.deliveries(types)).length, (await endless.deliveries(types)).length)
  const problems = async ({ deliveries }: typeof good) =>
    new Set(
      (await deliveries()).map(({ attempts }: { attempts: { problem: string }[] }) => attempts[0]?.problem),
    )
  t.same(await problems(silent), new Set(['timed_out']))
  t.same(await problems(inner), new Set(['address_refused']))
})

t.test('a secret that cannot be read is no reason to stop', async (t) => {
  const world = await startWorld(t)
  const { dispatcher, receiver, owner } = world
  const hook = await listen(world)
  await owner.query(`update webhook_secret set sealed = decode('00', 'hex') where webhook_id = $1`, [hook.id])
  await world.admin.post(`/v1/webhooks/${hook.id}/tests`)
  await dispatcher.pass()
  t.same(receiver.calls, [], 'nothing goes out unsigned')
  t.match(await hook.deliveries(), [{ state: 'pending', attempts: [{ problem: 'secret_unreadable' }] }])
})

t.test('a burst of 1,000 events', async (t) => {
  const world = await startWorld(t)
  const { dispatcher, receiver, registry, owner, admin } = world
  const hook = await listen(world)
  await owner.query(`
    with made as (insert into audit_event (id, aggregate_kind, aggregate_id, event_no, type, actor_id, recorded_at, leaf)
      select gen_random_uuid(), 'webhook', w.id, 1000 + n, 'webhook.tested', w.created_by, '2026-03-01T09:00:00Z',
        convert_to(json_build_object('id', n, 'type', 'webhook.tested', 'at', '2026-03-01T09:00:00.000Z',
          'aggregate', json_build_object('kind', 'webhook', 'id', w.id, 'no', n), 'actor', w.created_by)::text, 'UTF8')
      from webhook w, generate_series(1, 1000) n returning *)
    insert into outbox (event_id, type, aggregate_kind, aggregate_id, recorded_at)
      select id, type, aggregate_kind, aggregate_id, recorded_at from made`)
  const began = performance.now()
  await dispatcher.pass()
  const seconds = (performance.now() - began) / 1000
  t.comment(`1,000 events told in ${seconds.toFixed(2)} s, ${Math.round(1000 / seconds)} a second`)
  t.equal(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size, 1000)
  t.equal(receiver.calls.length, 1000)
  t.equal((await hook.deliveries('?state=pending')).length, 0)
  const text = await registry.metrics()
  t.match(text, /assent_notice_attempts_total\{channel="webhook",result="delivered"\} 1000/)
  t.match(text, /assent_outbox_pending_deliveries 0/)
  t.equal((await admin.get(`/v1/webhooks/${hook.id}/deliveries`)).body.items.length, 50)

  await t.test(
    'is removed after a while: what arrived first, what did not later, what waits never',
    async (t) => {
      const { rows } = await owner.query('select event_id as id from delivery order by event_id limit 2')
      const [missed, waiting] = rows.map(({ id }) => id)
      await owner.query(`update delivery set state = 'given_up' where event_id = $1`, [missed])
      await owner.query(
        `update delivery set state = 'pending', done_at = null, next_at = '2100-01-01' where event_id = $1`,
        [waiting],
      )
      const left = async () => {
        const { rows } =
          await owner.query(`select (select json_agg(event_id order by event_id) from delivery) as deliveries,
        (select count(distinct delivery_id)::int from delivery_attempt) as attempted,
        (select count(*)::int from outbox where type = 'webhook.tested') as events`)
        return [rows[0].deliveries, rows[0].attempted, rows[0].events]
      }
      const after = async (days: number) => {
        world.later(days * 86_400)
        await dispatcher.pass()
        world.later(61)
        await dispatcher.pass()
        return await left()
      }
      const [all] = await left()
      t.same(await after(29), [all, 1000, 1000])
      t.same(await after(1), [[missed, waiting], 2, 1000])
      t.same(await after(59), [[missed, waiting], 2, 1000])
      t.same(await after(2), [[waiting], 1, 1])
      const { rows: events } = await owner.query(
        `select count(*)::int as n from audit_event where type = 'webhook.tested'`,
      )
      t.equal(events[0].n, 1000, 'the log has them all')
    },
  )
})
