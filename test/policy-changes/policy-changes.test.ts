import t from 'tap'
import { assentItself } from '../../src/auth/assent.js'
import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import { openDatabase } from '../../src/db/database.js'
import { newId, POLICY_ID, ROOT_UNIT_ID } from '../../src/ids.js'
import { toInstant } from '../../src/instant.js'
import { readPolicyFiles } from '../../src/policy/load.js'
import { recordLoading } from '../../src/policy-changes/service.js'
import { registerUseCases } from '../../src/use-cases/service.js'
import { Facts } from '../../src/use-cases/use-case.js'
import { startApp } from '../app.js'
import { act, answersFor } from '../committee.js'
import { assertGapless } from '../gapless.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'
import { load, policyFolder, stricter } from './policy.js'

const clock = { at: '2026-03-01T09:00:00.000Z', now: () => clock.at }
const tick = () => {
  clock.at = toInstant(new Date(Date.parse(clock.at) + 60_000))
}
const before = await startApp(t, { clock })
const after = await startApp(t, {
  clock,
  connections: before.connections,
  policies: load(policyFolder(t, { 'risk-tiers.json': stricter })),
})
const { owner } = before
const unitId = await before.unit('claims')
const admin = await before.person('Root', { rights: ['administrator'] })
const writer = await before.person('Bea', { rights: ['business_owner'] })
const risk = await before.person('Rui', { rights: ['risk_owner'] })
const auditor = await before.person('Ada', { rights: ['auditor'] })
/** The same people, before the service that runs with the new policy. */
const [adminThere, riskThere, auditorThere] = [admin, risk, auditor].map((person) => {
  const authorization = `Bearer ${person.token}`
  return {
    get: async (url: string) => await after.ask({ method: 'GET', url, headers: { authorization } }),
    post: async (url: string, payload: object = {}, headers = {}) =>
      await after.ask({ method: 'POST', url, payload, headers: { authorization, ...headers } }),
  }
}) as [typeof admin, typeof risk, typeof auditor]

const register = async (facts: object = {}) => {
  const { body } = await writer.post('/v1/use-cases', {
    ...{ title: 'Letters to customers', purpose: 'Writes what customers read', orgUnitId: unitId },
    ...{ answers: answersFor.limited, ...facts },
  })
  return body
}
/** Puts a use case into a state that reviews would bring it to. */
const set = async (id: string, head: Record<string, unknown>) => {
  const columns = Object.keys(head).map((column, at) => `${column} = $${at + 2}`)
  await owner.query(`update use_case set ${columns.join(', ')} where id = $1`, [id, ...Object.values(head)])
}
const decided = (approvedTier: string) => ({
  ...{ approval_id: newId(), approved_tier: approvedTier, last_outcome: 'approved' },
  ...{ valid_until: '2027-01-01T00:00:00.000Z', material_facts: ['answers'], material_digest: 'sha256:0' },
})
const read = async (id: string) => (await riskThere.get(`/v1/use-cases/${id}`)).body
const eventsOf = async (id: string) =>
  (
    await owner.query(`select type from audit_event where aggregate_id = $1 order by event_no`, [id])
  ).rows.map(({ type }) => type)
const policy = after.policies.digest
const apply = async (body: object = {}, by = adminThere) =>
  await by.post('/v1/policies/applications', { policy, ...body })

const cases = {
  unreviewed: await register(),
  approved: await register(),
  approvedHigher: await register(),
  lowered: await register(),
  raised: await register(),
  minimal: await register({ answers: answersFor.minimal }),
  retired: await register(),
}
await set(cases.approved.id, decided('limited'))
await set(cases.approvedHigher.id, decided('high'))
await set(cases.lowered.id, { ...decided('minimal'), lowered_tier: 'minimal' })
await set(cases.raised.id, { ...decided('high'), raised_tier: 'high' })
await risk.post(`/v1/use-cases/${cases.retired.id}/retirement`, { reason: 'over' }, { 'if-match': '"1"' })

