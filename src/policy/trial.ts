import { z } from 'zod'
import { Facts, FiredRule, Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'
import { chooseLane, Lane, type LanesFile } from './lanes.js'
import { type RiskTiersFile, UNKNOWN } from './risk-tiers-file.js'
import { computeTier, validateAnswers } from './tiering.js'

/** What is known of a use of AI that nobody has registered yet. */
export const TriedFacts = Facts.pick({
  answers: true,
  technique: true,
  channels: true,
  jurisdictions: true,
}).meta({
  id: 'TriedFacts',
  description: 'What is known of a use of AI that nobody has registered yet',
  examples: [examples.triedFacts],
})
export type TriedFacts = z.infer<typeof TriedFacts>

export const Trial = z
  .strictObject({
    tier: Tier,
    fired: z.array(FiredRule).describe('Every rule that fired, the most severe first'),
    lane: Lane.pick({ id: true, title: true }).describe('The review it would go through'),
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

/** @throws RegistryError `invalid` for an answer that is not on the list */
export function tryTier(
  { riskTiers, lanes }: { riskTiers: RiskTiersFile; lanes: LanesFile },
  facts: TriedFacts,
): Trial {
  validateAnswers(riskTiers, facts.answers)
  const { tier, fired } = computeTier(riskTiers, facts.answers, facts)
  const { id, title } = chooseLane(lanes, tier, facts)
  const answerTo = (question: string) => facts.answers[question] ?? UNKNOWN
  const open = riskTiers.questions.filter((question) => answerTo(question.id) === UNKNOWN)
  return { tier, fired, lane: { id, title }, unknown: open.map((question) => question.id) }
}
