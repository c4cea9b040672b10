import type { Answers, Stage, Technique } from '../use-cases/use-case.js'
import { Stage as Stages, Technique as Techniques } from '../use-cases/use-case.js'
import { type BoundChoice, cellOf, isBlank } from './bind.js'
import { readList } from './lists.js'
import { lookUp, type Meaning } from './meanings.js'
import { doubt, type Reading } from './reading.js'
import { fold, foldOption, quote } from './wording.js'

/** The answer of a person who left the question open; see `policies/risk-tiers.json`. */
const UNKNOWN = 'unknown'

const optionId = /^[a-z][a-z0-9_]{0,59}$/

/** Undefined when the source does not say, or not so that it can be told. */
export function readStage(reading: Reading): Stage | undefined {
  return Stages.safeParse(chooseFor(reading, 'stage')).data
}

/** Null when the source has the column and says nothing in it. */
export function readTechnique(reading: Reading): Technique | null | undefined {
  const technique = chooseFor(reading, 'technique')
  return technique === null ? null : Techniques.safeParse(technique).data
}

/** Question id to option id, for each question that the file has a column for; a doubtful answer is left out. */
export function readAnswers(reading: Reading): Answers {
  const { binding } = reading
  const fields = binding.choices.map(({ field }) => field).filter((field) => field.startsWith('answers.'))
  const chosen = fields.flatMap((field): [string, string][] => {
    const option = chooseFor(reading, field)
    return option === undefined ? [] : [[field.slice('answers.'.length), option ?? UNKNOWN]]
  })
  return Object.fromEntries([...chosen, ...readPrefixed(reading)])
}

/** Columns that are named after a question hold option ids, in any spelling. */
function readPrefixed(reading: Reading): [question: string, option: string][] {
  const { columns, profile } = reading.binding
  return columns.flatMap((column): [string, string][] => {
    const header = column.header.trim().toLowerCase()
    const prefix = profile.answerPrefixes.find((candidate) => header.startsWith(candidate))
    if (prefix === undefined || header === prefix) return []
    const question = header.slice(prefix.length)
    const option = optionIn(reading, question, cellOf(reading.binding, reading.row, column))
    return option === undefined ? [] : [[question, option]]
  })
}

function optionIn(reading: Reading, question: string, cell: string): string | undefined {
  if (isBlank(reading.binding, cell)) return UNKNOWN
  const option = fold(cell).replaceAll(' ', '_')
  if (optionId.test(option)) return option
  doubt(reading, `answers.${question}`, `${quote(cell)} is no option; write the id of one`, cell)
  return undefined
}

/**
 * @returns undefined when the file lacks the column or the value is doubtful, which is noted; null when the cell
 * says nothing about the field
 */
function chooseFor(reading: Reading, field: string): string | null | undefined {
  const choice = reading.binding.choices.find((candidate) => candidate.field === field)
  const column = choice && reading.binding.columnOf(choice.rule.from)
  if (!choice || !column) return undefined
  const cell = cellOf(reading.binding, reading.row, column)
  const values = readList(cell, choice.rule.separators).filter(
    (value) => !saysNothing(reading, choice, value),
  )
  if (values.length === 0 && choice.rule.missing && !reading.retired) {
    doubt(reading, field, choice.rule.missing, cell)
  }
  const meaning = agree(
    values.map((value) => meaningOf(reading, choice, value)),
    cell,
  )
  if (typeof meaning !== 'object' || meaning === null) return meaning
  doubt(reading, field, meaning.doubt, cell)
  return undefined
}

/** A profile may list a word that is a blank elsewhere, such as `None`. */
function saysNothing({ binding }: Reading, { rule, meanings }: BoundChoice, value: string): boolean {
  return isBlank(binding, value) && lookUp(meanings, value, rule.match) === undefined
}

function meaningOf({ binding }: Reading, { field, rule, meanings }: BoundChoice, value: string): Meaning {
  const meaning = lookUp(meanings, value, rule.match)
  if (meaning !== undefined) return meaning
  const owner = binding.owners.get(foldOption(value))
  const advice = owner ? `it reads like an answer for ${owner}` : `say what ${field} is to be`
  return { doubt: `${quote(value)} is not a value that this mapping knows; ${advice}` }
}

/** Several values must mean the same. */
function agree(meanings: Meaning[], cell: string): Meaning {
  const unclear = meanings.find((meaning) => typeof meaning === 'object' && meaning !== null)
  if (unclear) return unclear
  const options = [...new Set(meanings.filter((meaning) => typeof meaning === 'string'))]
  if (options.length > 1) return { doubt: `${quote(cell)} names ${options.join(' and ')}; choose one` }
  return options[0] ?? null
}
