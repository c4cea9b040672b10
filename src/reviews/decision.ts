import { z } from 'zod'
import { Outcome } from '../policy/lanes.js'
import { Required } from '../policy/missing.js'
import { AppliedOverlay } from '../policy/overlays.js'
import { Tier } from '../use-cases/use-case.js'
import { DecidedCondition, DecidedEvidence, Limit } from './decided.js'
import * as examples from './examples.js'
import { Review, Route, Vote } from './review.js'
import { LowerTier } from './submission.js'

export const Decision = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    reviewId: z.uuid(),
    outcome: Outcome,
    reason: z.string().describe('How the votes came to this outcome'),
    version: z.int().describe('The version that was decided on'),
    basisVersion: z
      .int()
      .nullable()
      .describe('The version that the last full review looked at: later differences are measured from it'),
    tier: Tier.describe('The tier it was decided for'),
    route: Route,
    laneId: z.string().describe('The lane of policy it went through'),
    overlays: z.array(AppliedOverlay).describe('Rules for its line of business or jurisdiction that applied'),
    conditions: z.array(DecidedCondition).describe('Every condition that was in force from then on'),
    limits: z.array(Limit).describe('Where an approval holds; the gate checks each'),
    waived: z.array(z.uuid()).describe('Ids of conditions that it waived'),
    loweredTier: LowerTier.nullable().describe('What it lowered the tier to'),
    precedentId: z.uuid().nullable().describe('The decision that was cited'),
    supersedesId: z.uuid().nullable().describe('The wrong decision whose place it takes'),
    supersededById: z.uuid().nullable().describe('The decision that took its place, as this one was wrong'),
    attestedBy: z.uuid().nullable().describe('Who attested, where nobody votes'),
    attestation: z.string().nullable().describe('What they declared'),
    sampled: z.boolean().describe('Drawn, by its id, for a review afterwards'),
    environments: z.array(z.string()).nullable().describe('Where an approval holds; null for everywhere'),
    validUntil: z.iso.datetime().nullable().describe('When an approval ends by itself'),
    materialFacts: z.array(z.string()).describe('Facts whose change ends the approval'),
    materialDigest: z.string().describe('Digest of the material facts as they were decided on'),
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
    votes: z.array(Vote).describe('The votes that counted, one a seat'),
    evidence: z.array(DecidedEvidence).describe('Evidence that was accepted at the time'),
    required: z
      .array(Required)
      .describe(
        'What policy required of an approval, each as it was taken: there, as a condition, or excepted',
      ),
    decidedAt: z.iso.datetime(),
  })
  .meta({
    id: 'Decision',
    description: 'The outcome of a review; it never changes',
    examples: [examples.decision],
  })
export type Decision = z.infer<typeof Decision>

/** A vote that was cast, with the decision that it led to, if it did. */
export const CastVote = z
  .strictObject({ review: Review, decision: Decision.nullable().describe('Null while the round is open') })
  .meta({ id: 'CastVote', examples: examples.castVotes })

/** @param supersededById the decision that took its place */
export function presentDecision(row: object, supersededById: string | null): Decision {
  return Decision.parse({ ...row, supersededById })
}
