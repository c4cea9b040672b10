import { CsvError, parse } from 'csv-parse/sync'
import { RegistryError } from '../errors.js'
import { type Catalog, limits, validateCatalog } from './catalog.js'
import type { Naming } from './oscal.js'

/** The columns of a catalog as a table; `id` and `title` have to be there. */
export const columns = [
  ...(['id', 'title', 'text', 'function', 'functionTitle', 'category', 'categoryTitle'] as const),
  ...(['parent', 'ties', 'risks'] as const),
]
/** In bytes. A control with its whole text is far below. */
const RECORD = 200_000

type Column = (typeof columns)[number]
type Row = Partial<Record<Column, string>>

/**
 * Reads a catalog of one control a row (RFC 4180, comma or semicolon, header first), in the order of the file. A function or
 * category without a title goes by its id; lists in `ties` and `risks` are separated by semicolons.
 * @throws RegistryError `invalid`
 */
export function readCsv(content: string, naming: Naming): Catalog {
  const { id, version, title } = naming
  if (version === undefined || title === undefined)
    throw new RegistryError('invalid', 'a table does not say its version and title; send both with it')
  const rows = readRows(content)
  return validateCatalog({
    ...{ id, version, title },
    source: {
      title,
      ...(naming.sourceUrl !== undefined && { url: naming.sourceUrl }),
      ...(naming.sourceDate !== undefined && { date: naming.sourceDate }),
    },
    ...(naming.tiesTo !== undefined && { tiesTo: naming.tiesTo }),
    functions: uniqueBy(
      rows.map((row) => ({ id: functionOf(row), title: row.functionTitle ?? functionOf(row) })),
    ),
    categories: uniqueBy(
      rows.map((row) => ({
        ...{ id: categoryOf(row), function: functionOf(row), title: row.categoryTitle ?? categoryOf(row) },
      })),
    ),
    risks: uniqueBy(rows.flatMap((row) => listIn(row.risks).map((risk) => ({ id: risk, title: risk })))),
    controls: rows.map(controlOf),
  })
}

function controlOf(row: Row): object {
  const [ties, risks] = [listIn(row.ties), listIn(row.risks)]
  return {
    ...{ id: row.id, function: functionOf(row), category: categoryOf(row), title: row.title },
    ...(row.text !== undefined && { text: row.text }),
    ...(row.parent !== undefined && { parent: row.parent }),
    ...(ties.length > 0 && { ties }),
    ...(risks.length > 0 && { risks }),
  }
}

function functionOf({ function: owner, category }: Row): string {
  return owner ?? category ?? 'controls'
}

function categoryOf(row: Row): string {
  return row.category ?? functionOf(row)
}

function listIn(cell: string | undefined): string[] {
  const entries = (cell ?? '').split(';').map((entry) => entry.trim())
  return [...new Set(entries.filter((entry) => entry !== ''))]
}

/** The first of each id; whoever repeats one in another way is told so by the rules of the catalog. */
function uniqueBy<T extends { id: string }>(entries: T[]): T[] {
  const first = new Map<string, T>()
  for (const entry of entries) if (!first.has(entry.id)) first.set(entry.id, entry)
  return [...first.values()]
}

function readRows(content: string): Row[] {
  const [header = [], ...records] = parseCells(content)
  const names = header.map(columnOf)
  for (const needed of ['id', 'title'] as const) {
    if (!names.includes(needed))
      throw new RegistryError('invalid', `the table has no column ${needed}; its first row names the columns`)
  }
  const repeated = names.find((name, index) => names.indexOf(name) < index)
  if (repeated) throw new RegistryError('invalid', `the column ${repeated} is there twice; keep one`)
  return records.map((cells) => {
    const filled = names.flatMap((name, index) => {
      const cell = (cells[index] ?? '').trim()
      return cell === '' ? [] : [[name, cell] as const]
    })
    return Object.fromEntries(filled)
  })
}

function columnOf(name: string): Column {
  const plain = (word: string) => word.toLowerCase().replace(/[\s_-]/g, '')
  const column = columns.find((known) => plain(known) === plain(name))
  if (column) return column
  const sentence = `there is no column "${name.slice(0, 60)}" in a catalog; they are ${columns.join(', ')}`
  throw new RegistryError('invalid', sentence)
}

function parseCells(content: string): string[][] {
  const head = content.slice(0, 2000).split(/[\r\n]/, 1)[0] ?? ''
  const delimiter = head.split(';').length > head.split(',').length ? ';' : ','
  try {
    return parse(content, {
      ...{ bom: true, delimiter, skip_empty_lines: true },
      // One more than a catalog may have, so that its rules can say so.
      to: limits.controls + 2,
      max_record_size: RECORD,
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const where = typeof error.lines === 'number' ? ` near line ${error.lines}` : ''
    const message = `the table cannot be read${where}: each row needs a cell for each column, quotes that are closed, and at most ${RECORD} bytes`
    throw new RegistryError('invalid', message, { cause: error })
  }
}
