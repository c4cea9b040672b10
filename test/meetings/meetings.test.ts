// What a committee meets for, and what it decided: in order, to whom it concerns, and as text.
import t from 'tap'
import { ifMatch } from '../app.js'
import {
  answersFor,
  approve,
  approved,
  type Committee,
  register,
  revise,
  startCommittee,
  submit,
  vote,
} from '../committee.js'
import { decideWith, opinion, report } from '../conditions/world.js'

const at = (number: number) => new Date(Date.UTC(2026, 2, number, 9)).toISOString()
const hostile = '# <script>x</script> [y](http://z) **b** | `c`\n\n## Decided\n- all of it'
const defused =
  '\\# \\<script\\>x\\</script\\> \\[y\\](http://z) \\*\\*b\\*\\* \\| \\`c\\` \\#\\# Decided - all of it'

// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
const keysOf = (items: any[]): string[] => items.map(({ useCase }) => useCase.key)

t.test('R-24: the agenda has the overdue first, then what is due by the day, then the rest', async (t) => {
  const committee = await startCommittee(t)
  const { clock, seats } = committee
  const first = await register(committee)
  await submit(committee, first.id)
  clock.at = at(6)
  const second = await register(committee, { title: 'Letters' })
  await submit(committee, second.id)
  clock.at = at(9)
  const third = await register(committee, { title: 'Fraud' })
  const reviewId = await submit(committee, third.id)
  await vote(committee, reviewId, 'legal', 'approve')
  clock.at = at(12)
  const { body, status } = await seats.risk.get('/v1/reviews/agenda?day=2026-03-16')
  t.equal(status, 200)
  t.same(keysOf(body.items), [first.key, second.key, third.key])
  t.same(
    body.items.map(({ urgency }: { urgency: string }) => urgency),
    ['overdue', 'due', 'later'],
  )
  t.match(body.items[2], {
    ...{ reviewId, tier: 'limited', lane: { id: 'limited' }, route: 'full', changeClass: null, round: 1 },
    useCase: { title: 'Fraud', orgUnit: 'claims' },
    stages: [{ id: 'committee', approvals: 1, quorum: 2, missing: ['risk', 'business', 'compliance'] }],
    votes: [
      { seat: 'legal', person: { id: seats.legal.id, name: 'Lea' }, onBehalfOf: null, choice: 'approve' },
    ],
    dueAt: at(19),
  })
  t.equal((await seats.risk.get(body.items[2].brief)).status, 200, 'the brief is there')
  const today = await seats.risk.get('/v1/reviews/agenda')
  t.match(today.body, { day: '2026-03-12', at: at(12) })
  t.same(
    today.body.items.map(({ urgency }: { urgency: string }) => urgency),
    ['overdue', 'later', 'later'],
  )
})

t.test('R-51: the agenda says how much changed since the last decision', async (t) => {
  const committee = await startCommittee(t)
  const { seats } = committee
  const { id } = await approved(committee)
  await revise(committee, id, { channels: ['phone'] })
  await submit(committee, id)
  const { body } = await seats.risk.get('/v1/reviews/agenda')
  t.match(body.items, [{ route: 'adaptive', changeClass: 'adaptive', round: 2 }])
})

t.test('R-46: on the agenda, a seat whose voter has lost it is missing again', async (t) => {
  const committee = await startCommittee(t)
  const { owner, seats } = committee
  const reviewId = await submit(committee, (await register(committee)).id)
  await vote(committee, reviewId, 'legal', 'approve')
  await vote(committee, reviewId, 'business', 'abstain')
  const gone = 'update rights_grant set revoked_by = granted_by, revoked_at = now() where person_id = $1'
  await owner.query(gone, [seats.legal.id])
  const { body } = await seats.risk.get('/v1/reviews/agenda')
  t.match(body.items[0].stages, [{ approvals: 0, missing: ['risk', 'legal', 'compliance'] }])
  t.same(
    body.items[0].votes.map(({ seat }: { seat: string }) => seat),
    ['business'],
  )
})

