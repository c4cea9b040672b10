import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { projectRoot } from '../../src/config.js'
import { compareBy, type Effect, type Registered, type Rules } from '../../src/policy/effects.js'
import { loadPolicies } from '../../src/policy/load.js'
import { type Requirement, RequirementsFile } from '../../src/policy/requirements.js'
import { computeTier } from '../../src/policy/tiering.js'
import { StandingWord } from '../../src/use-cases/standing.js'
import { type Answers, effectiveTier, isAbove, Technique, Tier } from '../../src/use-cases/use-case.js'
import { answersFor } from '../committee.js'

const { riskTiers, lanes, overlays, conditions, catalogs } = loadPolicies(join(projectRoot, 'policies'))
/** What is shipped, but for what it asks of evidence and controls, which has a test of its own. */
const shipped: Rules = { riskTiers, lanes, overlays, conditions, requirements: { requirements: [] } }

/** The shipped rules with these in other words. */
function rules(change: (draft: Rules) => void): Rules {
  const draft = structuredClone(shipped)
  change(draft)
  return draft
}

/** A use case as the shipped rules have it, and otherwise as given. */
function useCase(given: Partial<Registered> = {}): Registered {
  const stated = { technique: null, channels: ['web'], jurisdictions: ['US'], unitKeys: ['sales', 'all'] }
  const answers = given.answers ?? answersFor.limited
  const computed = computeTier(riskTiers, answers, { ...stated, ...given })
  const parts = { computedTier: computed.tier, raisedTier: null, loweredTier: null }
  return {
    ...{ ...stated, answers, ...parts },
    tier: effectiveTier({ ...parts, ...given }),
    approvedTier: null,
    firedRules: computed.fired.map(({ id }) => id),
    ...{ standing: 'unreviewed', reasons: [], openReviewId: null },
    ...given,
  }
}

const approved = { approvedTier: 'limited', standing: 'cleared' } as const
const effect = (after: Rules, given?: Partial<Registered>) =>
  compareBy(shipped, after, catalogs)(useCase(given))
const kinds = (found: Effect | undefined) => found?.kinds ?? []

/** What shows customers its words is high, as it is limited in the policy that is shipped. */
const stricterTiers = rules((draft) => {
  for (const rule of draft.riskTiers.rules) if (rule.tier === 'limited') rule.tier = 'high'
})
const looserTiers = rules((draft) => {
  draft.riskTiers.rules = draft.riskTiers.rules.filter(({ tier }) => tier !== 'limited')
})

const anyAnswers = fc
  .subarray(riskTiers.questions)
  .chain((asked) =>
    fc.tuple(...asked.map(({ id, options }) => fc.constantFrom(...options.map((o) => [id, o.id])))),
  )
  .map((given): Answers => Object.fromEntries(given))

const anyUseCase = fc
  .record({
    answers: anyAnswers,
    technique: fc.constantFrom(null, ...Technique.options),
    jurisdictions: fc.subarray(['US', 'US-NY', 'US-CO', 'DE', 'Europe']),
    channels: fc.subarray(['web', 'phone']),
    unitKeys: fc.constantFrom(['all'], ['hr', 'all'], ['underwriting', 'all']),
    raisedTier: fc.constantFrom(null, ...Tier.options),
    loweredTier: fc.constantFrom(null, null, 'minimal' as const),
    approvedTier: fc.constantFrom(null, ...Tier.options),
    standing: fc.constantFrom(...StandingWord.options),
    openReviewId: fc.constantFrom(null, '019e4b2c-7f00-7a31-9c58-3d2f6a1b0c4e'),
  })
  .map((given) => useCase(given))

t.test('the same policy changes nothing for any use case', async () => {
  fc.assert(
    fc.property(
      anyUseCase,
      (any) => compareBy(shipped, structuredClone(shipped), catalogs)(any) === undefined,
    ),
  )
})

t.test('R-61: whatever else a policy asks for, without a higher tier no approval lapses', async () => {
  const other = rules((draft) => {
    for (const lane of draft.lanes.lanes) {
      lane.validForDays = 30
      lane.materialFacts = ['title', 'purpose', 'answers', 'stage', 'tags']
      for (const stage of lane.stages) stage.quorum = stage.seats.length
    }
  })
  fc.assert(
    fc.property(anyUseCase, (any) => {
      const found = compareBy(shipped, other, catalogs)(any)
      return (
        found !== undefined &&
        found.standing === null &&
        found.tier === null &&
        !found.kinds.includes('lapse')
      )
    }),
  )
})

