// Links, newer pieces in place of older ones, and one piece for several use cases.
import { createHash } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { Answer } from '../app.js'
import { registerCase, startWorld, trace, upload, type World } from './world.js'

const link = {
  kind: 'monitoring_report',
  title: 'Dashboard of complaints',
  url: 'https://reports.example.com/complaints?week=7',
  statement: 'Two complaints in the first quarter.',
}
const attestation = { kind: 'test_report', title: 'Tests', statement: 'All 200 cases passed.' }
const reviewed = { verdict: 'accepted', note: 'read and sound' }

t.test('a link is evidence by where it is and what it shows', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, url } = world
  const attached = await risk.post(`${url}/links`, link)
  const content = `{"statement":"${link.statement}","url":"${link.url}"}`
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
  t.match(attached, {
    status: 201,
    body: {
      ...link,
      form: 'link',
      digest,
      size: content.length,
      mediaType: 'application/json',
      counts: false,
    },
  })
  const place = `/v1/evidence/${attached.body.id}`
  const bytes = await judge.get(`${place}/content`)
  t.same(bytes.body, JSON.parse(content))
  t.match(bytes.headers['content-disposition'], /attachment; filename="link-/)
  t.match((await judge.post(`${place}/verdict`, reviewed)).body, { counts: true })
  const { rows } = await world.owner.query(
    `select convert_from(leaf, 'utf8') as leaf from audit_event where type = 'evidence.attached'`,
  )
  t.notMatch(rows[0].leaf, /reports\.example/, 'the log names the digest, not the address')

  for (const change of [
    { url: 'http://reports.example.com' },
    { url: 'javascript:alert(1)' },
    { url: 'https://ann:secret@reports.example.com' },
    { url: `https://a.example/${'x'.repeat(2000)}` },
    { url: '' },
    { statement: 'short' },
    { fileName: 'x' },
  ]) {
    await refuses(t, world, () => risk.post(`${url}/links`, { ...link, ...change }), 422)
  }
})

t.test('R-101: a newer piece takes the place of an older one once somebody accepted it', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, url } = world
  const other = await secondCase(world)
  const older = (await upload(world, risk, { bytes: '%PDF-1.7 one' })).body
  await judge.post(`/v1/evidence/${older.id}/verdict`, reviewed)
  t.match((await risk.get(`/v1/evidence/${older.id}`)).body, { counts: true, supersededById: null })

  const newer = await upload(world, risk, { bytes: '%PDF-1.7 two' }, { supersedesId: older.id })
  t.match(newer, { status: 201, body: { supersedesId: older.id, counts: false } })
  const seen = async (id = older.id) => (await risk.get(`/v1/evidence/${id}`)).body
  t.match(await seen(), { newerId: newer.body.id, supersededById: null, counts: true })

  await t.test('and until that was judged, no other comes in its place', async (t) => {
    const again = { ...attestation, supersedesId: older.id }
    await refuses(t, world, () => risk.post(url, again), 409, new RegExp(`${newer.body.id}, came already`))
  })
  await t.test('what is refused leaves it as it was, and another may come', async (t) => {
    await judge.post(`/v1/evidence/${newer.body.id}/verdict`, { verdict: 'refused', note: 'unsigned' })
    t.match(await seen(), { newerId: null, supersededById: null, counts: true })
    const onTop = { ...attestation, supersedesId: newer.body.id }
    await refuses(t, world, () => risk.post(url, onTop), 409, new RegExp(`${older.id} counts as before`))
  })
  const signed = await upload(world, risk, { bytes: '%PDF-1.7 three' }, { supersedesId: older.id })
  t.match(await seen(), { newerId: signed.body.id, counts: true })
  t.match((await judge.post(`/v1/evidence/${signed.body.id}/verdict`, reviewed)).body, { counts: true })
  const { id } = signed.body
  t.match(await seen(), { newerId: id, supersededById: id, counts: false, verdict: { verdict: 'accepted' } })
  t.equal((await risk.get(`/v1/evidence/${older.id}/content`)).body, '%PDF-1.7 one')

  await t.test('the same file again is no younger, and in other bytes it is', async (t) => {
    const again = await upload(world, risk, { bytes: '%PDF-1.7 one' })
    t.equal(again.body.givenAt, older.givenAt)
    t.equal(signed.body.givenAt, signed.body.attachedAt)
  })
  await t.test('from then on nothing else comes in its place', async (t) => {
    const again = { ...attestation, supersedesId: older.id }
    await refuses(t, world, () => risk.post(url, again), 409, new RegExp(`${id}, came in place`))
    t.equal((await risk.post(url, { ...attestation, supersedesId: id })).status, 201)
  })
  await t.test('nobody judges or shares the older one once a newer was accepted', async (t) => {
    const unjudged = (await risk.post(url, attestation)).body
    const middle = (await risk.post(url, { ...attestation, supersedesId: unjudged.id })).body
    const last = (await risk.post(url, { ...attestation, supersedesId: middle.id })).body
    t.match(await seen(unjudged.id), { newerId: last.id, supersededById: null })
    await judge.post(`/v1/evidence/${last.id}/verdict`, reviewed)
    for (const { id: earlier } of [unjudged, middle]) {
      const ask = () => judge.post(`/v1/evidence/${earlier}/verdict`, reviewed)
      await refuses(t, world, ask, 409, new RegExp(`${last.id}, came in place of this one`))
      const share = async () => risk.post(`/v1/evidence/${earlier}/uses`, { useCaseId: other.id })
      await refuses(t, world, share, 409, /came in place of this one/)
    }
  })
  await t.test('only of the same kind and use case', async (t) => {
    const otherKind = { ...attestation, kind: 'model_card', supersedesId: id }
    await refuses(t, world, () => risk.post(url, otherKind), 422, /same use case and the same kind/)
    const elsewhere = { ...attestation, supersedesId: id }
    await refuses(t, world, () => risk.post(other.url, elsewhere), 422, /same use case/)
    const unknown = { ...attestation, supersedesId: '01900000-0000-7000-8000-000000000000' }
    await refuses(t, world, () => risk.post(url, unknown), 404)
  })
})

