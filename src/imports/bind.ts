import { RegistryError } from '../errors.js'
import { type Meanings, meaningsOf, ownersOf } from './meanings.js'
import { type ChoiceRule, choicesOf, type From, type ImportProfile, type ListRule } from './profile.js'
import type { Column, RawRow } from './table.js'
import { fold, foldOption, isEmpty, quote, tidy } from './wording.js'

/** A rule for a closed list, and the column of this file that it reads. */
export interface BoundChoice {
  /** `stage`, `technique` or `answers.<question id>`. */
  field: string
  rule: ChoiceRule
  meanings: Meanings
}

export const listFields = ['jurisdictions', 'channels', 'systems', 'tags'] as const

export interface BoundList {
  field: (typeof listFields)[number]
  rule: ListRule
  /** Left out where values are taken as they come. */
  meanings: Meanings | undefined
}

/** A profile laid over the columns of one file. */
export interface Binding {
  profile: ImportProfile
  columns: Column[]
  /** The column that each rule reads, remembered; one that the file lacks is undefined. */
  columnOf(from: From | undefined): Column | undefined
  blanks: ReadonlySet<string>
  choices: BoundChoice[]
  lists: BoundList[]
  /** The values by which the source calls a use case retired. */
  retired: Meanings
  /** Folded value to the field it answers, to name the neighbour's column in which an answer may stand. */
  owners: ReadonlyMap<string, string>
}

/** Characters; folding long texts only to see that they are none costs more than mapping them. */
const LONGEST_BLANK = 200

/** The mark that an export puts before a cell so that no spreadsheet runs it; see `src/db/cells.ts`. */
const defusingMark = /^'(?='*[\t\n\r+=@＋－＝＠-])/

/**
 * @throws RegistryError `invalid` when the file lacks the column that gives the title
 */
export function bindProfile(profile: ImportProfile, columns: Column[]): Binding {
  const choices = choicesOf(profile)
  const binding: Binding = {
    profile,
    columns,
    columnOf: columnFinder(columns),
    blanks: new Set(profile.blanks.map(foldOption)),
    choices: choices.map(([field, rule]) => ({ field, rule, meanings: meaningsOf(rule.values) })),
    lists: listsOf(profile),
    retired: meaningsOf(
      Object.fromEntries((profile.retired?.values ?? []).map((value) => [value, 'retired'])),
    ),
    owners: ownersOf(choices, profile),
  }
  if (!binding.columnOf(profile.facts.title.from)) {
    const title = quote([profile.facts.title.from].flat()[0] ?? '')
    throw new RegistryError(
      'invalid',
      `the file has no column ${title} for the title; choose another mapping`,
    )
  }
  return binding
}

/** Folding a long header anew for every cell would cost more than reading the cell. */
function columnFinder(columns: Column[]): Binding['columnOf'] {
  const byName = new Map(columns.toReversed().map((column) => [fold(column.name), column]))
  const found = new Map<From, Column | undefined>()
  return (from) => {
    if (from === undefined) return undefined
    if (!found.has(from)) {
      const name = [from].flat().find((candidate) => byName.has(fold(candidate)))
      found.set(from, name === undefined ? undefined : byName.get(fold(name)))
    }
    return found.get(from)
  }
}

/** The tidied cell under a column; empty where the file lacks the column. */
export function cellOf(binding: Binding, row: RawRow, column: Column | undefined): string {
  const cell = column ? (row.cells[column.index] ?? '') : ''
  return tidy(binding.profile.defused ? cell.replace(defusingMark, '') : cell)
}

/** The tidied cell that a rule reads; empty also where people wrote a blank of any spelling. */
export function textOf(binding: Binding, row: RawRow, from: From): string {
  const text = cellOf(binding, row, binding.columnOf(from))
  return isBlank(binding, text) ? '' : text
}

export function isBlank({ blanks }: Binding, text: string): boolean {
  return isEmpty(text) || (text.length <= LONGEST_BLANK && blanks.has(foldOption(text)))
}

function listsOf({ facts }: ImportProfile): BoundList[] {
  return listFields.flatMap((field) => {
    const rule = facts[field]
    return rule ? [{ field, rule, meanings: rule.values && meaningsOf(rule.values) }] : []
  })
}