t.test('the changes of a policy can be seen before they are made, and nothing changes', async (t) => {
  const inForce = await admin.get('/v1/policies/changes')
  t.match(
    inForce,
    { status: 200, body: { items: [], next: null, examined: 6 } },
    'none by the policy of yesterday',
  )
  const { status, body } = await adminThere.get('/v1/policies/changes')
  t.equal(status, 200)
  t.equal(body.policy, policy)
  const { unreviewed, approved, approvedHigher, lowered, raised } = cases
  const change = { from: 'limited', to: 'high', lapses: false, loweringEnds: false }
  t.match(body.items, [
    { ...change, key: unreviewed.key, title: unreviewed.title, fired: ['RT-40'] },
    { ...change, key: approved.key, lapses: true },
    { ...change, key: approvedHigher.key },
    { ...change, key: lowered.key, from: 'minimal', lapses: true, loweringEnds: true },
    { ...change, key: raised.key, from: 'high' },
  ])
  t.equal(body.items.length, 5)
  const first = (await adminThere.get('/v1/policies/changes?limit=2')).body
  const rest = (await adminThere.get(`/v1/policies/changes?limit=200&cursor=${first.next}`)).body
  t.strictSame([...first.items, ...rest.items], body.items, 'page by page as well')
  t.equal((await read(approved.id)).standing.standing, 'cleared')
})

t.test(
  'who applies a policy is an administrator of the whole organisation who saw its changes',
  async (t) => {
    const ofUnit = await before.person('Uma', { rights: ['administrator'], unitId })
    const both = await before.person('Eve', { rights: ['administrator', 'auditor'] })
    for (const [person, rule] of [
      [writer, 'DR-59'],
      [risk, 'DR-59'],
      [auditor, 'DR-87'],
      [ofUnit, 'DR-59'],
      [both, 'DR-87'],
    ] as const) {
      const own = before.policies.digest
      await refuses(t, before, () => person.post('/v1/policies/applications', { policy: own }), {
        status: 403,
        rule,
      })
    }
    for (const person of [writer, risk, ofUnit]) {
      const look = async () => await person.get('/v1/policies/changes')
      await refuses(t, before, look, { status: 403, rule: 'DR-46' })
    }
    for (const person of [auditor, both]) t.equal((await person.get('/v1/policies/changes')).status, 200)

    await refuses(t, before, () => apply({ policy: before.policies.digest }), {
      status: 409,
      detail: /^the policy in force is sha256:.*, not the one whose changes you saw/,
    })
    await refuses(t, before, () => apply({ after: 'UC-x' }), { status: 422 })
  },
)

t.test(
  'R-62: an application recomputes each tier with an event, and lapses what was decided on a lower one',
  async (t) => {
    tick()
    const then = (await auditor.get(`/v1/registers/use-cases?asOf=${clock.at}`)).body.items
    tick()
    const { status, body } = await apply()
    t.match([status, body.finished, body.through, body.examined], [200, true, null, 6])
    t.equal(body.changed.length, 5)

    const { unreviewed, approved, approvedHigher, lowered, raised, minimal, retired } = cases
    const stands = async (id: string) => {
      const { tier, standing, version, revision } = await read(id)
      const { standing: word, reasons } = standing
      return [tier.effective, tier.computed, tier.lowered, word, reasons, version, revision]
    }
    t.strictSame(await stands(unreviewed.id), ['high', 'high', null, 'unreviewed', [], 1, 2])
    t.strictSame(await stands(approved.id), ['high', 'high', null, 'lapsed', ['tier_raised'], 1, 2])
    t.strictSame(await stands(approvedHigher.id), ['high', 'high', null, 'cleared', [], 1, 2], 'R-61')
    t.strictSame(await stands(lowered.id), ['high', 'high', null, 'lapsed', ['tier_raised'], 1, 2], 'R-14')
    t.strictSame(await stands(raised.id), ['high', 'high', null, 'cleared', [], 1, 2])
    t.strictSame(await stands(minimal.id), ['minimal', 'minimal', null, 'unreviewed', [], 1, 1])
    t.strictSame(
      await stands(retired.id),
      ['limited', 'limited', null, 'retired', [], 1, 2],
      'it ended before',
    )

    t.equal((await read(approved.id)).tier.policyDigest, policy, 'its tier names the policy that gave it')
    t.equal((await read(minimal.id)).tier.policyDigest, before.policies.digest, 'and so does one that stays')
    for (const { id } of [unreviewed, approved, lowered]) {
      t.strictSame(await eventsOf(id), ['use_case.registered', 'tier.recomputed'])
    }
    await assertGapless(t, before, unreviewed.id)
    const { body: history } = await auditor.get(`/v1/use-cases/${lowered.key}/events`)
    t.match(history.items[1], {
      actorId: admin.id,
      data: {
        ...{ right: 'DR-59', from: 'limited', to: 'high', inForce: 'high', fired: ['RT-40'], policy },
        ...{ lapsed: true, loweringEnded: true },
      },
    })

    const now = (await auditor.get('/v1/registers/use-cases')).body.items
    const asOfNow = (await auditor.get(`/v1/registers/use-cases?asOf=${clock.at}`)).body.items
    const aMinuteAgo = toInstant(new Date(Date.parse(clock.at) - 60_000))
    const asOfThen = (await auditor.get(`/v1/registers/use-cases?asOf=${aMinuteAgo}`)).body.items
    t.strictSame(asOfNow, now, 'the register as of now is the register')
    t.strictSame(asOfThen, then, 'and as of a moment before it is what it was')
    const listed = async (asked: string) =>
      (await auditor.get(`/v1/use-cases?limit=200&${asked}`)).body.items.map(
        ({ key, tier }: { key: string; tier: object }) => [key, tier],
      )
    const high = await listed('tier=high')
    t.equal(high.length, 5)
    t.strictSame(await listed(`tier=high&at=${clock.at}`), high, 'so do lists')
    t.strictSame(await listed(`tier=high&at=${aMinuteAgo}`), [], 'as of then as well')
  },
)

