// How long evidence is kept, what holds it, and who may change that.
import fc from 'fast-check'
import t from 'tap'
import { newId } from '../../src/ids.js'
import { addDays, toInstant } from '../../src/instant.js'
import {
  type Asked,
  endOf,
  type Floor,
  isBeyond,
  RetentionFile,
  retentionOf,
} from '../../src/policy/retention-file.js'
import { raise, type Standing } from '../../src/retention/retention.js'
import type { Person } from '../app.js'
import { revise } from '../committee.js'
import { decideWith } from '../conditions/world.js'
import { refuses } from '../unchanged.js'
import {
  attach,
  BEGIN,
  eventsOf,
  judge,
  no,
  overdue,
  pass,
  propose,
  retire,
  shortRetention,
  startWorld,
  useCaseOf,
  yes,
} from './world.js'

const floors = fc.record({
  until: fc.integer({ min: 0, max: 4e12 }).map((ms) => toInstant(new Date(ms))),
  daysAfterRetirement: fc.integer({ min: 0, max: 4000 }),
})
const asked = fc.record({ policy: floors, regulatory: floors, classes: fc.constant<string[]>([]) })

t.test('what policy asks for moves a floor later, and never earlier (R-106)', async () => {
  fc.assert(
    fc.property(floors, asked, asked, (floor: Floor, before: Asked, now: Asked) => {
      const standing: Standing = { floor, asked: before }
      const after = raise(standing, now)
      if (after === undefined)
        return !isBeyond(now.policy, before.policy) && !isBeyond(now.regulatory, before.regulatory)
      const { policy, regulatory } = after.asked
      const isKept = [
        ...[isBeyond(floor, after.floor), isBeyond(regulatory, after.floor)],
        ...[
          isBeyond(now.policy, policy),
          isBeyond(before.policy, policy),
          isBeyond(before.regulatory, regulatory),
        ],
      ]
      return isKept.every((isLess) => !isLess) && raise(after, now) === undefined
    }),
  )
})

t.test('the longest of all classes that apply counts, and what nobody stated applies', async (t) => {
  const piece = { kind: 'test_report', attachedAt: BEGIN, decidedAt: null } as const
  const facts = { technique: null, channels: [], jurisdictions: [] as string[] }
  const of = (jurisdictions: string[], decidedAt: string | null = null) =>
    retentionOf(
      shortRetention,
      { ...piece, decidedAt },
      { tier: 'limited', facts: { ...facts, jurisdictions } },
    )
  t.same(of(['CH']), {
    policy: { until: addDays(BEGIN, 20), daysAfterRetirement: 10 },
    regulatory: { until: BEGIN, daysAfterRetirement: 0 },
    classes: ['ordinary', 'decided'],
  })
  for (const places of [['CH', 'FR'], [], ['Europe']]) {
    t.match(of(places), { policy: { daysAfterRetirement: 30 }, regulatory: { daysAfterRetirement: 30 } })
  }
  const decided = addDays(BEGIN, 100)
  t.equal(of(['CH'], decided).policy.until, addDays(decided, 20))
  t.equal(endOf(of(['CH']).policy, null), null, 'without an end before it is retired')
  t.equal(endOf(of(['CH']).policy, decided), addDays(decided, 10))
  const shipped = { ...shortRetention, classes: shortRetention.classes.slice(1) }
  const { error } = RetentionFile.safeParse({ ...shipped, classes: shipped.classes.slice(1) })
  t.match(error?.issues, [{ path: ['classes'], message: /kept for no time/ }])
})

t.test('every period in years covers as many calendar years', async (t) => {
  for (let years = 1; years <= 100; years += 1) {
    const [one] = shortRetention.classes
    const classes = [{ ...one, period: { years }, trigger: 'attached' }] as typeof shortRetention.classes
    for (const from of ['2024-02-28', '2023-03-01', '2096-02-29', '1999-12-31']) {
      const attachedAt = `${from}T12:00:00.000Z`
      const facts = { technique: null, channels: [], jurisdictions: [] }
      const scope = { tier: 'minimal' as const, facts }
      const { policy } = retentionOf({ classes }, { kind: 'other', attachedAt, decidedAt: null }, scope)
      const later = new Date(attachedAt)
      later.setUTCFullYear(later.getUTCFullYear() + years)
      if (policy.until < toInstant(later)) t.fail(`${years} years from ${from} end on ${policy.until}`)
    }
  }
})

