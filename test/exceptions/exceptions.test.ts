// What policy requires and an approval need not have yet: asked for, granted by the decision, and over at its end.
import t from 'tap'
import { newId } from '../../src/ids.js'
import { addDays, addSeconds } from '../../src/instant.js'
import { approve, START, standing, vote } from '../committee.js'
import { fulfil } from '../conditions/world.js'
import { openClient } from '../database-run.js'
import {
  accepted,
  ask,
  assess,
  codesOf,
  gate,
  placeOf,
  registerFor,
  rmf,
  startRequiring,
} from '../reviews/requiring.js'
import { refuses } from '../unchanged.js'

const committee = await startRequiring(t)
const { owner, clock, riskOwner, auditor } = committee

const until = (days: number) => addDays(START, days)
const report = {
  requirement: 'RQ-10',
  until: until(45),
  compensating: { text: 'A clerk reads every letter' },
  reason: 'The tests are under way',
}
const control = { ...rmf, control: 'MANAGE 2.4' }
const exceptionsOn = async (id: string, query = '') =>
  (await riskOwner.get(`${placeOf(id)}/exceptions${query}`)).body.items

async function excepted(exceptions: object[], ...channels: string[]) {
  const id = await registerFor(committee, ...channels)
  const { body: review } = await ask(committee, id, { exceptions })
  const { body } = await approve(committee, review.id)
  return { id, review, decision: body.decision }
}

t.test(
  'R-104: a submission asks for it, the full lane decides, and the approval stands without',
  async (t) => {
    const { id, review, decision } = await excepted([report], 'tested')
    t.match(review, {
      ...{ route: 'full', asks: { exceptions: [report] } },
      missing: [{ requirement: 'RQ-10', ifApproved: 'excepted' }],
    })
    t.match(decision, { outcome: 'approved', conditions: [] })
    t.match(decision.required, [{ requirement: 'RQ-10', taken: 'excepted', exceptedUntil: until(45) }])
    const [exception] = await exceptionsOn(id)
    t.match(exception, {
      ...{ ordinal: 1, decisionId: decision.id, requirement: 'RQ-10', control: null, until: until(45) },
      compensating: { text: report.compensating.text, control: null },
      ...{ reason: report.reason, grantedAt: START, state: 'in_force', endedById: null },
    })
    t.equal(exception.id, decision.required[0].exceptionId)
    t.same((await auditor.get(`/v1/exceptions/${exception.id}`)).body, exception)
    const stranger = await committee.person('Sue', {
      rights: ['risk_owner'],
      unitId: await committee.unit('far'),
    })
    t.equal((await stranger.get(`/v1/exceptions/${exception.id}`)).status, 404)
    const { rows } = await owner.query(
      `select convert_from(leaf, 'utf8') as leaf from audit_event where aggregate_id = $1 and type = 'exception.granted'`,
      [id],
    )
    t.match(JSON.parse(rows[0].leaf), {
      exceptionId: exception.id,
      decisionId: decision.id,
      until: until(45),
    })
    t.notMatch(rows[0].leaf, /clerk/, 'the log names it, and seals the words')
    t.match(await gate(committee, id), { status: 200, body: { reasons: [{ code: 'cleared' }] } })
  },
)

t.test('R-104: at its end the approval lapses, and only a decision grants another', async (t) => {
  const { id, decision } = await excepted([report], 'tested')
  clock.at = addSeconds(until(45), -60)
  t.match(await gate(committee, id), { status: 200, body: { validUntil: until(45) } })
  clock.at = until(45)
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['evidence_missing'] })
  t.same(codesOf(await gate(committee, id)), ['evidence_missing'])
  t.match(await exceptionsOn(id, '?state=expired'), [{ state: 'expired' }])
  t.same(await exceptionsOn(id, '?state=in_force'), [])

  const { body: plain } = await ask(committee, id)
  t.match(plain.missing, [{ requirement: 'RQ-10', ifApproved: 'refused' }], 'it does not go on by itself')
  const closing = () => vote(committee, plain.id, 'legal', 'approve')
  await refuses(t, committee, closing, { status: 409, detail: /RQ-10/ })
  await riskOwner.post(`/v1/reviews/${plain.id}/withdrawal`, { reason: 'asks for another' })
  const { body: again } = await ask(committee, id, { exceptions: [{ ...report, until: until(100) }] })
  t.equal(again.route, 'full')
  const { body } = await approve(committee, again.id)
  t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
  t.match(await exceptionsOn(id), [
    { ordinal: 1, state: 'expired', decisionId: decision.id },
    { ordinal: 2, state: 'in_force', decisionId: body.decision.id, until: until(100) },
  ])
  clock.at = START
})

