import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { type ColumnDef, writeXlsxStream } from 'hucre/xlsx'
import type { Kind } from './register.js'

/** A cell of a workbook: text is never a formula, whatever it begins with. */
export type Cell = string | number | null

export interface Sheet {
  name: string
  columns: { header: string; width: number }[]
  /** The cells of one record, which came as a line of JSON; null for one that is left out. */
  cellsOf(line: string): Cell[] | null
}

/** What Excel takes into a cell, in UTF-16 code units. */
const CELL_LIMIT = 32_767

/**
 * An XLSX workbook of lines, with one sheet whose first row stays in view, and another sheet after every
 * 1,048,576 rows. Memory does not grow with it. Lines that break off break the workbook off.
 */
export function workbookOf(lines: AsyncIterable<string>, { name, columns, cellsOf }: Sheet): Readable {
  const rows = async function* () {
    for await (const line of lines) {
      const cells = cellsOf(line)
      if (cells) yield cells.map(storable)
    }
  }
  const stream = writeXlsxStream(rows(), {
    ...{ name, columns: columns satisfies ColumnDef[], freezePane: { rows: 1 }, zip64: false },
  })
  return Readable.fromWeb(stream as ReadableStream<Uint8Array>)
}

/** A sheet with the columns of the CSV file. */
export function sheetOf(name: string, kinds: Record<string, Kind>, questions: readonly string[]): Sheet {
  const columns = Object.entries(kinds).flatMap(([header, kind]) => {
    if (kind === 'json') return []
    if (kind !== 'answers') return [{ header, width: widths[kind] }]
    return questions.map((id) => ({ header: `answer.${id}`, width: widths.word }))
  })
  return { name, columns, cellsOf: (line) => cellsOfRecord(JSON.parse(line), kinds, questions) }
}

/** In characters: identifiers and texts are cut in the view, not in the file. */
const widths: Record<Exclude<Kind, 'answers' | 'json'>, number> = {
  ...{ text: 40, word: 18, number: 10, instant: 25, words: 25, texts: 40 },
}

function cellsOfRecord(
  record: Record<string, unknown>,
  kinds: Record<string, Kind>,
  questions: readonly string[],
): Cell[] {
  return Object.entries(kinds).flatMap(([name, kind]): Cell[] => {
    if (kind === 'json') return []
    if (kind !== 'answers') return [cellOf(record[name])]
    const answers = new Map(Object.entries(record[name] ?? {}))
    return questions.map((id) => cellOf(answers.get(id)))
  })
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return value
  return Array.isArray(value) ? value.join('; ') : String(value)
}

/**
 * The same text when it is read back: readers take `_x0041_` for an escape of OOXML (ISO/IEC 29500-1, 22.9.2.19), so
 * what only looks like one is escaped. Excel refuses a file with longer texts; these end in an ellipsis.
 */
function storable(cell: Cell): Cell {
  if (typeof cell !== 'string') return cell
  const text =
    cell.length <= CELL_LIMIT ? cell : `${cell.slice(0, CELL_LIMIT - 1).replace(/[\ud800-\udbff]$/, '')}…`
  return text.replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
}