const world = await startWorld(t)
const { riskOwner, businessOwner, auditor, administrator, seats, unitId, keeper, owner } = world

const retentionOn = async (id: string, as: Person = riskOwner) =>
  (await as.get(`/v1/evidence/${id}/retention`)).body

t.test(
  'a piece is kept from the moment it is there, and longer when facts or decisions ask for it (R-106)',
  async (t) => {
    const useCaseId = await useCaseOf(world)
    const id = await attach(world, useCaseId, { bytes: 'a report' })
    t.match(await retentionOn(id), {
      ...{ endsAt: null, retainUntil: addDays(world.clock.at, 20), daysAfterRetirement: 10, holds: [] },
      history: [{ ordinal: 1, because: 'attached', setBy: riskOwner.id }],
    })
    pass(world, 5)
    await decideWith(world, useCaseId, [])
    const decidedAt = world.clock.at
    await keeper.pass()
    t.match(await retentionOn(id), { retainUntil: addDays(decidedAt, 20), daysAfterRetirement: 10 })
    await revise(world, useCaseId, { jurisdictions: ['FR'] })
    pass(world, 1)
    await keeper.pass()
    t.match(await retentionOn(id), {
      ...{
        daysAfterRetirement: 30,
        regulatory: { daysAfterRetirement: 30 },
        classes: ['ordinary', 'decided', 'eu'],
      },
      history: [{}, { because: 'policy' }, { because: 'policy' }],
    })
    await revise(world, useCaseId, { jurisdictions: ['CH'] })
    pass(world, 1)
    await keeper.pass()
    t.match(await retentionOn(id), { daysAfterRetirement: 30 }, 'and stays so when they change back')
    t.equal((await retentionOn(id)).history.length, 3, 'nothing is said twice')
    await retire(world, useCaseId)
    t.equal((await retentionOn(id)).endsAt, addDays(world.clock.at, 30))
    t.equal((await eventsOf(world, useCaseId)).filter((type) => type === 'retention.raised').length, 2)
  },
)

t.test(
  'one person has it kept longer, two have it kept shorter, and nobody below regulation (R-106)',
  async (t) => {
    const useCaseId = await useCaseOf(world)
    const id = await attach(world, useCaseId, { bytes: 'kept and shortened' })
    const place = `/v1/evidence/${id}/retention`
    const until = (days: number) => ({
      retainUntil: addDays(world.clock.at, days),
      reason: 'as counsel asks',
    })
    t.match(await seats.legal.post(`${place}/extensions`, until(100)), {
      status: 201,
      body: { endsAt: null },
    })
    const earlier = { status: 422, detail: /at least already/ }
    await refuses(t, world, () => seats.legal.post(`${place}/extensions`, until(90)), earlier)
    for (const person of [businessOwner, administrator]) {
      await refuses(t, world, () => person.post(`${place}/extensions`, until(200)), { status: 403 })
      await refuses(t, world, () => person.post(`${place}/shortenings`, until(1)), { status: 403 })
    }
    await refuses(t, world, () => auditor.post(`${place}/shortenings`, until(1)), {
      status: 403,
      rule: 'DR-123',
    })
    const shorter = await riskOwner.post(`${place}/shortenings`, until(3))
    t.match(shorter, { status: 201, body: { verdict: null } })
    const verdict = `/v1/retention-shortenings/${shorter.body.id}/verdict`
    t.match(await retentionOn(id), { daysAfterRetirement: 10 }, 'nothing changed yet')
    await refuses(t, world, () => riskOwner.post(verdict, yes), { status: 403, rule: 'DR-120' })
    const both = await Promise.all([seats.legal.post(verdict, yes), seats.risk.post(verdict, yes)])
    t.same(both.map(({ status }) => status).sort(), [201, 409], 'one of two at once')
    const { retainUntil } = until(3)
    const shown = { endsAt: retainUntil, retainUntil, daysAfterRetirement: 0 }
    t.match(await retentionOn(id), {
      ...shown,
      history: [{}, {}, { because: 'shortened', setBy: riskOwner.id }],
    })
    pass(world, 1)
    await keeper.pass()
    t.match(await retentionOn(id), shown, 'policy that asks for no more than before leaves it so')
    await refuses(t, world, () => riskOwner.post(`${place}/shortenings`, until(9)), {
      status: 422,
      detail: /no|not/,
    })

    const rejected = await riskOwner.post(`${place}/shortenings`, until(1))
    t.equal((await seats.legal.post(`/v1/retention-shortenings/${rejected.body.id}/verdict`, no)).status, 201)
    t.match(await retentionOn(id), shown)
    const open = await riskOwner.get('/v1/retention-shortenings?state=rejected')
    t.same(
      open.body.items.map((one: { id: string }) => one.id),
      [rejected.body.id],
    )

    const inEurope = await attach(world, await useCaseOf(world, { jurisdictions: ['DE'] }), {
      bytes: 'in Europe',
    })
    const below = await riskOwner.post(`/v1/evidence/${inEurope}/retention/shortenings`, until(1))
    t.equal((await seats.legal.post(`/v1/retention-shortenings/${below.body.id}/verdict`, yes)).status, 201)
    t.match(
      await retentionOn(inEurope),
      { endsAt: null, daysAfterRetirement: 30 },
      'the wait that a regulation asks for stays',
    )
  },
)

