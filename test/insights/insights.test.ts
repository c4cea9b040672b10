// How long decisions take, and what comes of them: figures of a history that is known to the hour.
import t from 'tap'
import { ifMatch } from '../app.js'
import { answersFor, approve, type Committee, register, startCommittee, submit, vote } from '../committee.js'
import { approvedWith, decideWith, fulfil, give, report } from '../conditions/world.js'

const HOUR = 3_600_000
const begin = Date.UTC(2026, 2, 1, 9)
const after = (hours: number) => new Date(begin + hours * HOUR).toISOString()
const march = 'from=2026-03-01&to=2026-03-31'

async function insights({ riskOwner }: Pick<Committee, 'riskOwner'>, query = march) {
  const { status, body } = await riskOwner.get(`/v1/insights/decisions?${query}`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}

/** A round that is submitted at the beginning and approved so many hours later. */
async function decidedAfter(committee: Committee, hours: number): Promise<string> {
  committee.clock.at = after(0)
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  committee.clock.at = after(hours)
  await approve(committee, reviewId)
  return id
}

t.test('of nothing, counts are 0, and shares and hours null', async (t) => {
  const committee = await startCommittee(t)
  const none = await insights(committee)
  t.match(none, {
    ...{ from: '2026-03-01', to: '2026-03-31', at: after(0), decisions: 0, p50Hours: null, p90Hours: null },
    outcomes: { approved: 0, approved_with_conditions: 0, blocked: 0, changes_requested: 0, withdrawn: 0 },
    ...{ leadTimes: [], stages: [], open: [], inTime: null },
    reuse: { precedent: null, shorterReReview: null, attestation: null, sampled: null },
    conditions: { imposed: 0, met: 0, metInTime: null, overdue: 0 },
    suspensions: { ordered: 0, lifted: 0, inForce: 0, p50HoursToLift: null, p90HoursToLift: null },
    ...{ incidents: [], breakGlass: { opened: 0, justified: 0, notJustified: 0, unreviewed: 0 } },
  })
})

t.test('hours from submission to decision are exact, by lane, route and stage', async (t) => {
  const committee = await startCommittee(t)
  // Half of 10, 20, 30, 40 and 100 lie below 30; nine tenths below 40 + 0.6 * 60.
  for (const hours of [10, 20, 30, 40, 100]) await decidedAfter(committee, hours)
  committee.clock.at = after(200)
  const { id } = await register(committee, { title: 'Minutes of calls', answers: answersFor.minimal })
  const place = `/v1/use-cases/${id}`
  const head = ifMatch(await committee.riskOwner.get(place))
  t.equal((await committee.riskOwner.post(`${place}/reviews`, { attest: true }, head)).status, 201)
  const figures = await insights(committee)
  t.same(figures.leadTimes, [
    { lane: 'limited', route: 'full', decisions: 5, p50Hours: 30, p90Hours: 76 },
    { lane: figures.leadTimes[1].lane, route: 'attestation', decisions: 1, p50Hours: 0, p90Hours: 0 },
  ])
  t.same(figures.stages, [
    { lane: 'limited', stage: 'committee', closed: 5, p50Hours: 30, p90Hours: 76, inTime: 1 },
  ])
  t.match(figures, { decisions: 6, p50Hours: 25, p90Hours: 70, inTime: 1 })
  t.match(figures.outcomes, { approved: 6, withdrawn: 0 })
  t.match(figures.reuse, { attestation: 0.1667, precedent: 0, shorterReReview: 0 })
})

t.test('R-23: each stage has hours of its own', async (t) => {
  const committee = await startCommittee(t)
  const orgUnitId = await committee.unit('underwriting', committee.unitId)
  const { id } = await register(committee, { orgUnitId, jurisdictions: ['EU'], answers: answersFor.high })
  const reviewId = await submit(committee, id)
  committee.clock.at = after(24)
  await vote(committee, reviewId, 'risk', 'approve')
  await vote(committee, reviewId, 'compliance', 'approve')
  t.same((await insights(committee)).open, [
    { lane: 'high-external', stage: 'committee', open: 1, overdue: 0 },
  ])
  committee.clock.at = after(24 + 16 * 24)
  t.match(await insights(committee), { open: [{ overdue: 1 }], inTime: 0, stages: [] }, 'late before it ends')
  await vote(committee, reviewId, 'business', 'approve')
  await vote(committee, reviewId, 'legal', 'approve')
  await vote(committee, reviewId, 'security', 'approve')
  const figures = await insights(committee)
  t.same(figures.stages, [
    { lane: 'high-external', stage: 'committee', closed: 1, p50Hours: 384, p90Hours: 384, inTime: 0 },
    { lane: 'high-external', stage: 'second-line', closed: 1, p50Hours: 24, p90Hours: 24, inTime: 1 },
  ])
  t.match(figures, { inTime: 0, p50Hours: 408 })
  t.same(figures.open, [])
})

t.test('R-24: the share in time counts what is still open and overdue as late', async (t) => {
  const committee = await startCommittee(t)
  await decidedAfter(committee, 10)
  await decidedAfter(committee, 239)
  await decidedAfter(committee, 240)
  t.equal((await insights(committee)).inTime, 0.6667, 'due at the very instant is late')
  committee.clock.at = after(0)
  await submit(committee, (await register(committee)).id)
  committee.clock.at = after(239)
  t.match(await insights(committee), { inTime: 0.6667, open: [{ open: 1, overdue: 0 }] })
  committee.clock.at = after(241)
  t.match(await insights(committee), { inTime: 0.5, open: [{ open: 1, overdue: 1 }] })
  const before = await insights(committee, 'from=2026-02-01&to=2026-02-28')
  t.match(before, { decisions: 0, inTime: null, open: [{ overdue: 1 }] }, 'it was not late then')
})

t.test('R-51, R-53: what a precedent or a small difference saved is told', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner } = committee
  const facts = { technique: 'nlp', channels: ['phone'], jurisdictions: ['US-NY'] }
  const first = await register(committee, facts)
  const decision = await decideWith(committee, first.id, [])
  const again = await register(committee, { ...facts, title: 'The same for other claims' })
  await decideWith(committee, again.id, [], { precedentId: decision.id })
  const withdrawn = await submit(committee, first.id)
  await riskOwner.post(`/v1/reviews/${withdrawn}/withdrawal`, { reason: 'too early' })
  await decideWith(committee, first.id, [])
  const { reuse, outcomes, leadTimes } = await insights(committee)
  const routes = leadTimes.map(({ route }: { route: string }) => route)
  t.ok(routes.includes('precedent') && routes.includes('minor'), `${routes}`)
  const total = outcomes.approved
  t.match(reuse, {
    precedent: Number((1 / total).toFixed(4)),
    shorterReReview: Number((1 / total).toFixed(4)),
  })
  t.equal(outcomes.withdrawn, 1)
})

