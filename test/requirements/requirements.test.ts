// What policy asks of a use case, how far it is and what to do next, from a draft to an approval that rests on it.
import t from 'tap'
import { type Answer, ifMatch, type Person, policyAsking } from '../app.js'
import { answersFor, approve, type Committee, register, START, startCommittee, submit } from '../committee.js'
import { give } from '../conditions/world.js'
import { rmf, say } from '../profiles/world.js'

const asking = [
  {
    id: 'RQ-10',
    when: { tiers: ['limited'] },
    because: 'It was tried.',
    evidence: { kind: 'test_report', freshForDays: 30, acceptedBy: ['risk', 'security'] },
    ifMissing: 'refuse',
  },
  {
    id: 'RQ-11',
    when: { tiers: ['limited'], techniques: ['agentic'] },
    because: 'An agent acts with access of its own.',
    evidence: { kind: 'security_assessment' },
    ifMissing: { beforeDeploy: true, owner: 'risk_owner' },
  },
  {
    id: 'RQ-20',
    when: { tiers: ['limited'] },
    because: 'Somebody can switch it off.',
    controls: { ...rmf, ids: ['MANAGE 2.4'], withEvidence: true },
    ifMissing: { dueInDays: 60, owner: 'risk_owner' },
    exception: { longestDays: 90 },
  },
  {
    ...{ id: 'RQ-30', when: { tiers: ['high'] }, because: 'Never here.' },
    evidence: { kind: 'model_card' },
    ifMissing: 'refuse',
  },
]

const committee = await startCommittee(t, {}, policyAsking(...asking))
const { riskOwner, businessOwner, auditor, seats, clock, unitId, owner } = committee
t.beforeEach(() => {
  clock.at = START
})

const on = (day: number) => new Date(Date.parse(START) + day * 86_400_000).toISOString()
const place = (id: string) => `/v1/use-cases/${id}/requirements`

// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
async function look(id: string, as: Person = riskOwner): Promise<any> {
  const { status, body } = await as.get(place(id))
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}

/** Matches a list of nothing, as `[]` in a pattern does not. */
const none = { length: 0 }

/** The one ask of a requirement. */
async function ask(id: string, requirement: string) {
  const { requirements } = await look(id)
  return requirements.find((one: { id: string }) => one.id === requirement)?.asks[0]
}

async function attach(id: string, given: object = {}, as: Person = riskOwner): Promise<string> {
  const piece = { kind: 'test_report', title: 'Test of triage', statement: 'All 200 cases passed.', ...given }
  const { status, body } = await as.post(`/v1/use-cases/${id}/evidence`, piece)
  if (status !== 201) throw new Error(JSON.stringify(body))
  return body.id
}

const judge = async (as: Person, id: string, verdict = 'accepted'): Promise<Answer> =>
  await as.post(`/v1/evidence/${id}/verdict`, { verdict, note: 'I read it' })

async function draft(on: Committee = committee): Promise<string> {
  return (await register(on)).id
}

t.test('a draft shows all that policy asks for, why, and what to do', async (t) => {
  const { id, key, title } = await register(committee)
  const found = await look(id)
  t.match(found, {
    ...{ useCase: { id, key, title }, tier: 'limited', policyDigest: committee.policies.digest, at: START },
    ...{ readyToDecide: false, approval: null },
    counts: { required: 3, met: 0, missing: 3, refused: 1 },
  })
  t.match(found.requirements, [
    {
      ...{ id: 'RQ-10', because: 'It was tried.', unstated: none, exceptionDays: null, ifMissing: 'refuse' },
      words:
        'a test report of the last 30 days, accepted by the seat risk or security; nothing is approved without it',
      asks: [
        {
          ...{ state: 'missing', atDecision: 'refused', evidence: none, until: null, offers: none },
          words: 'a test report of the last 30 days, accepted by the seat risk or security',
          next: 'RQ-10: a test report is missing; attach one, which the seat risk or security has to accept',
        },
      ],
    },
    { id: 'RQ-11', unstated: ['technique'], asks: [{ state: 'missing', atDecision: 'condition' }] },
    { id: 'RQ-20', exceptionDays: 90, asks: [{ state: 'missing', atDecision: 'condition' }] },
  ])
  t.equal(found.requirements.length, 3)
  await t.resolves(look(key))
})