t.test('whatever is over, a hold forbids to dispose of it until somebody else ends it (R-107)', async (t) => {
  const { useCaseId, ids } = await overdue(world, ['named', 'under its use case'])
  const [named = '', other = ''] = ids
  const about = { title: 'A suit', reason: 'a customer sues', orgUnitId: unitId }
  const one = { ...about, key: '2021-A', objects: [{ evidenceId: named }] }
  const proposed = await propose(riskOwner, useCaseId, [named])
  const placed = await administrator.post('/v1/legal-holds', one)
  t.match(placed, { status: 201, body: { key: '2021-A', lifting: null, objects: [{ evidenceId: named }] } })
  await refuses(t, world, () => seats.risk.post('/v1/legal-holds', one), { status: 409, detail: /already/ })
  const held = { status: 409, detail: /under the legal hold 2021-A; / }
  await refuses(t, world, () => judge(seats.legal, proposed.body.id), held)
  await refuses(t, world, () => propose(riskOwner, useCaseId, [named]), held)
  t.same(
    (await riskOwner.get(`/v1/disposal-candidates?useCase=${useCaseId}`)).body.items.map(
      ({ evidenceId }: { evidenceId: string }) => evidenceId,
    ),
    [other],
  )

  const whole = { ...about, key: '2021-B', objects: [{ useCaseId }] }
  const second = await riskOwner.post('/v1/legal-holds', whole)
  t.match((await retentionOn(named)).holds, [{ key: '2021-A' }, { key: '2021-B' }])
  await refuses(t, world, () => propose(riskOwner, useCaseId, [other]), { status: 409, detail: /2021-B/ })
  const lifting = (id: string) => `/v1/legal-holds/${id}/lifting`
  const settled = { reason: 'it was settled' }
  await refuses(t, world, () => administrator.post(lifting(placed.body.id), settled), {
    status: 403,
    rule: 'DR-121',
  })
  await refuses(t, world, () => auditor.post(lifting(placed.body.id), settled), { status: 403 })
  await refuses(t, world, () => businessOwner.get(`/v1/legal-holds/${placed.body.id}`), { status: 404 })
  t.equal((await seats.legal.post(lifting(placed.body.id), settled)).status, 200)
  await refuses(t, world, () => seats.risk.post(lifting(placed.body.id), settled), {
    status: 409,
    detail: /was ended/,
  })
  await refuses(t, world, () => propose(riskOwner, useCaseId, [named]), { status: 409, detail: /2021-B/ })

  const [object] = second.body.objects
  const release = `/v1/legal-holds/${second.body.id}/objects/${object.id}/release`
  await refuses(t, world, () => riskOwner.post(release, settled), { status: 403, rule: 'DR-121' })
  t.match(await seats.legal.post(release, settled), {
    status: 200,
    body: { objects: [{ release: settled }] },
  })
  await refuses(t, world, () => seats.risk.post(release, settled), { status: 409 })
  t.equal((await propose(riskOwner, useCaseId, ids)).status, 201, 'and then it may go')
  const events = (await eventsOf(world, useCaseId)).filter((type) => type.startsWith('legal_hold'))
  t.same(events, ['legal_hold.placed', 'legal_hold.placed', 'legal_hold.lifted', 'legal_hold.released'])
})