t.test('applying again finds nothing left, and a version that follows is of the new policy', async (t) => {
  const { body } = await apply()
  t.match(body, { changed: [], finished: true })
  t.match((await adminThere.get('/v1/policies/changes')).body, { items: [], next: null })
  tick()
  const { key, id } = cases.unreviewed
  const facts = { answers: answersFor.minimal }
  const revised = await writer.patch(
    `/v1/use-cases/${key}`,
    { facts, reason: 'internal now' },
    { 'if-match': '"2"' },
  )
  t.equal(revised.body.tier.effective, 'minimal')
  const asOfNow = (await auditor.get(`/v1/registers/use-cases?asOf=${clock.at}`)).body.items
  t.equal(asOfNow.find((one: { id: string }) => one.id === id).computedTier, 'minimal', 'also as of now')
})

t.test('a large register is applied in steps that go on where the last one stopped', async (t) => {
  const facts = Facts.parse({
    ...{ title: 'Letters', purpose: 'Writes letters', orgUnitId: ROOT_UNIT_ID, answers: answersFor.limited },
  })
  const many = Array.from(
    { length: 450 },
    () => ({ facts, origin: 'declared', reason: 'registered', right: 'DR-20' }) as const,
  )
  const rows = await act(before, writer, async (tx) => await registerUseCases(tx, before.policies, many))
  const key = { 'idempotency-key': newId() }
  const first = await adminThere.post('/v1/policies/applications', { policy }, key)
  t.match(first.body, { finished: false, through: /^UC-\d+$/ })
  t.equal(first.body.changed.length, 400)
  const again = await adminThere.post('/v1/policies/applications', { policy }, key)
  t.strictSame(again.body, first.body, 'an answer that got lost is given again, and no step is taken twice')
  const second = await apply({ after: first.body.through })
  t.match([second.body.finished, second.body.through], [true, null])
  t.equal(second.body.changed.length, 50)
  const { rows: found } = await owner.query(
    `select count(*)::int as n, min(revision)::int as least, max(revision)::int as most
      from use_case where id = any($1) and computed_tier = 'high'`,
    [rows.map(({ id }) => id)],
  )
  t.strictSame(found, [{ n: 450, least: 2, most: 2 }], 'each exactly once')
})

t.test(
  'two applications at once change each use case once, and a revision meanwhile is not overrun',
  async (t) => {
    const [one, other] = [await register(), await register()]
    const answers = await meeting(before, { table: 'policy', id: POLICY_ID }, [apply, apply])
    t.strictSame(
      answers.map(({ status, body }) => [status, body.changed.length]),
      [
        [200, 2],
        [200, 0],
      ],
    )
    for (const { id } of [one, other])
      t.strictSame(await eventsOf(id), ['use_case.registered', 'tier.recomputed'])

    const racing = await register()
    const revise = async () =>
      await writer.patch(
        `/v1/use-cases/${racing.id}`,
        { facts: { answers: answersFor.minimal }, reason: 'internal' },
        { 'if-match': '"1"' },
      )
    const [revised, applied] = await meeting(before, { table: 'use_case', id: racing.id }, [revise, apply])
    t.equal(revised?.status, 200)
    t.match(applied, { status: 200, body: { changed: [] } }, 'it looks again at what it has locked')
    t.equal((await read(racing.id)).tier.effective, 'minimal')
  },
)