t.test('an agenda is of one unit if so asked, and of what its reader may read', async (t) => {
  const committee = await startCommittee(t)
  const { seats, unit, unitId, riskOwner, person } = committee
  const below = await unit('claims-motor', unitId)
  const motor = await register(committee, { orgUnitId: below })
  await submit(committee, motor.id)
  const other = await register(committee, { title: 'Letters' })
  await submit(committee, other.id)
  const ofUnit = async (id: string) =>
    keysOf((await seats.risk.get(`/v1/reviews/agenda?orgUnit=${id}`)).body.items)
  t.same(await ofUnit(below), [motor.key])
  t.same((await ofUnit(unitId)).sort(), [motor.key, other.key].sort())
  t.same(keysOf((await riskOwner.get('/v1/reviews/agenda')).body.items).length, 2)
  const stranger = await person('Stan', { rights: ['risk_owner'], unitId: await unit('elsewhere') })
  t.match((await stranger.get('/v1/reviews/agenda')).body, { items: [], hasMore: false })
  t.match((await stranger.get(`/v1/reviews/agenda?orgUnit=${unitId}`)).body, { items: [] })
})

/** A day of decisions: one approved with a dissent, one with conditions, one blocked, one withdrawn. */
async function decide(committee: Committee) {
  const { riskOwner, seats, clock } = committee
  clock.at = at(2)
  const dissent = await register(committee, { title: hostile })
  const round = await submit(committee, dissent.id)
  const cast = { seat: 'legal', choice: 'block', rationale: '**No**' }
  await seats.legal.post(`/v1/reviews/${round}/votes`, cast)
  await vote(committee, round, 'business', 'approve')
  await vote(committee, round, 'risk', 'approve')
  clock.at = at(3)
  const limited = await register(committee, { title: 'Letters' })
  await decideWith(committee, limited.id, [report, opinion])
  clock.at = at(4)
  const withdrawn = await register(committee, { title: 'Later' })
  const taken = await submit(committee, withdrawn.id)
  await riskOwner.post(`/v1/reviews/${taken}/withdrawal`, { reason: 'too early' })
  const harmless = await register(committee, { title: 'Minutes', answers: answersFor.minimal })
  const place = `/v1/use-cases/${harmless.id}`
  await riskOwner.post(`${place}/reviews`, { attest: true }, ifMatch(await riskOwner.get(place)))
  clock.at = at(5)
  const incident = await seats.risk.post(`/v1/use-cases/${limited.id}/incidents`, {
    ...{
      title: 'A wrong letter',
      description: 'It named a discount that we do not give',
      severity: 'serious',
    },
    occurredAt: at(4),
  })
  await riskOwner.post(`/v1/incidents/${incident.body.id}/closing`, { learned: 'Numbers are read twice' })
  clock.at = at(6)
  await riskOwner.post(`/v1/suspensions/${incident.body.suspensionId}/lifting`, { reason: 'mended' })
  return { dissent, limited, withdrawn }
}

t.test('the minutes hold what was decided, by whom, with dissent, and what it imposed', async (t) => {
  const committee = await startCommittee(t)
  const { seats, riskOwner } = committee
  const { dissent, limited, withdrawn } = await decide(committee)
  const { body, status } = await seats.risk.get('/v1/reviews/minutes?from=2026-03-02&to=2026-03-06')
  t.equal(status, 200)
  t.same(keysOf(body.decisions), [dissent.key, limited.key], 'in order, and without attestations')
  const votes = body.decisions[0].votes.toSorted((a: { seat: string }, b: { seat: string }) =>
    a.seat < b.seat ? -1 : 1,
  )
  t.match(votes, [
    { seat: 'business', choice: 'approve', isDissent: false },
    { seat: 'legal', choice: 'block', isDissent: true, person: { name: 'Lea' }, rationale: '**No**' },
    { seat: 'risk', choice: 'approve', isDissent: false },
  ])
  t.match(body.decisions[1], {
    outcome: 'approved_with_conditions',
    imposed: [
      { text: report.text, owner: { id: riskOwner.id, name: 'Rui' }, dueAt: at(33), beforeDeploy: false },
      { text: opinion.text, owner: { name: 'Rui' }, dueAt: null, beforeDeploy: true },
    ],
    waived: [],
  })
  t.equal(body.attestations.count, 1)
  t.match(body.withdrawn, [{ useCase: { key: withdrawn.key }, reason: 'too early', at: at(4) }])
  t.match(body.suspended, [{ useCase: { key: limited.key }, by: { name: 'Rae' }, at: at(5) }])
  t.match(body.lifted, [{ by: { name: 'Rui' }, reason: 'mended', at: at(6) }])
  t.match(body.incidents, [
    { title: 'A wrong letter', severity: 'serious', learned: 'Numbers are read twice' },
  ])
  t.same(body.more, [])
  const third = (await seats.risk.get('/v1/reviews/minutes?from=2026-03-03&to=2026-03-03')).body
  t.same(keysOf(third.decisions), [limited.key], 'of that day only')
  t.match(third, { attestations: { count: 0 }, withdrawn: [], suspended: [], incidents: [] })
})

