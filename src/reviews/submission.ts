import { z } from 'zod'
import { AskedException } from '../exceptions/exception.js'
import { text } from '../text.js'
import type { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'

export const LowerTier = z.enum(['minimal', 'limited', 'high'])

/** What a submission asks for beside an approval, and what it rests on. */
export interface Asks {
  lowerTierTo: z.infer<typeof LowerTier> | null
  waives: string[]
  precedentId: string | null
  supersedesId: string | null
  exceptions: AskedException[]
}

/** Whether it asks for more than an approval, so that a shorter way would be too cheap. */
export const wantsMore = ({ lowerTierTo, waives, supersedesId, exceptions }: Asks): boolean =>
  lowerTierTo !== null || waives.length > 0 || supersedesId !== null || exceptions.length > 0

export const Submission = z
  .strictObject({
    note: text(4000).trim().default('').describe('What the committee should know'),
    attest: z
      .literal(true)
      .optional()
      .describe('Where policy asks for an attestation: you declare its statement, and it is cleared at once'),
    lowerTierTo: LowerTier.nullable()
      .default(null)
      .describe('Asks to lower the tier; decided in the lane of the tier it has'),
    waives: z
      .array(z.uuid())
      .max(50)
      .default([])
      .describe('Asks to waive these conditions of the approval in force; decided in the full lane'),
    precedentId: z
      .uuid()
      .nullable()
      .default(null)
      .describe('Cites the decision about an approved case of the same pattern, for a shorter lane'),
    supersedesId: z
      .uuid()
      .nullable()
      .default(null)
      .describe('Says that the decision in force is wrong: whatever is decided now takes its place'),
    exceptions: z
      .array(AskedException)
      .max(50)
      .default([])
      .describe('Asks to be excepted from requirements of policy until an end; decided in the full lane'),
  })
  .meta({ id: 'Submission', examples: [examples.submission] })
export type Submission = z.infer<typeof Submission>

/** the committee lowers the tier of what is prohibited, and approves nothing by that. */
export function isOfProhibited({ tier, lowerTierTo }: Pick<Asks, 'lowerTierTo'> & { tier: Tier }): boolean {
  return tier === 'prohibited' && lowerTierTo !== null
}