t.test('a hold over a use case holds what comes later, and takes more while it is in force', async (t) => {
  const useCaseId = await useCaseOf(world)
  const [next, elsewhere] = [await useCaseOf(world), await world.unit('elsewhere')]
  const about = { title: 'An examination', reason: 'the supervisor asks', orgUnitId: unitId }
  const { body: hold } = await seats.risk.post('/v1/legal-holds', {
    ...about,
    key: 'EX-1',
    objects: [{ useCaseId }],
  })
  const later = await attach(world, useCaseId, { bytes: 'came later' })
  t.match((await retentionOn(later)).holds, [{ id: hold.id }])
  const objects = { objects: [{ useCaseId: next }] }
  const place = `/v1/legal-holds/${hold.id}`
  t.match(await riskOwner.post(`${place}/objects`, objects), {
    status: 201,
    body: { objects: [{}, { useCaseId: next }] },
  })
  const mine = { reason: 'it was settled' }
  await refuses(t, world, () => riskOwner.post(`${place}/lifting`, mine), { status: 403, rule: 'DR-121' })
  const nothing = { objects: [{ evidenceId: newId() }] }
  await refuses(t, world, () => riskOwner.post(`${place}/objects`, nothing), { status: 404 })
  const stranger = await world.person('Oz', { rights: ['risk_owner'], unitId: elsewhere })
  const theirs = { ...about, key: 'EX-2', orgUnitId: elsewhere, objects: [{ useCaseId }] }
  await refuses(t, world, () => stranger.post('/v1/legal-holds', theirs), { status: 404 })
  t.equal((await stranger.get(place)).status, 404)
  t.same((await stranger.get('/v1/legal-holds')).body.items, [])

  for (const round of [1, 2, 3]) {
    const { body } = await seats.risk.post('/v1/legal-holds', {
      ...{ ...about, key: `RACE-${round}`, objects: [{ useCaseId }] },
    })
    const [added, lifted] = await Promise.all([
      riskOwner.post(`/v1/legal-holds/${body.id}/objects`, objects),
      seats.legal.post(`/v1/legal-holds/${body.id}/lifting`, { reason: 'settled' }),
    ])
    t.equal(lifted.status, 200)
    const ended = (await riskOwner.get(`/v1/legal-holds/${body.id}`)).body
    t.equal(added.status, ended.objects.length === 2 ? 201 : 409, 'nothing is added to what was lifted')
  }
  const inForce = (await auditor.get('/v1/legal-holds?state=in_force')).body.items
  t.ok(inForce.some(({ key }: { key: string }) => key === 'EX-1'))
  t.notOk(inForce.some(({ key }: { key: string }) => key.startsWith('RACE')))
})

t.test('a piece from before retention was is kept until policy was asked', async (t) => {
  const useCaseId = await useCaseOf(world)
  const id = newId()
  await owner.query(
    `insert into evidence (id, use_case_id, kind, title, form, digest, size, media_type, statement, attached_by, attached_at)
      values ($1, $2, 'other', 'Old', 'attestation', 'sha256:' || repeat('a', 64), 3, 'text/plain', 'old', $3, '2020-01-01')`,
    [id, useCaseId, riskOwner.id],
  )
  await retire(world, useCaseId)
  pass(world, 100)
  const { rows } = await owner.query(
    'select count(*)::int as floors from retention_floor where evidence_id = $1',
    [id],
  )
  t.equal(rows[0].floors, 0)
  t.same(
    (await riskOwner.get(`/v1/disposal-candidates?useCase=${useCaseId}`)).body.items,
    [],
    'until then it is kept',
  )
  await keeper.pass()
  t.match(await retentionOn(id), { history: [{ because: 'before' }], daysAfterRetirement: 10 })
})
