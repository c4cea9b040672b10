import t from 'tap'
import { v7 as newId } from 'uuid'
import { ifMatch } from '../app.js'
import { answersFor, approved, register, revise, startCommittee } from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { riskOwner, businessOwner, auditor, unitId } = committee
const elsewhere = await committee.unit('elsewhere')
const stranger = await committee.person('Sia', { rights: ['risk_owner'], unitId: elsewhere })

const placeOf = (id: string) => `/v1/use-cases/${id}`

t.test('title, purpose and unit are enough, and what is unknown counts as the riskier answer', async (t) => {
  const registered = await businessOwner.post('/v1/use-cases', {
    title: '  Letters in plain words ',
    purpose: 'Rewrites letters',
    orgUnitId: unitId,
  })
  t.match(registered, {
    status: 201,
    body: {
      key: /^UC-\d+$/,
      title: 'Letters in plain words',
      revision: 1,
      version: 1,
      origin: 'declared',
      stage: 'idea',
      tier: { effective: 'high', computed: 'high', raised: null, unknownOnly: true },
      standing: { standing: 'unreviewed', reasons: [] },
      similar: [],
    },
    headers: { etag: '"1"', location: placeOf(registered.body.id) },
  })
  t.ok(registered.body.tier.fired.every(({ unknown }: { unknown: boolean }) => unknown))
  const { similar: _similar, ...useCase } = registered.body
  t.same((await auditor.get(placeOf(useCase.id))).body, useCase)
  t.same((await auditor.get(placeOf(useCase.key))).body, useCase)
  t.same((await auditor.get(placeOf(useCase.key.toLowerCase()))).body, useCase)
})

t.test('what is wrong is refused, field by field', async (t) => {
  const facts = { title: 'Letters', purpose: 'Rewrites letters', orgUnitId: unitId }
  const ask = (body: object) => () => businessOwner.post('/v1/use-cases', body)
  for (const [body, detail] of [
    [{ ...facts, systemIds: [newId()] }, 'a system named here is not registered; register it first'],
    [{ ...facts, riskOwnerId: newId() }, /^an owner must be a person/],
    [{ ...facts, answers: { shoe_size: 'yes' } }, /^Some intake answers are not on the list/],
    [{ ...facts, answers: { customer_facing: 'perhaps' } }, /^Some intake answers are not on the list/],
    [{ ...facts, stage: 'retired' }, /at \/stage/],
    [{ ...facts, title: 'x\u0000yz' }, /cannot be stored/],
    [{ ...facts, titel: 'x' }, /at \/titel: is not a field here; correct its name or remove it/],
    [{ purpose: 'Rewrites' }, /at \/title/],
  ] as [object, string | RegExp][]) {
    await refuses(t, committee, ask(body), { status: 422, detail })
  }
  for (const orgUnitId of [elsewhere, newId()]) {
    await refuses(t, committee, ask({ ...facts, orgUnitId }), { status: 403, rule: 'DR-20' })
  }
  await refuses(t, committee, () => auditor.post('/v1/use-cases', facts), { status: 403, rule: 'DR-85' })
})

t.test('one that looks like another is told so, and may still be registered', async (t) => {
  const title = 'Fraud score for motor claims'
  const purpose = 'Scores each claim by how much it looks like fraud, for the adjuster to look at'
  const first = await register(committee, { title, purpose })
  const second = await register(committee, { title: 'Fraud scoring of motor claims', purpose: 'Finds fraud' })
  t.match(second.similar, [{ key: first.key, orgUnit: 'claims', title }])

  await t.test('out of sight it shows its key and unit only', async (t) => {
    const { items } = (await stranger.get(`/v1/use-cases/similar?title=${encodeURIComponent(title)}`)).body
    t.match(items[0], { key: first.key, orgUnit: 'claims', title: null, similarity: null })
    t.equal((await stranger.get(placeOf(first.key))).status, 404)
  })

  await t.test('another name for the same purpose is found too', async (t) => {
    const reworded = 'Scores each claim for the adjuster by how much it looks like fraud'
    const query = new URLSearchParams({ title: 'Beacon', purpose: reworded })
    const { items } = (await businessOwner.get(`/v1/use-cases/similar?${query}`)).body
    t.match(items, [{ key: first.key, title }])
    t.ok(items[0].similarity >= 0.5)
    t.equal(items[0].similarity, Number(items[0].similarity.toFixed(2)), 'to two decimals')
    const other = new URLSearchParams({ title: 'Beacon', purpose: 'Scores each tyre by how much it is worn' })
    t.same((await businessOwner.get(`/v1/use-cases/similar?${other}`)).body.items, [])
  })

  await t.test('what is retired looks like nothing any more', async (t) => {
    const weather = { title: 'Weather of the week', purpose: 'Tells everybody whether it will rain' }
    const lone = await register(committee, weather)
    await riskOwner.post(`${placeOf(lone.id)}/retirement`, { reason: 'over' }, { 'if-match': '"1"' })
    t.same((await register(committee, weather)).similar, [])
  })
})

