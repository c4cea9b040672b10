import { z } from 'zod'
import { Facts, FiredRule, Tier } from '../use-cases/use-case.js'
import { ConditionPattern, type ConditionsFile, patternById } from './conditions-file.js'
import * as examples from './examples.js'
import { UnitKey } from './fact-conditions.js'
import { chooseLane, Lane, type LanesFile } from './lanes.js'
import { AppliedOverlay, applyOverlays, type OverlaysFile } from './overlays.js'
import { type RiskTiersFile, UNKNOWN } from './risk-tiers-file.js'
import { computeTier, validateAnswers } from './tiering.js'

/** What is known of a use of AI that nobody has registered yet. */
export const TriedFacts = z
  .strictObject({
    ...Facts.pick({ answers: true, technique: true, channels: true, jurisdictions: true }).shape,
    unitKeys: z
      .array(UnitKey)
      .max(50)
      .default([])
      .describe('Keys of its org unit and of those above; none if it is not known which'),
  })
  .meta({
    id: 'TriedFacts',
    description: 'What is known of a use of AI that nobody has registered yet',
    examples: [examples.triedFacts],
  })
export type TriedFacts = z.infer<typeof TriedFacts>

export const Trial = z
  .strictObject({
    tier: Tier,
    fired: z.array(FiredRule).describe('Every rule that fired, the most severe first'),
    lane: Lane.describe('The review it would go through, with what overlays add'),
    overlays: z.array(AppliedOverlay).describe('Exceptions that apply, and why'),
    attested: z
      .boolean()
      .describe('Its owner attests and it is cleared at once; nobody votes, but a sample is reviewed'),
    conditions: z.array(ConditionPattern).describe('What an approval would carry by policy alone'),
    unknown: z
      .array(z.string())
      .describe('Questions still to be answered: each counts as the riskier answer'),
  })
  .meta({
    id: 'TierTrial',
    description: 'The tier it would have, and what it would have to pass',
    examples: [examples.trial],
  })
export type Trial = z.infer<typeof Trial>

interface Rules {
  riskTiers: RiskTiersFile
  lanes: LanesFile
  overlays: OverlaysFile
  conditions: ConditionsFile
}

/** @throws RegistryError `invalid` for an answer that is not on the list */
export function tryTier(policies: Rules, facts: TriedFacts): Trial {
  const { riskTiers } = policies
  validateAnswers(riskTiers, facts.answers)
  const { tier, fired } = computeTier(riskTiers, facts.answers, facts)
  const answerTo = (question: string) => facts.answers[question] ?? UNKNOWN
  const open = riskTiers.questions.filter((question) => answerTo(question.id) === UNKNOWN)
  return { tier, fired, ...wayOf(policies, tier, facts), unknown: open.map((question) => question.id) }
}

function wayOf(policies: Rules, tier: Tier, facts: TriedFacts) {
  const base = chooseLane(policies.lanes, tier, facts)
  const { lane, overlays, conditions } = applyOverlays(policies.overlays, base, tier, facts)
  const patterns = lane.outcomes.includes('approved')
    ? conditions.map((id) => patternById(policies.conditions, id))
    : []
  return {
    ...{ lane, overlays },
    attested: lane.attestation !== undefined,
    conditions: patterns.filter((pattern) => pattern !== undefined),
  }
}
