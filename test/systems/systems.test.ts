import t from 'tap'
import { v7 as newId } from 'uuid'
import { startApp } from '../app.js'
import { refuses } from '../unchanged.js'

const server = await startApp(t)
const admin = await server.person('Ada', { rights: ['administrator'] })
const owner = await server.person('Oda', {
  rights: ['business_owner'],
  unitId: await server.unit('sales'),
})
const human = await server.person('Hal', { rights: [] })

const chat = { key: 'claims-chat', name: 'Claims chat', kind: 'agent', vendor: 'Example Corp' }

t.test('a system is registered once, by whoever owns use cases, and seen by all who work here', async (t) => {
  const registered = await owner.post('/v1/systems', chat)
  t.match(registered, { status: 201, body: { ...chat, description: '', revision: 1 } })
  t.equal(registered.headers.location, `/v1/systems/${registered.body.id}`)
  t.same((await human.get(`/v1/systems/${registered.body.id}`)).body, registered.body)
  await refuses(t, server, () => owner.post('/v1/systems', chat), {
    status: 409,
    detail: 'there is a system "claims-chat" already; use that one or another key',
  })
  await refuses(t, server, () => human.post('/v1/systems', { ...chat, key: 'x' }), {
    status: 403,
    rule: 'DR-25',
  })
  await refuses(t, server, () => owner.post('/v1/systems', { ...chat, key: 'X Y', kind: 'robot' }), {
    status: 422,
  })

  await t.test('and kept by administrators of the whole organisation', async (t) => {
    const place = `/v1/systems/${registered.body.id}`
    const change = { vendor: null, description: 'Answers about claims' }
    await refuses(t, server, () => owner.patch(place, change, { 'if-match': '"1"' }), {
      status: 403,
      rule: 'DR-57',
    })
    t.match(await admin.patch(place, change, { 'if-match': '"1"' }), {
      status: 200,
      body: { ...change, revision: 2 },
    })
    await refuses(t, server, () => admin.patch(place, { name: 'Chat' }, { 'if-match': '"1"' }), {
      status: 412,
    })
    await refuses(t, server, () => admin.patch(place, change, { 'if-match': '"2"' }), { status: 422 })
  })

  await t.test('and named by use cases only once it is registered', async (t) => {
    const orgUnitId = await server.unit('sales-de')
    const risk = await server.person('Rui', { rights: ['risk_owner'], unitId: orgUnitId })
    const facts = { title: 'Claims chat', purpose: 'Answers', orgUnitId }
    const named = await risk.post('/v1/use-cases', { ...facts, systemIds: [registered.body.id] })
    t.match(named, { status: 201, body: { systemIds: [registered.body.id] } })
    await refuses(t, server, () => risk.post('/v1/use-cases', { ...facts, systemIds: [newId()] }), {
      status: 422,
      detail: 'a system named here is not registered; register it first',
    })
  })
})

t.test('systems are listed by name, page by page, without a gap', async (t) => {
  for (const name of ['beta', 'Alpha', 'alpha', 'Gamma', 'ärger', 'alpha']) {
    await owner.post('/v1/systems', { ...chat, name, key: `s-${newId()}` })
  }
  const names: string[] = []
  let cursor = ''
  do {
    const { body } = await human.get(`/v1/systems?limit=2${cursor}`)
    names.push(...body.items.map(({ name }: { name: string }) => name))
    cursor = body.next ? `&cursor=${encodeURIComponent(body.next)}` : ''
  } while (cursor)
  t.same([...names].sort(), ['Alpha', 'Claims chat', 'Gamma', 'alpha', 'alpha', 'beta', 'ärger'])
  t.same(
    names.slice(0, 3).map((name) => name.toLowerCase()),
    ['alpha', 'alpha', 'alpha'],
  )
})
