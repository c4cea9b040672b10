// What policy requires of an approval: refused without it, made a condition of it, and kept once it was there.
import t, { type Test } from 'tap'
import { assentItself } from '../../src/auth/assent.js'
import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import { newId } from '../../src/ids.js'
import { addDays, addSeconds } from '../../src/instant.js'
import { giveNotice } from '../../src/notices/watching.js'
import { ifMatch } from '../app.js'
import { answersFor, approve, register, revise, START, standing, submit, vote } from '../committee.js'
import { fulfil } from '../conditions/world.js'
import { delegate } from '../delegated.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'
import {
  accepted,
  ask,
  assess,
  codesOf,
  gate,
  placeOf,
  registerFor,
  requirements,
  startRequiring,
} from './requiring.js'

const committee = await startRequiring(t)
const { owner, clock, riskOwner, businessOwner, seats, auditor } = committee

const review = async (id: string) => (await auditor.get(`/v1/reviews/${id}`)).body
const conditionsOn = async (id: string) => (await riskOwner.get(`${placeOf(id)}/conditions`)).body.items
const because = (id: string) => requirements.find((one) => one.id === id)?.because

t.test('R-102: the vote that would approve is refused while something required is missing', async (t) => {
  const id = await registerFor(committee, 'tested', 'watched')
  const reviewId = await submit(committee, id)
  t.match((await review(reviewId)).missing, [
    {
      requirement: 'RQ-10',
      because: because('RQ-10'),
      ifApproved: 'refused',
      sentence: /a test report is missing/,
    },
    { requirement: 'RQ-40', ifApproved: 'refused', sentence: /MEASURE 2.4 is not assessed/ },
  ])
  t.equal(
    (await vote(committee, reviewId, 'legal', 'approve')).status,
    201,
    'a vote that decides nothing yet',
  )
  const closing = () => vote(committee, reviewId, 'risk', 'approve')
  await refuses(t, committee, closing, {
    status: 409,
    detail: /RQ-10: .*missing.*RQ-40: MEASURE 2.4.*request changes/,
  })
  t.equal((await review(reviewId)).outcome, null)

  const report = await accepted(committee, id, { kind: 'test_report' })
  await refuses(t, committee, closing, { status: 409, detail: /^(?!.*RQ-10).*RQ-40/ })
  await assess(riskOwner, id, { 'MEASURE 2.4': 'planned' })
  await refuses(t, committee, closing, { status: 409, detail: /MEASURE 2.4 is planned/ })
  t.match(await review(reviewId), { missing: [{ requirement: 'RQ-40' }] })
  await assess(riskOwner, id, { 'MEASURE 2.4': 'in_place' })
  t.same((await review(reviewId)).missing, [])
  const { status, body } = await closing()
  t.match({ status, body }, { status: 201, body: { decision: { outcome: 'approved' } } })
  t.match(body.decision.required, [
    { requirement: 'RQ-10', ask: { kind: 'test_report', freshForDays: 30 }, taken: 'met', exceptionId: null },
    { requirement: 'RQ-40', ask: { control: 'MEASURE 2.4' }, taken: 'met' },
  ])
  t.match(body.decision.evidence, [{ id: report }])
  t.equal(body.review.missing, null)
  t.match(await standing(committee, id), { standing: 'cleared', evidenceStaleAt: addDays(START, 30) })
})

t.test('R-102: whoever may not approve may still block, abstain, or request changes', async (t) => {
  const id = await registerFor(committee, 'tested')
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'legal', 'approve')
  await refuses(t, committee, () => vote(committee, reviewId, 'risk', 'approve'), { status: 409 })
  t.match(await vote(committee, reviewId, 'risk', 'request_changes'), {
    ...{ status: 201, body: { decision: { outcome: 'changes_requested', required: [] } } },
  })
})

