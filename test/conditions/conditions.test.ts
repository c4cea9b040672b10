// Obligations and limits, from the decision that imposes them to what ends them.
import t, { type Test } from 'tap'
import type { Proposal } from '../../src/conditions/condition.js'
import {
  assertWaivable,
  listInForce,
  planConditions,
  resolveProposals,
  waive,
} from '../../src/conditions/service.js'
import { addDays, addSeconds } from '../../src/instant.js'
import { loadUseCase } from '../../src/use-cases/reading.js'
import { lockUseCase, saveUseCase } from '../../src/use-cases/service.js'
import { ifMatch } from '../app.js'
import { act, approved, register, standing, startCommittee, submit, vote } from '../committee.js'
import { refuses } from '../unchanged.js'
import {
  approvedWith,
  decideWith,
  fulfil,
  give,
  headOn,
  look,
  onlyInEurope,
  opinion,
  report,
} from './world.js'

const committee = await startCommittee(t)
const { owner, clock, businessOwner, riskOwner, auditor, seats } = committee

const show = async (id: string) => (await riskOwner.get(`/v1/conditions/${id}`)).body
const eventsOf = async (useCaseId: string, type: string) =>
  (await owner.query('select 1 from audit_event where aggregate_id = $1 and type = $2', [useCaseId, type]))
    .rows.length

t.test(
  'R-83: a decision imposes obligations and limits, and the use case says when the first is due',
  async (t) => {
    const later: Proposal = { ...report, dueInDays: 60, ownerId: seats.legal.id }
    const { id, conditionIds } = await approvedWith(committee, [later, report, opinion, onlyInEurope])
    const { body } = await riskOwner.get(`/v1/use-cases/${id}/conditions`)
    const common = { useCaseId: id, state: 'open', ending: null, pattern: null, imposedAt: clock.at }
    t.match(body.items, [
      { ...common, ordinal: 1, ownerId: seats.legal.id, dueAt: addDays(clock.at, 60), beforeDeploy: false },
      { ...common, ordinal: 2, ownerId: riskOwner.id, dueAt: addDays(clock.at, 30), limit: null },
      {
        ...common,
        ordinal: 3,
        ownerId: riskOwner.id,
        dueAt: null,
        beforeDeploy: true,
        satisfiedBy: 'legal_opinion',
      },
      {
        ...{ ...common, ordinal: 4, type: 'limit', ownerId: null, state: 'in_force', satisfiedBy: null },
        ...{ limit: { on: 'jurisdiction', values: ['DE', 'FR'] }, text: 'Only in the jurisdictions DE, FR' },
      },
    ])
    t.same(
      body.items.map((item: { id: string }) => item.id),
      conditionIds,
    )
    t.same(await show(conditionIds[0] ?? ''), body.items[0])
    const { nextDueAt, beforeDeployOpen } = await headOn(committee, id)
    t.same([nextDueAt.toISOString(), beforeDeployOpen], [addDays(clock.at, 30), true])
    t.equal(await eventsOf(id, 'condition.imposed'), 4)
    t.match(await standing(committee, id), {
      standing: 'cleared_with_conditions',
      nextDueAt: addDays(clock.at, 30),
    })
  },
)

t.test('a pattern of policy becomes the condition it describes', async (t) => {
  const { conditions } = committee.policies.conditions
  const proposals = conditions.map(({ id }): Proposal => ({ type: 'pattern', pattern: id }))
  const { id, conditionIds } = await approvedWith(committee, proposals)
  t.ok(conditions.length > 0)
  const owners = { risk_owner: riskOwner.id, business_owner: businessOwner.id }
  const shown = (await riskOwner.get(`/v1/use-cases/${id}/conditions`)).body.items
  t.same(conditionIds.length, conditions.length)
  t.match(
    shown,
    conditions.map((pattern) =>
      pattern.type === 'limit'
        ? { pattern: pattern.id, text: pattern.text, limit: { on: pattern.on } }
        : {
            ...{ pattern: pattern.id, text: pattern.text, satisfiedBy: pattern.satisfiedBy },
            ...{ ownerId: owners[pattern.owner], beforeDeploy: pattern.beforeDeploy ?? false },
          },
    ),
  )
})

