// What waits for somebody: exactly what they may do, until they did it.
import t from 'tap'
import { ifMatch, type Person } from '../app.js'
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
import { approvedWith, fulfil, give, report } from '../conditions/world.js'
import { delegate, propose } from '../delegated.js'

const day = (number: number) => new Date(Date.UTC(2026, 2, number, 9)).toISOString()

/** What waits for somebody, as `kind key`. */
async function waiting(person: Person, kind?: string): Promise<string[]> {
  const { status, body } = await person.get('/v1/me/queue')
  if (status !== 200) throw new Error(JSON.stringify(body))
  // biome-ignore lint/suspicious/noExplicitAny: as in an Answer
  return body.items.filter((item: any) => !kind || item.kind === kind).map((item: any) => item.useCase.key)
}

async function first(person: Person, kind: string) {
  const { body } = await person.get('/v1/me/queue')
  return body.items.find((item: { kind: string }) => item.kind === kind)
}

t.test('a vote waits for whoever may cast it, and is gone once it is cast', async (t) => {
  const committee = await startCommittee(t)
  const { seats, riskOwner, businessOwner, auditor, member } = committee
  const { id, key } = await register(committee)
  const reviewId = await submit(committee, id)
  const other = await member('Lou', 'legal')
  const admin = await committee.person('Ann', { rights: ['administrator', 'seat:risk'] })
  t.match(await first(seats.risk, 'vote'), {
    useCase: { key, tier: 'limited' },
    todo: 'Read the brief and vote for the risk seat',
    dueAt: day(11),
    isOverdue: false,
    link: `/v1/reviews/${reviewId}/brief`,
  })
  t.equal((await seats.risk.get((await first(seats.risk, 'vote')).link)).status, 200, 'the link leads there')
  for (const [name, person] of Object.entries({
    riskOwner,
    businessOwner,
    auditor,
    admin,
    sid: seats.security,
  })) {
    t.same(await waiting(person, 'vote'), [], `nothing waits for ${name}, who has no vote here`)
  }
  await vote(committee, reviewId, 'legal', 'abstain')
  t.same(await waiting(seats.legal), [], 'voted')
  t.same(await waiting(other), [], 'somebody else fills the seat')
  await vote(committee, reviewId, 'legal', 'recuse')
  t.same(await waiting(seats.legal), [], 'recused')
  t.same(await waiting(other), [key], 'the seat falls to its other holder')
  await vote(committee, reviewId, 'risk', 'approve')
  const ballot = { seat: 'legal', choice: 'approve', rationale: 'as discussed' }
  t.equal((await other.post(`/v1/reviews/${reviewId}/votes`, ballot)).status, 201, 'and so it is')
  for (const person of Object.values(seats)) t.same(await waiting(person), [], 'the round has closed')
})

t.test('a seat whose voter left waits for its other holder', async (t) => {
  const committee = await startCommittee(t)
  const { owner, member, seats } = committee
  const { id, key } = await register(committee)
  const reviewId = await submit(committee, id)
  const other = await member('Lou', 'legal')
  await vote(committee, reviewId, 'legal', 'abstain')
  t.same(await waiting(other), [])
  await owner.query(
    'update rights_grant set revoked_by = granted_by, revoked_at = now() where person_id = $1',
    [seats.legal.id],
  )
  t.same(await waiting(other), [key])
  const ballot = { seat: 'legal', choice: 'approve', rationale: 'as discussed' }
  t.equal((await other.post(`/v1/reviews/${reviewId}/votes`, ballot)).status, 201, 'and so it is')
})

t.test('R-41: a delegate sees the votes of the holder, but not those that either may not cast', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner } = committee
  const lena = await committee.inUnit('Lena', 'risk_owner', 'seat:legal')
  const dee = await committee.inUnit('Dee')
  const own = await register(committee)
  await submit(committee, own.id)
  const excluded = await register(committee, { title: 'Written by the holder', riskOwnerId: lena.id })
  const place = `/v1/use-cases/${excluded.id}`
  const opened = await lena.post(`${place}/reviews`, {}, ifMatch(await riskOwner.get(place)))
  t.equal(opened.status, 201)
  t.equal((await propose(lena, dee, { endsAt: day(20) })).status, 201)
  t.same(await waiting(dee), [], 'not before they accept')
  t.equal((await delegate(lena, dee, { endsAt: day(20) })).status, 201)
  t.same(await waiting(dee), [own.key])
  t.match(await first(dee, 'vote'), { todo: 'Read the brief and vote for the legal seat in place of Lena' })
  const { body: item } = { body: await first(dee, 'vote') }
  const ballot = { seat: 'legal', choice: 'approve', rationale: 'as asked', onBehalfOf: lena.id }
  t.equal((await dee.post(`/v1/reviews/${item.id}/votes`, ballot)).status, 201)
  t.same(await waiting(dee), [])
  t.same(await waiting(lena, 'vote'), [], 'voted by the delegate')
  committee.clock.at = day(21)
  t.same(await waiting(dee), [], 'the delegation has ended')
})