t.test('R-50, R-83: the minutes say what was waived and what was superseded', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner } = committee
  const { id } = await register(committee)
  await decideWith(committee, id, [report])
  const { items } = (await riskOwner.get(`/v1/use-cases/${id}/conditions`)).body
  committee.clock.at = at(9)
  const wrong = await decideWith(committee, id, [], { waives: [items[0].id] })
  committee.clock.at = at(10)
  await decideWith(committee, id, [], { supersedesId: wrong.id })
  const { body } = await riskOwner.get('/v1/reviews/minutes?from=2026-03-09&to=2026-03-10')
  t.match(body.decisions, [
    { id: wrong.id, waived: [report.text], imposed: [], supersedesId: null },
    { waived: [], imposed: [], supersedesId: wrong.id },
  ])
})

t.test('minutes are of a period with an end, and of what their reader may read', async (t) => {
  const committee = await startCommittee(t)
  const { seats, unit, unitId, person } = committee
  await decide(committee)
  const whole = 'from=2026-03-01&to=2026-03-31'
  for (const query of [
    ...['', 'from=2026-03-01', 'from=2026-03-02&to=2026-03-01', 'from=2026-01-01&to=2026-04-03'],
    ...['from=2026-02-30&to=2026-03-01', 'from=x&to=y', 'from=0001-01-01&to=0001-01-02'],
  ]) {
    t.equal((await seats.risk.get(`/v1/reviews/minutes?${query}`)).status, 422, query)
  }
  t.equal((await seats.risk.get('/v1/reviews/minutes?from=2026-01-01&to=2026-04-02')).status, 200, '92 days')
  const nothing = {
    decisions: [],
    attestations: { count: 0, sampled: 0 },
    withdrawn: [],
    suspended: [],
    lifted: [],
  }
  const elsewhere = await unit('elsewhere')
  const stranger = await person('Stan', { rights: ['risk_owner', 'auditor'], unitId: elsewhere })
  t.match((await stranger.get(`/v1/reviews/minutes?${whole}`)).body, { ...nothing, incidents: [] })
  t.match((await stranger.get(`/v1/reviews/minutes?${whole}&orgUnit=${unitId}`)).body, nothing)
  t.match((await seats.risk.get(`/v1/reviews/minutes?${whole}&orgUnit=${elsewhere}`)).body, nothing)
  t.equal((await seats.risk.get(`/v1/reviews/minutes?${whole}&orgUnit=${unitId}`)).body.decisions.length, 2)
})

t.test('as Markdown, what people wrote stays text', async (t) => {
  const committee = await startCommittee(t)
  const { seats } = committee
  const { dissent } = await decide(committee)
  await approve(committee, await submit(committee, dissent.id))
  const open = await register(committee, { title: hostile })
  await submit(committee, open.id)
  const minutes = await seats.risk.get('/v1/reviews/minutes?from=2026-03-01&to=2026-03-31&format=markdown')
  t.match(minutes.headers['content-type'], /^text\/markdown/)
  const lines = String(minutes.body).split('\n')
  t.equal(lines[0], '# Minutes of 2026-03-01 to 2026-03-31')
  t.ok(lines.includes(`### ${dissent.key} ${defused}`))
  t.ok(lines.includes('- legal, Lea: **block** (dissent). \\*\\*No\\*\\*'))
  t.ok(lines.includes(`- Condition, Rui, by 2026-04-02: ${report.text}`))
  t.equal(lines.filter((line) => line === '## Decided').length, 1)
  t.notMatch(minutes.body, /<script>/)
  const agenda = await committee.ask({
    ...{ method: 'GET', url: '/v1/reviews/agenda' },
    headers: { authorization: `Bearer ${seats.risk.token}`, accept: 'text/markdown' },
  })
  t.match(agenda.headers['content-type'], /^text\/markdown/)
  t.ok(String(agenda.body).split('\n').includes(`### ${open.key} ${defused}`))
  t.notMatch(agenda.body, /<script>/)
})
