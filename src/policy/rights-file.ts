import { z } from 'zod'
import { addIssues, repeated } from './flaws.js'

const Words = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)])

const Scalar = z.union([z.string(), z.null()])
const Several = z.array(z.string().min(1)).min(1)
/** `$me`, `$units` and `$bound` stand for the asking person, their units, and what a pipeline is bound to. */
const Operators = z
  .strictObject({
    $eq: Scalar.optional(),
    $ne: Scalar.optional(),
    $in: z.union([z.enum(['$units', '$bound']), Several]).optional(),
    $nin: Several.optional(),
    $all: Several.optional(),
    $exists: z.boolean().optional(),
  })
  .refine((operators) => Object.keys(operators).length > 0, 'name an operator such as $eq')

/** Field names, dotted for nested ones; a bare value means `$eq`. All must hold. */
export const Conditions = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_.]*$/, 'name a field; combinations such as $or are not supported'),
  z.union([Scalar, Operators], 'give a value, or operators such as {"$eq": "$me"}'),
)
export type Conditions = z.infer<typeof Conditions>

export const Right = z
  .strictObject({
    id: z.string().regex(/^DR-\d{2,3}$/, 'number rights as DR-01'),
    roles: z
      .array(z.string().min(1))
      .min(1, "name at least one role, or 'anyone'")
      .describe('Roles, or `anyone`, or `human`'),
    may: Words.describe('Actions'),
    a: Words.describe('Subject types'),
    when: Conditions.optional().describe('Conditions on the subject; all must hold'),
    because: z
      .string()
      .trim()
      .min(1, 'write the sentence that explains this right')
      .describe('The sentence that explains a refusal or a permission'),
  })
  .meta({ id: 'DecisionRight', description: 'What a decision right allows, or forbids, and to whom' })
export type Right = z.infer<typeof Right>

export const DecisionRightsFile = z
  .strictObject({ version: z.literal(1), allow: z.array(Right).min(1), deny: z.array(Right) })
  .superRefine(({ allow, deny }, ctx) =>
    addIssues(
      ctx,
      repeated([...allow, ...deny], ({ id }) => id).map((index) => ({
        path: index < allow.length ? ['allow', index, 'id'] : ['deny', index - allow.length, 'id'],
        message: 'another right has this id; give each its own',
      })),
    ),
  )
export type DecisionRightsFile = z.infer<typeof DecisionRightsFile>
