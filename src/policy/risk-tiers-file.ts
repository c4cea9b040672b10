import { z } from 'zod'
import { Tier } from '../use-cases/use-case.js'
import { FactConditions } from './fact-conditions.js'
import { addIssues, type Flaw, repeated } from './flaws.js'

/** The option that every question has. It counts as the riskier answer. */
export const UNKNOWN = 'unknown'

const Id = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'use lower-case letters, digits and _, beginning with a letter')
const Sentence = z.string().trim().min(1, 'write a sentence')

const Option = z.strictObject({ id: Id, label: Sentence })

export const Question = z
  .strictObject({
    id: Id,
    text: Sentence,
    help: Sentence,
    options: z.array(Option).min(2, 'offer at least one answer beside unknown'),
  })
  .meta({ id: 'IntakeQuestion' })
export type Question = z.infer<typeof Question>

/** Question id to the options it asks for; `facts` holds conditions on facts. */
const When = z
  .object({ facts: FactConditions.optional() })
  .catchall(z.union([Id, z.array(Id).min(1)], 'name an option, or a list of options'))

export const TierRule = z
  .strictObject({
    id: z.string().regex(/^RT-\d{2,3}$/, 'number rules as RT-01'),
    when: When,
    tier: Tier,
    because: Sentence,
  })
  .meta({ id: 'TierRule', description: 'Gives a tier when all its conditions are met' })
export type TierRule = z.infer<typeof TierRule>

export const RiskTiersFile = z
  .strictObject({
    version: z.literal(1),
    questions: z.array(Question).min(1),
    rules: z.array(TierRule).min(1),
  })
  .superRefine((file, ctx) => addIssues(ctx, [...flawsOfQuestions(file.questions), ...flawsOfRules(file)]))
export type RiskTiersFile = z.infer<typeof RiskTiersFile>

type Draft = Pick<RiskTiersFile, 'questions' | 'rules'>

/** The answers a rule asks for: question id with the options that satisfy it. */
export function asked(rule: TierRule): Asked {
  const known = askedBy.get(rule)
  if (known) return known
  const { facts: _, ...questions } = rule.when
  const asks = Object.entries(questions).map(([id, wanted]): Asked[number] => [id, [wanted].flat()])
  askedBy.set(rule, asks)
  return asks
}

type Asked = [question: string, options: string[]][]

/** Rules never change once they are loaded, and an import asks each of them thousands of times. */
const askedBy = new WeakMap<TierRule, Asked>()

function flawsOfQuestions(questions: Question[]): Flaw[] {
  const flaws: Flaw[] = repeated(questions, ({ id }) => id).map((index) => ({
    path: ['questions', index, 'id'],
    message: 'another question has this id; give each its own',
  }))
  return [...flaws, ...questions.flatMap(flawsOfQuestion)]
}

function flawsOfQuestion({ id, options }: Question, index: number): Flaw[] {
  const flaws: Flaw[] = repeated(options, (option) => option.id).map((at) => ({
    path: ['questions', index, 'options', at, 'id'],
    message: 'this option is there twice; remove one',
  }))
  if (id === 'facts') {
    flaws.push({ path: ['questions', index, 'id'], message: 'facts is reserved in rules; choose another id' })
  }
  if (!options.some((option) => option.id === UNKNOWN)) {
    flaws.push({ path: ['questions', index, 'options'], message: 'add the option unknown' })
  }
  return flaws
}

function flawsOfRules({ questions, rules }: Draft): Flaw[] {
  const flaws: Flaw[] = repeated(rules, ({ id }) => id).map((index) => ({
    path: ['rules', index, 'id'],
    message: 'another rule has this id; give each its own',
  }))
  return [...flaws, ...rules.flatMap((rule, index) => flawsOfRule(rule, index, questions))]
}

function flawsOfRule(rule: TierRule, index: number, questions: Question[]): Flaw[] {
  const asks = asked(rule)
  const path = ['rules', index, 'when']
  if (asks.length === 0) {
    return [{ path, message: 'this rule would fire for every use case; name the answer it needs' }]
  }
  return asks.flatMap(([id, options]) => {
    const question = questions.find((candidate) => candidate.id === id)
    const at = [...path, id]
    return question ? flawsOfChoice(options, question, at) : [{ path: at, message: 'no such question' }]
  })
}

function flawsOfChoice(options: string[], question: Question, path: Flaw['path']): Flaw[] {
  const offered = question.options.map(({ id }) => id)
  const strangers = options.filter((option) => !offered.includes(option))
  if (strangers.length > 0) {
    return [{ path, message: `no such option: ${strangers.join(', ')}; choose from ${offered.join(', ')}` }]
  }
  if (options.includes(UNKNOWN)) {
    return [{ path, message: 'unknown matches every rule of its question already; name the other answers' }]
  }
  if (offered.every((id) => id === UNKNOWN || options.includes(id))) {
    return [{ path, message: 'every answer is named, so nothing is asked; leave out the harmless ones' }]
  }
  return []
}
