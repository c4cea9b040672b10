import { z } from 'zod'
import { Named } from '../briefs/brief.js'
import { DecidedCondition } from '../reviews/decided.js'
import { Decision } from '../reviews/decision.js'
import { type Choice, Vote } from '../reviews/review.js'
import * as examples from './examples.js'

const About = z.strictObject({ id: z.uuid(), key: z.string(), title: z.string(), orgUnit: z.string() }).meta({
  id: 'MinutesUseCase',
  description: 'What it is about, as it is called now, and the name of its unit',
})

const MinutesVote = Vote.pick({ seat: true, choice: true, rationale: true })
  .extend({
    person: Named,
    onBehalfOf: Named.nullable(),
    isDissent: z.boolean().describe('A block or a request for changes that the decision did not follow'),
  })
  .meta({ id: 'MinutesVote' })

const Imposed = DecidedCondition.pick({ id: true, type: true, text: true, dueAt: true, beforeDeploy: true })
  .extend({ owner: Named.nullable().describe('Whoever was to see to it; null for a limit') })
  .meta({ id: 'MinutesCondition' })

export const MinutesDecision = Decision.pick({
  ...{ id: true, reviewId: true, outcome: true, reason: true, version: true, tier: true, route: true },
  ...{ laneId: true, loweredTier: true, supersedesId: true, precedentId: true, validUntil: true },
  decidedAt: true,
} as const)
  .extend({
    useCase: About,
    votes: z.array(MinutesVote).describe('Those that counted'),
    imposed: z.array(Imposed).describe('Conditions that it imposed'),
    waived: z.array(z.string()).describe('Conditions that it waived, in their words'),
  })
  .meta({ id: 'MinutesDecision', examples: [] })
export type MinutesDecision = z.infer<typeof MinutesDecision>

const instant = z.iso.datetime()

export const Minutes = z
  .strictObject({
    from: z.iso.date().describe('The first day, in UTC'),
    to: z.iso.date().describe('The last day, in UTC'),
    at: instant.describe('When this was read'),
    decisions: z
      .array(MinutesDecision)
      .describe('In the order in which they were made; without attestations'),
    attestations: z.strictObject({
      count: z.int().describe('Use cases that were cleared by the word of an owner'),
      sampled: z.int().describe('Of these, how many were drawn for a review afterwards'),
    }),
    withdrawn: z
      .array(
        z.strictObject({
          reviewId: z.uuid(),
          useCase: About,
          round: z.int(),
          reason: z.string(),
          at: instant,
        }),
      )
      .describe('Rounds that were taken back'),
    suspended: z
      .array(z.strictObject({ id: z.uuid(), useCase: About, by: Named, reason: z.string(), at: instant }))
      .describe('Suspensions that were ordered'),
    lifted: z
      .array(z.strictObject({ id: z.uuid(), useCase: About, by: Named, reason: z.string(), at: instant }))
      .describe('Suspensions that were lifted'),
    incidents: z
      .array(
        z.strictObject({
          ...{ id: z.uuid(), useCase: About, by: Named, title: z.string(), severity: z.string() },
          ...{ learned: z.string(), at: instant },
        }),
      )
      .describe('Incidents that were closed'),
    more: z
      .array(z.enum(['decisions', 'withdrawn', 'suspended', 'lifted', 'incidents']))
      .describe('Lists that hold the first 500 only; ask for a shorter period'),
  })
  .meta({ id: 'Minutes', description: 'What was decided in a period', examples: [examples.minutes] })
export type Minutes = z.infer<typeof Minutes>

/** a block or a request for changes that did not carry the day stays on record. */
export function isDissent(choice: Choice, outcome: Decision['outcome']): boolean {
  const isApproved = outcome === 'approved' || outcome === 'approved_with_conditions'
  return isApproved && (choice === 'block' || choice === 'request_changes')
}
