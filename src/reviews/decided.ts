import { z } from 'zod'
import { Condition, LimitOn } from '../conditions/condition.js'

export const DecidedEvidence = z
  .strictObject({
    id: z.uuid(),
    kind: z.string(),
    title: z.string(),
    digest: z.string(),
  })
  .meta({ id: 'DecidedEvidence', description: 'Evidence as it stood when a decision was made' })

/** A condition as it stood when a decision was made. */
export const DecidedCondition = Condition.pick({
  ...{ id: true, type: true, text: true, pattern: true, ownerId: true, dueAt: true },
  ...{ beforeDeploy: true, satisfiedBy: true, limit: true },
} as const)
  // Earlier decisions know of no requirements.
  .extend({ requirement: Condition.shape.requirement.default(null) })
  .meta({
    id: 'DecidedCondition',
    description: 'A condition as it stood when a decision was made',
    examples: [],
  })
export type DecidedCondition = z.infer<typeof DecidedCondition>

export const Limit = z
  .strictObject({ on: LimitOn, values: z.array(z.string()).describe('Where the approval holds') })
  .meta({ id: 'Limit', description: 'Where an approval holds; outside of it the gate denies' })
export type Limit = z.infer<typeof Limit>
