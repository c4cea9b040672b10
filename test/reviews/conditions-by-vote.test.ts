// Conditions from the votes that ask for them to the decision that ends them.
import t from 'tap'
import type { Proposal } from '../../src/conditions/condition.js'
import { addDays, addSeconds } from '../../src/instant.js'
import type { Answer } from '../app.js'
import { answersFor, register, revise, START, standing, startCommittee, submit, vote } from '../committee.js'
import { refuses } from '../unchanged.js'
import { all, approvedWith, ask, conditionsOn, eventsOf, say, show } from './world.js'

const committee = await startCommittee(t)
const { clock, auditor, riskOwner, seats } = committee
t.beforeEach(() => {
  clock.at = START
})

const report = {
  type: 'obligation',
  text: 'A report on 200 claims that it sorted.',
  satisfiedBy: 'monitoring_report',
  dueInDays: 30,
} satisfies Proposal
const opinion = {
  type: 'obligation',
  text: 'Legal reads the wording first.',
  satisfiedBy: 'legal_opinion',
  beforeDeploy: true,
} satisfies Proposal
const inOhio = { type: 'limit', on: 'jurisdiction', values: ['US-OH'] } satisfies Proposal
const byMail = { type: 'limit', on: 'channel', values: ['mail'] } satisfies Proposal

const textsOf = (conditions: { text: string }[]) => conditions.map(({ text }) => text).sort()
const inForceOn = async (id: string) =>
  (await conditionsOn(committee, id)).filter(({ ending }: { ending: unknown }) => ending === null)
const statesOn = async (id: string) =>
  (await conditionsOn(committee, id)).map(({ state }: { state: string }) => state)
const askGate = async (id: string, more = ''): Promise<Answer> =>
  await riskOwner.get(`/v1/gate?useCase=${id}&environment=production${more}`)
const codesOf = ({ body }: Answer) => body.reasons.map(({ code }: { code: string }) => code)
async function meet(useCaseId: string, conditionId: string, kind: string): Promise<Answer> {
  const evidence = { kind, title: 'March', statement: 'I read 200 of them.' }
  const { body } = await riskOwner.post(`/v1/use-cases/${useCaseId}/evidence`, evidence)
  await seats.legal.post(`/v1/evidence/${body.id}/verdict`, { verdict: 'accepted', note: 'as read' })
  return await riskOwner.post(`/v1/conditions/${conditionId}/fulfilment`, {
    evidenceId: body.id,
    note: 'done',
  })
}

t.test(
  'R-35: the conditions of every counted vote hold, each once; those of a vote taken back do not',
  async (t) => {
    const { id } = await register(committee, { answers: answersFor.high })
    const reviewId = await submit(committee, id)
    const first = await say(seats.legal, reviewId, { seat: 'legal', conditions: [opinion, inOhio] })
    t.match(first, { status: 201, body: { decision: null } })
    t.match(first.body.review.votes[0].conditions, [{ text: opinion.text }, { on: 'jurisdiction' }])
    await say(seats.security, reviewId, {
      seat: 'security',
      conditions: [{ ...report, text: 'Taken back.' }],
    })
    await say(seats.security, reviewId, { seat: 'security', conditions: [report, byMail] })
    await say(seats.business, reviewId, { seat: 'business', choice: 'abstain' })
    t.same(await conditionsOn(committee, id), [], 'nothing holds before the decision')

    const { decision } = (await say(seats.risk, reviewId, { seat: 'risk', conditions: [report, opinion] }))
      .body
    t.match(decision, {
      outcome: 'approved_with_conditions',
      reason: '3 of 5 seats approved, 3 with conditions, 3 were needed',
      limits: [
        { on: 'jurisdiction', values: ['US-OH'] },
        { on: 'channel', values: ['mail'] },
      ],
      waived: [],
    })
    t.equal(decision.conditions.length, 4, 'what two asked for alike is asked for once')
    t.same(textsOf(decision.conditions), textsOf(await inForceOn(id)))
    t.same(
      decision.conditions.map((one: { id: string }) => one.id).sort(),
      (await conditionsOn(committee, id)).map((one: { id: string }) => one.id).sort(),
    )
    t.match(await standing(committee, id), {
      standing: 'cleared_with_conditions',
      decisionId: decision.id,
      nextDueAt: addDays(START, 30),
    })
    const events = await eventsOf(committee, id)
    t.same(events.slice(-5), ['decision.made', ...decision.conditions.map(() => 'condition.imposed')])
    t.same((await auditor.get(`/v1/decisions/${decision.id}`)).body, decision)
  },
)

