// An emergency opening: for some hours, in one environment, and for somebody else to review.
import t from 'tap'
import { v7 as newId } from 'uuid'
import { addSeconds } from '../../src/instant.js'
import { policyAsking, startApp } from '../app.js'
import { START } from '../committee.js'
import { openClient } from '../database-run.js'
import { approved, conditional, type Head, registered } from '../gate/register.js'
import { refuses } from '../unchanged.js'
import { ask, close, codes, emergency, judge, look, open, startWorld } from './world.js'

const world = await startWorld(t)
const { owner, clock, put, riskOwner, businessOwner, auditor, seats, pipeline, unitId } = world

const past = addSeconds(START, -86_400)
const EXPIRY = addSeconds(START, 8 * 3600)
const soon = addSeconds(START, 15 * 60)
t.beforeEach(() => {
  clock.at = START
})

const eventsOf = async (id: string) =>
  (
    await owner.query('select leaf from audit_event where aggregate_id = $1 order by event_no', [id])
  ).rows.map(({ leaf }) => JSON.parse(leaf.toString()))
const headOf = async (id: string) => (await owner.query('select * from use_case where id = $1', [id])).rows[0]

/** What may be opened, and what the gate says against it. */
const openable: [name: string, head: Head, denials: string[]][] = [
  ['never reviewed', {}, ['unreviewed']],
  ['sent back', { last_outcome: 'changes_requested' }, ['changes_requested']],
  ['in review', { open_review_id: newId() }, ['in_review']],
  ['expired', { ...approved, valid_until: past }, ['expired']],
  ['changed', { ...approved, first_material_change_at: past }, ['material_change']],
  ['raised', { ...approved, raised_tier: 'high', tier_raised_at: past }, ['tier_raised']],
  [
    'overdue, with another condition to meet first',
    { ...conditional, next_due_at: past, before_deploy_open: true },
    ['condition_overdue', 'condition_unmet'],
  ],
]

for (const [name, head, denials] of openable) {
  t.test(`R-92: ${name}, it opens for who accepts that, and for nobody else`, async (t) => {
    const { id, key } = await put(head)
    t.same(codes(await look(world, key, true)), denials, 'accepting what is not open opens nothing')
    const opened = await open(riskOwner, id)
    t.match(opened, {
      status: 201,
      headers: { location: `/v1/break-glass/${opened.body.id}` },
      body: {
        ...{ useCaseId: id, useCase: { key }, environment: 'production', reason: emergency.reason },
        ...{ openedBy: riskOwner.id, openedAt: START, expiresAt: EXPIRY },
        ...{ state: 'open', closing: null, review: null },
      },
    })
    for (const asking of [look, ask]) {
      const denied = await asking(world, key, false)
      t.match(denied, { status: 409, headers: { 'gate-decision': 'deny' } })
      t.same(codes(denied), [...denials, 'break_glass'])
      t.match(denied.body, { decision: 'deny', breakGlassId: opened.body.id, validUntil: null })
      t.match(
        denied.body.reasons.at(-1).sentence,
        /open for production in an emergency only, until 2026-03-01 17:00 UTC: accept that explicitly/,
      )
      const allowed = await asking(world, key, true)
      t.match(allowed, { status: 200, headers: { 'gate-decision': 'allow' } })
      t.same(codes(allowed), ['break_glass', ...denials])
      t.match(allowed.body, { decision: 'allow', breakGlassId: opened.body.id, validUntil: soon })
      t.notMatch(allowed.body.standing, /cleared/)
    }
    t.same(codes(await look(world, key, true, 'lab')), denials, 'in no other environment')
  })
}

/** What nobody opens, and why. */
const closed: [name: string, head: Head, detail: RegExp][] = [
  ['cleared', approved, /is cleared and needs no emergency; deploy it/],
  ['cleared with conditions', { ...conditional, before_deploy_open: true }, /meet those that are due/],
  ['blocked', { block_id: newId(), last_outcome: 'blocked' }, /blocked by the committee, which no emergency/],
  ['suspended', { suspended_at: past }, /is suspended, which no emergency undoes/],
  ['suspended and lapsed', { ...approved, valid_until: past, suspended_at: past }, /is suspended/],
  ['retired', { retired_at: past }, /is retired and stays as it is/],
  ['prohibited', { computed_tier: 'prohibited' }, /prohibited tier, which no emergency opens/],
  [
    'raised to prohibited',
    { ...approved, raised_tier: 'prohibited', tier_raised_at: past },
    /prohibited tier, which no emergency opens/,
  ],
]

