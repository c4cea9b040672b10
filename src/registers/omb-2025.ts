import { readList } from '../imports/lists.js'
import { fold, foldOption } from '../imports/wording.js'
import { type InventoryColumn, inventoryColumns } from './omb-2025-columns.js'
import type { UseCaseRecord } from './register.js'

/** A use case with what the inventory asks beyond a record: where it lies, and the row it was imported from. */
export interface InventoryRecord extends UseCaseRecord {
  /** Key and name of the unit right below the whole organisation in which it lies. */
  agency: string
  agencyName: string
  ownerEmail: string | null
  /** Column to cell, as it came. */
  raw: Record<string, string> | null
  /** What the row was understood to say. */
  mapped: {
    facts: { answers?: Record<string, string> } & Record<string, unknown>
    dates: Record<string, { value: string }>
    notes: { field: string }[]
  } | null
  /** What the import wrote for a purpose that the source did not state. */
  standIn: string | null
  /** The facts that it meant here. */
  base: ({ answers: Record<string, string> } & Record<string, unknown>) | null
}

/** The headers, in order. */
export const inventoryHeaders: readonly string[] = inventoryColumns.map(({ header }) => header)

/**
 * Makes rows of the inventory: what was understood comes out in OMB's words, what was not as it came, and what nobody
 * said is null.
 */
export function inventoryWriter(): (record: InventoryRecord) => (string | null)[] {
  const fieldOfHeader = fieldFinder()
  return (record) => {
    const came = new Map(Object.entries(record.raw ?? {}).map(([name, cell]) => [fieldOfHeader(name), cell]))
    return inventoryColumns.map((column) => {
      const cell = came.get(column.field) ?? ''
      return (
        understood[column.field]?.(record, cell, column.one ?? []) || canonical(column, cell) || cell || null
      )
    })
  }
}

/** Headers are compared by their words, as the import does; each header of a file is looked at once. */
function fieldFinder(): (header: string) => string | undefined {
  const fields = new Map(inventoryColumns.map(({ field, header }) => [fold(header), field]))
  const known = new Map<string, string | undefined>()
  return (header) => {
    if (!known.has(header)) known.set(header, fields.get(fold(header)))
    return known.get(header)
  }
}

type Fact = (record: InventoryRecord, cell: string, options: readonly string[]) => string | null | undefined

const stages = ['pre_deployment', 'pilot', 'deployed', 'retired']
const techniques = [
  ...['agentic', 'classical_ml', 'computer_vision'],
  ...['generative', 'nlp', 'reinforcement_learning'],
]
const impacts = ['yes', 'presumed_not', 'no']

/** The columns that Assent keeps as facts. Options are named in the order of OMB's. */
const understood: Record<string, Fact> = {
  agency: (record) => ifStated(record, 'orgUnitId', record.agency),
  agency_name: (record) => ifStated(record, 'orgUnitId', record.agencyName),
  id: (record, cell) => cell || record.key,
  use_case_name: (record) => record.title,
  agency_bureau: (record) =>
    record.orgUnit === record.agency ? null : ifStated(record, 'orgUnitId', record.orgUnitName),
  contact_email: (record, cell) => cell || record.ownerEmail,
  development_stage: (record, _cell, options) =>
    record.retiredAt === null
      ? ifStated(record, 'stage', options[stages.indexOf(record.stage)])
      : options[stages.indexOf('retired')],
  is_high_impact: (record, _cell, options) =>
    ifStated(
      record,
      'answers.omb_high_impact',
      options[impacts.indexOf(answerOf(record, 'omb_high_impact'))],
    ),
  topic_area: (record, cell, options) =>
    optionOf(options, cell) ?? (cell ? null : record.tags.find((tag) => options.includes(tag))),
  classification: (record, _cell, options) =>
    ifStated(record, 'technique', options[techniques.indexOf(record.technique ?? '')]),
  problem_solved: (record) =>
    record.purpose === record.standIn ? null : ifStated(record, 'purpose', record.purpose),
  benefits: (record) => ifStated(record, 'benefits', record.benefits),
  system_outputs: (record) => ifStated(record, 'outputs', record.outputs),
  operational_date: ({ mapped }) => mapped?.dates.operational?.value,
  system_name_ato: (record, cell) => cell || record.systems.join('; '),
  has_pii: (record) => ifStated(record, 'answers.personal_data', yesNo(answerOf(record, 'personal_data'))),
}

function answerOf({ answers }: InventoryRecord, question: string): string {
  return answers[question] ?? ''
}

function yesNo(personalData: string): string | undefined {
  if (personalData === 'none') return 'No'
  return personalData === 'personal' || personalData === 'special' ? 'Yes' : undefined
}

/**
 * The value, unless it only stands in for something that the source did not say, or not so that it could be told.
 * A fact that a person has changed since is stated.
 */
function ifStated(record: InventoryRecord, fact: string, value: string | undefined): string | undefined {
  const { mapped, base } = record
  if (!mapped || !base || factOf(base, fact) !== factOf(record, fact)) return value
  const source = fact === 'orgUnitId' ? 'orgUnit' : fact
  const isDoubtful = mapped.notes.some(({ field }) => field === source)
  return isDoubtful || factOf(mapped.facts, source) === undefined ? undefined : value
}

function factOf(facts: { answers?: Record<string, string> }, name: string): unknown {
  const [, question] = name.split('answers.')
  return question === undefined ? Reflect.get(facts, name) : facts.answers?.[question]
}

/** One of OMB's answers, or a list of them, when the cell holds nothing else. */
function canonical({ one, several }: InventoryColumn, cell: string): string | undefined {
  if (one) return optionOf(one, cell)
  if (!several) return undefined
  const options = readList(cell, [';', '\n', ',']).map((element) => optionOf(several, element))
  const isWhole = options.length > 0 && options.every((option) => option !== undefined)
  return isWhole ? several.filter((option) => options.includes(option)).join('; ') : undefined
}

function optionOf(options: readonly string[], value: string): string | undefined {
  const folded = foldOption(value)
  return folded === '' ? undefined : options.find((option) => foldOption(option) === folded)
}