t.test('R-20: a round that is open stays as it is, with the tier it was opened for', async (t) => {
  const useCase = await register({ businessOwnerId: writer.id, riskOwnerId: risk.id })
  for (const seat of ['risk', 'business', 'legal', 'security', 'compliance']) {
    await before.person(`In ${seat}`, { rights: ['committee_member', `seat:${seat}`] })
  }
  const opened = await risk.post(`/v1/use-cases/${useCase.id}/reviews`, { note: '' }, { 'if-match': '"1"' })
  t.equal(opened.status, 201)
  t.match((await apply()).body.changed, [{ key: useCase.key, lapses: false }])
  const found = await read(useCase.id)
  t.match(found, {
    tier: { effective: 'high' },
    standing: { standing: 'in_review', openReviewId: opened.body.id },
  })
  t.equal((await riskThere.get(`/v1/reviews/${opened.body.id}`)).body.tier, 'limited')
})

t.test('which policy was loaded is on record once, however many processes start', async (t) => {
  const request = () => {
    const rights = readRights(before.policies.decisionRights)
    return { principal: assentItself, ability: buildAbility(rights, assentItself), requestId: newId() }
  }
  const connection = before.connections.appConnection
  const options = { connection, poolSize: 1, exportPoolSize: 1, statementTimeoutMs: 5000, clock }
  const processes = await Promise.all([1, 2, 3, 4].map(async () => await openDatabase(options)))
  t.teardown(async () => void (await Promise.all(processes.map((one) => one.close()))))
  const loaded = async () =>
    (await auditor.get('/v1/events?type=policy.loaded')).body.items.map(
      (event: { data: object; sealed: object }) => ({
        ...event.data,
        ...event.sealed,
      }),
    )
  const folder = policyFolder(t, { 'risk-tiers.json': stricter })
  const { files } = readPolicyFiles(folder)
  const kept = async (digest: string) =>
    (
      await owner.query<{ name: string; content: Buffer }>(
        `select name, content from policy_file f join policy_content c on c.digest = f.content_digest
          where policy_digest = $1`,
        [digest],
      )
    ).rows
  const start = async (digest: string, deployedBy?: string) => {
    tick()
    const loading = { digest, files, version: '1.2.3', deployedBy }
    await Promise.all(processes.map(async (one) => await recordLoading(one, request(), loading)))
  }
  const yesterday = before.policies.digest
  t.equal((await auditor.get('/v1/policies')).body.loadedAt, null)
  await start(yesterday, 'release 41, by Ops')
  const since = clock.at
  await start(yesterday, 'somebody else')
  t.match(await loaded(), [{ digest: yesterday, version: '1.2.3', deployedBy: 'release 41, by Ops' }])
  t.equal((await auditor.get('/v1/policies')).body.loadedAt, since)

  await refuses(t, before, apply, { status: 409, detail: /^another process has loaded sha256:/ })
  t.equal((await auditorThere.get('/v1/policies')).body.loadedAt, null, 'it is not the one in force any more')

  await start(policy)
  const both = await loaded()
  t.equal(both.length, 2)
  t.match(both[0], { digest: policy, deployedBy: null })
  for (const digest of [yesterday, policy]) {
    const names = await kept(digest)
    t.strictSame(new Map(names.map(({ name, content }) => [name, content])), files, 'its files are kept')
  }
  const { rows } = await owner.query('select count(*)::int as count from policy_content')
  t.same(rows, [{ count: new Set([...files.values()].map(String)).size }], 'each content once')
  t.equal((await apply()).status, 200)
  const ofUnit = await before.person('Unit auditor', { rights: ['auditor'], unitId })
  t.strictSame((await ofUnit.get('/v1/events?type=policy.loaded')).body.items, [], 'policy lies in no unit')
  const leaf = (await auditor.get('/v1/events?type=policy.loaded&form=exact')).body.items.map(
    (event: { leaf: string }) => Buffer.from(event.leaf, 'base64').toString(),
  )
  t.notMatch(leaf.join(), 'Ops', 'who deployed it is sealed')
})