t.test(
  'R-102: what may be missing becomes one obligation a requirement, and is met by nothing less',
  async (t) => {
    const id = await registerFor(committee, 'legal', 'controlled')
    await assess(riskOwner, id, { 'MANAGE 2.3': 'not_applicable' })
    const reviewId = await submit(committee, id)
    t.match((await review(reviewId)).missing, [
      { requirement: 'RQ-20', ifApproved: 'condition' },
      { requirement: 'RQ-30', ifApproved: 'condition', ask: { control: 'MANAGE 2.4' } },
    ])
    const { body } = await approve(committee, reviewId)
    t.match(body.decision, {
      outcome: 'approved_with_conditions',
      required: [
        { taken: 'condition' },
        { ask: { control: 'MANAGE 2.3' }, taken: 'met' },
        { taken: 'condition' },
      ],
      conditions: [{ requirement: 'RQ-20' }, { requirement: 'RQ-30' }],
    })
    const [opinion, switchOff] = await conditionsOn(id)
    t.match(opinion, {
      ...{ requirement: 'RQ-20', satisfiedBy: 'legal_opinion', pattern: null, ownerId: businessOwner.id },
      ...{ dueAt: addDays(clock.at, 10), beforeDeploy: false },
      text: 'RQ-20: a legal opinion, accepted by the seat legal. Lawyers look at words.',
    })
    t.match(switchOff, {
      ...{
        requirement: 'RQ-30',
        satisfiedBy: 'other',
        ownerId: riskOwner.id,
        dueAt: null,
        beforeDeploy: true,
      },
      text: /^RQ-30: MANAGE 2.4 in place or not applicable/,
    })
    t.same(codesOf(await gate(committee, id)), ['condition_unmet'])

    const byRisk = await accepted(committee, id, { kind: 'legal_opinion' })
    await refuses(t, committee, () => fulfil(businessOwner, opinion.id, byRisk), {
      status: 409,
      detail: /RQ-20 is not met yet: name a legal opinion that the seat legal accepted/,
    })
    const byLegal = await accepted(committee, id, { kind: 'legal_opinion' }, seats.legal)
    t.equal((await fulfil(businessOwner, opinion.id, byLegal)).status, 200)
    const plan = await accepted(committee, id, { kind: 'other' })
    await refuses(t, committee, () => fulfil(riskOwner, switchOff.id, plan), {
      status: 409,
      detail: /assess MANAGE 2.4 as in place/,
    })
    await assess(riskOwner, id, { 'MANAGE 2.4': 'in_place' })
    t.equal((await fulfil(riskOwner, switchOff.id, plan)).status, 200)
    t.match(await standing(committee, id), { standing: 'cleared_with_conditions', reasons: [] })
    await assess(riskOwner, id, { 'MANAGE 2.4': 'not_effective' })
    t.match(
      await standing(committee, id),
      { standing: 'lapsed', reasons: ['control_missing'] },
      'once met, it has to stay',
    )
  },
)

t.test(
  'R-83, R-102: a re-review neither repeats nor puts off an obligation, and nobody waives it',
  async (t) => {
    const id = await registerFor(committee, 'legal')
    await approve(committee, await submit(committee, id))
    const [opinion] = await conditionsOn(id)
    clock.at = addDays(START, 5)
    const waiver = () => ask(committee, id, { waives: [opinion.id] })
    await refuses(t, committee, waiver, { status: 422, detail: /policy requires this \(RQ-20\)/ })
    const { body } = await ask(committee, id)
    t.equal(body.route, 'minor')
    const { body: renewed } = await vote(committee, body.id, 'legal', 'approve')
    t.match(renewed.decision, { required: [{ taken: 'condition' }] })
    t.same(
      (await conditionsOn(id)).map((one: { id: string; dueAt: string }) => [one.id, one.dueAt]),
      [[opinion.id, addDays(START, 10)]],
    )
    clock.at = addDays(START, 10)
    t.match(await standing(committee, id), { reasons: ['condition_overdue'] })
    clock.at = START
  },
)

