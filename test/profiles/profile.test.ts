// What policy asks of the controls of a use case, what is said of them, and what stays of it.
import t from 'tap'
import { listPiecesAt } from '../../src/profiles/store.js'
import { holdingsOf } from '../../src/requirements/service.js'
import type { Person } from '../app.js'
import { approve, register, standing, submit } from '../committee.js'
import { give, look as readAs } from '../conditions/world.js'
import { refuses } from '../unchanged.js'
import { entryOf, look, profileOf, rmf, say, startProfiles } from './world.js'

const committee = await startProfiles(t)
const { riskOwner, businessOwner, auditor, owner, clock, seats } = committee
const controls = (count: number) => Array.from({ length: count }, (_, at) => `GOVERN 1.${at + 1}`)

t.test(
  'R-100: policy asks for controls by tier and facts, and nobody has to assess one to see it',
  async (t) => {
    const { id, key, revision } = await register(committee)
    const profile = await look(riskOwner, id)
    t.match(profile, { useCaseId: id, key, tier: 'limited', revision, asOf: clock.at })
    t.same(
      profile.controls.map(({ control }: { control: string }) => control),
      [...controls(7), 'MEASURE 2.11'],
      'a category stands for its controls, in the order of the catalog',
    )
    t.match(entryOf(profile, 'GOVERN 1.1'), {
      ...{ applies: true, state: 'not_assessed', assessments: 0, function: 'GOVERN', category: 'GOVERN 1' },
      asked: [{ requirement: 'RQ-01', because: 'Whoever uses AI governs it.' }],
      missing: [/^RQ-01: GOVERN 1.1 is not assessed/],
    })
    t.match(profile.coverage, { applicable: 8, covered: 0, share: 0, unmet: 8, beyond: 0, withEvidence: 0 })
    t.match(profile.coverage.functions, [
      { function: 'GOVERN', applicable: 7 },
      { function: 'MEASURE', applicable: 1 },
    ])
  },
)

t.test('R-105: many controls are assessed at once, and what was said before stays', async (t) => {
  const { id } = await register(committee)
  const first = await say(
    riskOwner,
    id,
    { category: 'GOVERN 1', state: 'planned', note: 'by June' },
    { control: 'MAP 1.1', state: 'in_place' },
  )
  t.match(first, {
    status: 200,
    body: { assessed: 8, unchanged: 0, coverage: { applicable: 8, covered: 0 } },
  })
  clock.at = '2026-03-02T09:00:00.000Z'
  const then = { category: 'GOVERN 1', state: 'planned', note: 'by June' }
  const second = await say(
    riskOwner,
    id,
    { control: 'GOVERN 1.1', state: 'in_place' },
    {
      ...then,
      category: undefined,
      control: 'GOVERN 1.2',
    },
  )
  t.match(second.body, { assessed: 1, unchanged: 1, coverage: { covered: 1, share: 0.125, unmet: 7 } })
  const profile = await look(auditor, id)
  t.match(entryOf(profile, 'GOVERN 1.1'), {
    ...{ state: 'in_place', note: '', assessments: 2, missing: [], assessedBy: riskOwner.id },
    assessedAt: clock.at,
  })
  t.match(entryOf(profile, 'MAP 1.1'), { applies: false, asked: [], state: 'in_place' })
  t.match(profile.coverage, { beyond: 1 })
  const { items } = (await auditor.get(profileOf(id, `/history?control=${encodeURIComponent('GOVERN 1.1')}`)))
    .body
  t.match(items, [
    { ordinal: 2, state: 'in_place', note: '' },
    { ordinal: 1, state: 'planned', note: 'by June' },
  ])
  const page = (await auditor.get(profileOf(id, '/history?limit=5'))).body
  const rest = (await auditor.get(profileOf(id, `/history?limit=5&cursor=${page.next}`))).body
  const all = [...page.items, ...rest.items].map((one: { id: string }) => one.id)
  t.equal(new Set(all).size, 9, 'pages follow one another without a gap')
  t.match(await look(auditor, id, '?asOf=2026-03-01T12:00:00Z'), {
    coverage: { covered: 0, states: { planned: 7, not_assessed: 1 } },
  })
  await t.rejects(
    committee.owner.query(`set role assent_app; update control_assessment set state = 'in_place'`),
    /permission denied/,
  )
  await owner.query('reset role')
})

