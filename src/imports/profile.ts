import { z } from 'zod'
import { Stage, Technique } from '../use-cases/use-case.js'
import { foldOption } from './wording.js'

const Sentence = z.string().trim().min(3, 'write a sentence')
const Slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'use lower-case letters, digits and dashes')
const Header = z.string().trim().min(1, 'name a column')
const Separators = z
  .array(z.string().min(1))
  .default([])
  .describe('What stands between several values in one cell')

const From = z.union([Header, z.array(Header).min(1)], 'name a column, or a list of columns').meta({
  id: 'ImportColumnName',
  description: 'A header of the file, compared by its words only; of several, the first that the file has',
})
export type From = z.infer<typeof From>

/** `start` also takes values that go on after one of the listed ones, as `Yes - with a reason`. */
const Match = z
  .enum(['exact', 'start'])
  .default('exact')
  .describe('`start` also takes values that go on after a listed one, as `Yes - with a reason`')
export type Match = z.infer<typeof Match>

const Doubt = z
  .strictObject({ doubt: Sentence })
  .meta({ id: 'ImportDoubt', description: 'What a value cannot tell, in words for the person who decides' })

/**
 * The values of a column, compared without case, punctuation and option letter: to what they mean, to null where
 * they say nothing about the field, or to a doubt.
 */
const valuesOf = <T extends z.ZodType<string>>(option: T) =>
  z
    .record(z.string().min(1), z.union([option, z.null(), Doubt]))
    .refine(hasDistinctKeys, 'two values differ in case or punctuation only; keep one of them')

/**
 * One option out of a closed list.
 * - `separators`: the cell may list several values; they must agree
 * - `missing`: what to tell a person when the cell is blank; left out, a blank is no reason to ask
 */
const choice = <T extends z.ZodType<string>>(option: T) =>
  z.strictObject({
    from: From,
    match: Match,
    separators: Separators,
    values: valuesOf(option),
    missing: Sentence.optional().describe('What to tell a person when the cell is blank'),
  })

/** Free text; `otherwise` stands in for a blank cell, and a person is told. */
const TextRule = z
  .strictObject({
    from: From,
    otherwise: Sentence.optional().describe('Stands in for a blank cell, and a person is told'),
  })
  .meta({ id: 'ImportTextRule' })
export type TextRule = z.infer<typeof TextRule>

/** A set of words or names. Without `values` they are taken as they come; `always` is added to every row. */
const ListRule = z
  .strictObject({
    from: From.optional(),
    separators: Separators,
    values: valuesOf(z.string().min(1)).optional().describe('Without it they are taken as they come'),
    always: z.array(z.string().min(1)).default([]).describe('Added to every row'),
  })
  .meta({ id: 'ImportListRule', description: 'A set of words or names' })
export type ListRule = z.infer<typeof ListRule>

/**
 * One step of the way down to an org unit.
 * - `before`: only what stands before this text, as the agency in `DOE-118`
 * - `several`: a cell with one of these names more than one unit, so a person chooses
 */
const UnitStep = z
  .strictObject({
    from: From,
    before: z.string().min(1).optional().describe('Only what stands before this text counts'),
    several: Separators.describe('A cell with one of these names more than one unit, so a person chooses'),
  })
  .meta({ id: 'ImportUnitStep', description: 'One step of the way down to an org unit' })
export type UnitStep = z.infer<typeof UnitStep>

const PersonRule = z
  .strictObject({ from: From })
  .meta({ id: 'ImportPersonRule', description: 'Found by e-mail address or name' })

/**
 * A date of the source. It is kept as it came, with the precision that it has.
 * - `order`: how `07/08/2024` is read
 * - `asks`: `month` when the form asks for a month, so that a first of a month is no day that anybody stated
 */
const DateRule = z
  .strictObject({
    from: From,
    order: z.enum(['mdy', 'dmy']).describe('How `07/08/2024` is read'),
    asks: z
      .enum(['month', 'day'])
      .default('day')
      .describe(
        '`month` when the form asks for a month: then a first of a month is no day that anybody stated',
      ),
  })
  .meta({ id: 'ImportDateRule', description: 'A date of the source, with the precision that it has' })
export type DateRule = z.infer<typeof DateRule>