t.test('what is due first comes first, and says so when it is overdue', async (t) => {
  const committee = await startCommittee(t)
  const { seats, clock } = committee
  const { key } = await register(committee, { title: 'Other' }).then(async (other) => {
    await submit(committee, other.id)
    return other
  })
  clock.at = day(5)
  const late = await register(committee)
  await submit(committee, late.id)
  t.same(await waiting(seats.risk), [key, late.key], 'what is due first')
  clock.at = day(12)
  const { body } = await seats.risk.get('/v1/me/queue')
  t.match(body, { at: day(12), more: [] })
  t.match(
    body.items.map(({ isOverdue }: { isOverdue: boolean }) => isOverdue),
    [true, false],
  )
})

t.test('R-23: a vote waits once its stage is open', async (t) => {
  const committee = await startCommittee(t)
  const { seats, unit, unitId } = committee
  const orgUnitId = await unit('underwriting', unitId)
  const facts = { orgUnitId, jurisdictions: ['EU'], answers: answersFor.high }
  const { id, key } = await register(committee, facts)
  const reviewId = await submit(committee, id)
  const counts = async () => await Promise.all(Object.values(seats).map((seat) => waiting(seat, 'vote')))
  t.same(await counts(), [[key], [], [], [], [key]], 'risk and compliance are the first stage')
  await vote(committee, reviewId, 'risk', 'approve')
  await vote(committee, reviewId, 'compliance', 'approve')
  t.same(await counts(), [[], [key], [key], [key], []], 'the others are the second')
})

t.test('a condition waits for its owner until it is met', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner, businessOwner, seats, clock } = committee
  const { id, conditionIds } = await approvedWith(committee, [report])
  const [conditionId = ''] = conditionIds
  t.match(await first(riskOwner, 'condition'), { id: conditionId, dueAt: day(31), isOverdue: false })
  t.match(
    (await first(riskOwner, 'condition'))?.todo,
    /^See to it, and name an accepted /,
    'nothing came yet',
  )
  t.same(await waiting(businessOwner, 'condition'), [])
  clock.at = day(32)
  t.match(await first(riskOwner, 'condition'), { isOverdue: true })
  t.match(await first(businessOwner, 'use_case'), {
    todo: 'Its approval lapsed, as a condition is overdue: see that the overdue condition is met; it may not be deployed until then',
  })
  const evidenceId = await give(committee, id, {}, 'none')
  t.match(await first(seats.legal, 'evidence'), { id: evidenceId })
  t.equal(await first(riskOwner, 'evidence'), undefined, 'nobody judges what they attached')
  await seats.risk.post(`/v1/evidence/${evidenceId}/verdict`, { verdict: 'accepted', note: 'I read it' })
  t.equal(await first(seats.legal, 'evidence'), undefined)
  t.match(
    await first(riskOwner, 'condition'),
    { id: conditionId, todo: /is accepted; confirm that it meets this, or name another: / },
    'whoever owns it is told what came',
  )
  t.equal((await fulfil(riskOwner, conditionId, evidenceId)).status, 200)
  t.same([...(await waiting(riskOwner)), ...(await waiting(businessOwner))], [])
})

