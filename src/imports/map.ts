import { type Binding, cellOf, textOf } from './bind.js'
import { type ImportedDate, readDate } from './dates.js'
import type { ImportedFacts } from './imported-facts.js'
import { readList } from './lists.js'
import { lookUp } from './meanings.js'
import type { From } from './profile.js'
import { readAnswers, readStage, readTechnique } from './read-choices.js'
import { readLists, readOrgUnit } from './read-lists.js'
import { readTexts, readTitle } from './read-texts.js'
import { doubt, type Note, type Reading } from './reading.js'
import type { RawRow } from './table.js'
import { foldOption, oneLine, quote } from './wording.js'

export interface MappedRow {
  facts: Partial<ImportedFacts>
  /** The source calls it retired. */
  retired: boolean
  /** Dates of the source by their name in the profile; doubtful ones are notes. They are provenance, not facts. */
  dates: Record<string, ImportedDate>
  /** What a person has to decide; nothing of it was guessed. */
  notes: Note[]
  /** Why the row cannot be registered, in a sentence. */
  refused?: string
}

/** Turns one row into facts. Pure: the same row and profile, the same result. */
export function mapRow(binding: Binding, row: RawRow): MappedRow {
  const reading: Reading = { binding, row, retired: isRetired(binding, row), notes: [] }
  const title = readTitle(reading)
  const facts = { ...(title === undefined ? {} : { title }), ...readFacts(reading) }
  const dates = readDates(reading)
  raiseFlags(reading)
  const refused = refusal(reading, title)
  return { facts, retired: reading.retired, dates, notes: reading.notes, ...(refused && { refused }) }
}

function readFacts(reading: Reading): Partial<ImportedFacts> {
  return present({
    ...readTexts(reading),
    orgUnit: readOrgUnit(reading),
    ...readLists(reading),
    stage: readStage(reading),
    technique: readTechnique(reading),
    answers: readAnswers(reading),
    businessOwner: readPerson(reading, reading.binding.profile.facts.businessOwner),
    riskOwner: readPerson(reading, reading.binding.profile.facts.riskOwner),
  })
}

function isRetired(binding: Binding, row: RawRow): boolean {
  const rule = binding.profile.retired
  return (
    rule !== undefined && lookUp(binding.retired, textOf(binding, row, rule.from), rule.match) !== undefined
  )
}

/** Null when the file has the column and names nobody. */
function readPerson({ binding, row }: Reading, rule: { from: From } | undefined): string | null | undefined {
  if (!rule || !binding.columnOf(rule.from)) return undefined
  return oneLine(textOf(binding, row, rule.from)) || null
}

function readDates(reading: Reading): Record<string, ImportedDate> {
  const dates: Record<string, ImportedDate> = {}
  for (const [name, rule] of Object.entries(reading.binding.profile.dates)) {
    const text = textOf(reading.binding, reading.row, rule.from)
    const date = text === '' ? undefined : readDate(text, rule)
    if (typeof date === 'string') doubt(reading, `dates.${name}`, date, text)
    else if (date) dates[name] = date
  }
  return dates
}

function raiseFlags(reading: Reading): void {
  const { binding, row } = reading
  for (const { from, separators, values, field, message } of binding.profile.flags) {
    const cell = cellOf(binding, row, binding.columnOf(from))
    const flagged = new Set(values.map(foldOption))
    const isRaised = readList(cell, separators).some((value) => flagged.has(foldOption(value)))
    if (isRaised) doubt(reading, field, message, cell)
  }
}

function refusal({ binding, row }: Reading, title: string | undefined): string | undefined {
  if (row.problems.length > 0) return row.problems.join('; ')
  if (title !== undefined) return undefined
  const column = binding.columnOf(binding.profile.facts.title.from)
  return `row ${row.number} has no title; fill the cell under ${quote(column?.name ?? '')}`
}

function present(facts: Partial<ImportedFacts>): Partial<ImportedFacts> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}
