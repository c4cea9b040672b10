import { z } from 'zod'
import type { Catalog } from '../catalogs/catalog.js'
import { Facts, FiredRule, Tier } from '../use-cases/use-case.js'
import { ConditionPattern, type ConditionsFile, patternById } from './conditions-file.js'
import * as examples from './examples.js'
import { UnitKey } from './fact-conditions.js'
import { chooseLane, Lane, type LanesFile } from './lanes.js'
import { AppliedOverlay, applyOverlays, type OverlaysFile } from './overlays.js'
import { askWords, requirementWords } from './requirement-words.js'
import { asksOf, Requirement, type RequirementsFile, unstatedFor } from './requirements.js'
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

const TriedRequirement = z
  .strictObject({
    ...{ id: Requirement.shape.id, because: z.string(), ifMissing: Requirement.shape.ifMissing },
    words: z.string().describe('What it asks for, and what an approval makes of it when it is not there'),
    asks: z.array(z.string()).describe('Each thing by itself, in words'),
    unstated: z
      .array(z.string())
      .describe('Facts that were not given and on which it rests, as `technique`: it may go with them'),
  })
  .meta({ id: 'TriedRequirement', description: 'Evidence or controls that an approval would rest on' })

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
    requirements: z
      .array(TriedRequirement)
      .describe('What has to be there for an approval; nothing where none can be given'),
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
  requirements: RequirementsFile
  catalogs: readonly Catalog[]
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
  const isApprovable = lane.outcomes.includes('approved')
  const patterns = isApprovable ? conditions.map((id) => patternById(policies.conditions, id)) : []
  return {
    ...{ lane, overlays },
    attested: lane.attestation !== undefined,
    conditions: patterns.filter((pattern) => pattern !== undefined),
    requirements: isApprovable ? requirementsOf(policies, tier, facts) : [],
  }
}

function requirementsOf(policies: Rules, tier: Tier, facts: TriedFacts): Trial['requirements'] {
  const asks = asksOf(policies, tier, facts)
  const requirements = [...new Set(asks.map(({ requirement }) => requirement))]
  return requirements.map((requirement) => ({
    ...{ id: requirement.id, because: requirement.because, ifMissing: requirement.ifMissing },
    words: requirementWords(requirement),
    asks: asks.filter((asked) => asked.requirement === requirement).map(({ ask }) => askWords(ask)),
    unstated: unstatedFor(requirement, tier, facts),
  }))
}
