import { Facts } from '../use-cases/use-case.js'
import { type BoundList, cellOf, isBlank, textOf } from './bind.js'
import type { ImportedFacts } from './imported-facts.js'
import { readList } from './lists.js'
import { lookUp } from './meanings.js'
import type { UnitStep } from './profile.js'
import { doubt, type Reading } from './reading.js'
import { fold, foldOption, oneLine, quote } from './wording.js'

type Lists = Partial<Pick<ImportedFacts, BoundList['field']>>

/** Elements of one list, as `Facts` has it. */
const MOST_ELEMENTS = 50
/** Elements that are looked at; each in doubt makes a note. */
const MOST_READ = 4 * MOST_ELEMENTS
/** Characters in the name of a system or an org unit. */
const LONGEST_NAME = 200

const dashes = /[‐-―−]/g

/** The sets of words and names that the profile fills. */
export function readLists(reading: Reading): Lists {
  const lists: Lists = {}
  for (const list of reading.binding.lists) {
    const column = reading.binding.columnOf(list.rule.from)
    if (column || list.rule.always.length > 0) lists[list.field] = readElements(reading, list)
  }
  return lists
}

function readElements(reading: Reading, list: BoundList): string[] {
  const { field, rule } = list
  const column = reading.binding.columnOf(rule.from)
  const cell = cellOf(reading.binding, reading.row, column)
  const values = readList(cell, rule.separators)
  const stated = values.slice(0, MOST_READ).flatMap((value) => readElement(reading, list, value))
  const elements = distinct([...rule.always, ...stated])
  if (elements.length <= MOST_ELEMENTS && values.length <= MOST_READ) return elements
  doubt(reading, field, `more than ${MOST_ELEMENTS} are named; only the first were taken`, cell)
  return elements.slice(0, MOST_ELEMENTS)
}

function readElement(reading: Reading, { field, meanings }: BoundList, value: string): string[] {
  const meaning = meanings ? lookUp(meanings, value) : undefined
  if (meaning === null || (meaning === undefined && isBlank(reading.binding, value))) return []
  if (typeof meaning === 'object') return leaveOut(reading, field, value, meaning.doubt)
  if (meanings && meaning === undefined)
    return leaveOut(reading, field, value, strayAdvice(reading, field, value))
  const element = meaning ?? oneLine(value)
  if (isElement(field, element)) return [element]
  return leaveOut(
    reading,
    field,
    value,
    `${quote(value)} cannot stand among the ${field}; shorten or reword it`,
  )
}

function leaveOut(reading: Reading, field: string, value: string, message: string): string[] {
  doubt(reading, field, message, value)
  return []
}

function strayAdvice({ binding }: Reading, field: string, value: string): string {
  const owner = binding.owners.get(foldOption(value))
  const advice = owner ? `it reads like an answer for ${owner}` : `choose what to put among the ${field}`
  return `${quote(value)} is not a value that this mapping knows; ${advice}`
}

function isElement(field: BoundList['field'], element: string): boolean {
  return field === 'systems'
    ? element.length <= LONGEST_NAME
    : Facts.shape[field].safeParse([element]).success
}

/** The way down to the unit; undefined where the source names none. */
export function readOrgUnit(reading: Reading): string[] | undefined {
  const steps = reading.binding.profile.facts.orgUnit
  const path = distinct((steps ?? []).flatMap((step) => readStep(reading, step)))
  return path.length === 0 ? undefined : path
}

function readStep(reading: Reading, step: UnitStep): string[] {
  const cell = textOf(reading.binding, reading.row, step.from)
  if (step.several.some((separator) => cell.includes(separator))) {
    return leaveOut(
      reading,
      'orgUnit',
      cell,
      `${quote(cell)} names several units; choose the one that answers for it`,
    )
  }
  const name = oneLine(step.before === undefined ? cell : before(cell, step.before))
  if (name.length > LONGEST_NAME) {
    return leaveOut(
      reading,
      'orgUnit',
      cell,
      `${quote(cell)} is too long for the name of a unit; choose the unit`,
    )
  }
  return name === '' ? [] : [name]
}

/** A dash of any length counts as `-`. */
function before(cell: string, mark: string): string {
  return cell.slice(0, Math.max(0, cell.replace(dashes, '-').indexOf(mark)))
}

function distinct(elements: string[]): string[] {
  return [...new Map(elements.toReversed().map((element) => [fold(element), element])).values()].toReversed()
}
