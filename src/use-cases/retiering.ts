import type { ScopedFacts } from '../policy/fact-conditions.js'
import { classOf, type LanesFile } from '../policy/lanes.js'
import { computeTier, type FiredRule, type RiskTiersFile } from '../policy/tiering.js'
import { type Answers, effectiveTier, isAbove, type Tier, type TierParts } from './use-case.js'

/** What the tier of a use case rests on, and what rests on the tier. */
export interface Tiered extends TierParts, Pick<ScopedFacts, 'technique' | 'channels' | 'jurisdictions'> {
  answers: Answers
  fired: FiredRule[]
  approvedTier: Tier | null
}

/** What another policy makes of the tier. */
export interface Retiering {
  computedTier: Tier
  fired: FiredRule[]
  /** what a decision had lowered was another tier, so the lowering ends with it. */
  loweringEnds: boolean
  /** The tier that counts, before and after. */
  from: Tier
  to: Tier
  /** the approval was decided on a lower tier than the one that now counts. */
  lapses: boolean
}

/**
 * What the rules make of a use case that is there already. Pure.
 * @returns undefined when the same rules fire as did before, whatever their words
 */
export function retier(rules: Pick<RiskTiersFile, 'rules'>, tiered: Tiered): Retiering | undefined {
  const { tier: computedTier, fired } = computeTier(rules, tiered.answers, tiered)
  if (computedTier === tiered.computedTier && namesOf(fired) === namesOf(tiered.fired)) return undefined
  return { computedTier, fired, ...reckon(tiered, computedTier) }
}

/** What follows from another computed tier; no more than this, for a change of policy alone lapses nothing. */
export function reckon(
  tiered: TierParts & Pick<Tiered, 'approvedTier'>,
  computedTier: Tier,
): Omit<Retiering, 'computedTier' | 'fired'> {
  const loweringEnds = tiered.loweredTier !== null && computedTier !== tiered.computedTier
  const loweredTier = loweringEnds ? null : tiered.loweredTier
  const to = effectiveTier({ computedTier, raisedTier: tiered.raisedTier, loweredTier })
  const lapses = tiered.approvedTier !== null && isAbove(to, tiered.approvedTier)
  return { loweringEnds, from: effectiveTier(tiered), to, lapses }
}

/** what was lowered for one use is lowered for no other, nor on other answers, nor from another tier. */
export function isAnotherUse(
  { lanes }: { lanes: Pick<LanesFile, 'changeClasses'> },
  { computedTier }: Pick<TierParts, 'computedTier'>,
  tier: Tier,
  changed: readonly string[],
): boolean {
  const isAnswer = (fact: string) => fact.startsWith('answers.')
  return tier !== computedTier || changed.some(isAnswer) || classOf(lanes, changed) === 'transformative'
}

function namesOf(fired: FiredRule[]): string {
  return fired
    .map(({ id, tier, unknown }) => `${id} ${tier} ${unknown}`)
    .sort()
    .join()
}