t.test('R-104: evidence that comes meanwhile counts, and a re-review keeps what is excepted', async (t) => {
  const { id, decision } = await excepted([report], 'tested')
  clock.at = until(5)
  const { body: again } = await ask(committee, id)
  t.match(again, { route: 'minor', missing: [{ ifApproved: 'excepted' }] })
  const { body } = await vote(committee, again.id, 'legal', 'approve')
  t.match(body.decision.required, [{ taken: 'excepted', exceptedUntil: until(45) }])
  t.equal(body.decision.required[0].exceptionId, decision.required[0].exceptionId)
  t.match(await exceptionsOn(id), [{ state: 'in_force', decisionId: decision.id }])
  await accepted(committee, id, { kind: 'test_report' })
  clock.at = until(45)
  t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['evidence_stale'] })
  clock.at = until(36)
  t.match(await standing(committee, id), { standing: 'cleared', evidenceStaleAt: until(45) })
  clock.at = START
})

t.test('R-104: an obligation waits for no control that is excepted since, and for all others', async (t) => {
  const id = await registerFor(committee, 'controlled')
  await approve(committee, (await ask(committee, id)).body.id)
  const [switches] = (await riskOwner.get(`${placeOf(id)}/conditions`)).body.items
  const one = { ...report, requirement: 'RQ-30', control }
  const { body: review } = await ask(committee, id, { exceptions: [one] })
  await approve(committee, review.id)
  t.same(codesOf(await gate(committee, id)), ['condition_unmet'])
  const plan = await accepted(committee, id, { kind: 'other' })
  await refuses(t, committee, () => fulfil(riskOwner, switches.id, plan), {
    ...{ status: 409, detail: /assess MANAGE 2.3 as in place or not applicable$/ },
  })
  await assess(riskOwner, id, { 'MANAGE 2.3': 'in_place' })
  t.equal((await fulfil(riskOwner, switches.id, plan)).status, 200)
  t.same(codesOf(await gate(committee, id)), ['cleared_with_conditions'])
  clock.at = until(45)
  t.same(codesOf(await gate(committee, id)), ['control_missing'])
  await assess(riskOwner, id, { 'MANAGE 2.4': 'in_place' })
  t.same(codesOf(await gate(committee, id)), ['cleared_with_conditions'])
  clock.at = START
})

t.test('R-104: what takes the place of a wrong decision takes over no exception', async (t) => {
  const { id, decision } = await excepted([report], 'tested')
  const { body: review } = await ask(committee, id, { supersedesId: decision.id })
  t.match(review.missing, [{ requirement: 'RQ-10', ifApproved: 'refused' }])
  const { body } = await vote(committee, review.id, 'risk', 'block')
  t.equal(body.decision.outcome, 'blocked')
  t.match(await exceptionsOn(id), [{ state: 'ended', endedById: body.decision.id }])
})

t.test(
  'R-104: an exception from a control takes over its obligation, and needs its compensation',
  async (t) => {
    const id = await registerFor(committee, 'controlled')
    await assess(riskOwner, id, { 'MANAGE 2.3': 'in_place', 'MEASURE 2.4': 'in_place' })
    const { body: first } = await ask(committee, id)
    const { body: conditional } = await approve(committee, first.id)
    t.match(conditional.decision.conditions, [{ requirement: 'RQ-30' }])
    const compensating = { text: 'It is watched instead', control: { ...rmf, control: 'MEASURE 2.4' } }
    const wanted = { ...report, requirement: 'RQ-30', control, until: until(80), compensating }

    const { body: review } = await ask(committee, id, { exceptions: [wanted] })
    await vote(committee, review.id, 'legal', 'approve')
    await assess(riskOwner, id, { 'MEASURE 2.4': 'not_effective' })
    const { body: sentBack } = await vote(committee, review.id, 'risk', 'approve')
    t.match(sentBack.decision, {
      outcome: 'changes_requested',
      reason: /cannot be granted any more: MEASURE 2.4 is not in place here.*; submit it again/,
    })
    t.same(await exceptionsOn(id), [])

    await assess(riskOwner, id, { 'MEASURE 2.4': 'in_place' })
    const { body: second } = await ask(committee, id, { exceptions: [wanted] })
    const { body } = await approve(committee, second.id)
    t.match(body.decision, {
      outcome: 'approved',
      conditions: [],
      waived: [conditional.decision.conditions[0].id],
    })
    t.match(await exceptionsOn(id), [{ control: 'MANAGE 2.4', compensating, state: 'in_force' }])
    clock.at = until(80)
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['control_missing'] })
    clock.at = addSeconds(until(80), 60)
    await assess(riskOwner, id, { 'MANAGE 2.4': 'in_place' })
    t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
    clock.at = START
  },
)