t.test('R-100: what was stated, and is not so, is asked for no more', async (t) => {
  const { id } = await register(committee, { technique: 'nlp' })
  const { requirements } = await look(id)
  t.same(
    requirements.map((one: { id: string }) => one.id),
    ['RQ-10', 'RQ-20'],
  )
  const high = await register(committee, { answers: answersFor.high })
  t.match(await look(high.id), { tier: 'high', requirements: [{ id: 'RQ-30' }] })
  const minimal = await register(committee, { answers: answersFor.minimal })
  t.match(await look(minimal.id), { readyToDecide: true, counts: { required: 0 }, requirements: none })
  const prohibited = await register(committee, { answers: answersFor.prohibited })
  t.match(await look(prohibited.id), { tier: 'prohibited', readyToDecide: false, requirements: none })
})

t.test('R-101: evidence counts once one of the seats accepted it, and while it is fresh', async (t) => {
  const id = await draft()
  const first = await attach(id)
  t.match(await ask(id, 'RQ-10'), {
    ...{ state: 'waiting', atDecision: 'refused' },
    evidence: [{ id: first, title: 'Test of triage', counts: false }],
    next: 'RQ-10: a test report is there; the seat risk or security has to accept it',
  })
  t.equal((await judge(seats.legal, first)).status, 201)
  t.match(await ask(id, 'RQ-10'), {
    ...{ state: 'missing', evidence: none },
    next: 'RQ-10: a test report was accepted, but not by the seat risk or security; attach it once more for them',
  })
  const second = await attach(id)
  clock.at = on(3)
  t.equal((await judge(seats.security, second)).status, 201)
  t.match(await ask(id, 'RQ-10'), {
    ...{ state: 'met', atDecision: 'met', next: null, until: on(30) },
    evidence: [{ id: second, counts: true }],
  })
  t.match(await look(id), { readyToDecide: true, counts: { met: 1, missing: 2, refused: 0 } })
  clock.at = new Date(Date.parse(on(30)) - 1).toISOString()
  t.match(await ask(id, 'RQ-10'), { state: 'met' })
  clock.at = on(30)
  t.match(await ask(id, 'RQ-10'), {
    ...{ state: 'stale', atDecision: 'refused', until: null, evidence: none },
    next: 'RQ-10: the test report went stale on 2026-03-31; attach a newer one',
  })
  t.match(await look(id), { readyToDecide: false })
})

t.test(
  'R-101: an older piece counts until a newer one is accepted, also through one that was refused',
  async (t) => {
    const id = await draft()
    const first = await attach(id)
    await judge(seats.risk, first)
    clock.at = on(10)
    const second = await attach(id, { supersedesId: first })
    t.match(await ask(id, 'RQ-10'), { state: 'met', until: on(30) })
    await judge(seats.risk, second, 'refused')
    t.match(await ask(id, 'RQ-10'), { state: 'met', until: on(30) })
    const third = await attach(id, { supersedesId: first })
    await judge(seats.risk, third)
    t.match(await ask(id, 'RQ-10'), {
      ...{ state: 'met', until: on(40) },
      evidence: [{ id: third, counts: true }],
    })
  },
)

t.test('what is shared from elsewhere is as old as it was there', async (t) => {
  const [here, there] = [await draft(), await draft()]
  const piece = await attach(here)
  clock.at = on(20)
  const { body } = await riskOwner.post(`/v1/evidence/${piece}/uses`, { useCaseId: there })
  await judge(seats.risk, body.id)
  t.match(await ask(there, 'RQ-10'), { state: 'met', until: on(30) })
})