t.test('R-31, R-35: one conditional approval among others makes all of it conditional', async (t) => {
  const { decision } = await approvedWith(committee, [report])
  t.match(decision, {
    outcome: 'approved_with_conditions',
    reason: '2 of 4 seats approved, 1 with conditions, 2 were needed',
  })
})

t.test('R-30: a ballot says what it means', async (t) => {
  const reviewId = await submit(committee, (await register(committee)).id)
  const message = 'name at least one condition with approve_with_conditions, and none with any other choice'
  for (const [choice, conditions] of [
    ['approve_with_conditions', []],
    ['approve', [report]],
    ['block', [report]],
    ['recuse', [report]],
  ] as const) {
    const cast = () => say(seats.legal, reviewId, { seat: 'legal', choice, conditions: [...conditions] })
    await refuses(t, committee, cast, { status: 422, detail: new RegExp(message) })
  }
  const strange = { type: 'pattern', pattern: 'no-such-pattern' } as const
  await refuses(t, committee, () => say(seats.legal, reviewId, { seat: 'legal', conditions: [strange] }), {
    status: 422,
    detail: /there is no pattern no-such-pattern in policy/,
  })
})

t.test('R-36: what is not approved imposes nothing', async (t) => {
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  await say(seats.legal, reviewId, { seat: 'legal', conditions: [report] })
  const { decision } = (await vote(committee, reviewId, 'risk', 'block')).body
  t.match(decision, { outcome: 'blocked', conditions: [], limits: [] })
  t.same(await conditionsOn(committee, id), [])
})

t.test('R-81, R-82: the gate holds what the decision says', async (t) => {
  const { id } = await approvedWith(committee, [opinion, inOhio, byMail])
  const at = '&jurisdiction=US-OH&channel=mail'
  t.match(await askGate(id, at), { body: { decision: 'deny' } })
  t.same(codesOf(await askGate(id, at)), ['condition_unmet'])
  const [{ id: conditionId }] = await inForceOn(id)
  t.equal((await meet(id, conditionId, 'legal_opinion')).status, 200)
  t.match(await askGate(id, at), { body: { decision: 'allow', standing: 'cleared_with_conditions' } })
  t.same(codesOf(await askGate(id, at)), ['cleared_with_conditions'])
  t.same(codesOf(await askGate(id)), ['limit_not_stated'])
  t.same(codesOf(await askGate(id, '&jurisdiction=US-OH')), ['limit_not_stated'])
  t.same(codesOf(await askGate(id, '&jurisdiction=US-NY&channel=mail')), ['limit_exceeded'])
})

t.test('R-64: overdue by the clock alone lapses the approval, and meeting it cures that', async (t) => {
  const { id } = await approvedWith(committee, [report])
  const at = '&jurisdiction=US-OH&channel=mail'
  clock.at = addSeconds(addDays(START, 30), -1)
  t.match(await standing(committee, id), { standing: 'cleared_with_conditions', reasons: [] })
  t.equal((await askGate(id, at)).body.decision, 'allow')
  clock.at = addDays(START, 30)
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['condition_overdue'] })
  t.same(codesOf(await askGate(id, at)), ['condition_overdue'])
  const [{ id: conditionId }] = await inForceOn(id)
  t.equal((await meet(id, conditionId, 'monitoring_report')).status, 200)
  t.match(await standing(committee, id), {
    standing: 'cleared_with_conditions',
    reasons: [],
    nextDueAt: null,
  })
  t.equal((await askGate(id, at)).body.decision, 'allow')
})

