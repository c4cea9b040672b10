import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { reason, text } from '../text.js'
import * as examples from './examples.js'
import { Standing } from './standing.js'

/** Lifecycle stages, after OMB M-25-21; `idea` comes before them. `Retired` is a deed, not a stage. */
export const Stage = z
  .enum(['idea', 'pre_deployment', 'pilot', 'deployed'])
  .meta({ id: 'Stage', description: 'How far it has come; whether it is retired is said by its standing' })
export type Stage = z.infer<typeof Stage>

export const Technique = z
  .enum([
    'generative',
    'agentic',
    'classical_ml',
    'nlp',
    'computer_vision',
    'reinforcement_learning',
    'other',
  ])
  .meta({ id: 'Technique' })
export type Technique = z.infer<typeof Technique>

export const Origin = z
  .enum(['declared', 'imported', 'discovered'])
  .meta({ id: 'Origin', description: 'How it came into the register' })
export type Origin = z.infer<typeof Origin>

/** Four tiers, lowest first. The order is the order of severity. */
export const Tier = z
  .enum(['minimal', 'limited', 'high', 'prohibited'])
  .meta({ id: 'Tier', description: 'How risky it is; four tiers, the lowest first' })
export type Tier = z.infer<typeof Tier>

const word = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._:/&+-]*$/u, 'use letters, digits and . _ : / & + -')

const set = z.array(word).max(50)
const prose = text(20_000).trim()
const ids = z.array(z.uuid()).max(50)

/** Answers to the intake questions of `policies/risk-tiers.json`: question id to option id. */
export const Answers = z.record(z.string().max(60), z.string().max(60)).meta({
  id: 'IntakeAnswers',
  description: 'Question id to option id; what is left out is unknown, and counts as the riskier answer',
})
export type Answers = z.infer<typeof Answers>

const shapes = {
  title: text(300).trim().min(3).describe('What people call it'),
  purpose: prose.min(3).describe('The problem it solves'),
  benefits: prose.describe('What it brings, in figures where there are any'),
  outputs: prose.describe('What it gives, and to whom'),
  orgUnitId: z.uuid().describe('The line of business it belongs to'),
  jurisdictions: set.describe('ISO 3166 codes such as US, US-NY, DE; or EU'),
  channels: set.describe('Where people meet it, such as phone or broker portal'),
  stage: Stage,
  technique: Technique.nullable(),
  systemIds: ids.describe('The systems that it runs on'),
  answers: Answers,
  businessOwnerId: z.uuid().nullable().describe('The person who answers for its outcome'),
  riskOwnerId: z.uuid().nullable().describe('The person who answers for its risk, and is another one'),
  tags: set.describe('Words to find it by'),
}

export const Facts = z
  .strictObject({
    ...shapes,
    benefits: shapes.benefits.default(''),
    outputs: shapes.outputs.default(''),
    jurisdictions: shapes.jurisdictions.default([]),
    channels: shapes.channels.default([]),
    stage: shapes.stage.default('idea'),
    technique: shapes.technique.default(null),
    systemIds: shapes.systemIds.default([]),
    answers: shapes.answers.default({}),
    businessOwnerId: shapes.businessOwnerId.default(null),
    riskOwnerId: shapes.riskOwnerId.default(null),
    tags: shapes.tags.default([]),
  })
  .meta({ id: 'Facts', description: 'The facts of one use case, as a version keeps them' })
export type Facts = z.infer<typeof Facts>

/** What the first registration needs; whatever is left out is unknown, and counts as the riskier answer. */
export const NewUseCase = z
  .strictObject({
    ...Facts.shape,
    origin: z
      .enum(['declared', 'discovered'])
      .default('declared')
      .describe('Whether its owner brought it, or somebody came upon it'),
  })
  .meta({ id: 'NewUseCase', examples: examples.newUseCases })
export type NewUseCase = z.infer<typeof NewUseCase>

export const FactsChange = z
  .strictObject({
    ...shapes,
    answers: z
      .record(z.string().max(60), z.string().max(60).nullable())
      .describe('Question id to option id, or to null to take an answer back'),
  })
  .partial()
  .meta({
    id: 'FactsChange',
    description: 'JSON Merge Patch (RFC 7396): what is left out stays, an answer of null is taken back',
  })
export type FactsChange = z.infer<typeof FactsChange>

export const Revision = z
  .strictObject({ facts: FactsChange, reason })
  .meta({ id: 'FactsRevision', examples: [examples.revision] })
export type Revision = z.infer<typeof Revision>