t.test('of two newer pieces at once, one comes in place of the older', async (t) => {
  const world = await startWorld(t)
  const { risk, business, url } = world
  const { id } = (await risk.post(url, attestation)).body
  const newer = { ...attestation, supersedesId: id }
  const answers = await Promise.all([risk.post(url, newer), business.post(url, newer)])
  t.same(answers.map(({ status }) => status).sort(), [201, 409])
})

t.test('what the database itself keeps', async (t) => {
  const world = await startWorld(t)
  const { risk, useCaseId } = world
  const other = await secondCase(world)
  const { id } = (await risk.post(world.url, attestation)).body
  const attacker = new pg.Client(world.connections.appConnection)
  await attacker.connect()
  t.teardown(() => attacker.end())
  const insert = async (change: Record<string, string>) => {
    const names = 'id, use_case_id, kind, title, form, digest, size, media_type, statement, attached_by'
    const row = {
      id: newUuid(),
      use_case_id: useCaseId,
      kind: 'test_report',
      supersedes_id: null,
      shared_from_id: null,
    }
    const { supersedes_id, shared_from_id, ...rest } = { ...row, ...change }
    return await attacker.query(
      `insert into evidence (${names}, attached_at, supersedes_id, shared_from_id)
        select $1, $2, $3, title, form, digest, size + $6, media_type, statement, attached_by, now(), $4, $5
        from evidence where id = '${id}'`,
      [rest.id, rest.use_case_id, rest.kind, supersedes_id, shared_from_id, change.size ?? 0],
    )
  }
  await t.rejects(insert({ supersedes_id: id, kind: 'model_card' }), { code: '23503' }, 'another kind')
  await t.rejects(insert({ supersedes_id: id, use_case_id: other.id }), { code: '23503' }, 'another use case')
  await t.rejects(
    insert({ shared_from_id: id, use_case_id: other.id, size: '1' }),
    { code: '23503' },
    'other bytes',
  )
  await insert({ supersedes_id: id })
  await t.rejects(insert({ supersedes_id: id }), { code: '23505' }, 'two at once in its place')
  await insert({ shared_from_id: id, use_case_id: other.id })
  await t.rejects(insert({ shared_from_id: id, use_case_id: other.id }), { code: '23505' }, 'shared twice')
})

