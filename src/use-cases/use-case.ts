import { z } from 'zod'
import { text } from '../text.js'

/** Lifecycle stages, after OMB M-25-21; `idea` comes before them. `Retired` is a deed, not a stage. */
export const Stage = z.enum(['idea', 'pre_deployment', 'pilot', 'deployed'])
export type Stage = z.infer<typeof Stage>

export const Technique = z.enum([
  'generative',
  'agentic',
  'classical_ml',
  'nlp',
  'computer_vision',
  'reinforcement_learning',
  'other',
])
export type Technique = z.infer<typeof Technique>

export const Origin = z.enum(['declared', 'imported', 'discovered'])
export type Origin = z.infer<typeof Origin>

/** Four tiers, lowest first. The order is the order of severity. */
export const Tier = z.enum(['minimal', 'limited', 'high', 'prohibited'])
export type Tier = z.infer<typeof Tier>

const word = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._:/&+-]*$/u, 'use letters, digits and . _ : / & + -')

const set = (element: z.ZodString) => z.array(element).max(50).default([])

/** Answers to the intake questions of `policies/risk-tiers.json`: question id to option id. */
export const Answers = z.record(z.string().max(60), z.string().max(60))
export type Answers = z.infer<typeof Answers>

/** The facts of one use case: what a version keeps, whole. */
export const Facts = z.strictObject({
  title: text(300).trim().min(3).describe('What people call it'),
  purpose: text(20_000).trim().min(3).describe('The problem it solves'),
  benefits: text(20_000).trim().default(''),
  outputs: text(20_000).trim().default(''),
  orgUnitId: z.uuid(),
  jurisdictions: set(word).describe('ISO 3166 codes such as US, US-NY, DE; or EU'),
  channels: set(word),
  stage: Stage.default('idea'),
  technique: Technique.nullable().default(null),
  systemIds: z.array(z.uuid()).max(50).default([]),
  answers: Answers.default({}),
  businessOwnerId: z.uuid().nullable().default(null),
  riskOwnerId: z.uuid().nullable().default(null),
  tags: set(word),
})
export type Facts = z.infer<typeof Facts>