export function applyChange(facts: Facts, { answers = {}, ...change }: FactsChange): Facts {
  const merged = Object.entries({ ...facts.answers, ...answers }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  return { ...facts, ...change, answers: Object.fromEntries(merged) }
}

export const FiredRule = z
  .strictObject({
    id: z.string(),
    tier: Tier,
    because: z.string(),
    unknown: z.boolean().describe('It fired for want of an answer, not for the answer given'),
  })
  .meta({ id: 'FiredRule', description: 'A rule of policy that gives this tier' })

export type FiredRule = z.infer<typeof FiredRule>

export const TierView = z
  .strictObject({
    effective: Tier.describe('The one a decision lowered it to, else the higher of computed and raised'),
    computed: Tier.describe('By policy, from answers and facts'),
    raised: Tier.nullable().describe('Set by a person above the computed one'),
    lowered: Tier.nullable().describe(
      'Set by a decision below the computed one, until an answer, that one, or the use itself changes',
    ),
    fired: z.array(FiredRule).describe('Every rule that fired, the most severe first'),
    unknownOnly: z
      .boolean()
      .describe('Answers that are missing gave the tier that counts, and nothing else: answer them first'),
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
  })
  .meta({ id: 'TierView' })
export type TierView = z.infer<typeof TierView>

export const TierRaise = z
  .strictObject({ tier: z.enum(['limited', 'high', 'prohibited']), reason })
  .meta({ id: 'TierRaise', examples: [examples.tierRaise] })
export type TierRaise = z.infer<typeof TierRaise>

export const Retirement = z
  .strictObject({ reason })
  .meta({ id: 'Retirement', examples: [examples.retirement] })
export type Retirement = z.infer<typeof Retirement>

const KEY = /^UC-([1-9]\d{0,14})$/i
const REFERENCE = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|UC-[1-9]\d{0,14})$/i

/** `UC-1042`. */
export function keyOf(number: number): string {
  return `UC-${number}`
}

/** What stands for one use case in a path: its id, or its key such as `UC-1042`. */
export const UseCaseRef = z
  .string()
  .regex(REFERENCE, 'give the id of a use case, or its key such as UC-1042')
  .meta({ description: 'Id or key of the use case' })

/** The number in a key, or undefined for anything that is no key. */
export function numberOf(key: string): number | undefined {
  const [, digits] = KEY.exec(key) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** What a tier comes from: policy, a person who raised it, a decision that lowered it. */
export interface TierParts {
  computedTier: Tier
  raisedTier: Tier | null
  loweredTier: Tier | null
}

/** The tier that counts: what a decision lowered it to, else the higher of computed and raised. */
export function effectiveTier({ computedTier, raisedTier, loweredTier }: TierParts): Tier {
  if (loweredTier !== null) return loweredTier
  return raisedTier !== null && isAbove(raisedTier, computedTier) ? raisedTier : computedTier
}

/** True when every rule of the tier that counts fired for want of an answer, and nobody set it. */
export function isUnknownOnly(
  { computedTier: computed, raisedTier: raised, loweredTier }: TierParts,
  fired: FiredRule[],
): boolean {
  if (loweredTier !== null || (raised !== null && !isAbove(computed, raised))) return false
  const decisive = fired.filter(({ tier }) => tier === computed)
  return decisive.length > 0 && decisive.every(({ unknown }) => unknown)
}

/** True when `a` is more severe than `b`. */
export function isAbove(a: Tier, b: Tier): boolean {
  return Tier.options.indexOf(a) > Tier.options.indexOf(b)
}

interface Life {
  number: number
  retiredAt: string | null
  openReviewId: string | null
}

export function assertNotRetired(useCase: Life): void {
  if (useCase.retiredAt === null) return
  throw new RegistryError(
    'conflict',
    `${keyOf(useCase.number)} is retired and stays as it is; register a new use case`,
  )
}

export function assertNoOpenReview(useCase: Life): void {
  if (useCase.openReviewId === null) return
  throw new RegistryError('conflict', `a review of ${keyOf(useCase.number)} is open; withdraw it first`)
}

/** While a review is open the facts it decides on stay as they were submitted. */
export function assertFrozen(useCase: Life, material: string[]): void {
  if (useCase.openReviewId === null || material.length === 0) return
  throw new RegistryError(
    'conflict',
    `a review that rests on ${material.join(', ')} is open; withdraw it first`,
  )
}

export const UseCase = z
  .strictObject({
    id: z.uuid(),
    key: z.string().describe('UC- and a number; stands for the id in every path'),
    revision: z.int().describe('Rises with each change; it is the ETag'),
    version: z.int().describe('Rises when facts change'),
    origin: Origin,
    ...Facts.shape,
    tier: TierView,
    standing: Standing,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({
    id: 'UseCase',
    description: 'A use of AI with its facts, tier and standing',
    examples: [examples.useCase],
  })
export type UseCase = z.infer<typeof UseCase>

/** A use case with a title like the one at hand. Out of sight it shows its key and unit only. */
export const Similar = z
  .strictObject({
    key: z.string(),
    orgUnit: z.string().describe('Key of its unit'),
    title: z.string().nullable().describe('Null when you may not see it'),
    similarity: z
      .number()
      .nullable()
      .describe(
        '0 to 1, by trigrams: of the title, or of the purpose where that is much alike; null when you may not see it',
      ),
  })
  .meta({ id: 'SimilarUseCase', examples: [examples.similar] })
export type Similar = z.infer<typeof Similar>

export const RegisteredUseCase = z
  .strictObject({
    ...UseCase.shape,
    similar: z.array(Similar).describe('Registered before; perhaps the same'),
  })
  .meta({
    id: 'RegisteredUseCase',
    description: 'The new use case, with those that were there before and look like it',
    examples: [examples.registeredUseCase],
  })