t.test('what a scanner holds back waits for it', async (t) => {
  const id = await draft()
  const piece = await attach(id)
  const scan = `insert into evidence_scan (evidence_id, state, tries, next_at) values ($1, 'quarantined', 0, now())`
  await owner.query(scan, [piece])
  t.match(await ask(id, 'RQ-10'), {
    ...{ state: 'waiting', evidence: [{ id: piece, counts: false }] },
    next: 'RQ-10: a test report is there, and waits for the virus scanner; look again in a while',
  })
  await owner.query(
    `update evidence_scan set state = 'rejected', finding = 'Eicar', ended_at = now() where evidence_id = $1`,
    [piece],
  )
  t.match(await ask(id, 'RQ-10'), { state: 'missing', evidence: none })
})

t.test('a control is offered what serves a like control of another catalog', async (t) => {
  const id = await draft()
  const piece = await give(committee, id, {}, 'accepted')
  const euAiAct = { catalog: 'eu-ai-act', version: '2024' }
  const oversight = { ...euAiAct, control: 'Article 14', state: 'in_place', evidenceIds: [piece] }
  t.equal((await say(riskOwner, id, oversight)).status, 200)
  const planned = { ...euAiAct, control: 'Article 20', state: 'planned' }
  t.equal((await say(riskOwner, id, planned)).status, 200)
  t.match(await ask(id, 'RQ-20'), {
    ...{
      state: 'missing',
      next: 'RQ-20: MANAGE 2.4 is not assessed, and has to be in place or not applicable; assess it',
    },
    offers: [{ ...euAiAct, control: 'Article 14', relation: 'intersects', evidenceIds: [piece] }],
  })
  t.equal((await ask(id, 'RQ-20')).offers.length, 1, 'what is planned serves nobody')
  t.equal((await say(riskOwner, id, { control: 'MANAGE 2.4', state: 'in_place' })).status, 200)
  t.match(await ask(id, 'RQ-20'), {
    ...{ state: 'missing', evidence: none },
    next: 'RQ-20: MANAGE 2.4 is in place without evidence that counts; name some',
  })
  t.equal((await say(riskOwner, id, { control: 'MANAGE 2.4', evidenceIds: [piece] })).status, 200)
  t.match(await ask(id, 'RQ-20'), { state: 'met', offers: none, evidence: [{ id: piece, counts: true }] })
})

t.test('evidence of a control that a newer piece replaced need not be named anew', async (t) => {
  const id = await draft()
  const older = await give(committee, id, {}, 'accepted')
  await say(riskOwner, id, { control: 'MANAGE 2.4', state: 'in_place', evidenceIds: [older] })
  const { body } = await riskOwner.get(`/v1/evidence/${older}`)
  const newer = await attach(id, { kind: body.kind, supersedesId: older, freshUntil: on(50) })
  t.match(await ask(id, 'RQ-20'), { state: 'met', until: null })
  await judge(seats.risk, newer)
  t.match(await ask(id, 'RQ-20'), { state: 'met', until: on(50), evidence: [{ id: newer, counts: true }] })
  clock.at = on(50)
  t.match(await ask(id, 'RQ-20'), {
    ...{
      state: 'stale',
      next: 'RQ-20: the evidence for MANAGE 2.4 went stale on 2026-04-20; attach newer in its place',
    },
  })
})

t.test('whoever may read a use case reads what is asked of it, and nobody else', async (t) => {
  const id = await draft()
  for (const person of [riskOwner, businessOwner, auditor, seats.legal]) {
    t.equal((await person.get(place(id))).status, 200)
  }
  const elsewhere = await committee.unit(`sales-${id.slice(-4)}`)
  const stranger = await committee.person('Stan', { rights: ['risk_owner', 'auditor'], unitId: elsewhere })
  t.equal((await stranger.get(place(id))).status, 404)
  t.equal((await stranger.get(place('UC-999999'))).status, 404)
  const machine = await committee.person('Bot', { rights: ['pipeline'], unitId, kind: 'service' })
  t.ok([403, 404].includes((await machine.get(place(id))).status))
})

// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
async function waiting(person: Person, kind: string, useCaseId: string): Promise<any[]> {
  const { items } = (await person.get('/v1/me/queue')).body
  return items.filter((item: Answer['body']) => item.kind === kind && item.useCase.id === useCaseId)
}

