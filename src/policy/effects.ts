import type { Catalog } from '../catalogs/catalog.js'
import { reckon } from '../use-cases/retiering.js'
import type { StandingReason, StandingWord } from '../use-cases/standing.js'
import { type Answers, isAbove, type Tier } from '../use-cases/use-case.js'
import { type AskDifference, rememberingAsks } from './ask-difference.js'
import type { ConditionsFile } from './conditions-file.js'
import type { ScopedFacts } from './fact-conditions.js'
import { type Asked, compareLanes, type LaneDifference } from './lane-difference.js'
import { chooseLane, type LanesFile } from './lanes.js'
import { applyOverlays, type OverlaysFile } from './overlays.js'
import { applyingTo, type RequirementsFile } from './requirements.js'
import { computeTier, type RiskTiersFile } from './tiering.js'

/** What of a policy decides tiers, lanes and what they ask for. */
export interface Rules {
  riskTiers: Pick<RiskTiersFile, 'rules'>
  lanes: Pick<LanesFile, 'lanes'>
  overlays: Pick<OverlaysFile, 'overlays'>
  conditions: Pick<ConditionsFile, 'conditions'>
  requirements: Pick<RequirementsFile, 'requirements'>
}

/** A use case as the register has it. */
export interface Registered extends ScopedFacts {
  answers: Answers
  tier: Tier
  computedTier: Tier
  raisedTier: Tier | null
  loweredTier: Tier | null
  approvedTier: Tier | null
  firedRules: string[]
  standing: StandingWord
  reasons: StandingReason[]
  openReviewId: string | null
}

interface Change<T> {
  from: T
  to: T
}

/** What can become of a use case, the worst first. */
export const effectKinds = [
  'lapse',
  'tier_raised',
  'tier_lowered',
  'open_review',
  'lowering_ends',
  'more_evidence',
  'stricter',
  'looser',
  'less_evidence',
  'lane',
  'requirements',
  'pending',
] as const
export type EffectKind = (typeof effectKinds)[number]

/** What would be otherwise if the policy came into force and were applied. */
export interface Effect {
  kinds: EffectKind[]
  tier: Change<Tier> | null
  standing: Change<StandingWord> | null
  lane: Change<string> | null
  /** Ids of the rules that would fire and do not, and the other way round; empty where the tier stays. */
  rules: { added: string[]; gone: string[] }
  difference: LaneDifference
  /** Ids of requirements that ask for more, or for less. What is there already, a register does not say. */
  evidence: AskDifference
  asked: Change<Asked>
}

/**
 * Says what another policy makes of use cases. Pure, but for the comparisons that it keeps: thousands of use cases
 * pass through the same few lanes.
 * @param before the policy in force; where it was not applied to a use case yet, what its application would change is
 * `pending` and no effect of the other one
 * @param catalogs to which the controls that either asks for belong
 */
export function compareBy(
  before: Rules,
  after: Rules,
  catalogs: readonly Catalog[],
): (useCase: Registered) => Effect | undefined {
  const compare = rememberedComparison()
  const compareAsks = rememberingAsks(catalogs)
  return (useCase) => {
    const computed = computeTier(after.riskTiers, useCase.answers, useCase)
    const isRetiered = computed.tier !== useCase.computedTier
    const { lapses: isAboveApproved, ...reckoned } = reckon(useCase, computed.tier)
    const lapses = isRetiered && isAboveApproved
    const isPending =
      isRetiered && computeTier(before.riskTiers, useCase.answers, useCase).tier === computed.tier
    const { to } = reckoned
    const from = isPending ? to : useCase.tier
    const asked = { from: askedOf(before, from, useCase), to: askedOf(after, to, useCase) }
    const difference = compare(asked.from, asked.to)
    const evidence = compareAsks(applyingTo(before, from, useCase), applyingTo(after, to, useCase))
    const kinds = kindsOf(useCase, { ...reckoned, lapses, asked, difference, evidence, isPending })
    if (kinds.length === 0) return undefined
    const fired = computed.fired.map(({ id }) => id)
    return {
      kinds,
      tier: to === useCase.tier ? null : { from: useCase.tier, to },
      standing: standingChange(useCase, lapses),
      lane: laneChange(asked),
      rules: isRetiered ? rulesBetween(useCase.firedRules, fired) : { added: [], gone: [] },
      ...{ difference, evidence, asked },
    }
  }
}

type Reckoned = ReturnType<typeof reckon> &
  Pick<Effect, 'asked' | 'difference' | 'evidence'> & { isPending: boolean }

function kindsOf(useCase: Registered, reckoned: Reckoned): EffectKind[] {
  const { to, lapses, loweringEnds, asked, difference, evidence, isPending } = reckoned
  const { stricter, looser, changes } = difference
  const ofTier: [EffectKind, boolean][] = [
    ['lapse', standingChange(useCase, lapses) !== null],
    ['tier_raised', isAbove(to, useCase.tier)],
    ['tier_lowered', isAbove(useCase.tier, to)],
    ['lowering_ends', loweringEnds],
  ]
  const isSentBack = useCase.openReviewId !== null && (stricter || isAbove(to, useCase.tier))
  const ofLane: [EffectKind, boolean][] = [
    ['open_review', isSentBack && !isPending],
    ['stricter', stricter],
    ['looser', looser],
    ['lane', laneChange(asked) !== null],
    ['requirements', changes.length > 0],
    ['more_evidence', evidence.more.length > 0],
    ['less_evidence', evidence.less.length > 0],
  ]
  const tierKinds: [EffectKind, boolean][] = isPending ? [['pending', true]] : ofTier
  return [...tierKinds, ...ofLane]
    .flatMap(([kind, holds]) => (holds ? [kind] : []))
    .sort((a, b) => effectKinds.indexOf(a) - effectKinds.indexOf(b))
}

/**
 * an approval in force lapses if the tier is above the one it was decided on. Nothing else about a policy ends
 * it, and what is retired, blocked, suspended, lapsed or not approved is so already.
 */
function standingChange({ standing: from }: Registered, lapses: boolean): Change<StandingWord> | null {
  const isInForce = from === 'cleared' || from === 'cleared_with_conditions'
  return isInForce && lapses ? { from, to: 'lapsed' } : null
}

/** What a use case of this tier has to pass the next time. */
function askedOf({ lanes, overlays, conditions }: Rules, tier: Tier, facts: ScopedFacts): Asked {
  const overlaid = applyOverlays(overlays, chooseLane(lanes, tier, facts), tier, facts)
  const wanted = new Set(overlaid.conditions)
  return {
    lane: overlaid.lane,
    overlays: overlaid.overlays.map(({ id }) => id),
    conditions: conditions.conditions.filter(({ id }) => wanted.has(id)),
  }
}

function laneChange({ from, to }: Effect['asked']): Change<string> | null {
  return from.lane.id === to.lane.id ? null : { from: from.lane.id, to: to.lane.id }
}

function rulesBetween(before: string[], after: string[]): Effect['rules'] {
  return {
    added: after.filter((id) => !before.includes(id)),
    gone: before.filter((id) => !after.includes(id)),
  }
}

/** A lane and the overlays on it, which say all that is asked within one policy. */
export function nameOf({ lane, overlays }: Asked): string {
  return [lane.id, ...overlays].join(' + ')
}

function rememberedComparison(): (before: Asked, after: Asked) => LaneDifference {
  const known = new Map<string, LaneDifference>()
  return (before, after) => {
    const name = `${nameOf(before)} > ${nameOf(after)}`
    const found = known.get(name) ?? compareLanes(before, after)
    known.set(name, found)
    return found
  }
}
