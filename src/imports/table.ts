import { RegistryError } from '../errors.js'
import { isStorable } from '../text.js'
import { count, type Limits } from './limits.js'
import { boundRecords } from './records.js'
import type { Encoding, FileRecord, Format, Source } from './source.js'
import { isEmpty, oneLine, quote } from './wording.js'

/** One column of the header. */
export interface Column {
  index: number
  /** Its header on one line, made unique: the second `Notes` is `Notes (2)`, an empty one `(column 5)`. */
  name: string
  /** The header as it came. */
  header: string
}

/** One row under the header, as it came. */
export interface RawRow {
  /** As a person counts rows of the file, from 1, header and blank ones included. */
  number: number
  /** Usually one a column. Fewer, or more, when the row is ragged: nothing is cut off. */
  cells: string[]
  /** Why the row cannot be trusted; sentences for a person. */
  problems: string[]
}

/** What one reading of the rows met; filled in as they are read. */
export interface Tally {
  rows: number
  blankRows: number
  /** Rows with problems. */
  brokenRows: number
}

/** A table in a file. */
export interface Table {
  format: Format
  encoding: Encoding | null
  sheet: string | null
  /** Row number of the header; 0 when the format has none. */
  headerRow: number
  columns: Column[]
  /** Columns on the right without header, left out. */
  emptyColumns: number
  /** Reads all rows from the file's start, one at a time; may be called again. */
  rows(tally?: Tally): AsyncGenerator<RawRow>
}

/** How many records are looked at to find the header. */
const SAMPLE = 20

export function newTally(): Tally {
  return { rows: 0, blankRows: 0, brokenRows: 0 }
}

/**
 * Finds the header of a source and gives its rows.
 * @param headerRow row number of the header, where it is known
 * @throws RegistryError `invalid` when there is no header, and while reading, when a limit is exceeded
 */
export async function tabulate(
  source: Source,
  headerRow: number | undefined,
  limits: Limits,
): Promise<Table> {
  const header = findHeader(await sample(source, headerRow, limits), source, headerRow)
  const columns = nameColumns(header.cells)
  return {
    format: source.format,
    encoding: source.encoding,
    sheet: source.sheet,
    headerRow: header.number,
    columns,
    emptyColumns: header.cells.length - columns.length,
    rows: (tally = newTally()) => readRows(source, header.number, columns, limits, tally),
  }
}

/** The row as an object, for keeping: column name to cell, in the file's order, surplus cells included. */
export function rawRecord(columns: Pick<Column, 'name'>[], cells: string[]): Record<string, string> {
  return Object.fromEntries(cells.map((cell, index) => [nameOf(columns, index), cell]))
}

/** Of a header whose row is known, only that row is kept: there may be much above it. */
async function sample(source: Source, headerRow: number | undefined, limits: Limits): Promise<FileRecord[]> {
  const wanted = source.headed ? undefined : headerRow
  const records: FileRecord[] = []
  let met = 0
  for await (const record of boundRecords(source.records(), limits)) {
    if (wanted === undefined || record.number === wanted) records.push(record)
    met += 1
    if (met >= (wanted ?? SAMPLE)) break
  }
  return records
}

/**
 * The header is the first row that fills more than half as many cells as the fullest: a title above it, or the
 * names of sections, fill few.
 */
function findHeader(records: FileRecord[], source: Source, headerRow: number | undefined): FileRecord {
  const filled = records.map(({ cells }) => cells.filter((cell) => !isEmpty(cell)).length)
  const half = Math.max(...filled, 0) / 2
  const header =
    headerRow === undefined || source.headed
      ? records.find((_, index) => (filled[index] ?? 0) > half)
      : records.find(({ number }) => number === headerRow)
  if (!header || header.cells.every(isEmpty)) {
    throw new RegistryError('invalid', 'the file has no header; the first row must name the columns')
  }
  return header
}

function nameColumns(header: string[]): Column[] {
  const width = header.findLastIndex((cell) => !isEmpty(cell)) + 1
  const taken = new Set<string>()
  return header.slice(0, width).map((cell, index) => {
    const name = unique(isEmpty(cell) ? `(column ${index + 1})` : oneLine(cell), taken)
    taken.add(name)
    return { index, name, header: cell }
  })
}

function unique(name: string, taken: Set<string>): string {
  let candidate = name
  for (let nth = 2; taken.has(candidate); nth += 1) candidate = `${name} (${nth})`
  return candidate
}

async function* readRows(
  source: Source,
  headerRow: number,
  columns: Column[],
  limits: Limits,
  tally: Tally,
): AsyncGenerator<RawRow> {
  for await (const record of boundRecords(source.records(), limits)) {
    if (record.number <= headerRow) continue
    if (record.cells.every(isEmpty)) {
      tally.blankRows += 1
      continue
    }
    tally.rows += 1
    assertWithin(record, columns, limits, tally)
    const problems = problemsOf(record, columns, source.fixedWidth)
    if (problems.length > 0) tally.brokenRows += 1
    yield { number: record.number, cells: keptCells(record.cells, columns.length).map(storable), problems }
  }
}

/** Empty cells beyond the last column say nothing. */
function keptCells(cells: string[], width: number): string[] {
  const filled = cells.findLastIndex((cell) => !isEmpty(cell)) + 1
  return cells.slice(0, Math.max(width, filled))
}

function assertWithin({ number, cells }: FileRecord, columns: Column[], limits: Limits, tally: Tally): void {
  if (tally.rows > limits.rows) {
    throw new RegistryError('invalid', `the file has more than ${count(limits.rows)} rows; split it`)
  }
  const index = cells.findIndex(({ length }) => length > limits.cellLength)
  if (index < 0) return
  const where = `the cell under ${quote(nameOf(columns, index))} in row ${count(number)}`
  throw new RegistryError(
    'invalid',
    `${where} is longer than ${count(limits.cellLength)} characters; shorten it`,
  )
}

function problemsOf(
  { number, cells, problem }: FileRecord,
  columns: Column[],
  fixedWidth: boolean,
): string[] {
  if (problem !== undefined) return [problem]
  const [is, should] = [cells.findLastIndex((cell) => !isEmpty(cell)) + 1, columns.length]
  const problems: string[] = []
  if (is > should) {
    problems.push(
      `row ${count(number)} fills ${is} cells, and the header names ${should} columns; correct the row`,
    )
  }
  if (fixedWidth && cells.length < should) {
    problems.push(
      `row ${count(number)} has ${cells.length} cells, and the header names ${should}; correct the row`,
    )
  }
  const index = cells.findIndex((cell) => !isStorable(cell))
  if (index >= 0) {
    const where = `the cell under ${quote(nameOf(columns, index))} in row ${count(number)}`
    problems.push(`${where} holds a character that cannot be stored; remove it`)
  }
  return problems
}

/** What cannot be stored becomes the replacement character; the row carries the problem. */
function storable(cell: string): string {
  return isStorable(cell) ? cell : cell.toWellFormed().replaceAll('\u0000', '\ufffd')
}

function nameOf(columns: Pick<Column, 'name'>[], index: number): string {
  return columns[index]?.name ?? `(column ${index + 1})`
}