const riskItems = async (id: string) => await waiting(riskOwner, 'requirement', id)

t.test('R-102: what holds a review up waits for its owners, until they have done their part', async (t) => {
  const id = await draft()
  t.same(await riskItems(id), [], 'not before it is submitted')
  const reviewId = await submit(committee, id)
  const gap = 'RQ-10: a test report is missing; attach one, which the seat risk or security has to accept'
  t.match(await riskItems(id), [
    { todo: `Nobody can approve it yet. ${gap}`, dueAt: null, link: `/v1/use-cases/${id}/requirements` },
  ])
  t.equal((await riskOwner.get((await riskItems(id))[0].link)).status, 200, 'the link leads there')
  t.equal((await waiting(businessOwner, 'requirement', id)).length, 1)
  for (const person of [auditor, seats.risk]) t.same(await waiting(person, 'requirement', id), [])
  const { body } = await seats.legal.get(`/v1/reviews/${reviewId}/brief`)
  t.match(body.review.missing, [
    { requirement: 'RQ-10', ifApproved: 'refused' },
    { requirement: 'RQ-11', ifApproved: 'condition' },
    { requirement: 'RQ-20', ifApproved: 'condition' },
  ])
  const markdown = await seats.legal.get(`/v1/reviews/${reviewId}/brief?format=markdown`)
  t.match(
    String(markdown.body),
    `## What is missing\n\n- ${gap}: **a vote that approves is refused**\n- RQ-11`,
  )
  const report = await attach(id)
  t.same(await riskItems(id), [], 'it waits for others now')
  t.match(await waiting(seats.risk, 'evidence', id), [
    { id: report, todo: 'Accept or refuse the test report “Test of triage” for the risk seat' },
  ])
  t.same(await waiting(seats.legal, 'evidence', id), [], 'a verdict of theirs would use it up')
  t.same(await waiting(riskOwner, 'evidence', id), [], 'nor would whoever gave it judge it')
  const other = await attach(id, { kind: 'risk_assessment' })
  t.match(await waiting(seats.legal, 'evidence', id), [
    { id: other, todo: /^Accept or refuse the risk assessment “[^”]+”$/ },
  ])
  await judge(seats.risk, report)
  t.same(await riskItems(id), [])
})

t.test(
  'R-103: an approval says what it rests on, and what will lapse it is told thirty days before',
  async (t) => {
    const { id } = await register(committee, { technique: 'nlp' })
    const prospect = async () => (await riskOwner.get(`/v1/use-cases/${id}/next-review`)).body
    t.match(await prospect(), {
      readyToDecide: false,
      missing: [
        'RQ-10: a test report is missing; attach one, which the seat risk or security has to accept (nothing is approved without it)',
        /^RQ-20: MANAGE 2.4 is not assessed.*\(or an approval carries it as a condition\)$/,
      ],
    })
    const report = await attach(id)
    await judge(seats.risk, report)
    t.match(await prospect(), { readyToDecide: true, missing: [/^RQ-20/] })
    await approve(committee, await submit(committee, id))
    const { approval, readyToDecide } = await look(id)
    t.match(approval, {
      required: [
        { requirement: 'RQ-10', taken: 'met', state: 'met', until: on(30), evidence: [{ id: report }] },
        { requirement: 'RQ-20', taken: 'condition', state: 'missing' },
      ],
      ...{ evidenceStaleAt: on(30), evidenceMissingAt: null, controlMissingAt: null },
    })
    t.equal(readyToDecide, true)
    t.match(await riskItems(id), [
      {
        dueAt: on(30),
        todo: 'See to it before 2026-03-31, or its approval lapses then: a test report of the last 30 days, accepted by the seat risk or security',
      },
    ])
    clock.at = on(20)
    const newer = await attach(id, { supersedesId: report })
    t.same(await riskItems(id), [], 'a newer one is on its way')
    await judge(seats.risk, newer, 'refused')
    t.equal((await riskItems(id)).length, 1)
    clock.at = on(30)
    t.match((await riskOwner.get(`/v1/use-cases/${id}`)).body.standing, {
      ...{ standing: 'lapsed', reasons: ['evidence_stale'] },
    })
    t.same(await riskItems(id), [], 'what has lapsed is told as that')
    t.match(await waiting(riskOwner, 'use_case', id), [
      { todo: /evidence that it rests on went stale: have newer/ },
    ])
    t.match((await look(id)).approval, { required: [{ state: 'stale' }, {}], evidenceStaleAt: on(30) })
    await judge(seats.risk, await attach(id, { supersedesId: report }))
    t.match((await look(id)).approval, {
      required: [{ state: 'met', until: on(60) }, {}],
      evidenceStaleAt: on(60),
    })
    t.match((await riskOwner.get(`/v1/use-cases/${id}`)).body.standing, {
      standing: /^cleared/,
      reasons: none,
    })
  },
)