for (const [name, head, detail] of closed) {
  t.test(`R-92: ${name}, nobody opens it`, async (t) => {
    const { id } = await put(head)
    await refuses(t, world, () => open(riskOwner, id), { status: 409, detail })
  })

  t.test(`R-92: ${name}, an opening that is there already counts no longer`, async (t) => {
    const { id, key } = await put()
    t.equal((await open(riskOwner, id)).status, 201)
    const { approval_id, ...standing } = head
    const approvalId = approval_id && (await headOf((await put(head)).id)).approval_id
    for (const [column, value] of Object.entries({ ...standing, approval_id: approvalId ?? null })) {
      await owner.query(`update use_case set ${column} = $2 where id = $1`, [id, value])
    }
    for (const accept of [true, false]) {
      const said = codes(await look(world, key, accept))
      t.notOk(said.includes('break_glass'), `${accept}: ${said}`)
    }
    await owner.query('update use_case set approval_id = null where id = $1', [id])
  })
}

t.test('R-92: what the committee limited holds in an emergency too', async (t) => {
  const lapsed = { ...conditional, valid_until: past }
  const limited: [head: Head, code: string][] = [
    [{ ...lapsed, environments: ['staging'] }, 'environment_not_covered'],
    [{ ...lapsed, limits: [{ on: 'environment', values: ['staging'] }] }, 'environment_not_covered'],
    [{ ...lapsed, limits: [{ on: 'channel', values: ['phone'] }] }, 'limit_not_stated'],
  ]
  for (const [head, code] of limited) {
    const { id, key } = await put(head)
    t.equal((await open(riskOwner, id)).status, 201)
    for (const accept of [true, false]) t.same(codes(await look(world, key, accept)), ['expired', code])
  }
  const { id, key } = await put({ ...lapsed, limits: [{ on: 'channel', values: ['phone'] }] })
  await open(riskOwner, id)
  const url = `/v1/gate?useCase=${key}&environment=production&acceptBreakGlass=true&channel`
  t.equal((await pipeline.get(`${url}=phone`)).status, 200, 'within its limits it is open')
  t.same(codes(await pipeline.get(`${url}=web`)), ['expired', 'limit_exceeded'])
})

t.test('R-92: it opens for pipelines that are bound, and for the version that is asked for', async (t) => {
  const { id, key } = await put()
  await open(riskOwner, id)
  const stranger = await world.person('Other', { kind: 'service', rights: ['pipeline'], unitId })
  const url = `/v1/gate?useCase=${key}&environment=production&acceptBreakGlass=true`
  t.same(codes(await stranger.get(url)), ['unreviewed', 'pipeline_not_bound'])
  t.same(codes(await pipeline.get(`${url}&version=4`)), ['unreviewed', 'version_mismatch'])
  t.equal((await pipeline.get(`${url}&version=3`)).status, 200)
  t.equal((await pipeline.get(`${url}&version=3`.replace('true', 'yes'))).status, 422)
})

t.test('R-92: it ends by the clock, and no answer outlasts it', async (t) => {
  const { id, key } = await put()
  const { body } = await open(riskOwner, id, { hours: 1 })
  const end = addSeconds(START, 3600)
  clock.at = addSeconds(START, 3000)
  t.match((await look(world, key, true)).body, { validUntil: end })
  clock.at = addSeconds(end, -0.001)
  t.equal((await look(world, key, true)).status, 200)
  clock.at = end
  for (const accept of [true, false]) t.same(codes(await look(world, key, accept)), ['unreviewed'])
  t.equal((await riskOwner.get(`/v1/break-glass/${body.id}`)).body.state, 'expired')
  await refuses(t, world, () => close(riskOwner, body.id), {
    status: 409,
    detail: /expired at 2026-03-01T10:00:00.000Z/,
  })
  await judge(seats.risk, body.id)
  t.equal((await open(riskOwner, id)).status, 201, 'another one is another one')
})