t.test('a line says what it changes, and the rest stays as it was', async (t) => {
  const { id } = await register(committee)
  const [piece, other] = [await give(committee, id), await give(committee, id)]
  await say(riskOwner, id, { control: 'GOVERN 1.1', state: 'planned', note: 'by June', evidenceIds: [piece] })
  await say(riskOwner, id, { control: 'GOVERN 1.1', evidenceIds: [other, piece] })
  t.match(entryOf(await look(auditor, id), 'GOVERN 1.1'), {
    state: 'planned',
    note: 'by June',
    evidence: [{}, {}],
  })
  await say(riskOwner, id, { control: 'GOVERN 1.1', state: 'in_place' })
  t.match(entryOf(await look(auditor, id), 'GOVERN 1.1'), {
    ...{ state: 'in_place', note: '', assessments: 3 },
    evidence: [{ id: piece, counts: true, kind: 'monitoring_report' }, { id: other }],
  })
  t.match((await look(auditor, id)).coverage, {
    withEvidence: 1,
    functions: [{ withEvidence: 1 }, { withEvidence: 0 }],
  })
  await say(riskOwner, id, { control: 'GOVERN 1.1', evidenceIds: [] })
  t.same(entryOf(await look(auditor, id), 'GOVERN 1.1').evidence, [])
})

t.test('one bad line, and nothing is taken; each line is told what is wrong with it', async (t) => {
  const { id } = await register(committee)
  const elsewhere = await give(committee, (await register(committee)).id)
  const [refused, old] = [await give(committee, id, {}, 'refused'), await give(committee, id)]
  const newer = await give(committee, id, { supersedesId: old })
  const lines = [
    { control: 'GOVERN 1.1', state: 'in_place' },
    { catalog: 'nowhere', control: 'A', state: 'planned' },
    { version: '0.9', control: 'MAP 1.1', state: 'planned' },
    { control: 'GOVERN 99', state: 'planned' },
    { category: 'GOVERN 99', state: 'planned' },
    { control: 'MAP 1.1', state: 'not_applicable' },
    { category: 'MAP 2', state: 'not_effective', note: '  ' },
    { category: 'GOVERN 1', state: 'planned' },
    { control: 'MAP 1.2', evidenceIds: [elsewhere] },
    { control: 'MAP 1.3', evidenceIds: [newer, refused] },
    { control: 'MAP 1.4', evidenceIds: [old] },
    { control: 'MAP 1.5', evidenceIds: [newer, newer] },
  ]
  const answer = await refuses(t, committee, () => say(riskOwner, id, ...lines), {
    status: 422,
    detail:
      /^nothing was taken; correct \/assessments\/1\/catalog: it is nowhere 1.0, which is not here.*and 10 more$/,
  })
  t.match(answer.body.issues, [
    { path: '/assessments/1/catalog' },
    { path: '/assessments/2/catalog' },
    { path: '/assessments/3/control', message: /no control of nist-ai-rmf 1.0/ },
    { path: '/assessments/4/category' },
    { path: '/assessments/5/note', message: 'must say why it is not applicable' },
    { path: '/assessments/6/note', message: /why it is not effective, for MAP 2.1 too/ },
    { path: '/assessments/7', message: /speaks of GOVERN 1.1, of which line 1 speaks already/ },
    { path: '/assessments/8/evidenceIds/0', message: /no evidence of this use case/ },
    { path: '/assessments/9/evidenceIds/1', message: /was refused/ },
    { path: '/assessments/10/evidenceIds/0', message: `has a newer piece in its place; name ${newer}` },
    { path: '/assessments/11/evidenceIds/1', message: /named before/ },
  ])
  await refuses(t, committee, () => say(riskOwner, id, { control: 'MAP 1.1', state: 'not_assessed' }), {
    status: 422,
    detail: /nothing would change/,
  })
  const whole = ['GOVERN', 'MAP', 'MEASURE', 'MANAGE'].map((name) => ({ function: name, state: 'planned' }))
  t.match(await say(riskOwner, id, ...whole), { status: 200, body: { assessed: 72 } })
})

t.test('who may say how far controls are: the owners, and the committee of the unit', async (t) => {
  const { id } = await register(committee)
  const line = { control: 'GOVERN 1.1', state: 'planned' }
  for (const person of [businessOwner, riskOwner, seats.legal])
    t.equal((await say(person, id, { ...line, note: person.id })).status, 200)
  const sales = await committee.unit('sales')
  const stranger = await committee.person('Oz', { rights: ['risk_owner'], unitId: sales })
  const revision = (await look(auditor, id)).revision
  const send = (as: Person, seen = revision) =>
    as.patch(profileOf(id), { assessments: [{ ...rmf, ...line }] }, { 'if-match': `"${seen}"` })
  await refuses(t, committee, () => send(auditor), { status: 403 })
  await refuses(t, committee, () => send(stranger), { status: 404 })
  await refuses(t, committee, () => stranger.get(profileOf(id)), { status: 404 })
  await refuses(t, committee, () => send(riskOwner, revision - 1), { status: 412, detail: /read it again/ })
  const place = `/v1/use-cases/${id}`
  await riskOwner.post(`${place}/retirement`, { reason: 'out of use' }, { 'if-match': `"${revision}"` })
  await refuses(t, committee, () => send(riskOwner, revision + 1), { status: 409, detail: /retired/ })
})