t.test('R-62: exactly the approvals in force that were decided on a lower tier lapse', async () => {
  fc.assert(
    fc.property(anyUseCase, fc.constantFrom(stricterTiers, looserTiers), (any, after) => {
      const found = compareBy(shipped, after, catalogs)(any)
      const computed = computeTier(after.riskTiers, any.answers, any).tier
      const loweredTier = computed === any.computedTier ? any.loweredTier : null
      const tier = effectiveTier({ computedTier: computed, raisedTier: any.raisedTier, loweredTier })
      const lapses =
        computed !== any.computedTier &&
        any.standing.startsWith('cleared') &&
        any.approvedTier !== null &&
        isAbove(tier, any.approvedTier)
      return (found?.standing?.to === 'lapsed') === lapses && kinds(found).includes('lapse') === lapses
    }),
  )
})

t.test('a tier that rises is told with the rules that make it rise, and the lane that follows', async (t) => {
  const found = effect(stricterTiers, approved)
  t.match(found, {
    tier: { from: 'limited', to: 'high' },
    standing: { from: 'cleared', to: 'lapsed' },
    lane: { from: 'limited', to: 'high' },
  })
  t.strictSame(kinds(found), ['lapse', 'tier_raised', 'stricter', 'lane', 'requirements'])
  const added = rules((draft) => {
    const when = { customer_facing: 'yes' }
    draft.riskTiers.rules.push({ id: 'RT-99', when, tier: 'high', because: 'So it is.' })
  })
  t.strictSame(effect(added)?.rules, { added: ['RT-99'], gone: [] })
  t.equal(effect(stricterTiers, { answers: answersFor.minimal }), undefined)
})

t.test('R-14: a tier that a decision lowered counts again once its use case gets another tier', async (t) => {
  const lowered = {
    loweredTier: 'minimal',
    tier: 'minimal',
    approvedTier: 'minimal',
    standing: 'cleared',
  } as const
  const found = effect(stricterTiers, lowered)
  t.match(found, { tier: { from: 'minimal', to: 'high' }, standing: { to: 'lapsed' } })
  t.ok(kinds(found).includes('lowering_ends'))
})

t.test('a tier that somebody raised stands above what policy makes of it', async (t) => {
  const raised = { raisedTier: 'high', tier: 'high', approvedTier: 'high', standing: 'cleared' } as const
  t.equal(effect(stricterTiers, raised), undefined)
})

t.test('R-22: an open review that policy would send back is told', async (t) => {
  const open = { openReviewId: '019e4b2c-7f00-7a31-9c58-3d2f6a1b0c4e', standing: 'in_review' } as const
  const longer = (days: number) =>
    rules((draft) => {
      for (const lane of draft.lanes.lanes) lane.validForDays = days
    })
  t.strictSame(kinds(effect(longer(30), open)), ['open_review', 'stricter', 'requirements'])
  t.strictSame(kinds(effect(longer(3000), open)), ['looser', 'requirements'])
  t.strictSame(kinds(effect(longer(30))), ['stricter', 'requirements'], 'only where one is open')
})

t.test('R-94: an overlay is told where it applies, in what it asks for, and nowhere else', async (t) => {
  const after = rules((draft) => {
    draft.overlays.overlays.push({
      ...{ id: 'OV-90', because: 'Sales in New York.' },
      when: { orgUnits: ['sales'], jurisdictions: ['US-NY'] },
      add: { seats: [{ seat: 'security', required: true, veto: false }], validForDays: 90 },
    })
  })
  const found = effect(after, { jurisdictions: ['US-NY'] })
  t.strictSame(kinds(found), ['stricter', 'requirements'])
  t.match(found?.difference.changes, [
    { requirement: 'seats', to: /security \(required\)/ },
    { requirement: 'quorum' },
    { requirement: 'validity', to: '90 days' },
  ])
  t.match(found?.asked.to.overlays, ['OV-90'])
  t.equal(effect(after, { jurisdictions: ['DE'] }), undefined)
  t.equal(effect(after, { jurisdictions: ['US-NY'], unitKeys: ['hr', 'all'] }), undefined)
})

t.test('a condition that says something else is another requirement, though its name stays', async (t) => {
  const overlay = overlays.overlays.find(({ add }) => add.conditions !== undefined)
  const [wanted] = overlay?.add.conditions ?? []
  const after = rules((draft) => {
    for (const one of draft.conditions.conditions) if (one.id === wanted) one.text = 'Otherwise.'
  })
  t.ok(overlay, 'an overlay that is shipped asks for it')
  const { tiers: [tier] = [], orgUnits = [], jurisdictions = [] } = overlay?.when ?? {}
  const found = effect(after, {
    ...{ answers: answersFor[tier ?? 'high'], unitKeys: [...orgUnits, 'all'] },
    jurisdictions: jurisdictions.length > 0 ? jurisdictions : ['US'],
  })
  t.match(found?.difference.changes, [{ requirement: 'conditions' }])
})

