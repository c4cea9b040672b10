import { z } from 'zod'
import { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'

/** A use case that the policy in force gives another tier than the one on record, or the same by other rules. */
export const TierChange = z
  .strictObject({
    id: z.uuid(),
    key: z.string().describe('UC- and a number'),
    title: z.string(),
    orgUnitId: z.uuid(),
    from: Tier.describe('The tier that counts, on record'),
    to: Tier.describe('The tier that counts, under the policy in force'),
    fired: z.array(z.string()).describe('Ids of the rules that fire'),
    lapses: z.boolean().describe('Its approval was decided on a lower tier, and lapses'),
    loweringEnds: z.boolean().describe('A decision had lowered the tier that it had, which ends'),
  })
  .meta({
    id: 'TierChange',
    description: 'What the policy in force makes of a use case that is there already',
    examples: [examples.tierChange],
  })
export type TierChange = z.infer<typeof TierChange>

const policy = z.string().max(100).describe('Digest of the policy in force')

export const TierChangePage = z
  .strictObject({
    items: z.array(TierChange),
    next: z.string().nullable().describe('The cursor of the next page, or null on the last one'),
    policy,
    examined: z.int().describe('Use cases looked at for this page'),
  })
  .meta({ id: 'TierChangePage', examples: [examples.tierChanges] })

export const NewApplication = z
  .strictObject({
    policy: policy.describe('Digest of the policy whose changes you have seen'),
    after: z
      .string()
      .regex(/^UC-[1-9]\d{0,14}$/, 'give `through` of the answer before, such as UC-1042')
      .optional()
      .describe('`through` of the answer before; left out, it begins with the first use case'),
  })
  .meta({ id: 'NewPolicyApplication', examples: [examples.newApplication] })
export type NewApplication = z.infer<typeof NewApplication>

/** One step: some thousands are looked at, and some hundreds changed, in one transaction. */
export const Application = z
  .strictObject({
    policy,
    examined: z.int().describe('Use cases looked at in this step'),
    changed: z.array(TierChange).describe('Those that have another tier now, or the same by other rules'),
    through: z.string().nullable().describe('Key of the last use case looked at; go on `after` it'),
    finished: z.boolean().describe('No use case is left'),
  })
  .meta({ id: 'PolicyApplication', examples: [examples.application] })
export type Application = z.infer<typeof Application>