t.test('what cannot be imposed is refused before anybody votes on it, each with its place', async (t) => {
  const { id } = await register(committee)
  const gone = await committee.inUnit('Gone', 'risk_owner')
  await owner.query(`update person set status = 'left' where id = $1`, [gone.id])
  const machine = await committee.person('Machine', { rights: ['pipeline'], kind: 'service' })
  const cases: [Proposal, RegExp, string?][] = [
    [{ type: 'pattern', pattern: 'no-such-pattern' }, /no pattern no-such-pattern/],
    [{ ...report, dueInDays: undefined, dueAt: clock.at }, /overdue from the start/],
    [{ type: 'limit', on: 'environment', values: ['nowhere'] }, /no environment nowhere/],
    [{ type: 'limit', on: 'jurisdiction', values: ['Europe'] }, /EUROPE is no ISO 3166 code/],
    [{ ...report, ownerId: gone.id }, /has not left/, '/conditions/1/ownerId'],
    [{ ...report, ownerId: machine.id }, /must be a person/, '/conditions/1/ownerId'],
  ]
  const useCase = await look(committee, riskOwner, async (tx) => await loadUseCase(tx, id))
  for (const [proposal, message, path = '/conditions/1'] of cases) {
    const resolve = look(committee, riskOwner, async (tx) =>
      resolveProposals(tx, committee.policies, useCase, [opinion, proposal]),
    )
    await t.rejects(resolve, { code: 'invalid', issues: [{ path, message }] })
  }
  const ownerless = { riskOwnerId: null, businessOwnerId: null }
  const resolve = look(committee, riskOwner, async (tx) =>
    resolveProposals(tx, committee.policies, ownerless, [report]),
  )
  await t.rejects(resolve, { code: 'invalid', issues: [{ path: '/conditions/0/ownerId' }] })
})

t.test('R-83: what stays in force is not imposed a second time, unless it is due sooner', async (t) => {
  const { id } = await approvedWith(committee, [report, opinion, onlyInEurope])
  const plan = async (proposals: Proposal[]) =>
    await look(committee, riskOwner, async (tx) => {
      const useCase = await loadUseCase(tx, id)
      const terms = await resolveProposals(tx, committee.policies, useCase, proposals)
      const planned = await planConditions(tx, useCase, terms, await listInForce(tx, id))
      return planned.map(({ dueAt }) => dueAt)
    })
  t.same(await plan([report, report, opinion, onlyInEurope]), [])
  t.same(await plan([{ ...report, dueInDays: 31 }]), [])
  t.same(await plan([{ ...report, dueInDays: 29 }]), [addDays(clock.at, 29)])
  t.equal((await plan([{ ...onlyInEurope, values: ['DE'] }])).length, 1)
})

t.test('R-46: what somebody who has left since the vote was to own falls to the risk owner', async (t) => {
  const { id } = await register(committee)
  const leaving = await committee.inUnit('Lee', 'risk_owner')
  const useCase = await look(committee, riskOwner, async (tx) => await loadUseCase(tx, id))
  const proposal = { ...report, ownerId: leaving.id }
  const terms = await look(committee, riskOwner, async (tx) =>
    resolveProposals(tx, committee.policies, useCase, [proposal]),
  )
  const planned = async (owners = useCase) =>
    (await look(committee, riskOwner, async (tx) => planConditions(tx, owners, terms)))[0]?.ownerId
  t.equal(await planned(), leaving.id)
  await owner.query(`update person set status = 'left' where id = $1`, [leaving.id])
  t.equal(await planned(), riskOwner.id)
  await t.rejects(planned({ ...useCase, riskOwnerId: null }), {
    code: 'conflict',
    message: /name a risk owner/,
  })
})