t.test('one piece serves another use case, once somebody accepted it there', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, business, auditor, outsider } = world
  const other = await secondCase(world)
  const source = (await upload(world, risk, { bytes: '%PDF-1.7 shared' })).body
  await judge.post(`/v1/evidence/${source.id}/verdict`, reviewed)
  const uses = `/v1/evidence/${source.id}/uses`
  const shared = await business.post(uses, { useCaseId: other.id })
  const { digest, size, title, kind, fileName } = source
  t.match(shared, {
    status: 201,
    body: {
      digest,
      size,
      title,
      kind,
      fileName,
      sharedFromId: source.id,
      useCaseId: other.id,
      verdict: null,
    },
  })
  t.match(shared.body, { attachedBy: business.id, counts: false })
  t.equal((await judge.get(`/v1/evidence/${shared.body.id}/content`)).body, '%PDF-1.7 shared')
  t.same((await risk.get(other.url)).body.items, [shared.body])
  const own = () => business.post(`/v1/evidence/${shared.body.id}/verdict`, reviewed)
  await refuses(t, world, own, 403)
  const giver = () => risk.post(`/v1/evidence/${shared.body.id}/verdict`, reviewed)
  await refuses(t, world, giver, 403, /you gave this evidence, where it is shared from/)
  t.equal(shared.body.givenAt, source.givenAt, 'and is no younger than it was')
  t.match((await judge.post(`/v1/evidence/${shared.body.id}/verdict`, reviewed)).body, { counts: true })

  await refuses(t, world, () => risk.post(uses, { useCaseId: other.id }), 409, /already; name another/)
  await refuses(t, world, () => risk.post(uses, { useCaseId: world.useCaseId }), 409, /already; name another/)
  await refuses(t, world, () => auditor.post(uses, { useCaseId: other.id }), 403)
  await refuses(t, world, () => outsider.post(uses, { useCaseId: other.id }), 404)
  await refuses(t, world, () => risk.post(uses, { useCaseId: newUuid() }), 404)
})

t.test('a list is filtered by kind, state, verdict and freshness', async (t) => {
  const world = await startWorld(t)
  const { risk, judge, url } = world
  const freshUntil = '2090-01-01T00:00:00Z'
  const one = (await risk.post(url, { ...attestation, freshUntil })).body.id
  const two = (await risk.post(`${url}/links`, link)).body.id
  const three = (await risk.post(url, attestation)).body.id
  await judge.post(`/v1/evidence/${one}/verdict`, reviewed)
  await judge.post(`/v1/evidence/${two}/verdict`, { verdict: 'refused', note: 'not ours' })
  const found = async (query: string) =>
    (await risk.get(`${url}?${query}`)).body.items.map(({ id }: { id: string }) => id)
  t.same(await found('kind=test_report'), [three, one])
  t.same(await found('verdict=accepted'), [one])
  t.same(await found('verdict=refused'), [two])
  t.same(await found('verdict=none'), [three])
  t.same(await found('freshAt=2089-12-31T00:00:00Z'), [three, two, one])
  t.same(await found('freshAt=2090-01-01T00:00:00Z'), [three, two])
  t.same(await found('state=available&kind=test_report&limit=1'), [three])
  t.same(await found('state=quarantined'), [])
  t.equal((await risk.get(`${url}?kind=poem`)).status, 422)
  await world.owner.query('update evidence set fresh_until = $2 where id = $1', [one, '2020-01-01'])
  t.match((await risk.get(`/v1/evidence/${one}`)).body, { isFresh: false, counts: false })
})

async function secondCase({ business, risk }: World) {
  const units = await business.get('/v1/org-units')
  const unitId = units.body.items.find(({ key }: { key: string }) => key === 'claims').id
  const id = await registerCase(business, risk, unitId)
  return { id, url: `/v1/use-cases/${id}/evidence` }
}

async function refuses(
  t: Test,
  world: World,
  ask: () => Promise<Answer>,
  status: number,
  detail = /./,
): Promise<void> {
  const before = await trace(world)
  t.match(await ask(), { status, body: { detail } })
  t.same(await trace(world), before, 'nothing changed')
}

function newUuid(): string {
  return globalThis.crypto.randomUUID()
}