t.test('R-83: in a re-review', async (t) => {
  await t.test('R-83: what is not met stays in force, as it was, and the decision says so', async (t) => {
    const { id, decision: first } = await approvedWith(committee, [report, byMail])
    clock.at = addDays(START, 10)
    const { body: review } = await ask(committee, id)
    t.equal(review.route, 'minor')
    const { decision } = (await vote(committee, review.id, 'legal', 'approve')).body
    t.match(decision, { outcome: 'approved_with_conditions', limits: [{ on: 'channel' }] })
    t.same(
      decision.conditions.map((one: { id: string }) => one.id),
      first.conditions.map((one: { id: string }) => one.id),
    )
    t.same(await statesOn(id), ['open', 'in_force'])
    t.match(await standing(committee, id), {
      standing: 'cleared_with_conditions',
      decisionId: decision.id,
      nextDueAt: addDays(START, 30),
    })
  })

  await t.test('R-83: what another vote adds comes beside it, and nothing twice', async (t) => {
    const { id } = await approvedWith(committee, [report])
    const { body: review } = await ask(committee, id)
    const { decision } = (await say(seats.legal, review.id, { seat: 'legal', conditions: [report, byMail] }))
      .body
    t.equal(decision.conditions.length, 2)
    t.same(await statesOn(id), ['open', 'in_force'])
  })

  await t.test('R-83: what is met is over: then it is cleared without conditions', async (t) => {
    const { id } = await approvedWith(committee, [report])
    const [{ id: conditionId }] = await conditionsOn(committee, id)
    await meet(id, conditionId, 'monitoring_report')
    const { body: review } = await ask(committee, id)
    const { decision } = (await vote(committee, review.id, 'legal', 'approve')).body
    t.match(decision, { outcome: 'approved', conditions: [] })
    t.match(await standing(committee, id), { standing: 'cleared' })
  })

  await t.test('R-52, R-83: changes requested leave all of it alone', async (t) => {
    const { id } = await approvedWith(committee, [report])
    const before = await standing(committee, id)
    const { body: review } = await ask(committee, id, { waives: (await inForceOn(id)).map(idOf) })
    const decision = await all(committee, review.id, [['risk', 'request_changes']])
    t.match(decision, { outcome: 'changes_requested', conditions: [], waived: [] })
    t.same(await standing(committee, id), before)
    t.same(await statesOn(id), ['open'])
  })

  await t.test('R-52, R-83: a block ends all of it', async (t) => {
    const { id } = await approvedWith(committee, [report, byMail])
    const { body: review } = await ask(committee, id)
    const decision = await all(committee, review.id, [
      ['risk', 'block'],
      ['legal', 'block'],
    ])
    t.equal(decision.outcome, 'blocked')
    t.same(await statesOn(id), ['ended', 'ended'])
    t.match(await conditionsOn(committee, id), [
      { ending: { decisionId: decision.id, evidenceId: null } },
      {},
    ])
    t.match(await standing(committee, id), { standing: 'blocked', nextDueAt: null })

    await t.test('and a later approval begins with none', async (t) => {
      const { body: again } = await ask(committee, id)
      const { outcome } = await all(committee, again.id, [
        ['legal', 'approve'],
        ['risk', 'approve'],
      ])
      t.equal(outcome, 'approved')
      t.match(await standing(committee, id), { standing: 'cleared' })
    })
  })
})

const idOf = ({ id }: { id: string }): string => id

t.test('R-80: a decision of the full lane waives conditions', async (t) => {
  const { id } = await approvedWith(committee, [report, opinion, byMail])
  const [due, first, limit] = (await conditionsOn(committee, id)).map(idOf)
  const { body: review } = await ask(committee, id, { waives: [due, limit] })
  t.match(review, { route: 'full', lane: { id: 'limited' }, asks: { waives: [due, limit] } })
  t.same(await statesOn(id), ['open', 'open', 'in_force'], 'nothing is waived by asking for it')
  const decision = await all(committee, review.id, [
    ['legal', 'approve'],
    ['risk', 'approve'],
  ])
  t.match(decision, { outcome: 'approved_with_conditions', waived: [due, limit], limits: [] })
  t.same(decision.conditions.map(idOf), [first])
  t.same(await statesOn(id), ['waived', 'open', 'waived'])
  t.match(await standing(committee, id), { standing: 'cleared_with_conditions', nextDueAt: null })
  t.same((await eventsOf(committee, id)).filter((type) => type === 'condition.waived').length, 2)

  await t.test('of this use case, and only while they are in force', async (t) => {
    const other = await approvedWith(committee, [report])
    const [strange] = (await conditionsOn(committee, other.id)).map(idOf)
    for (const waives of [[due], [strange], [first, id]]) {
      await refuses(t, committee, () => ask(committee, id, { waives }), {
        status: 422,
        detail: 'this use case has no such condition in force; name one that it has',
      })
    }
  })

  await t.test('and the last of them waived, it is cleared without conditions', async (t) => {
    const { body: again } = await ask(committee, id, { waives: [first] })
    const decision = await all(committee, again.id, [
      ['legal', 'approve'],
      ['risk', 'approve'],
    ])
    t.match(decision, { outcome: 'approved', conditions: [], waived: [first] })
    t.match(await standing(committee, id), { standing: 'cleared' })
  })

  await t.test('one that is met while the round is open was met, not waived', async (t) => {
    const { id } = await approvedWith(committee, [report, byMail])
    const [due, limit] = (await conditionsOn(committee, id)).map(idOf) as [string, string]
    const { body: review } = await ask(committee, id, { waives: [due, limit] })
    t.equal((await meet(id, due, 'monitoring_report')).status, 200)
    const decision = await all(committee, review.id, [
      ['legal', 'approve'],
      ['risk', 'approve'],
    ])
    t.same(decision.waived, [limit])
    t.same(await statesOn(id), ['met', 'waived'])
  })
})

