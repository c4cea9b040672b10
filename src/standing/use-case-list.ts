import { z } from 'zod'
import { text } from '../text.js'
import { StandingReason, StandingWord } from '../use-cases/standing.js'
import { Origin, Stage, Technique, Tier } from '../use-cases/use-case.js'
import { useCaseEntry } from './examples.js'

/** Several values of one filter mean any of them, several filters all of them. */
const several = <T extends z.ZodType>(value: T) =>
  z.union([z.array(value).min(1).max(20), value]).transform((given) => [given].flat() as z.output<T>[])

const word = text(60).trim().min(1)

/** What a list of use cases, or the register of them, can be narrowed down to. */
export const UseCaseFilters = z.strictObject({
  q: text(200)
    .trim()
    .min(1)
    .optional()
    .describe('Words in title, purpose, benefits or outputs, a title much like it, or a key such as UC-1042'),
  tier: several(Tier).optional().describe('The tier that counts: the higher of computed and raised'),
  tierUnknownOnly: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional()
    .describe('Whether answers that are missing gave the tier that counts, and nothing else'),
  standing: several(StandingWord).optional().describe('At the moment of asking'),
  orgUnit: z.uuid().optional().describe('The unit and everything below it'),
  owner: z.uuid().optional().describe('Business owner or risk owner'),
  stage: several(Stage).optional().describe('Any of these stages'),
  tag: several(word).optional().describe('Any of these tags'),
  technique: several(Technique).optional().describe('Any of these techniques'),
  channel: several(word).optional().describe('Where people meet it'),
  jurisdiction: several(word).optional().describe('Where it runs or people are affected, such as US-CA'),
  system: z.uuid().optional().describe('A system that it uses'),
  origin: several(Origin).optional().describe('How it came to be registered'),
})
export type UseCaseFilters = z.infer<typeof UseCaseFilters>

export const UseCaseSort = z
  .enum(['-updatedAt', 'updatedAt', 'number', '-number', 'title'])
  .meta({ id: 'UseCaseSort', description: 'A minus sign means descending' })
export type UseCaseSort = z.infer<typeof UseCaseSort>

export const UseCaseEntry = z
  .strictObject({
    id: z.uuid(),
    key: z.string().describe('UC- and a number; stands for the id in every path'),
    revision: z.int().describe('Rises with each change; it is the ETag'),
    title: z.string(),
    orgUnitId: z.uuid().describe('The line of business it belongs to'),
    stage: Stage,
    technique: Technique.nullable(),
    origin: Origin,
    tier: Tier.describe('The tier that counts: the higher of computed and raised'),
    standing: StandingWord,
    reasons: z.array(StandingReason).describe('Why it lapsed, or what an unreviewed one was told last'),
    validUntil: z.iso.datetime().nullable().describe('When the approval ends by itself'),
    businessOwnerId: z.uuid().nullable().describe('The person who answers for its outcome'),
    riskOwnerId: z.uuid().nullable().describe('The person who answers for its risk'),
    tags: z.array(z.string()),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'UseCaseEntry', description: 'A use case as a list shows it', examples: [useCaseEntry] })
export type UseCaseEntry = z.infer<typeof UseCaseEntry>
