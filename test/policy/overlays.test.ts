import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { seats as seatNames } from '../../src/auth/principal.js'
import { ConditionsFile, patternById } from '../../src/policy/conditions-file.js'
import { GateFile } from '../../src/policy/gate-policy.js'
import { IncidentsFile, severityById } from '../../src/policy/incidents-file.js'
import { Lane, MaterialFact } from '../../src/policy/lanes.js'
import { loadPolicies } from '../../src/policy/load.js'
import { applyOverlays, OverlaysFile } from '../../src/policy/overlays.js'
import { tryTier } from '../../src/policy/trial.js'
import { tallyRound } from '../../src/reviews/arithmetic.js'
import { isStricter } from '../../src/reviews/stricter.js'

const read = (name: string): unknown => JSON.parse(readFileSync(`policies/${name}`, 'utf8'))
const nothingStated = { technique: null, channels: [], jurisdictions: [] }
const claims = { ...nothingStated, unitKeys: ['claims', 'organisation'] }

const seat = (name: string, required = false, veto = false) => ({ seat: name, required, veto })
const lane = Lane.parse({
  id: 'high',
  title: 'Second line, then the others',
  when: { tiers: ['high'] },
  stages: [
    { id: 'second-line', seats: [seat('risk', true)], quorum: 1, dueInDays: 5 },
    { id: 'committee', seats: [seat('business'), seat('legal')], quorum: 1, dueInDays: 10 },
  ],
  outcomes: ['approved', 'blocked', 'changes_requested'],
  validForDays: 365,
  materialFacts: ['purpose', 'answers'],
  environments: ['production', 'staging'],
})
const because = 'The law there asks for it.'
const fileOf = (...adds: object[]) => {
  const overlays = adds.map((add, index) => ({
    id: `OV-1${index}`,
    when: { orgUnits: ['claims'] },
    because,
    add,
  }))
  return OverlaysFile.parse({ version: 1, overlays })
}
const tightened = (...adds: object[]) => applyOverlays(fileOf(...adds), lane, 'high', claims)

t.test('an overlay adds what it says, and says why', async (t) => {
  t.same(applyOverlays({ overlays: [] }, lane, 'high', claims), { lane, overlays: [], conditions: [] })
  t.same(tightened({ validForDays: 90 }), {
    lane: { ...lane, validForDays: 90 },
    overlays: [{ id: 'OV-10', because }],
    conditions: [],
  })
  t.equal(tightened({ validForDays: 900 }).lane.validForDays, 365, 'a cap that is higher caps nothing')
  t.same(tightened({ materialFacts: ['stage', 'purpose'] }).lane.materialFacts, [
    'purpose',
    'answers',
    'stage',
  ])
  t.same(tightened({ environments: ['staging', 'development'] }).lane.environments, ['staging'])
  t.same(tightened({ environments: ['production'] }, { environments: ['staging'] }).lane.environments, [])
  const everywhere = applyOverlays(
    fileOf({ environments: ['staging'] }),
    { ...lane, environments: undefined },
    'high',
    claims,
  )
  t.same(everywhere.lane.environments, ['staging'])
  t.same(tightened({ conditions: ['a', 'b'] }, { conditions: ['b', 'c'] }).conditions, ['a', 'b', 'c'])
})

t.test('a seat that is added takes its own approval with it', async (t) => {
  const stages = (...adds: object[]) =>
    tightened(...adds).lane.stages.map(({ quorum, seats }) => [
      quorum,
      seats.map((place) => place.seat).join(' '),
    ])
  const security = seat('security')
  t.same(stages({ seats: [security] }), [
    [1, 'risk'],
    [2, 'business legal security'],
  ])
  t.same(stages({ seats: [{ ...security, stage: 'second-line' }] })[0], [2, 'risk security'])
  t.same(stages({ seats: [{ ...security, stage: 'third-line' }] })[1], [2, 'business legal security'])
  t.same(stages({ seats: [security] }, { seats: [security] })[1], [2, 'business legal security'], 'once')
  t.same(stages({ seats: [seat('legal', true), seat('business', true)] })[1], [2, 'business legal'])
  t.same(
    tightened({ seats: [seat('legal', false, true)] }).lane.stages[1]?.seats[1],
    seat('legal', false, true),
  )
  t.same(
    tightened({ seats: [seat('risk')] }).lane.stages[0]?.seats,
    [seat('risk', true)],
    'nothing is loosened',
  )
  t.same(stages({ quorum: 1 })[1], [2, 'business legal'])
  t.same(stages({ quorum: 3 })[1], [2, 'business legal'], 'no more than there are seats')
})

