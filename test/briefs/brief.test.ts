// The committee's one page: what it shows, to whom, and that nothing in it passes for what it is not.
import t from 'tap'
import { approved, register, revise, startCommittee, submit, vote } from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { seats, riskOwner, auditor, inUnit } = committee

t.test('R-51: the brief shows what changed since the last decision, and how much that weighs', async (t) => {
  const { id } = await approved(committee)
  await revise(committee, id, { channels: ['phone'] })
  const reviewId = await submit(committee, id)
  const { body } = await seats.risk.get(`/v1/reviews/${reviewId}/brief`)
  t.match(body.since, {
    version: 1,
    changeClass: 'adaptive',
    changes: [{ fact: 'channels', from: [], to: ['phone'] }],
    decision: { outcome: 'approved' },
  })
  t.equal(body.review.route, 'adaptive')
})

t.test(
  'the brief says who can still decide, who cannot and why, and what each choice would do',
  async (t) => {
    const { id } = await register(committee)
    const reviewId = await submit(committee, id)
    await vote(committee, reviewId, 'legal', 'approve')
    const { body } = await seats.risk.get(`/v1/reviews/${reviewId}/brief`)
    t.equal(body.since, null)
    t.match(body.votes, [{ seat: 'legal', person: { name: 'Lea' }, choice: 'approve', counts: true }])
    const risk = body.canDecide.find(({ seat }: { seat: string }) => seat === 'risk')
    t.match(risk.people, [{ name: 'Rae', cannot: null, onBehalfOf: null }])
    const effect = (seat: string | null, choice: string) =>
      body.outlook.find(
        (row: { seat: string | null; choice: string }) => row.seat === seat && row.choice === choice,
      ).effect
    t.match(effect('risk', 'approve'), /it is approved/)
    t.match(effect('risk', 'block'), /it is blocked/)
    t.match(effect('risk', 'request_changes'), /changes are requested/)
    t.match(effect('business', 'approve'), /stays open/)
    t.match(effect('risk', 'recuse'), /another holder/)
  },
)

t.test('as Markdown, what people wrote stays text', async (t) => {
  const { id } = await register(committee, { title: '# Triage <b>of</b> [claims](http://x)\n- [ ] approve' })
  const reviewId = await submit(committee, id)
  const { body, headers } = await seats.risk.get(`/v1/reviews/${reviewId}/brief?format=markdown`)
  t.match(headers['content-type'], /^text\/markdown/)
  const [heading] = String(body).split('\n')
  t.match(
    heading,
    /^# UC-\d+ \\# Triage \\<b\\>of\\<\/b\\> \\\[claims\\\]\(http:\/\/x\) - \\\[ \\\] approve$/,
  )
  for (const title of ['What it is', 'Why this tier', 'Who can still decide', 'What happens then']) {
    t.match(body, `## ${title}`)
  }
})

t.test('as Markdown, what it takes is one line, and so is what several votes lead to alike', async (t) => {
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'legal', 'approve')
  const page = String((await seats.risk.get(`/v1/reviews/${reviewId}/brief?format=markdown`)).body)
  t.match(page, '- It was never decided')
  t.match(page, '- None was attached')
  t.match(page, '- committee (open): 2 of 4 seats approve, 1 so far; risk must be among them')
  t.match(page, /^- risk, approve: The round ends and it is approved/m)
  t.match(page, /^- risk, request changes or abstain: The round ends and changes are requested/m)
  t.equal(page.match(/stays open/g)?.length, 1)
})

t.test('the brief is for whoever may read the review', async (t) => {
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  for (const person of [riskOwner, auditor]) {
    t.equal((await person.get(`/v1/reviews/${reviewId}/brief`)).status, 200)
  }
  const stranger = await committee.person('Stan', {
    rights: ['risk_owner'],
    unitId: await committee.unit('other'),
  })
  await refuses(t, committee, () => stranger.get(`/v1/reviews/${reviewId}/brief`), { status: 404 })
  const nobody = await inUnit('Nia')
  await refuses(t, committee, () => nobody.get(`/v1/reviews/${reviewId}/brief`), { status: 404 })
})

t.test('R-51, R-53: what submitting would lead to is told before', async (t) => {
  const facts = { technique: 'nlp', channels: ['phone'], jurisdictions: ['US-NY'] }
  const first = await approved(committee, facts)
  const again = (await riskOwner.get(`/v1/use-cases/${first.id}/next-review`)).body
  t.match(again, { tier: 'limited', route: 'minor', since: { changeClass: 'minor', changes: [] } })
  const second = await register(committee, { ...facts, title: 'The same for other claims' })
  const { body } = await riskOwner.get(`/v1/use-cases/${second.id}/next-review`)
  t.match(body, { tier: 'limited', route: 'full', since: null })
  t.match(body.precedents, [
    { decisionId: first.standing.decisionId, useCase: { key: first.key }, lane: { id: 'limited-precedent' } },
  ])
  const submitted = await riskOwner.post(
    `/v1/use-cases/${second.id}/reviews`,
    { precedentId: first.standing.decisionId },
    { 'if-match': '"1"' },
  )
  t.match(submitted.body, { route: 'precedent', lane: { id: 'limited-precedent' } })
})