t.test('a use case waits for its owners when it needs them, and for nobody else', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner, businessOwner, auditor, seats, clock, inUnit } = committee
  const colleague = await inUnit('Cole', 'risk_owner')
  const todo = async () => (await first(businessOwner, 'use_case'))?.todo
  const { id } = await register(committee, { stage: 'deployed' })
  t.equal(await todo(), 'It is deployed, and nobody has reviewed it: submit it')
  for (const person of [auditor, colleague, seats.risk]) t.same(await waiting(person, 'use_case'), [])
  const round = await submit(committee, id)
  t.equal(await todo(), undefined, 'submitted')
  await vote(committee, round, 'legal', 'request_changes')
  await vote(committee, round, 'risk', 'request_changes')
  t.equal(await todo(), 'Change what the committee asked for, and submit it again')
  await approve(committee, await submit(committee, id))
  t.equal(await todo(), undefined, 'approved')
  const { validUntil } = (await riskOwner.get(`/v1/use-cases/${id}`)).body.standing
  clock.at = new Date(Date.parse(validUntil) - 30 * 86_400_000).toISOString()
  t.match(await first(riskOwner, 'use_case'), { dueAt: validUntil, isOverdue: false })
  t.match(await todo(), /^Its approval ends on 2027-\d\d-\d\d: submit it for a new one$/)
  await revise(committee, id, { channels: ['phone'] })
  t.match(
    await first(riskOwner, 'use_case'),
    { dueAt: null, isOverdue: false },
    'it is wanted now, not by then',
  )
  t.match(await todo(), /^Its approval lapsed, as what it rested on has changed: submit it again/)
  clock.at = validUntil
  await revise(committee, id, { purpose: 'Decides claims, too' })
  t.match(
    await todo(),
    /^Its approval lapsed, as it has come to its end, and what it rested on has changed: submit it again/,
  )
  t.match(await first(riskOwner, 'use_case'), { dueAt: validUntil, isOverdue: true })
  await submit(committee, id)
  t.equal(await todo(), undefined, 'in review again')
})

t.test('R-90, R-91, R-93: incidents, suspensions and emergencies wait for whoever ends them', async (t) => {
  const committee = await startCommittee(t)
  const { riskOwner, businessOwner, seats, inUnit } = committee
  const colleague = await inUnit('Cole', 'risk_owner')
  const { id } = await approved(committee)
  const kinds = async (person: Person) =>
    (await person.get('/v1/me/queue')).body.items.map(({ kind }: { kind: string }) => kind)
  const incident = await seats.risk.post(`/v1/use-cases/${id}/incidents`, {
    ...{
      title: 'A wrong letter',
      description: 'It named a discount that we do not give',
      severity: 'serious',
    },
    occurredAt: '2026-02-28T09:00:00Z',
  })
  t.same(await kinds(riskOwner), ['incident'], 'its suspension holds while it is open')
  t.same(await kinds(businessOwner), [])
  await riskOwner.post(`/v1/incidents/${incident.body.id}/closing`, { learned: 'Numbers are read twice' })
  t.same(await kinds(riskOwner), ['suspension'])
  t.same(await kinds(seats.risk), [], 'not their own use case')
  const item = await first(riskOwner, 'suspension')
  await riskOwner.post(`/v1/suspensions/${item.id}/lifting`, { reason: 'mended' })
  t.same(await kinds(riskOwner), [])
  await riskOwner.post(`/v1/use-cases/${id}/suspensions`, { reason: 'it names prices' })
  t.same(await kinds(riskOwner), [], 'nobody lifts what they ordered')
  const other = await register(committee)
  const asked = { environment: 'production', reason: 'the portal is down', hours: 8 }
  const opening = await riskOwner.post(`/v1/use-cases/${other.id}/break-glass`, asked)
  t.same(await kinds(riskOwner), [], 'nobody reviews what they opened')
  t.same(await kinds(colleague), ['break_glass'])
  t.same(await kinds(businessOwner), [])
  await colleague.post(`/v1/break-glass/${opening.body.id}/review`, {
    verdict: 'justified',
    note: 'one deploy',
  })
  t.same(await kinds(colleague), [])
})

t.test('nothing of others waits for strangers, and of many things 50 are shown', async (t) => {
  const committee = await startCommittee(t)
  const { seats, unit, person, owner, riskOwner } = await fill(committee)
  const elsewhere = await unit('elsewhere')
  const strangers = [
    await person('Nia', { rights: [] }),
    await person('Stan', {
      rights: ['risk_owner', 'committee_member', 'seat:risk', 'seat:legal'],
      unitId: elsewhere,
    }),
    await person('Bot', { rights: ['pipeline'], kind: 'service' }),
  ]
  for (const stranger of strangers) {
    t.match(await stranger.get('/v1/me/queue'), { status: 200, body: { items: [], more: [] } })
  }
  const { body } = await seats.risk.get('/v1/me/queue')
  t.equal(body.items.length, 50)
  t.same(body.more, ['evidence'])
  await owner.query('select 1')
  t.same(await waiting(riskOwner), [])
})

/** 51 pieces of evidence for one use case. */
async function fill(committee: Committee): Promise<Committee> {
  const { id } = await register(committee)
  for (let piece = 0; piece < 51; piece += 1) await give(committee, id, {}, 'none')
  return committee
}