t.test('R-50, R-83: a superseded decision takes its conditions with it', async (t) => {
  for (const [choice, expected] of [
    ['approve', { standing: 'cleared' }],
    ['request_changes', { standing: 'unreviewed', reasons: ['changes_requested'], decisionId: null }],
    ['block', { standing: 'blocked' }],
  ] as const) {
    await t.test(choice, async (t) => {
      const { id, decision: wrong } = await approvedWith(committee, [report, byMail])
      const { body: review } = await ask(committee, id, { supersedesId: wrong.id })
      t.equal(review.route, 'full')
      t.same(await statesOn(id), ['open', 'in_force'], 'until it is decided it stands')
      const decision = await all(committee, review.id, [
        ['legal', choice],
        ['risk', choice],
      ])
      t.match(decision, { supersedesId: wrong.id, conditions: [] })
      t.same(await statesOn(id), ['ended', 'ended'])
      t.match(await standing(committee, id), { ...expected, nextDueAt: null, openReviewId: null })
      t.same((await auditor.get(`/v1/decisions/${wrong.id}`)).body, { ...wrong, supersededById: decision.id })
      const { items } = (await auditor.get(`/v1/use-cases/${id}/decisions`)).body
      t.match(items, [
        { id: decision.id, supersededById: null },
        { id: wrong.id, supersededById: decision.id },
      ])
      await refuses(t, committee, () => ask(committee, id, { supersedesId: wrong.id }), {
        status: 409,
        detail: /only the decision that is in force can be superseded/,
      })
    })
  }

  await t.test('and one that asks to waive them as well names none, as all of them end', async (t) => {
    const { id, decision: wrong } = await approvedWith(committee, [report])
    const waives = (await conditionsOn(committee, id)).map(idOf)
    const { body: review } = await ask(committee, id, { supersedesId: wrong.id, waives })
    const decision = await all(committee, review.id, [
      ['legal', 'approve'],
      ['risk', 'approve'],
    ])
    t.same(decision.waived, [])
    t.same(await statesOn(id), ['ended'])
  })
})

t.test('R-50: nothing is superseded before anything was decided', async (t) => {
  const { decision } = await approvedWith(committee, [report])
  const { id } = await register(committee)
  await refuses(t, committee, () => ask(committee, id, { supersedesId: decision.id }), { status: 409 })
})

t.test('R-60, R-83: conditions outlive a lapse, and hold again with the next approval', async (t) => {
  const { id } = await approvedWith(committee, [report])
  await revise(committee, id, { purpose: 'Pays claims' })
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['material_change'] })
  clock.at = addDays(START, 40)
  t.match(await standing(committee, id), { reasons: ['material_change', 'condition_overdue'] })
  const { body: review } = await ask(committee, id)
  await all(committee, review.id, [
    ['legal', 'approve'],
    ['risk', 'approve'],
  ])
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['condition_overdue'] })
})

t.test('a round says in words how it ended', async (t) => {
  const { decision } = await approvedWith(committee, [report])
  t.equal((await show(committee, decision.reviewId)).outcome, 'approved_with_conditions')
  await refuses(t, committee, () => vote(committee, decision.reviewId, 'legal', 'block'), {
    status: 409,
    detail: 'this review was approved with conditions on 2026-03-01; nothing more to do',
  })
})