t.test('R-01: a change of facts is a version with its author, its reason and its differences', async (t) => {
  const { id, key } = await register(committee)
  const change = {
    title: 'Triage of claims',
    tags: ['claims'],
    answers: { personal_data: 'personal', customer_facing: null },
  }
  const revised = await revise(committee, key, change, riskOwner)
  t.match(revised, {
    status: 200,
    headers: { etag: '"2"' },
    body: { id, revision: 2, version: 2, title: 'Triage of claims', answers: { personal_data: 'personal' } },
  })
  t.notOk('customer_facing' in revised.body.answers, 'an answer of null is taken back')
  t.equal(revised.body.purpose, 'Sorts claims by how urgent they are', 'what is left out stays')

  const { items, next } = (await auditor.get(`${placeOf(key)}/versions?limit=1`)).body
  t.match(items, [{ version: 2, authorId: riskOwner.id, reason: 'as it is now' }])
  t.same(
    items[0].changes.toSorted((a: { fact: string }, b: { fact: string }) => a.fact.localeCompare(b.fact)),
    [
      { fact: 'answers.customer_facing', from: 'yes', to: null },
      { fact: 'answers.personal_data', from: 'none', to: 'personal' },
      { fact: 'tags', from: [], to: ['claims'] },
      { fact: 'title', from: 'Triage of incoming claims', to: 'Triage of claims' },
    ],
  )
  const rest = (await auditor.get(`${placeOf(key)}/versions?limit=1&cursor=${encodeURIComponent(next)}`)).body
  t.match(rest, { items: [{ version: 1, authorId: businessOwner.id, changes: [] }], next: null })
  t.same((await auditor.get(`${placeOf(id)}/versions/1`)).body, rest.items[0])
  t.same((await auditor.get(`${placeOf(id)}/versions/2`)).body, items[0])
  t.equal((await auditor.get(`${placeOf(id)}/versions/3`)).status, 404)

  await t.test('whoever saw an older one is told so', async (t) => {
    const body = { facts: { title: 'Something else' }, reason: 'because' }
    const patch = (headers?: Record<string, string>) => () => businessOwner.patch(placeOf(id), body, headers)
    await refuses(t, committee, patch(), { status: 428 })
    await refuses(t, committee, patch({ 'if-match': '"1"' }), { status: 412, detail: /^this changed since/ })
    await refuses(t, committee, patch({ 'if-match': '*' }), { status: 400 })
  })

  await t.test('without a difference there is no version', async (t) => {
    for (const facts of [{}, { title: 'Triage of claims' }, { tags: ['claims'] }, { answers: {} }]) {
      await refuses(t, committee, () => revise(committee, id, facts), {
        status: 422,
        detail: 'nothing would change; send at least one fact that differs',
      })
    }
  })

  await t.test('nor into a unit where one may not register', async (t) => {
    await refuses(t, committee, () => revise(committee, id, { orgUnitId: elsewhere }), {
      status: 403,
      rule: 'DR-20',
    })
  })
})

t.test('an owner sees and revises their use case wherever it lies', async (t) => {
  const outsider = await committee.person('Oz', { rights: [] })
  const { id } = await register(committee)
  await refuses(t, committee, () => outsider.get(placeOf(id)), { status: 404 })
  t.equal((await revise(committee, id, { businessOwnerId: outsider.id })).status, 200)
  t.equal((await revise(committee, id, { benefits: 'Saves time' }, outsider)).status, 200)
  const me = (await outsider.get(`/v1/me?useCase=${id}`)).body
  t.match(
    me.useCase.verdicts.find(({ action }: { action: string }) => action === 'raise_tier'),
    { allowed: false, right: 'DR-22' },
  )
})

t.test('R-13: a tier is raised with a reason, and lowered by nobody', async (t) => {
  const { id } = await register(committee)
  const raise = async (tier: string, by = riskOwner) =>
    await by.post(
      `${placeOf(id)}/tier`,
      { tier, reason: 'a complaint came in' },
      ifMatch(await by.get(placeOf(id))),
    )
  t.match(await raise('high'), {
    status: 200,
    body: {
      ...{ revision: 2, version: 1 },
      tier: { effective: 'high', computed: 'limited', raised: 'high', unknownOnly: false },
    },
  })
  for (const tier of ['high', 'limited']) {
    await refuses(t, committee, () => raise(tier), {
      status: 409,
      detail: 'the tier is high; only a committee decision can lower it',
    })
  }
  await refuses(t, committee, () => raise('minimal'), { status: 422 })
  await refuses(t, committee, () => raise('prohibited', businessOwner), { status: 403, rule: 'DR-22' })
  t.match((await revise(committee, id, { answers: answersFor.minimal })).body.tier, {
    computed: 'minimal',
    raised: 'high',
    effective: 'high',
  })
})

