import { z } from 'zod'
import * as examples from './examples.js'
import { Answers, Facts, Tier } from './use-case.js'

const FactValue = z.union([z.string(), z.array(z.string()), Answers]).nullable()

export const Version = z
  .strictObject({
    version: z.int(),
    recordedAt: z.iso.datetime(),
    authorId: z.uuid().describe('The person who wrote it'),
    reason: z.string().describe('Why it was changed'),
    tier: Tier.describe('The computed one'),
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
    facts: Facts,
    changes: z
      .array(z.strictObject({ fact: z.string(), from: FactValue, to: FactValue }))
      .describe('What changed against the version before'),
  })
  .meta({
    id: 'Version',
    description: 'The facts at one time, and what changed against the version before',
    examples: [examples.version],
  })
export type Version = z.infer<typeof Version>