t.test('R-80: an obligation is met by fresh evidence of its kind that somebody else accepted', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [report])
  const [conditionId = ''] = conditionIds
  const another = await approved(committee, { title: 'Another one' })
  const wrong: [string, number, RegExp][] = [
    [await give(committee, id, {}, 'none'), 409, /nobody has judged/],
    [await give(committee, id, {}, 'refused'), 409, /was refused/],
    [await give(committee, id, { kind: 'test_report' }), 422, /name a monitoring_report/],
    [await give(committee, another.id), 404, /no such evidence/],
    [conditionId, 404, /no such evidence/],
  ]
  for (const [evidenceId, status, detail] of wrong) {
    await refuses(t, committee, () => fulfil(riskOwner, conditionId, evidenceId), { status, detail })
  }

  const evidenceId = await give(committee, id, { freshUntil: addDays(clock.at, 2) })
  const before = await headOn(committee, id)
  const { status, body } = await fulfil(riskOwner, conditionId, evidenceId)
  t.equal(status, 200)
  const ending = {
    endedBy: riskOwner.id,
    endedAt: clock.at,
    note: 'all as agreed',
    evidenceId,
    decisionId: null,
  }
  t.match(body, { id: conditionId, state: 'met', ending })
  t.same(await show(conditionId), body)
  t.same(await headOn(committee, id), {
    nextDueAt: null,
    beforeDeployOpen: false,
    revision: before.revision + 1,
  })
  t.equal(await eventsOf(id, 'condition.met'), 1)
  t.match(await standing(committee, id), { standing: 'cleared_with_conditions', nextDueAt: null })
  await refuses(t, committee, () => fulfil(riskOwner, conditionId, evidenceId), {
    status: 409,
    detail: /was met on 2026-03-01/,
  })
})

t.test('R-80: evidence that is stale meets nothing, from its last instant on', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [report])
  const [conditionId = ''] = conditionIds
  const start = clock.at
  const evidenceId = await give(committee, id, { freshUntil: addSeconds(start, 60) })
  clock.at = addSeconds(start, 60)
  await refuses(t, committee, () => fulfil(riskOwner, conditionId, evidenceId), {
    status: 409,
    detail: /was fresh until/,
  })
  clock.at = addSeconds(start, 59)
  t.equal((await fulfil(riskOwner, conditionId, evidenceId)).status, 200)
})

t.test(
  'R-64: an approval lapses when an obligation falls due, and meeting it cures that at once',
  async (t) => {
    const start = clock.at
    const { id, conditionIds } = await approvedWith(committee, [{ ...report, dueInDays: 10 }, report])
    const [first = '', second = ''] = conditionIds
    clock.at = addSeconds(addDays(start, 10), -1)
    t.match(await standing(committee, id), { standing: 'cleared_with_conditions', reasons: [] })
    t.equal((await show(first)).state, 'open')

    clock.at = addDays(start, 10)
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['condition_overdue'] })
    t.equal((await show(first)).state, 'overdue')
    const evidenceId = await give(committee, id)
    t.equal((await fulfil(riskOwner, first, evidenceId)).status, 200)
    t.match(await standing(committee, id), {
      ...{ standing: 'cleared_with_conditions', reasons: [], nextDueAt: addDays(start, 30) },
    })

    clock.at = addDays(start, 40)
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['condition_overdue'] })
    t.equal((await fulfil(riskOwner, second, evidenceId)).status, 200, 'one piece meets both')
    t.match(await standing(committee, id), { standing: 'cleared_with_conditions', reasons: [] })
    clock.at = start
  },
)

t.test('R-81: what is due before a deploy stands in its way until it is met', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [
    opinion,
    { ...opinion, text: 'And once more.' },
  ])
  const [first = '', second = ''] = conditionIds
  const evidenceId = await give(committee, id, { kind: 'legal_opinion' })
  await fulfil(riskOwner, first, evidenceId)
  t.equal((await headOn(committee, id)).beforeDeployOpen, true)
  await fulfil(riskOwner, second, evidenceId)
  t.equal((await headOn(committee, id)).beforeDeployOpen, false)
})