t.test(
  'R-102: an obligation that asks for more already is not repeated for what is left of it',
  async (t) => {
    const id = await registerFor(committee, 'controlled')
    await approve(committee, await submit(committee, id))
    await assess(riskOwner, id, { 'MANAGE 2.3': 'in_place' })
    const { body } = await ask(committee, id)
    const { body: renewed } = await vote(committee, body.id, 'legal', 'approve')
    t.match(renewed.decision.required, [{ taken: 'met' }, { taken: 'condition' }])
    t.match(await conditionsOn(id), [{ text: /^RQ-30: MANAGE 2.3, MANAGE 2.4 in place/, state: 'open' }])
    t.equal((await conditionsOn(id)).length, 1)
  },
)

t.test(
  'R-80, R-101: refused, superseded and borrowed opinions meet nothing until the seat accepts',
  async (t) => {
    const id = await registerFor(committee, 'legal')
    await approve(committee, await submit(committee, id))
    const [{ id: conditionId }] = await conditionsOn(id)
    const attach = async (to: string, more: object = {}) => {
      const opinion = { kind: 'legal_opinion', title: 'Opinion', statement: 'It may be said so.' }
      return (await riskOwner.post(`${placeOf(to)}/evidence`, { ...opinion, ...more })).body.id
    }
    const judge = async (piece: string, verdict: string, by = seats.legal) =>
      await by.post(`/v1/evidence/${piece}/verdict`, { verdict, note: 'read it' })
    const refused = async (piece: string, detail: RegExp) =>
      await refuses(t, committee, () => fulfil(businessOwner, conditionId, piece), { status: 409, detail })

    const first = await attach(id)
    await refused(first, /nobody has judged/)
    await judge(first, 'accepted')
    const second = await attach(id, { supersedesId: first })
    await judge(second, 'refused')
    await refused(second, /was refused/)
    const third = await attach(id, { supersedesId: first })
    await judge(third, 'accepted', seats.risk)
    await refused(first, new RegExp(`${third}, came in place`))
    await refused(third, /the seat legal accepted/)

    const source = await attach(await registerFor(committee))
    await judge(source, 'accepted')
    const { body: shared } = await businessOwner.post(`/v1/evidence/${source}/uses`, { useCaseId: id })
    await refused(shared.id, /nobody has judged/)
    const stand = await committee.inUnit('Del', 'committee_member')
    t.equal((await delegate(seats.legal, stand)).status, 201)
    const { body: judged } = await judge(shared.id, 'accepted', stand)
    t.same(judged.verdict.seats, ['legal'], 'through the seat of whoever delegated it')
    t.equal((await fulfil(businessOwner, conditionId, shared.id)).status, 200)
  },
)

t.test(
  'R-25, R-102: an owner clears nothing by their word while something required is missing',
  async (t) => {
    const { id } = await register(committee, { answers: answersFor.minimal, channels: ['attested'] })
    const attest = () => ask(committee, id, { attest: true })
    await refuses(t, committee, attest, {
      status: 409,
      detail: /RQ-50: a model card is missing.*\. Submit it then$/,
    })
    await accepted(committee, id, { kind: 'model_card' })
    t.equal((await attest()).status, 201)
    t.equal((await standing(committee, id)).standing, 'cleared')
  },
)

t.test('R-60, R-100: a fact on which a requirement rests is material, whatever its lane says', async (t) => {
  const attested = async (): Promise<string> => {
    const { id } = await register(committee, { answers: answersFor.minimal, channels: ['letter'] })
    const { body } = await ask(committee, id, { attest: true })
    // What was drawn for a sample is frozen, and says nothing here.
    return body.closedAt === null ? await attested() : id
  }
  const id = await attested()
  await revise(committee, id, { benefits: 'Fewer slips' })
  t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
  await revise(committee, id, { channels: ['letter', 'attested'] })
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['material_change'] })
})