t.test(
  'what the policy in force has not been applied to is no effect of the one that is tried out',
  async (t) => {
    const stale = useCase({ ...approved, computedTier: 'minimal', tier: 'minimal', approvedTier: 'minimal' })
    const found = compareBy(shipped, structuredClone(shipped), catalogs)(stale)
    t.strictSame(kinds(found), ['pending'])
    t.match(found, { tier: { from: 'minimal', to: 'limited' }, standing: { to: 'lapsed' } })
  },
)

const askingFor = (...asked: Requirement[]): Rules => ({ ...shipped, requirements: { requirements: asked } })
const [report, switchOff] = RequirementsFile.parse({
  version: 1,
  requirements: [
    {
      ...{ id: 'RQ-10', because: 'It was tried', ifMissing: 'refuse' },
      when: { tiers: ['limited', 'high'] },
      evidence: { kind: 'test_report', freshForDays: 365, acceptedBy: ['risk', 'legal'] },
    },
    {
      ...{ id: 'RQ-20', because: 'It can be switched off', exception: { longestDays: 90 } },
      when: { tiers: ['high'] },
      controls: { catalog: 'nist-ai-rmf', version: '1.0', ids: ['MANAGE 2'] },
      ifMissing: { dueInDays: 60, owner: 'risk_owner' },
    },
  ],
}).requirements
if (!report || !switchOff) throw new Error('two requirements')

t.test('who would need more evidence is told, by requirement, whatever they have already', async (t) => {
  const evidence = (before: Rules, after: Rules, given = {}) => {
    const found = compareBy(before, after, catalogs)(useCase(given))
    return { kinds: kinds(found), ...found?.evidence }
  }
  const [none, both] = [askingFor(), askingFor(report, switchOff)]
  const high = { answers: answersFor.high }
  t.strictSame(evidence(none, both), { kinds: ['more_evidence'], more: ['RQ-10'], less: [] })
  t.strictSame(evidence(none, both, high), { kinds: ['more_evidence'], more: ['RQ-10', 'RQ-20'], less: [] })
  t.strictSame(evidence(both, none, high), { kinds: ['less_evidence'], more: [], less: ['RQ-10', 'RQ-20'] })
  t.strictSame(evidence(none, both, { answers: answersFor.minimal }), { kinds: [] })
  const raised = compareBy(both, { ...stricterTiers, requirements: both.requirements }, catalogs)(useCase())
  t.strictSame(raised?.evidence, { more: ['RQ-20'], less: [] }, 'by the tier that it would have')
  t.ok(kinds(raised).includes('more_evidence'))
})

t.test(
  'a requirement that asks for the same in other words, or under another id, changes nothing',
  async (t) => {
    const { evidence, controls } = { ...report, ...{ controls: switchOff.controls } }
    if (!evidence || !controls) throw new Error('one of each')
    const between = (before: Requirement, after: Requirement) =>
      compareBy(askingFor(before), askingFor(after), catalogs)(useCase({ answers: answersFor.high }))
        ?.evidence
    t.equal(between(report, { ...report, id: 'RQ-11', because: 'Otherwise' }), undefined)
    const reversed = { ...report, evidence: { ...evidence, acceptedBy: ['legal', 'risk'] as const } }
    t.equal(between(report, structuredClone(reversed) as unknown as Requirement), undefined)
    const four = ['MANAGE 2.1', 'MANAGE 2.2', 'MANAGE 2.3', 'MANAGE 2.4']
    t.equal(between(switchOff, { ...switchOff, controls: { ...controls, ids: four } }), undefined)

    const changed = { more: ['RQ-10'], less: ['RQ-10'] }
    t.strictSame(between(report, { ...report, evidence: { ...evidence, freshForDays: 90 } }), changed)
    t.strictSame(between(report, { ...report, evidence: { ...evidence, acceptedBy: ['risk'] } }), changed)
    t.strictSame(
      between(report, { ...report, ifMissing: { beforeDeploy: true, owner: 'risk_owner' } }),
      changed,
    )
    const fewer = { ...switchOff, controls: { ...controls, ids: ['MANAGE 2.4'] } }
    t.strictSame(between(switchOff, fewer), { more: [], less: ['RQ-20'] })
    t.strictSame(between(fewer, switchOff), { more: ['RQ-20'], less: [] })
    t.strictSame(between(switchOff, { ...switchOff, exception: { longestDays: 9 } }), {
      ...{ more: ['RQ-20'], less: ['RQ-20'] },
    })
    const gone = { ...switchOff, controls: { ...controls, version: '0.9' } }
    t.strictSame(between(gone, switchOff), { more: ['RQ-20'], less: ['RQ-20'] }, 'of a catalog that is gone')
    t.equal(between(gone, structuredClone(gone)), undefined)
  },
)