t.test(
  'R-103: a control that falls out of place lapses the approval that rests on it, and mending cures it',
  async (t) => {
    const { id } = await register(committee, { channels: ['e-mail'] })
    await say(
      riskOwner,
      id,
      { category: 'GOVERN 1', state: 'in_place' },
      { control: 'MEASURE 2.11', state: 'in_place' },
    )
    t.match(await approve(committee, await submit(committee, id)), { status: 201 })
    t.match(await standing(committee, id), { standing: 'cleared' })
    const fallen = await say(riskOwner, id, {
      control: 'GOVERN 1.3',
      state: 'not_effective',
      note: 'nobody reads it',
    })
    t.match(fallen.body, { standing: 'lapsed', reasons: ['control_missing'], coverage: { unmet: 1 } })
    t.match(await standing(committee, id), { standing: 'lapsed', reasons: ['control_missing'] })
    const mended = await say(riskOwner, id, { control: 'GOVERN 1.3', state: 'in_place' })
    t.match(mended.body, { standing: 'cleared', reasons: [], coverage: { unmet: 0, share: 1 } })
  },
)

t.test('controls are assessed while a review is open, and the log says of each what was said', async (t) => {
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  t.match(await say(riskOwner, id, { category: 'GOVERN 1', state: 'planned', note: 'soon' }), { status: 200 })
  t.match(await standing(committee, id), { standing: 'in_review', openReviewId: reviewId })
  const { body } = await auditor.get(`/v1/use-cases/${id}/events`)
  t.match(body.items.at(-1), {
    type: 'control.assessed',
    data: {
      catalog: 'nist-ai-rmf',
      version: '1.0',
      controls: [{ id: 'GOVERN 1.1', state: 'planned', evidenceIds: [] }],
    },
    sealed: { notes: { 'GOVERN 1.1': 'soon', 'GOVERN 1.7': 'soon' } },
  })
})

t.test('much that is said at once is recorded in as many events as it takes', async (t) => {
  const { id } = await register(committee)
  const pieces: string[] = []
  for (let count = 0; count < 30; count += 1) pieces.push(await give(committee, id, {}, 'none'))
  const whole = ['GOVERN', 'MAP', 'MEASURE', 'MANAGE'].map((name) => ({
    function: name,
    evidenceIds: pieces,
  }))
  t.match(await say(riskOwner, id, ...whole), { status: 200, body: { assessed: 72 } })
  const { body } = await auditor.get(`/v1/use-cases/${id}/events?limit=200`)
  const parts = body.items.filter(({ type }: { type: string }) => type === 'control.assessed')
  t.equal(parts.length, 2)
  t.equal(parts.flatMap(({ data }: { data: { controls: object[] } }) => data.controls).length, 72)
})

t.test('evidence of a past instant is judged as it was then, and now as requirements judge it', async (t) => {
  clock.at = '2026-03-10T09:00:00.000Z'
  const { id } = await register(committee)
  const old = await give(committee, id, { freshUntil: '2026-03-20T00:00:00.000Z' })
  const unjudged = await give(committee, id, {}, 'none')
  await say(riskOwner, id, { control: 'MEASURE 2.11', state: 'in_place', evidenceIds: [old, unjudged] })
  const counting = async (query = '') =>
    entryOf(await look(auditor, id, query), 'MEASURE 2.11').evidence.map(
      (one: { counts: boolean }) => one.counts,
    )
  const ids = [old, unjudged].sort()
  const expected = (...counts: string[]) => ids.map((one) => counts.includes(one))
  t.same(await counting(), expected(old))
  clock.at = '2026-03-21T09:00:00.000Z'
  t.same(await counting(), expected(), 'stale')
  const newer = await give(committee, id, { supersedesId: old })
  t.same(await counting(), expected(old), 'a newer piece serves in its place')
  clock.at = '2026-03-22T09:00:00.000Z'
  await seats.risk.post(`/v1/evidence/${unjudged}/verdict`, { verdict: 'accepted', note: 'I read it' })
  t.same(await counting(), expected(old, unjudged))
  t.same(await counting('?asOf=2026-03-12T00:00:00Z'), expected(old))
  t.same(await counting('?asOf=2026-03-20T12:00:00Z'), expected())
  t.same(await counting('?asOf=2026-03-21T10:00:00Z'), expected(old))
  t.match(await auditor.get(profileOf(id, '?asOf=2027-01-01T00:00:00Z')), {
    status: 422,
    body: { detail: /future/ },
  })
  const [then, now] = await readAs(committee, auditor, async (tx) => [
    await listPiecesAt(tx, id, tx.now),
    (await holdingsOf(tx, id)).pieces,
  ])
  t.same(then, now, 'as of now, the two ways to read it agree')
  t.match(now, [{ id: unjudged }, { id: newer, replaces: [old] }])
})