t.test('where policy only warns, an emergency makes no difference but to what is told', async (t) => {
  const { id, key } = await put()
  await open(riskOwner, id, { environment: 'staging' })
  t.match(await look(world, key, false, 'staging'), {
    status: 200,
    body: { enforced: false, wouldBe: 'deny', reasons: [{ code: 'unreviewed' }, { code: 'break_glass' }] },
  })
  t.match(await look(world, key, true, 'staging'), {
    status: 200,
    body: { enforced: false, wouldBe: 'allow', reasons: [{ code: 'break_glass' }, { code: 'unreviewed' }] },
  })
})

t.test('R-92: policy says for how long, and where', async (t) => {
  const { id } = await put()
  await refuses(t, world, () => open(riskOwner, id, { hours: 25 }), {
    status: 422,
    detail: /lasts 24 hours at most/,
  })
  for (const wrong of [
    { hours: 0 },
    { hours: 1.5 },
    { environment: 'Production' },
    { reason: ' ' },
    { reason: '' },
  ]) {
    await refuses(t, world, () => open(riskOwner, id, wrong), { status: 422 })
  }
  t.equal((await open(riskOwner, id, { hours: 24 })).status, 201)

  const policies = policyAsking()
  const { breakGlass: _none, ...gate } = policies.gate
  const strict = await startApp(t, { policies: { ...policies, gate } })
  const rita = await strict.person('Rita', { rights: ['risk_owner'] })
  const useCase = await registered(strict)
  await refuses(t, strict, () => open(rita, useCase.id), { status: 409, detail: /lets nobody open the gate/ })

  const only = { ...gate, breakGlass: { maxHours: 4, environments: ['staging'] } }
  const narrow = await startApp(t, { policies: { ...policies, gate: only }, connections: strict.connections })
  const ria = await narrow.person('Ria', { rights: ['risk_owner'] })
  await refuses(t, narrow, () => open(ria, useCase.id), {
    status: 422,
    detail: /opens staging in an emergency, not production/,
  })
  t.equal((await open(ria, useCase.id, { environment: 'staging', hours: 4 })).status, 201)
})

t.test('R-93: one environment is open once, and again once somebody else looked at that', async (t) => {
  const { id, key } = await put()
  const { body: first } = await open(riskOwner, id)
  await refuses(t, world, () => open(seats.risk, id), { status: 403 })
  await refuses(t, world, () => open(riskOwner, id), {
    status: 409,
    detail: /production is open until .* already; close that first/,
  })
  const { body: other } = await open(riskOwner, id, { environment: 'lab', hours: 20 })
  t.equal((await headOf(id)).break_glass_until.toISOString(), addSeconds(START, 20 * 3600))
  t.equal((await close(riskOwner, other.id)).status, 200)
  t.equal((await headOf(id)).break_glass_until.toISOString(), EXPIRY, 'the last of those still open')
  t.equal((await look(world, key, true)).body.breakGlassId, first.id)
  t.equal((await close(riskOwner, first.id)).status, 200)
  t.equal((await headOf(id)).break_glass_until, null)
  await refuses(t, world, () => open(riskOwner, id), {
    status: 409,
    detail: /you opened this on .*, and nobody has reviewed that; /,
  })
  const another = await world.person('Rob', { rights: ['risk_owner'] })
  const { body: theirs } = await open(another, id)
  t.equal((await look(world, key, true)).body.breakGlassId, theirs.id, 'R-93: somebody else may')
  t.equal((await close(another, theirs.id)).status, 200)
  t.equal((await judge(seats.risk, first.id)).status, 201)
  const { body: again } = await open(riskOwner, id)
  t.equal((await look(world, key, true)).body.breakGlassId, again.id)
})

t.test('it is closed at once by who opened it, or by who may open there, and once', async (t) => {
  const { id, key } = await put()
  const { body } = await open(riskOwner, id)
  t.equal((await look(world, key, true)).status, 200)
  await refuses(t, world, () => close(businessOwner, body.id), { status: 403 })
  await refuses(t, world, () => close(auditor, body.id), { status: 403, rule: 'DR-85' })
  await refuses(t, world, () => close(pipeline, body.id), { status: 404 })
  const shut = await close(seats.legal, body.id)
  t.match(shut, {
    status: 200,
    body: {
      state: 'closed',
      closing: { closedBy: seats.legal.id, closedAt: START, reason: 'the fix is out' },
    },
  })
  for (const accept of [true, false]) t.same(codes(await look(world, key, accept)), ['unreviewed'])
  await refuses(t, world, () => close(riskOwner, body.id), { status: 409, detail: /was closed already/ })
})