t.test(
  'an overlay applies where all its conditions are met, or nobody stated what would rule it out',
  async (t) => {
    const when = { tiers: ['high'], orgUnits: ['life'], jurisdictions: ['EU'] }
    const overlays = [{ id: 'OV-10', when, because, add: { quorum: 1 } }]
    const file = OverlaysFile.parse({ version: 1, overlays })
    const applied = (unitKeys: string[], jurisdictions: string[], tier: 'high' | 'limited' = 'high') =>
      applyOverlays(file, lane, tier, { ...nothingStated, unitKeys, jurisdictions }).overlays
    t.same(applied(['life-claims', 'life'], ['DE']), [{ id: 'OV-10', because }])
    t.same(applied(['life'], []), [{ id: 'OV-10', because }])
    t.same(applied([], ['DE']), [{ id: 'OV-10', because }])
    t.same(applied(['auto'], ['DE']), [])
    t.same(applied(['life'], ['US-NY']), [])
    t.same(applied(['life'], ['DE'], 'limited'), [])
  },
)

t.test(
  'R-94: whatever overlays there are, what they approve would have been approved without them',
  async () => {
    const names = [...seatNames]
    const place = fc.record({ seat: fc.constantFrom(...names), required: fc.boolean(), veto: fc.boolean() })
    const facts = fc.subarray(['purpose', 'answers', 'stage', 'title'] as const, { minLength: 1 })
    const environments = fc.option(fc.subarray(['production', 'staging', 'development'], { minLength: 1 }), {
      nil: undefined,
    })
    const anyLane = fc
      .record({
        split: fc.nat(4),
        places: fc.uniqueArray(place, { selector: (p) => p.seat, minLength: 1 }),
        quorums: fc.tuple(fc.nat(4), fc.nat(4)),
        order: fc.constantFrom('in_order' as const, 'at_once' as const),
        validForDays: fc.integer({ min: 1, max: 900 }),
        materialFacts: facts,
        environments,
      })
      .map(({ split, places, quorums, ...rest }): Lane => {
        const parts = [places.slice(0, split), places.slice(split)].filter((part) => part.length > 0)
        const stages = parts.map((seats, index) => {
          const required = Math.max(1, seats.filter((p) => p.required).length)
          const quorum = Math.min(seats.length, required + (quorums[index] ?? 0))
          return { id: index === 0 ? 'first' : 'then', seats, quorum, dueInDays: 5 }
        })
        return { ...lane, ...rest, stages }
      })
    const addition = fc.record(
      {
        seats: fc.uniqueArray(
          fc.record({ ...placeParts(), stage: fc.constantFrom('first', 'then', undefined) }),
          { selector: (p) => p.seat, minLength: 1 },
        ),
        quorum: fc.integer({ min: 1, max: 5 }),
        validForDays: fc.integer({ min: 1, max: 900 }),
        environments: fc.subarray(['production', 'staging', 'development'], { minLength: 1 }),
        materialFacts: facts.map((list) => list.map((fact) => MaterialFact.parse(fact))),
      },
      { requiredKeys: [] },
    )
    function placeParts() {
      return { seat: fc.constantFrom(...names), required: fc.boolean(), veto: fc.boolean() }
    }
    const choice = fc.constantFrom(
      'approve',
      'approve_with_conditions',
      'block',
      'request_changes',
      'abstain',
    )
    const anyVotes = fc.uniqueArray(fc.record({ seat: fc.constantFrom(...names), choice }), {
      selector: (v) => v.seat,
    })

    fc.assert(
      fc.property(anyLane, fc.array(addition, { maxLength: 4 }), anyVotes, (base, adds, cast) => {
        const overlays = adds.map((add, index) => ({
          id: `OV-1${index}`,
          when: { tiers: ['high' as const] },
          because,
          add,
        }))
        const result = applyOverlays({ overlays }, base, 'high', nothingStated).lane
        const votes = cast.map((vote) => ({ ...vote, choice: vote.choice as 'approve' }))
        const approves = (plan: Lane) =>
          tallyRound(plan, votes).result?.outcome.startsWith('approved') ?? false
        const canPass = result.stages.every(
          ({ quorum, seats }) => quorum <= seats.length && quorum >= seats.filter((p) => p.required).length,
        )
        const everyFact = base.materialFacts.every((fact) => result.materialFacts.includes(fact))
        const nowhereElse =
          (base.environments ?? ['production', 'staging', 'development']).length >=
          (result.environments ?? ['production', 'staging', 'development']).length
        return (
          canPass &&
          everyFact &&
          nowhereElse &&
          result.validForDays <= base.validForDays &&
          !isStricter(base, result) &&
          (!approves(result) || approves(base))
        )
      }),
      { numRuns: 3000 },
    )
  },
)