t.test('R-80: its owner and risk owners say that it is met, and nobody else', async (t) => {
  const elsewhere = await committee.person('Eve', {
    rights: ['risk_owner'],
    unitId: await committee.unit('sales'),
  })
  const guest = await committee.person('Gus', { rights: [] })
  const peer = await committee.inUnit('Pia', 'risk_owner')
  const proposals = [1, 2, 3].map((n): Proposal => ({ ...report, text: `Report ${n}`, ownerId: guest.id }))
  const { id, conditionIds } = await approvedWith(committee, proposals)
  const [first = '', second = '', third = ''] = conditionIds
  const evidenceId = await give(committee, id)
  for (const [who, status, rule] of [
    [businessOwner, 403, 'DR-66'],
    [auditor, 403, 'DR-85'],
    [seats.legal, 403, 'DR-66'],
    [elsewhere, 404, undefined],
  ] as const) {
    await refuses(t, committee, () => fulfil(who, first, evidenceId), { status, ...(rule && { rule }) })
  }
  t.equal(
    (await fulfil(guest, first, evidenceId)).status,
    200,
    'its owner, who sees nothing else of the use case',
  )
  t.equal((await guest.get(`/v1/use-cases/${id}`)).status, 404)
  t.equal((await fulfil(peer, second, evidenceId)).status, 200)
  t.equal((await fulfil(riskOwner, third, evidenceId)).status, 200)
})

t.test('R-46: an obligation passes to another person, who has not left', async (t) => {
  const heir = await committee.inUnit('Hal', 'business_owner')
  const gone = await committee.inUnit('Gil', 'risk_owner')
  await owner.query(`update person set status = 'left' where id = $1`, [gone.id])
  const machine = await committee.person('Robot', { rights: ['pipeline'], kind: 'service' })
  const { id, conditionIds } = await approvedWith(committee, [report, onlyInEurope])
  const [conditionId = '', limitId = ''] = conditionIds
  const pass =
    (as = riskOwner, ownerId = heir.id, to = conditionId) =>
    () =>
      as.post(`/v1/conditions/${to}/owner`, { ownerId, reason: 'moved on' })
  await refuses(t, committee, pass(riskOwner, gone.id), { status: 422, detail: /has not left/ })
  await refuses(t, committee, pass(riskOwner, machine.id), { status: 422, detail: /must be a person/ })
  await refuses(t, committee, pass(riskOwner, riskOwner.id), { status: 422, detail: /owns it already/ })
  await refuses(t, committee, pass(riskOwner, heir.id, limitId), {
    status: 422,
    detail: /a limit has no owner/,
  })
  await refuses(t, committee, pass(businessOwner), { status: 403, rule: 'DR-67' })

  const { revision } = await headOn(committee, id)
  const { status, body } = await pass()()
  t.match({ status, body }, { status: 200, body: { id: conditionId, ownerId: heir.id, state: 'open' } })
  t.equal((await headOn(committee, id)).revision, revision + 1)
  t.equal(await eventsOf(id, 'condition.reassigned'), 1)
  const evidenceId = await give(committee, id)
  t.equal((await fulfil(heir, conditionId, evidenceId)).status, 200)
  await refuses(t, committee, pass(riskOwner, riskOwner.id), { status: 409, detail: /was met/ })
})

t.test('R-82: a limit is not met; it holds until a decision waives it', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [onlyInEurope])
  const evidenceId = await give(committee, id)
  await refuses(t, committee, () => fulfil(riskOwner, conditionIds[0] ?? '', evidenceId), {
    status: 422,
    detail: /until a decision waives it/,
  })
})

t.test('R-02, R-83: a condition of what is retired or blocked cannot be met', async (t) => {
  const retired = await approvedWith(committee, [report])
  const ofRetired = await give(committee, retired.id)
  const place = `/v1/use-cases/${retired.id}`
  await riskOwner.post(`${place}/retirement`, { reason: 'replaced' }, ifMatch(await riskOwner.get(place)))
  await refuses(t, committee, () => fulfil(riskOwner, retired.conditionIds[0] ?? '', ofRetired), {
    status: 409,
    detail: /retired/,
  })

  const blocked = await approvedWith(committee, [report])
  const ofBlocked = await give(committee, blocked.id)
  await owner.query('update use_case set block_id = approval_id, approval_id = null where id = $1', [
    blocked.id,
  ])
  await refuses(t, committee, () => fulfil(riskOwner, blocked.conditionIds[0] ?? '', ofBlocked), {
    status: 409,
    detail: /is blocked/,
  })
})