t.test('R-103: evidence goes stale by the clock, the gate denies, and a newer piece cures it', async (t) => {
  const id = await registerFor(committee, 'tested')
  const older = await accepted(committee, id, { kind: 'test_report' })
  await approve(committee, await submit(committee, id))
  const stale = addDays(START, 30)
  clock.at = addSeconds(stale, -60)
  t.match(
    await gate(committee, id),
    { status: 200, body: { validUntil: stale } },
    'usable no longer than that',
  )
  clock.at = stale
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['evidence_stale'] })
  const denied = await gate(committee, id)
  t.same([denied.status, codesOf(denied)], [409, ['evidence_stale']])
  t.match(denied.body.reasons, [{ sentence: /went stale on 2026-03-31: attach a newer one/ }])
  await tellsOnce(t, id, 'evidence_stale')

  const newer = await riskOwner.post(`${placeOf(id)}/evidence`, {
    ...{ kind: 'test_report', title: 'Again', statement: 'All of it, once more', supersedesId: older },
  })
  t.match(await standing(committee, id), { reasons: ['evidence_stale'] }, 'attached is not accepted')
  clock.at = addSeconds(stale, 60)
  await seats.risk.post(`/v1/evidence/${newer.body.id}/verdict`, { verdict: 'accepted', note: 'read it' })
  t.match(await standing(committee, id), { standing: 'cleared', evidenceStaleAt: addDays(stale, 30) })
  t.equal((await gate(committee, id)).status, 200)
  const at = async (instant: string) => (await riskOwner.get(`${placeOf(id)}/standing?at=${instant}`)).body
  t.match(await at(addSeconds(stale, -1)), { standing: 'cleared' })
  t.match(await at(addSeconds(stale, 30)), { standing: 'lapsed', reasons: ['evidence_stale'] })
  const { body } = await riskOwner.get(`/v1/registers/use-cases?format=json&asOf=${addSeconds(stale, 30)}`)
  t.match(
    (body.items ?? body).find((row: { id: string }) => row.id === id),
    { standing: 'lapsed', reasons: ['evidence_stale'] },
    'a register as of then says so too',
  )
  clock.at = START
})

t.test('R-103: a control that falls out of place lapses the approval until it is mended', async (t) => {
  const id = await registerFor(committee, 'watched')
  await assess(riskOwner, id, { 'MEASURE 2.4': 'in_place' })
  await approve(committee, await submit(committee, id))
  t.equal((await gate(committee, id)).status, 200)
  await assess(riskOwner, id, { 'MEASURE 2.4': 'not_effective' })
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['control_missing'] })
  t.same(codesOf(await gate(committee, id)), ['control_missing'])
  await tellsOnce(t, id, 'control_missing')
  const opening = { environment: 'production', reason: 'the portal is down', hours: 8 }
  t.equal((await riskOwner.post(`${placeOf(id)}/break-glass`, opening)).status, 201)
  const question = { useCase: id, environment: 'production', acceptBreakGlass: true }
  t.match(await riskOwner.post('/v1/gate/answers', question), { status: 200, body: { wouldBe: 'allow' } })
  await assess(riskOwner, id, { 'MEASURE 2.4': 'in_place' })
  t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
})

t.test('R-61, R-103: what ends an approval ends what it required', async (t) => {
  const id = await registerFor(committee, 'tested')
  await accepted(committee, id, { kind: 'test_report' })
  await approve(committee, await submit(committee, id))
  const { body: again } = await ask(committee, id)
  await vote(committee, again.id, 'risk', 'request_changes')
  await vote(committee, again.id, 'legal', 'block')
  t.match(await standing(committee, id), { standing: 'blocked', evidenceStaleAt: null })
  const { rows } = await owner.query(
    'select required, evidence_stale_at, evidence_missing_at, control_missing_at from use_case where id = $1',
    [id],
  )
  t.same(rows, [
    { required: [], evidence_stale_at: null, evidence_missing_at: null, control_missing_at: null },
  ])
})