const RetiredRule = z
  .strictObject({
    from: From,
    match: Match,
    values: z.array(z.string().min(1)).min(1),
  })
  .meta({ id: 'ImportRetiredRule', description: 'The values by which a source calls a use case retired' })

const Flag = z
  .strictObject({
    from: From,
    separators: Separators,
    values: z.array(z.string().min(1)).min(1),
    field: z.string().min(1).describe('The fact to ask about'),
    message: Sentence,
  })
  .meta({
    id: 'ImportFlag',
    description: 'Asks a person about a field when another column holds one of these values',
  })
export type Flag = z.infer<typeof Flag>

const AnswerRule = choice(z.string().regex(/^[a-z][a-z0-9_]*$/, 'use the id of an option')).meta({
  id: 'ImportAnswerRule',
})
const StageRule = choice(Stage).meta({ id: 'ImportStageRule' })
const TechniqueRule = choice(Technique).meta({ id: 'ImportTechniqueRule' })
export type ChoiceRule =
  | z.infer<typeof AnswerRule>
  | z.infer<typeof StageRule>
  | z.infer<typeof TechniqueRule>

/** How the columns and values of one kind of register become facts: data only, one file each in `policies/imports`. */
export const ImportProfile = z
  .strictObject({
    version: z.literal(1),
    id: Slug,
    title: Sentence,
    about: Sentence.describe('Where it comes from, and why values were translated as they were'),
    register: Slug.describe(
      'The register that rows belong to; rows of another file with the same one are updates',
    ),
    layout: z
      .strictObject({
        encoding: z.enum(['utf-8', 'windows-1252']).optional(),
        headerRow: z.int().min(1).optional().describe('From 1'),
        sheet: z.string().min(1).optional(),
      })
      .default({})
      .describe('Where the table stands; found out if left out'),
    headers: z
      .array(Header)
      .min(1)
      .describe('Every column the register is known to have; by them it is recognised'),
    blanks: z
      .array(z.string().min(1))
      .default([])
      .describe('What people write to say nothing; `-` stands for any cell without a letter or digit'),
    defused: z
      .boolean()
      .default(false)
      .describe('An apostrophe before = + - @ was put there to defuse the cell'),
    identity: z
      .strictObject({
        id: From.optional().describe('The id that the source gives'),
        name: From,
        within: z
          .array(From)
          .default([])
          .describe('Columns in which names are told apart, such as the agency'),
      })
      .describe('By what a row is known again in the next file'),
    retired: RetiredRule.optional(),
    facts: z.strictObject({
      title: TextRule,
      purpose: TextRule.optional(),
      benefits: TextRule.optional(),
      outputs: TextRule.optional(),
      orgUnit: z.array(UnitStep).min(1).optional(),
      jurisdictions: ListRule.optional(),
      channels: ListRule.optional(),
      stage: StageRule.optional(),
      technique: TechniqueRule.optional(),
      systems: ListRule.optional(),
      businessOwner: PersonRule.optional(),
      riskOwner: PersonRule.optional(),
      tags: ListRule.optional(),
    }),
    answers: z
      .record(z.string(), AnswerRule)
      .default({})
      .describe('Question id to the column that answers it'),
    answerPrefixes: z.array(z.string().min(1)).default([]).describe('Columns such as `answer.<question id>`'),
    dates: z.record(z.string(), DateRule).default({}).describe('Kept with the row as they came, by name'),
    flags: z.array(Flag).default([]).describe('When else to ask a person'),
  })
  .meta({ id: 'ImportProfile' })
export type ImportProfile = z.infer<typeof ImportProfile>

/** Every rule that translates values, by the field it fills. */
export function choicesOf({ facts, answers }: ImportProfile): [field: string, rule: ChoiceRule][] {
  const named: [string, ChoiceRule | undefined][] = [
    ['stage', facts.stage],
    ['technique', facts.technique],
    ...Object.entries(answers).map(([id, rule]): [string, ChoiceRule] => [`answers.${id}`, rule]),
  ]
  return named.flatMap(([field, rule]) => (rule ? [[field, rule]] : []))
}

function hasDistinctKeys(values: Record<string, unknown>): boolean {
  const keys = Object.keys(values).map(foldOption)
  return new Set(keys).size === keys.length
}