t.test('R-94: an attestation stays one, whatever votes an overlay asks for', async (t) => {
  const attested: Lane = {
    ...lane,
    stages: [],
    attestation: { statement: 'It is as I say.', sampleShare: 0.1, sampleLane: 'sample' },
  }
  const add = { seats: [seat('legal', true)], quorum: 2, validForDays: 30 }
  const result = applyOverlays(fileOf(add), attested, 'minimal', claims).lane
  t.same(result, { ...attested, validForDays: 30 })
})

interface Shape {
  safeParse(value: unknown): { error?: { issues: { path: PropertyKey[]; message: string }[] } }
}
const faultsOf = (shape: Shape, value: object) =>
  shape.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('/')}: ${message}`) ?? []

t.test('an overlay that is none does not pass', async (t) => {
  const overlay = { id: 'OV-10', when: { orgUnits: ['life'] }, because, add: { quorum: 1 } }
  const faults = (...overlays: object[]) => faultsOf(OverlaysFile, { version: 1, overlays }).join()
  t.equal(faults(overlay), '')
  t.match(faults(overlay, overlay), 'overlays/1/id: another overlay has this id')
  t.match(faults({ ...overlay, id: 'life' }), 'overlays/0/id: number overlays as OV-01')
  t.match(faults({ ...overlay, when: {} }), 'overlays/0/when: an overlay is an exception')
  t.match(faults({ ...overlay, add: {} }), 'overlays/0/add: this overlay asks for nothing')
  t.match(faults({ ...overlay, because: ' ' }), 'overlays/0/because: write the sentence')
  t.match(faults({ ...overlay, add: { quorum: -1 } }), 'overlays/0/add/quorum')
  t.match(faults({ ...overlay, add: { outcomes: [] } }), 'overlays/0/add')
  const seats = [seat('legal'), seat('legal')]
  t.match(faults({ ...overlay, add: { seats } }), 'overlays/0/add/seats/1: this seat is there twice')
})

t.test('a pattern of a condition says when it is due, and a limit names codes', async (t) => {
  const duty = {
    ...{ id: 'drift', title: 'Drift', type: 'obligation', text: 'Watch it.', owner: 'risk_owner' },
    ...{ satisfiedBy: 'monitoring_report', dueInDays: 90 },
  }
  const limit = {
    id: 'us',
    title: 'US',
    type: 'limit',
    text: 'Tested there.',
    on: 'jurisdiction',
    values: ['US'],
  }
  const faults = (...conditions: object[]) => faultsOf(ConditionsFile, { version: 1, conditions }).join()
  t.equal(faults(duty, limit), '')
  t.match(faults({ ...duty, beforeDeploy: true }), 'conditions/0/dueInDays: say when it is due')
  t.match(faults({ ...duty, dueInDays: undefined }), 'conditions/0/dueInDays: say when it is due')
  t.match(faults({ ...duty, satisfiedBy: 'a good feeling' }), 'conditions/0/satisfiedBy')
  t.match(faults({ ...duty, owner: 'somebody' }), 'conditions/0/owner')
  t.match(faults(duty, duty), 'conditions/1/id: another condition has this id')
  t.match(faults({ ...limit, values: ['Europe'] }), 'conditions/0/values/0: use an ISO 3166 code')
  t.match(faults({ ...limit, values: [] }), 'conditions/0/values: name at least one value')
  t.match(faults({ ...limit, on: 'weekday' }), 'conditions/0/on')
  t.match(faults({ ...limit, type: 'wish' }), 'conditions/0/type')
  const shipped = ConditionsFile.parse(read('conditions.json'))
  t.equal(patternById(shipped, 'drift-watched')?.type, 'obligation')
  t.equal(patternById(shipped, 'drift'), undefined)
})

t.test('R-91: what is worse than an incident that suspends suspends as well', async (t) => {
  const severity = (id: string, suspends: boolean) => ({ id, title: id, help: 'When it is.', suspends })
  const faults = (...severities: object[]) => faultsOf(IncidentsFile, { version: 1, severities }).join()
  t.equal(faults(severity('minor', false), severity('serious', true)), '')
  t.match(
    faults(severity('serious', true), severity('minor', false)),
    'severities/1/suspends: a lower severity',
  )
  t.match(faults(severity('minor', false), severity('minor', false)), 'severities/1/id: another severity')
  t.match(faults(), 'severities: name at least one')
  const shipped = IncidentsFile.parse(read('incidents.json'))
  t.equal(severityById(shipped, 'critical')?.suspends, true)
  t.equal(severityById(shipped, 'observation')?.suspends, false)
  t.equal(severityById(shipped, 'catastrophe'), undefined)
})

t.test('R-92: break-glass is bounded in hours, and opens environments that policy knows', async (t) => {
  const gate = { version: 1, environments: { production: 'enforce' }, answersValidForMinutes: 15 }
  const faults = (breakGlass?: object) =>
    faultsOf(GateFile, { ...gate, ...(breakGlass && { breakGlass }) }).join()
  t.equal(faults(), '')
  t.equal(faults({ maxHours: 24, environments: ['production'] }), '')
  t.match(faults({ maxHours: 0 }), 'breakGlass/maxHours')
  t.match(faults({ maxHours: 1000 }), 'breakGlass/maxHours')
  t.match(faults({ maxHours: 24, environments: ['prod'] }), 'breakGlass/environments/0: no such environment')
  t.match(faults({ maxHours: 24, environments: [] }), 'breakGlass/environments: name at least one')
})

t.test('a trial shows the lane as overlays leave it, and what an approval would carry', async (t) => {
  const policies = loadPolicies('policies')
  const answers = { decision_role: 'assists', affected: 'applicants', prohibited_practice: 'none' }
  const facts = { answers, technique: 'classical_ml' as const, channels: ['web'], jurisdictions: ['US-NY'] }
  const tried = tryTier(policies, { ...facts, unitKeys: ['underwriting', 'organisation'] })
  t.match(tried, { tier: 'high', attested: false })
  t.same(
    tried.overlays.map(({ id }) => id),
    ['OV-10', 'OV-20'],
  )
  t.ok(tried.lane.stages.flatMap(({ seats }) => seats).find((place) => place.seat === 'compliance')?.required)
  t.same(
    tried.conditions.map(({ id }) => id),
    ['new-york-tested-before-use', 'reasons-and-appeal'],
  )
  t.same(tryTier(policies, { ...facts, unitKeys: ['claims', 'organisation'] }).overlays, [])
  const nowhere = tryTier(policies, { ...facts, unitKeys: [] }).overlays
  t.ok(nowhere.length > 1, 'a unit not stated rules no overlay out')
  const prohibited = { ...answers, prohibited_practice: 'social_scoring' }
  t.match(tryTier(policies, { ...facts, answers: prohibited, unitKeys: [] }), {
    tier: 'prohibited',
    conditions: [],
  })
})
