import { z } from 'zod'
import { EvidenceKind } from '../evidence/evidence.js'
import * as examples from './examples.js'
import { addIssues, type Flaw, repeated } from './flaws.js'
import { Slug } from './lanes.js'

const Sentence = z.string().trim().min(1, 'write a sentence').max(4000)

const ObligationPattern = z.strictObject({
  id: Slug,
  title: Sentence,
  type: z.literal('obligation'),
  text: Sentence.describe('What is to be done, as its owner reads it'),
  dueInDays: z.int().min(1).max(3650).optional().describe('Days from the decision'),
  beforeDeploy: z.literal(true).optional().describe('Due before any deploy: the gate denies until it is met'),
  owner: z.enum(['risk_owner', 'business_owner']).describe('Which owner of the use case sees to it'),
  satisfiedBy: EvidenceKind.describe('The kind of evidence that meets it, once somebody else accepted it'),
})

const LimitPattern = z.strictObject({
  id: Slug,
  title: Sentence,
  type: z.literal('limit'),
  text: Sentence.describe('Why it holds only there'),
  on: z.enum(['environment', 'jurisdiction', 'channel']).describe('What the gate compares'),
  values: z.array(z.string().trim().min(1)).min(1, 'name at least one value').describe('Where it holds'),
})

/** A condition as a committee may ask for it again and again, or as an overlay adds it. */
export const ConditionPattern = z.discriminatedUnion('type', [ObligationPattern, LimitPattern]).meta({
  id: 'ConditionPattern',
  description: 'A condition in words that were agreed once, to choose from in a vote',
  examples: examples.conditionPatterns,
})
export type ConditionPattern = z.infer<typeof ConditionPattern>

export const ConditionsFile = z
  .strictObject({ version: z.literal(1), conditions: z.array(ConditionPattern) })
  .superRefine(({ conditions }, ctx) => addIssues(ctx, flawsOf(conditions)))
export type ConditionsFile = z.infer<typeof ConditionsFile>

/** The pattern with this id; undefined when policy has none such. */
export function patternById(
  { conditions }: Pick<ConditionsFile, 'conditions'>,
  id: string,
): ConditionPattern | undefined {
  return conditions.find((pattern) => pattern.id === id)
}

function flawsOf(conditions: ConditionPattern[]): Flaw[] {
  const flaws: Flaw[] = repeated(conditions, ({ id }) => id).map((index) => ({
    path: ['conditions', index, 'id'],
    message: 'another condition has this id; give each its own',
  }))
  return [
    ...flaws,
    ...conditions.flatMap((pattern, index) =>
      (pattern.type === 'limit' ? flawsOfLimit(pattern) : flawsOfObligation(pattern)).map(
        ({ path, message }) => ({
          path: ['conditions', index, ...path],
          message,
        }),
      ),
    ),
  ]
}

function flawsOfObligation({ dueInDays, beforeDeploy }: z.infer<typeof ObligationPattern>): Flaw[] {
  if ((dueInDays === undefined) !== (beforeDeploy === undefined)) return []
  return [{ path: ['dueInDays'], message: 'say when it is due: either dueInDays or "beforeDeploy": true' }]
}

/** A place is compared by its code, and an environment by its name in gate.json. */
function flawsOfLimit({ on, values }: z.infer<typeof LimitPattern>): Flaw[] {
  const isCode = (place: string) => /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(place)
  return values.flatMap((value, index) =>
    on === 'jurisdiction' && !isCode(value)
      ? [{ path: ['values', index], message: 'use an ISO 3166 code such as US, US-NY or DE; or EU' }]
      : [],
  )
}