t.test('R-64, R-80: conditions met in time, met late and overdue are told apart', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner, clock } = committee
  const [early, late, never] = [
    await approvedWith(committee, [report]),
    await approvedWith(committee, [report]),
    await approvedWith(committee, [report]),
  ]
  const meet = async ({ id, conditionIds: [conditionId = ''] }: typeof early) =>
    await fulfil(riskOwner, conditionId, await give(committee, id))
  clock.at = after(29 * 24)
  t.equal((await meet(early)).status, 200)
  t.match((await insights(committee)).conditions, { imposed: 3, met: 1, metInTime: 1, overdue: 0 })
  clock.at = after(30 * 24)
  t.equal((await meet(late)).status, 200)
  t.ok(never)
  t.same((await insights(committee)).conditions, { imposed: 3, met: 2, metInTime: 0.3333, overdue: 1 })
})

t.test('R-90, R-93: suspensions, incidents and emergencies are counted to their end', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner, seats, clock } = committee
  const { id } = await register(committee)
  const asked = { environment: 'production', reason: 'the portal is down', hours: 8 }
  const { body: opening } = await riskOwner.post(`/v1/use-cases/${id}/break-glass`, asked)
  t.match((await insights(committee)).breakGlass, { opened: 1, unreviewed: 1, justified: 0 })
  await seats.risk.post(`/v1/break-glass/${opening.id}/review`, { verdict: 'justified', note: 'one deploy' })
  const { body: incident } = await seats.risk.post(`/v1/use-cases/${id}/incidents`, {
    ...{
      title: 'A wrong letter',
      description: 'It named a discount that we do not give',
      severity: 'serious',
    },
    occurredAt: '2026-02-28T09:00:00Z',
  })
  t.match(await insights(committee), {
    incidents: [{ severity: 'serious', reported: 1, closed: 0, open: 1 }],
    suspensions: { ordered: 1, lifted: 0, inForce: 1, p50HoursToLift: null },
  })
  clock.at = after(36)
  await riskOwner.post(`/v1/incidents/${incident.id}/closing`, { learned: 'Numbers are read twice' })
  await riskOwner.post(`/v1/suspensions/${incident.suspensionId}/lifting`, { reason: 'mended' })
  t.match(await insights(committee), {
    incidents: [{ severity: 'serious', reported: 1, closed: 1, open: 0 }],
    suspensions: { ordered: 1, lifted: 1, inForce: 0, p50HoursToLift: 36, p90HoursToLift: 36 },
    breakGlass: { opened: 1, justified: 1, notJustified: 0, unreviewed: 0 },
  })
})

t.test('figures are of a period, a unit, and what the reader may read', async (t) => {
  const committee = await startCommittee(t)
  const { unit, unitId, person, riskOwner } = committee
  const below = await unit('claims-motor', unitId)
  await decidedAfter(committee, 10)
  const motor = await register(committee, { orgUnitId: below })
  await approve(committee, await submit(committee, motor.id))
  const count = async (query: string) => (await insights(committee, query)).decisions
  t.equal(await count(march), 2)
  t.equal(await count(`${march}&orgUnit=${below}`), 1)
  t.equal(await count(`${march}&orgUnit=${unitId}`), 2)
  t.equal(await count('from=2026-03-02&to=2026-03-31'), 0)
  t.equal(await count('from=2026-02-01&to=2026-03-01'), 2, 'the last day is part of it')
  const ofMotor = await person('Mo', { rights: ['auditor'], unitId: below })
  const stranger = await person('Stan', { rights: ['risk_owner'], unitId: await unit('elsewhere') })
  t.equal((await insights({ riskOwner: ofMotor })).decisions, 1)
  const nothing = {
    decisions: 0,
    leadTimes: [],
    stages: [],
    open: [],
    inTime: null,
    conditions: { imposed: 0 },
  }
  t.match(await insights({ riskOwner: stranger }), nothing)
  t.match(await insights({ riskOwner: stranger }, `${march}&orgUnit=${unitId}`), nothing)
  for (const query of ['', 'from=2026-03-02&to=2026-03-01', 'from=2020-01-01&to=2026-03-01', 'from=1&to=2']) {
    t.equal((await riskOwner.get(`/v1/insights/decisions?${query}`)).status, 422, query)
  }
})