t.test('R-80: a decision waives conditions of its use case, as the submission asks', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [report, opinion, onlyInEurope])
  const [met = '', open = '', limit = ''] = conditionIds
  const another = await approvedWith(committee, [report])
  const strangers = async (ids: string[]) =>
    await look(committee, riskOwner, async (tx) => await assertWaivable(tx, { id }, ids))
  await t.rejects(strangers([open, another.conditionIds[0] ?? '']), {
    ...{ code: 'invalid', issues: [{ path: '/waives/1' }] },
  })
  await fulfil(riskOwner, met, await give(committee, id))
  await t.rejects(strangers([met]), { code: 'invalid' }, 'nobody asks to waive what is met')

  const asked = { waives: [met, open, limit] }
  const place = `/v1/use-cases/${id}`
  const seen = ifMatch(await riskOwner.get(place))
  await refuses(t, committee, () => riskOwner.post(`${place}/reviews`, asked, seen), { status: 422 })

  const waiving = await decideWith(committee, id, [], { waives: [open, limit] })
  t.match(waiving, { outcome: 'approved', waived: [open, limit], conditions: [] })
  const states = [met, open, limit].map(async (one) => (await show(one)).state)
  t.same(await Promise.all(states), ['met', 'waived', 'waived'])
  const ending = { endedBy: seats.legal.id, decisionId: waiving.id, evidenceId: null }
  t.match(await show(open), { ending })
  t.equal(await eventsOf(id, 'condition.waived'), 2)
  t.match(await standing(committee, id), { standing: 'cleared', nextDueAt: null })
})

t.test('R-80: what is met while its waiver is decided stays met', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [report, opinion])
  const [met = '', open = ''] = conditionIds
  const another = await approvedWith(committee, [report])
  await fulfil(riskOwner, met, await give(committee, id))
  const { decisionId } = await standing(committee, id)
  const waiving = async (ids: string[]) =>
    await act(committee, seats.risk, async (tx) => {
      const useCase = await lockUseCase(tx, id)
      await waive(tx, useCase, decisionId, ids)
      saveUseCase(tx, useCase, {})
    })
  await t.rejects(waiving([open, another.conditionIds[0] ?? '']), { code: 'invalid' })
  t.equal((await show(open)).state, 'open')
  await waiving([met, open])
  t.equal((await show(met)).state, 'met')
  t.equal((await show(open)).state, 'waived')
})

t.test('R-83: a block ends what is in force, and nothing else', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [report, opinion, onlyInEurope])
  const [met = '', ...others] = conditionIds
  await fulfil(riskOwner, met, await give(committee, id))
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'risk', 'block')
  const { body } = await vote(committee, reviewId, 'legal', 'block')
  t.equal(body.decision?.outcome, 'blocked')
  t.equal((await show(met)).state, 'met')
  for (const ended of others)
    t.match(await show(ended), { state: 'ended', ending: { decisionId: body.decision.id } })
  t.equal(await eventsOf(id, 'condition.ended'), 2)
  t.match(await standing(committee, id), { standing: 'blocked', nextDueAt: null })
})

t.test(
  'R-83: a decision that supersedes one ends what that imposed, before it imposes its own',
  async (t) => {
    const { id, conditionIds } = await approvedWith(committee, [report, onlyInEurope])
    const { decisionId: supersedesId } = await standing(committee, id)
    const decision = await decideWith(committee, id, [report], { supersedesId })
    for (const ended of conditionIds)
      t.match(await show(ended), { state: 'ended', ending: { decisionId: decision.id } })
    const { items } = (await riskOwner.get(`/v1/use-cases/${id}/conditions`)).body
    t.match(items, [{ ordinal: 1 }, { ordinal: 2 }, { ordinal: 3, decisionId: decision.id, state: 'open' }])
  },
)

t.test('R-83: conditions stay in force over a re-review, which counts on from them', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [report, onlyInEurope])
  const start = clock.at
  clock.at = addDays(start, 5)
  const decision = await decideWith(committee, id, [report, opinion])
  t.equal(decision.outcome, 'approved_with_conditions')
  t.equal(decision.conditions.length, 3, 'the report is asked for once, by its first date')
  const { items } = (await riskOwner.get(`/v1/use-cases/${id}/conditions`)).body
  t.match(items, [
    { id: conditionIds[0], state: 'open', dueAt: addDays(start, 30) },
    { id: conditionIds[1], state: 'in_force' },
    { ordinal: 3, state: 'open', decisionId: decision.id, beforeDeploy: true },
  ])
  t.match(await standing(committee, id), {
    standing: 'cleared_with_conditions',
    nextDueAt: addDays(start, 30),
  })
  const again = await decideWith(committee, id, [])
  t.match(again, { outcome: 'approved_with_conditions', conditions: { length: 3 } })
  clock.at = start
})