t.test('R-02: retirement ends it for good', async (t) => {
  const { id, key } = await approved(committee)
  const retire = async () =>
    await riskOwner.post(
      placeOf(key).concat('/retirement'),
      { reason: 'replaced' },
      ifMatch(await riskOwner.get(placeOf(id))),
    )
  t.match(await retire(), { status: 200, body: { standing: { standing: 'retired', reasons: [] } } })
  const detail = `${key} is retired and stays as it is; register a new use case`
  const seen = ifMatch(await riskOwner.get(placeOf(id)))
  for (const deed of [
    retire,
    () => revise(committee, id, { title: 'Back again' }),
    () => riskOwner.post(`${placeOf(id)}/tier`, { tier: 'high', reason: 'to be safe' }, seen),
    () => riskOwner.post(`${placeOf(id)}/reviews`, {}, seen),
  ]) {
    await refuses(t, committee, deed, { status: 409, detail })
  }
})

t.test('what one may not see does not exist, whatever one wants of it', async (t) => {
  const { id, key } = await approved(committee)
  const { rows } = await committee.owner.query(
    'select id, review_id as review from decision where use_case_id = $1',
    [id],
  )
  const seen = { 'if-match': '"1"' }
  const deeds = (place: string) => [
    () => stranger.get(place),
    () => stranger.get(`${place}/versions`),
    () => stranger.get(`${place}/versions/1`),
    () => stranger.get(`${place}/reviews`),
    () => stranger.get(`${place}/decisions`),
    () => stranger.get(`/v1/me?useCase=${place.split('/').at(-1)}`),
    () => stranger.patch(place, { facts: { title: 'Mine' }, reason: 'mine' }, seen),
    () => stranger.post(`${place}/tier`, { tier: 'high', reason: 'mine' }, seen),
    () => stranger.post(`${place}/retirement`, { reason: 'mine' }, seen),
    () => stranger.post(`${place}/reviews`, {}, seen),
  ]
  const detailsOf = async (asks: ReturnType<typeof deeds>) => {
    const details: string[] = []
    for (const ask of asks) details.push((await refuses(t, committee, ask, { status: 404 })).body.detail)
    return details
  }
  const missing = await detailsOf(deeds(placeOf(newId())))
  t.same(await detailsOf(deeds(placeOf(id))), missing)
  t.same(await detailsOf(deeds(placeOf(key))), missing)
  t.same(await detailsOf(deeds(placeOf('UC-999999'))), missing)
  for (const [hidden, unknown] of [
    [`/v1/reviews/${rows[0].review}`, `/v1/reviews/${newId()}`],
    [`/v1/decisions/${rows[0].id}`, `/v1/decisions/${newId()}`],
  ] as const) {
    const asks = [() => stranger.get(hidden), () => stranger.get(unknown)]
    const [first, second] = await detailsOf(asks)
    t.equal(first, second)
  }
})

t.test('answers can be tried without saving anything', async (t) => {
  const body = { answers: { ...answersFor.limited, personal_data: 'unknown' }, channels: ['phone'] }
  const trial = await stranger.post('/v1/tiers/trial', body)
  t.match(trial, {
    status: 200,
    body: { tier: 'limited', lane: { id: 'limited', title: 'Two of four' }, unknown: ['personal_data'] },
  })
  t.match((await stranger.post('/v1/tiers/trial', {})).body, {
    tier: 'high',
    lane: { id: 'high-external' },
  })
  await refuses(t, committee, () => stranger.post('/v1/tiers/trial', { answers: { shoe_size: 'yes' } }), {
    status: 422,
  })
})

t.test('the policy in force is there for whoever fills in a form', async (t) => {
  const { body } = await stranger.get('/v1/policies')
  const { digest, riskTiers, lanes, overlays, conditions, incidents, gate, decisionRights } =
    committee.policies
  t.same(body.digest, digest)
  t.same(body.questions, riskTiers.questions)
  t.same(body.rules, riskTiers.rules)
  t.same(body.lanes, lanes.lanes)
  t.same(body.changeClasses, lanes.changeClasses)
  t.same(body.overlays, overlays.overlays)
  t.same(body.conditions, conditions.conditions)
  t.same(body.severities, incidents.severities)
  t.same(body.breakGlass, gate.breakGlass)
  t.same(body.environments, gate.environments)
  t.same(body.decisionRights, { allow: decisionRights.allow, deny: decisionRights.deny })
})

t.test('R-40: nobody is named an owner out of the committee, except by themselves', async (t) => {
  const { seats, riskOwner } = committee
  const { id } = await register(committee)
  const name = (as: typeof riskOwner, personId: string) =>
    revise(committee, id, { riskOwnerId: personId }, as)
  await refuses(t, committee, () => name(riskOwner, seats.legal.id), {
    status: 409,
    detail: /^Lea votes on the use cases of this unit/,
  })
})
