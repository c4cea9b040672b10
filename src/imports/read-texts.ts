import { cellOf, textOf } from './bind.js'
import type { ImportedFacts } from './imported-facts.js'
import type { TextRule } from './profile.js'
import { doubt, type Reading } from './reading.js'
import { oneLine, quote } from './wording.js'

const textFields = ['purpose', 'benefits', 'outputs'] as const
type TextField = (typeof textFields)[number]
type Texts = Partial<Pick<ImportedFacts, TextField>>

/** Characters, as `Facts` has them. */
const LONGEST_TITLE = 300
const LONGEST_TEXT = 20_000
/** A title or a purpose below this says nothing. */
const SHORTEST = 3

/** The title on one line; undefined when there is none, and the row cannot be registered. */
export function readTitle(reading: Reading): string | undefined {
  const { from } = reading.binding.profile.facts.title
  const title = fit(reading, 'title', oneLine(textOf(reading.binding, reading.row, from)), LONGEST_TITLE)
  return title.length < SHORTEST ? undefined : title
}

/** Purpose, benefits and outputs, as far as the file has columns for them. */
export function readTexts(reading: Reading): Texts {
  const { facts } = reading.binding.profile
  const texts: Texts = {}
  for (const field of textFields) {
    const rule = facts[field]
    const text = rule && reading.binding.columnOf(rule.from) ? readText(reading, field, rule) : undefined
    if (text !== undefined) texts[field] = text
  }
  return texts
}

function readText(reading: Reading, field: TextField, rule: TextRule): string | undefined {
  const text = fit(reading, field, textOf(reading.binding, reading.row, rule.from), LONGEST_TEXT)
  const isStated = text.length >= (field === 'purpose' ? SHORTEST : 1)
  if (isStated || (field !== 'purpose' && rule.otherwise === undefined)) return text
  if (!reading.retired) askFor(reading, field, rule)
  return rule.otherwise
}

function askFor(reading: Reading, field: TextField, { from, otherwise }: TextRule): void {
  const column = reading.binding.columnOf(from)
  const standIn = otherwise === undefined ? '' : `, and ${quote(otherwise)} stands in for it`
  const message = `the source leaves ${quote(column?.name ?? '')} blank${standIn}; write the ${field}`
  doubt(reading, field, message, cellOf(reading.binding, reading.row, column))
}

function fit(reading: Reading, field: string, text: string, longest: number): string {
  if (text.includes('\ufffd')) {
    doubt(reading, field, 'a character was lost before this file was made; look at the text', text)
  }
  if (text.length <= longest) return text
  doubt(reading, field, `only the first ${longest} characters were taken; shorten the text`, text)
  return `${text.slice(0, longest - 1).toWellFormed()}…`
}