t.test(
  'R-104: what a review asks to be excepted from holds nobody up, and shows until when it is',
  async (t) => {
    const needed = policyAsking({ ...asking[2], ifMissing: 'refuse' })
    const strict = await startCommittee(t, {}, needed)
    const { id } = await register(strict, { technique: 'nlp' })
    const at = `/v1/use-cases/${id}`
    const see = async () => (await strict.riskOwner.get(`${at}/requirements`)).body
    t.match(await see(), { readyToDecide: false, counts: { refused: 1 } })
    const exceptions = [
      {
        requirement: 'RQ-20',
        until: on(40),
        compensating: { text: 'A person reads every answer before it goes out.' },
        reason: 'The switch comes in April.',
      },
    ]
    const opened = await strict.riskOwner.post(
      `${at}/reviews`,
      { exceptions },
      ifMatch(await strict.riskOwner.get(at)),
    )
    t.equal(opened.status, 201)
    t.match(await see(), {
      readyToDecide: true,
      requirements: [{ asks: [{ atDecision: 'excepted', exceptedUntil: null }] }],
    })
    const queue = async () => await waiting(strict.riskOwner, 'requirement', id)
    t.same(await queue(), [])
    await approve(strict, opened.body.id)
    t.match(await see(), {
      ...{
        readyToDecide: true,
        requirements: [{ asks: [{ atDecision: 'excepted', exceptedUntil: on(40) }] }],
      },
      approval: { required: [{ taken: 'excepted', exceptedUntil: on(40) }], controlMissingAt: on(40) },
    })
    t.same(await queue(), [], 'not yet')
    strict.clock.at = on(11)
    t.match(await queue(), [{ dueAt: on(40), todo: /: MANAGE 2.4 in place or not applicable/ }])
    strict.clock.at = on(40)
    t.match(await see(), {
      readyToDecide: false,
      requirements: [{ asks: [{ atDecision: 'refused', exceptedUntil: null }] }],
    })
    t.match((await strict.riskOwner.get(at)).body.standing, {
      standing: 'lapsed',
      reasons: ['control_missing'],
    })
  },
)

t.test(
  'a trial says what an approval would rest on, and GET /v1/policies what is asked of whom',
  async (t) => {
    const trial = await riskOwner.post('/v1/tiers/trial', {
      answers: answersFor.limited,
      channels: ['phone'],
    })
    t.match(trial.body, {
      tier: 'limited',
      requirements: [
        { id: 'RQ-10', unstated: none, words: /nothing is approved without it$/ },
        {
          id: 'RQ-11',
          unstated: ['technique'],
          asks: ['a security assessment, accepted by somebody other than its giver'],
        },
        { id: 'RQ-20', ifMissing: { dueInDays: 60, owner: 'risk_owner' } },
      ],
    })
    t.equal(trial.body.requirements.length, 3)
    const prohibited = await riskOwner.post('/v1/tiers/trial', { answers: answersFor.prohibited })
    t.match(prohibited.body, { tier: 'prohibited', requirements: none })
    const { body } = await riskOwner.get('/v1/policies')
    t.same(
      body.requirements.map(({ id }: { id: string }) => id),
      asking.map(({ id }) => id),
    )
  },
)