t.test('R-104: what cannot be granted is refused at once, with each reason', async (t) => {
  const id = await registerFor(committee, 'tested', 'watched', 'controlled')
  const refused = async (change: object, path: string, detail: RegExp) => {
    const asked = () => ask(committee, id, { exceptions: [{ ...report, ...change }] })
    const { body } = await refuses(t, committee, asked, { status: 422, detail })
    t.match(body.issues, [{ path: `/exceptions/0${path}` }])
  }
  await refused({ requirement: 'RQ-20' }, '/requirement', /policy asks for no RQ-20 here/)
  await refused({ requirement: 'RQ-40' }, '/requirement', /policy excepts nobody from RQ-40/)
  await refused({ until: START }, '/until', /over from the start/)
  await refused({ until: addSeconds(until(60), 1) }, '/until', /60 days at most, until 2026-04-30/)
  await refused({ control }, '/control', /RQ-10 does not ask for this control/)
  await refused({ compensating: { text: 'x' } }, '/compensating/text', /at least ten/)
  const inPlace = { ...rmf, control: 'GOVERN 1.1' }
  const compensating = { text: 'Another control instead', control: inPlace }
  await refused({ compensating }, '/compensating/control', /GOVERN 1.1 is not in place here/)
  const itself = { requirement: 'RQ-30', control, compensating: { ...compensating, control } }
  await refused(itself, '/compensating/control', /does not compensate for itself/)
  const twice = () => ask(committee, id, { exceptions: [report, { ...report, until: until(10) }] })
  await refuses(t, committee, twice, { status: 422, detail: /RQ-10 is excepted above already/ })
  const cited = () => ask(committee, id, { exceptions: [report], precedentId: newId() })
  await refuses(t, committee, cited, { status: 422, detail: /leave out one of them/ })
})

t.test('R-53, R-104: a precedent lends neither its exceptions nor what policy asked of it', async (t) => {
  const { decision } = await excepted([report], 'tested', 'legal')
  t.match(decision.conditions, [{ requirement: 'RQ-20' }])
  const id = await registerFor(committee, 'tested', 'legal')
  const { body: review } = await ask(committee, id, { precedentId: decision.id })
  t.match(review, {
    route: 'precedent',
    missing: [
      { requirement: 'RQ-10', ifApproved: 'refused' },
      { requirement: 'RQ-20', ifApproved: 'condition' },
    ],
  })
  const approving = () => vote(committee, review.id, 'risk', 'approve')
  t.match(await approving(), { status: 409, body: { detail: /RQ-10/ } })
  await accepted(committee, id, { kind: 'test_report' })
  const { body } = await approving()
  t.match(body.decision.conditions, [{ requirement: 'RQ-20' }])
  t.equal(body.decision.conditions.length, 1, 'asked for once, by policy')
  t.same(await exceptionsOn(id), [])
})

t.test('the database itself keeps what was granted', async (t) => {
  const { id, decision } = await excepted([report], 'tested')
  const elsewhere = await registerFor(committee, 'tested')
  const attacker = await openClient(committee.connections.appConnection)
  t.teardown(() => attacker.end())
  for (const statement of [
    `update exception set until = '2099-01-01'`,
    'delete from exception',
    'truncate exception',
  ]) {
    await t.rejects(attacker.query(statement), { code: '42501' }, statement)
  }
  const insert = (useCaseId: string, grantedAt: string) =>
    attacker.query(
      `insert into exception (id, use_case_id, decision_id, ordinal, requirement, until, compensating, reason, granted_at)
        values ($1, $2, $3, 9, 'RQ-10', '2026-04-15', 'nothing', 'none', $4)`,
      [newId(), useCaseId, decision.id, grantedAt],
    )
  await t.rejects(insert(id, '2026-04-15'), { code: '23514' }, 'over before it began')
  await t.rejects(insert(elsewhere, START), { code: '23503' }, 'by the decision on something else')
})