t.test('R-93: who opened it does not review it; somebody else does, once, then or later', async (t) => {
  const { id, key } = await put()
  const { body } = await open(riskOwner, id)
  const opener = () => judge(riskOwner, body.id)
  await refuses(t, world, opener, { status: 403, rule: 'DR-79', detail: /Nobody reviews what they opened/ })
  await refuses(t, world, () => judge(auditor, body.id), { status: 403 })
  await refuses(t, world, () => judge(businessOwner, body.id), { status: 403 })
  await refuses(t, world, () => judge(pipeline, body.id), { status: 404 })
  const reviewed = await judge(seats.risk, body.id, 'not_justified')
  t.match(reviewed, {
    status: 201,
    body: {
      state: 'open',
      review: { verdict: 'not_justified', reviewedBy: seats.risk.id, reviewedAt: START },
    },
  })
  t.equal((await look(world, key, true)).status, 200, 'a verdict is no closing')
  await refuses(t, world, () => judge(seats.legal, body.id), { status: 409, detail: /reviewed already/ })

  const { body: late } = await open(riskOwner, (await put()).id, { hours: 1 })
  clock.at = addSeconds(START, 90_000)
  await refuses(t, world, () => judge(riskOwner, late.id), { status: 403, rule: 'DR-79' })
  t.match((await judge(seats.legal, late.id)).body, { state: 'expired', review: { verdict: 'justified' } })
})

t.test('only risk owners open, each where they are', async (t) => {
  const { id } = await put()
  const far = await world.person('Far', { rights: ['risk_owner'], unitId: await world.unit('far') })
  await refuses(t, world, () => open(far, id), { status: 404 })
  for (const person of [businessOwner, seats.legal]) {
    await refuses(t, world, () => open(person, id), { status: 403 })
  }
  await refuses(t, world, () => open(auditor, id), { status: 403, rule: 'DR-85' })
  await refuses(t, world, () => open(pipeline, id), { status: 403, rule: 'DR-80' })
  t.equal(
    (await world.ask({ method: 'POST', url: `/v1/use-cases/${id}/break-glass`, payload: emergency })).status,
    401,
  )
  const near = await world.inUnit('Nea', 'risk_owner')
  const opened = await open(near, id)
  t.equal(opened.status, 201)
  t.equal((await far.get(`/v1/break-glass/${opened.body.id}`)).status, 404)
  t.equal((await close(far, opened.body.id)).status, 404)
  t.equal((await judge(far, opened.body.id)).status, 404)
  t.same((await far.get('/v1/break-glass')).body.items, [])
})

t.test('all of it is on record: events of the use case, its states, and each answer', async (t) => {
  const { id, key } = await put()
  const before = await headOf(id)
  const { body } = await open(riskOwner, id)
  const answer = await ask(world, key, true)
  await judge(seats.risk, body.id)
  await close(riskOwner, body.id)
  t.match(await eventsOf(id), [
    {
      type: 'break_glass.opened',
      right: 'DR-22',
      breakGlassId: body.id,
      environment: 'production',
      expiresAt: EXPIRY,
    },
    { type: 'break_glass.reviewed', right: 'DR-69', verdict: 'justified', actor: seats.risk.id },
    { type: 'break_glass.closed', right: 'DR-69', breakGlassId: body.id },
  ])
  t.equal((await headOf(id)).revision, before.revision + 3)
  const kept = await pipeline.get(`/v1/gate/answers/${answer.body.id}`)
  t.match(kept.body, { breakGlassId: body.id, question: { acceptBreakGlass: true } })
  const { rows } = await owner.query('select break_glass_id from gate_answer where id = $1', [answer.body.id])
  t.equal(rows[0].break_glass_id, body.id)
  t.match(await eventsOf(answer.body.id), [
    {
      type: 'gate.answered',
      decision: 'allow',
      reasons: ['break_glass', 'unreviewed'],
      breakGlassId: body.id,
    },
  ])
})