t.test('lists show what the caller may read, by state and by when it is due', async (t) => {
  const elsewhere = await committee.unit('lists')
  const stranger = await committee.person('Rob', { rights: ['auditor'], unitId: elsewhere })
  await listing(t, await committee.person('Kay', { rights: [] }), stranger)
})

async function listing(t: Test, keeper: typeof riskOwner, stranger: typeof riskOwner): Promise<void> {
  const owned = (text: string, due: object): Proposal => ({
    ...{ type: 'obligation', text, satisfiedBy: 'monitoring_report', ownerId: keeper.id },
    ...due,
  })
  const { id, conditionIds } = await approvedWith(committee, [
    owned('Due before a deploy', { beforeDeploy: true }),
    owned('Due late', { dueInDays: 20 }),
    owned('Due soon', { dueInDays: 5 }),
    owned('Met', { dueInDays: 6 }),
    onlyInEurope,
  ])
  const [beforeDeploy = '', late = '', soon = '', met = '', limit = ''] = conditionIds
  await fulfil(riskOwner, met, await give(committee, id))
  const idsOf = async (query: string, as = keeper) =>
    (await as.get(`/v1/conditions?${query}`)).body.items.map((item: { id: string }) => item.id)

  t.same(
    await idsOf(''),
    [soon, late, beforeDeploy],
    'an owner sees theirs, what is due first before the rest',
  )
  t.same(await idsOf('ownedBy=me'), [soon, late, beforeDeploy])
  t.same(await idsOf(`ownedBy=${riskOwner.id}`), [])
  t.same(await idsOf(`ownedBy=${keeper.id}&dueBefore=${addDays(clock.at, 20)}`, riskOwner), [soon])
  t.same(await idsOf('', stranger), [])
  t.same(await idsOf('state=met'), [met])

  const start = clock.at
  clock.at = addDays(start, 5)
  t.same(await idsOf('state=overdue'), [soon])
  t.same(await idsOf('state=open'), [late, beforeDeploy])
  for (const state of ['open', 'overdue', 'in_force', 'met', 'waived', 'ended']) {
    const { items } = (await riskOwner.get(`/v1/use-cases/${id}/conditions?state=${state}`)).body
    t.ok(
      items.every((item: { state: string }) => item.state === state),
      `only ${state}`,
    )
  }
  t.same((await riskOwner.get(`/v1/use-cases/${id}/conditions?state=in_force`)).body.items[0].id, limit)

  const pages: string[] = []
  for (let next = ''; ; ) {
    const { body } = await keeper.get(
      `/v1/conditions?limit=1${next && `&cursor=${encodeURIComponent(next)}`}`,
    )
    pages.push(...body.items.map((item: { id: string }) => item.id))
    if (body.next === null) break
    next = body.next
  }
  t.same(pages, [soon, late, beforeDeploy], 'page by page')
  clock.at = start

  const place = `/v1/use-cases/${id}`
  await riskOwner.post(`${place}/retirement`, { reason: 'replaced' }, ifMatch(await riskOwner.get(place)))
  t.same(await idsOf(''), [], 'nothing is to be done for what is retired')
  t.equal((await keeper.get(`/v1/conditions/${late}`)).body.state, 'open')
  t.equal((await stranger.get(`/v1/conditions/${late}`)).status, 404)
}

t.test('R-80: what was accepted before a condition was imposed does not meet it', async (t) => {
  const { id } = await register(committee)
  const early = await give(committee, id)
  clock.at = addSeconds(clock.at, 60)
  await decideWith(committee, id, [report])
  const [condition] = (await riskOwner.get(`/v1/use-cases/${id}/conditions`)).body.items
  await refuses(t, committee, () => fulfil(riskOwner, condition.id, early), {
    status: 409,
    detail: /accepted before the condition was imposed/,
  })
})