t.test('R-101: a piece that is shared is as old as it was, also for what policy requires', async (t) => {
  const id = await registerFor(committee, 'tested')
  const source = await accepted(committee, id, { kind: 'test_report' })
  clock.at = addDays(START, 20)
  const other = await registerFor(committee, 'tested')
  const { body } = await businessOwner.post(`/v1/evidence/${source}/uses`, { useCaseId: other })
  t.equal(body.givenAt, START)
  await seats.risk.post(`/v1/evidence/${body.id}/verdict`, { verdict: 'accepted', note: 'read it' })
  await approve(committee, await submit(committee, other))
  t.match(await standing(committee, other), { standing: 'cleared', evidenceStaleAt: addDays(START, 30) })
  clock.at = START
})

t.test(
  'R-102: an acceptance and the vote that it lets pass: whichever is first, nothing is half done',
  async (t) => {
    const inReview = async () => {
      const id = await registerFor(committee, 'tested')
      const reviewId = await submit(committee, id)
      await vote(committee, reviewId, 'legal', 'approve')
      const { body } = await riskOwner.post(`${placeOf(id)}/evidence`, {
        ...{ kind: 'test_report', title: 'Tests', statement: 'All cases passed' },
      })
      const accept = () =>
        seats.security.post(`/v1/evidence/${body.id}/verdict`, { verdict: 'accepted', note: 'read it' })
      return { id, accept, close: () => vote(committee, reviewId, 'risk', 'approve') }
    }
    const one = await inReview()
    const first = await meeting(committee, { table: 'use_case', id: one.id }, [one.accept, one.close])
    t.same(
      first.map(({ status }) => status),
      [201, 201],
    )
    t.equal((await standing(committee, one.id)).standing, 'cleared')
    const other = await inReview()
    const second = await meeting(committee, { table: 'use_case', id: other.id }, [other.close, other.accept])
    t.same(
      second.map(({ status }) => status),
      [409, 201],
    )
    t.equal((await standing(committee, other.id)).standing, 'in_review')
  },
)

t.test('R-102: a control that falls out of place, and the vote that rests on it', async (t) => {
  const inReview = async () => {
    const id = await registerFor(committee, 'watched')
    await assess(riskOwner, id, { 'MEASURE 2.4': 'in_place' })
    const reviewId = await submit(committee, id)
    await vote(committee, reviewId, 'legal', 'approve')
    const seen = ifMatch(await riskOwner.get(`${placeOf(id)}/profile`))
    const line = {
      catalog: 'nist-ai-rmf',
      version: '1.0',
      control: 'MEASURE 2.4',
      state: 'planned',
      note: 'not yet',
    }
    const fall = () => riskOwner.patch(`${placeOf(id)}/profile`, { assessments: [line] }, seen)
    return { id, fall, close: () => vote(committee, reviewId, 'risk', 'approve') }
  }
  const one = await inReview()
  const first = await meeting(committee, { table: 'use_case', id: one.id }, [one.fall, one.close])
  t.same(
    first.map(({ status }) => status),
    [200, 409],
  )
  const other = await inReview()
  const second = await meeting(committee, { table: 'use_case', id: other.id }, [other.close, other.fall])
  t.equal(second[0]?.status, 201)
  const { reasons } = await standing(committee, other.id)
  t.same([second[1]?.status, reasons], second[1]?.status === 200 ? [200, ['control_missing']] : [412, []])
})

/** A lapse is told once, however often somebody looks. */
async function tellsOnce(t: Test, id: string, reason: string) {
  const ability = buildAbility(readRights(committee.policies.decisionRights), assentItself)
  for (const requestId of [newId(), newId()]) {
    await giveNotice(committee.database, { principal: assentItself, ability, requestId })
  }
  const { rows } = await owner.query(
    `select convert_from(leaf, 'utf8')::jsonb ->> 'reason' as reason from audit_event
      where aggregate_id = $1 and type = 'approval.lapsed'`,
    [id],
  )
  t.same(rows, [{ reason }])
}