t.test('the answer of an opening is given again only while that very opening lasts', async (t) => {
  const { id, key } = await put()
  const { body: first } = await open(riskOwner, id)
  const allowed = await ask(world, key, true, 'deploy-1')
  t.equal((await ask(world, key, true, 'deploy-1')).body.id, allowed.body.id)
  t.match(await ask(world, key, false, 'deploy-1'), { status: 409, body: { detail: /for another question/ } })
  await close(riskOwner, first.id)
  const denied = await ask(world, key, true, 'deploy-1')
  t.same([denied.status, codes(denied)], [409, ['unreviewed']])
  await judge(seats.risk, first.id)
  const { body: second } = await open(riskOwner, id)
  const anew = await ask(world, key, true, 'deploy-1')
  t.match(anew, { status: 200, body: { breakGlassId: second.id } })
  t.not(anew.body.id, allowed.body.id)
})

t.test('openings are listed by what is left to do, page by page, the last first', async (t) => {
  const { id, key } = await put()
  const ids: string[] = []
  for (const [index, environment] of ['one', 'two', 'three', 'four'].entries()) {
    clock.at = addSeconds(START, index)
    ids.unshift((await open(riskOwner, id, { environment, hours: 1 + index })).body.id)
  }
  const [four = '', three = '', two = '', one = ''] = ids
  await close(riskOwner, three)
  await judge(seats.risk, two)
  clock.at = addSeconds(START, 2 * 3600 - 1)
  const place = `/v1/use-cases/${key}/break-glass`
  const listed = async (query: string) =>
    (await auditor.get(`${place}${query}`)).body.items.map((item: { id: string }) => item.id)
  t.same(await listed(''), ids)
  t.same(await listed('?state=open'), [four, two])
  t.same(await listed('?state=closed'), [three, one])
  t.same(await listed('?state=unreviewed'), [four, three, one])
  const everywhere = (await auditor.get('/v1/break-glass?state=open&limit=200')).body.items
  t.same(everywhere.filter(({ useCaseId }: { useCaseId: string }) => useCaseId === id).length, 2)
  const page = await auditor.get(`${place}?limit=3`)
  t.same(page.body.items.length, 3)
  t.match((await auditor.get(`${place}?limit=3&cursor=${page.body.next}`)).body, {
    items: [{ id: one }],
    next: null,
  })
  t.equal((await auditor.get('/v1/break-glass?state=expired')).status, 422)
  t.equal((await auditor.get(`/v1/break-glass/${newId()}`)).status, 404)
})

t.test('R-93: the database lets nobody review their own opening, or put off its end', async (t) => {
  const { id } = await put()
  const { body } = await open(riskOwner, id)
  const attacker = await openClient(world.connections.appConnection)
  const insert = (openedBy: string, by: string) =>
    attacker.query(
      `insert into break_glass_review (break_glass_id, opened_by, reviewed_by, reviewed_at, verdict, note)
        values ($1, $2, $3, now(), 'justified', 'fine')`,
      [body.id, openedBy, by],
    )
  const check = { code: '23514' }
  const key = { code: '23503' }
  const denied = { code: '42501' }
  await t.rejects(insert(riskOwner.id, riskOwner.id), check, 'their own')
  await t.rejects(insert(seats.risk.id, riskOwner.id), key, 'their own, as if another had opened it')
  for (const statement of [
    `update break_glass set expires_at = expires_at + interval '1 day' where id = $1`,
    `update break_glass set opened_by = null where id = $1`,
    'delete from break_glass where id = $1',
    'delete from break_glass_closing where break_glass_id = $1',
    `update break_glass_review set verdict = 'justified' where break_glass_id = $1`,
  ]) {
    await t.rejects(attacker.query(statement, [body.id]), denied, statement)
  }
  const backwards = `insert into break_glass (id, use_case_id, environment, opened_by, opened_at, expires_at, reason)
    values ($1, $2, 'production', $3, now(), now() - interval '1 hour', 'x')`
  await t.rejects(attacker.query(backwards, [newId(), id, riskOwner.id]), check)
  await judge(seats.risk, body.id, 'not_justified')
  await t.rejects(insert(riskOwner.id, seats.legal.id), { code: '23505' }, 'a second verdict')
  await attacker.end()
})
