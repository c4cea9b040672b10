import t from 'tap'
import { v7 as newId } from 'uuid'
import { ROOT_UNIT_ID } from '../../src/ids.js'
import { ifMatch, startApp } from '../app.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'

const server = await startApp(t)
const admin = await server.person('Ada', { rights: ['administrator'] })
const human = await server.person('Hal', { rights: [] })

const create = async (key: string, parentId: string = ROOT_UNIT_ID, by = admin) =>
  await by.post('/v1/org-units', { key, name: key, parentId })
const place = (id: string) => `/v1/org-units/${id}`
const move = async (id: string, parentId: string, by = admin) =>
  await by.patch(place(id), { parentId }, ifMatch(await by.get(place(id))))

t.test('units form a tree that everybody who works here sees', async (t) => {
  const sales = await create('sales')
  t.match(sales, { status: 201, headers: { location: place(sales.body.id), etag: '"1"' } })
  const direct = await create('sales-direct', sales.body.id)
  const { items } = (await human.get('/v1/org-units')).body
  t.match(items, [{ key: 'organisation', parentId: null }, sales.body, direct.body])
  t.same((await human.get(place(direct.body.id))).body, direct.body)

  await t.test('a unit has a key of its own and a parent that is there', async (t) => {
    await refuses(t, server, () => create('sales'), {
      status: 409,
      detail: 'there is a unit "sales" already; choose another key',
    })
    await refuses(t, server, () => create('lost', newId()), {
      status: 422,
      detail: /no org unit with this id/,
    })
    await refuses(t, server, () => create('Sales & Co'), { status: 422 })
    await refuses(t, server, () => create('eve', ROOT_UNIT_ID, human), { status: 403, rule: 'DR-56' })
  })

  await t.test('it can be renamed and moved by whoever saw it last', async (t) => {
    const renamed = await admin.patch(place(sales.body.id), { name: 'Sales' }, { 'if-match': '"1"' })
    t.match(renamed, { status: 200, body: { name: 'Sales', revision: 2 }, headers: { etag: '"2"' } })
    const stale = () => admin.patch(place(sales.body.id), { name: 'Selling' }, { 'if-match': '"1"' })
    await refuses(t, server, stale, { status: 412 })
    const same = () => admin.patch(place(sales.body.id), { name: 'Sales' }, { 'if-match': '"2"' })
    await refuses(t, server, same, { status: 422, detail: /^nothing would change/ })
  })
})

t.test('no move tears the tree', async (t) => {
  const { id: a } = (await create('a')).body
  const { id: b } = (await create('b', a)).body
  await refuses(t, server, () => move(a, b), {
    status: 409,
    detail: 'a unit cannot lie under itself; choose a parent outside it',
  })
  await refuses(t, server, () => move(a, a), { status: 409 })
  await refuses(t, server, () => move(ROOT_UNIT_ID, a), {
    status: 409,
    detail: 'the root unit stays where it is; move the others',
  })

  await t.test('nor two moves at once that would close a circle together', async (t) => {
    const { id: c } = (await create('c')).body
    const { id: d } = (await create('d')).body
    const answers = await meeting(server, { table: 'org_unit', id: ROOT_UNIT_ID }, [
      () => admin.patch(place(c), { parentId: d }, { 'if-match': '"1"' }),
      () => admin.patch(place(d), { parentId: c }, { 'if-match': '"1"' }),
    ])
    t.same(
      answers.map(({ status }) => status),
      [200, 409],
    )
  })
})

t.test('an administrator of a unit arranges what lies in it, and takes nothing from others', async (t) => {
  const { id: mine } = (await create('mine')).body
  const { id: other } = (await create('other')).body
  const { id: below } = (await create('below', mine)).body
  const local = await server.person('Lou', { rights: ['administrator'], unitId: mine })
  t.equal((await create('mine-too', mine, local)).status, 201)
  await refuses(t, server, () => create('theirs', other, local), { status: 403, rule: 'DR-56' })
  await refuses(t, server, () => move(other, mine, local), { status: 403, rule: 'DR-56' })
  await refuses(t, server, () => move(below, other, local), { status: 403, rule: 'DR-56' })
})

t.test('who is moved out of reach loses it with the next request', async (t) => {
  const { id: wide } = (await create('wide')).body
  const { id: part } = (await create('part', wide)).body
  const owner = await server.person('Oda', { rights: ['risk_owner'], unitId: wide })
  const useCase = await owner.post('/v1/use-cases', { title: 'Triage', purpose: 'Sorts', orgUnitId: part })
  t.equal((await owner.get(`/v1/use-cases/${useCase.body.key}`)).status, 200)
  t.equal((await move(part, ROOT_UNIT_ID)).status, 200)
  t.equal((await owner.get(`/v1/use-cases/${useCase.body.key}`)).status, 404)
  t.equal((await move(part, wide)).status, 200)
  t.equal((await owner.get(`/v1/use-cases/${useCase.body.key}`)).status, 200)
})
