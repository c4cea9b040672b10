import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { projectRoot } from '../../src/config.js'
import { compareBy, type Effect, type Registered, type Rules } from '../../src/policy/effects.js'
import { loadPolicies } from '../../src/policy/load.js'
import { computeTier } from '../../src/policy/tiering.js'
import { StandingWord } from '../../src/use-cases/standing.js'
import { type Answers, effectiveTier, isAbove, Technique, Tier } from '../../src/use-cases/use-case.js'
import { answersFor } from '../committee.js'

const { riskTiers, lanes, overlays, conditions } = loadPolicies(join(projectRoot, 'policies'))
const shipped: Rules = { riskTiers, lanes, overlays, conditions }

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
const effect = (after: Rules, given?: Partial<Registered>) => compareBy(shipped, after)(useCase(given))
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
  fc.assert(fc.property(anyUseCase, (any) => compareBy(shipped, structuredClone(shipped))(any) === undefined))
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
      const found = compareBy(shipped, other)(any)
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
      const found = compareBy(shipped, after)(any)
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
    const found = compareBy(shipped, structuredClone(shipped))(stale)
    t.strictSame(kinds(found), ['pending'])
    t.match(found, { tier: { from: 'minimal', to: 'limited' }, standing: { to: 'lapsed' } })
  },
)
