import { type SQL, sql } from 'drizzle-orm'
import type { Kind } from '../registers/register.js'

/**
 * An instant as RFC 3339 text, the same as `toInstant` of `src/instant.ts` gives. Instants have whole milliseconds:
 * a tenth of one on top makes PostgreSQL print four decimals, which are then cut to three. `to_char` takes four times
 * as long.
 */
export const instantText = (source: SQL): SQL =>
  sql`replace(left((${source} at time zone 'UTC' + interval '0.1 ms')::text, 23), ' ', 'T') || 'Z'`

/**
 * The characters, by code point, at which a spreadsheet takes a cell for a formula: tab, line feed, carriage return,
 * `+ - = @` and their full-width forms. A blank in front would not keep them from running; an apostrophe does.
 */
const formulaStarts = [9, 10, 13, 43, 45, 61, 64, 65291, 65293, 65309, 65312]
const apostrophe = 39
const suspects = sql.raw(`'{${[...formulaStarts, apostrophe].join(',')}}'::int[]`)
const runnable = sql.raw(`'^''*[\\t\\n\\r+=@＋－＝＠-]'`)

/** An apostrophe more where there would be one already, so that taking one away always gives the text back. */
const defused = (cell: SQL, start: SQL = cell): SQL => sql`
  case when ascii(${start}) = any(${suspects}) and ${cell} ~ ${runnable} then '''' || ${cell} else ${cell} end`

const listText = (source: SQL): SQL => sql`array_to_string(${source}, '; ')`

/** Members in the order of RFC 8785; their names are short and plain, so that the order of bytes is that of UTF-16. */
const canonicalMembers = (source: SQL): SQL => sql`
  (select '{' || coalesce(string_agg(to_json(name)::text || ':' || to_json(value)::text, ',' order by name collate "C"), '') || '}'
    from jsonb_each_text(${source}) as m (name, value))::json`

type Cell = (source: SQL) => SQL

const csvCells: Record<Exclude<Kind, 'answers' | 'json'>, Cell> = {
  text: defused,
  word: (source) => source,
  number: (source) => source,
  instant: instantText,
  words: listText,
  texts: (source) => defused(listText(source), sql`(${source})[1]`),
}

const jsonValues: Record<Kind, Cell> = {
  ...csvCells,
  text: (source) => source,
  words: (source) => source,
  texts: (source) => source,
  answers: canonicalMembers,
  json: (source) => source,
}

/**
 * A `select` list with the cells of a CSV file, under their names.
 * @param questions whose answers get a column each, as `answer.<question id>`
 */
export function csvCellsOf(kinds: Kinds, columns: Columns, questions: readonly string[]): SQL {
  const cells = Object.entries(kinds).flatMap(([name, kind]) => {
    if (kind === 'json') return []
    if (kind !== 'answers') return [named(name, csvCells[kind](sourceOf(columns, name)))]
    return questions.map((id) => named(`answer.${id}`, sql`${sourceOf(columns, name)} ->> ${word(id)}`))
  })
  return sql.join(cells, sql`, `)
}

/** A `select` list whose rows `row_to_json` turns into canonical JSON: its members are sorted. */
export function jsonValuesOf(kinds: Kinds, columns: Columns): SQL {
  const sorted = Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1))
  const values = sorted.map(([name, kind]) => named(name, jsonValues[kind](sourceOf(columns, name))))
  return sql.join(values, sql`, `)
}

type Kinds = Record<string, Kind>
type Columns = Record<string, SQL>

const named = (name: string, value: SQL): SQL => sql`${value} as ${sql.identifier(name)}`

function sourceOf(columns: Columns, name: string): SQL {
  const source = columns[name]
  if (!source) throw new Error(`the column ${name} comes from nowhere`)
  return source
}

/** Ids of questions are part of the statement; the policy knows no others. */
function word(id: string): SQL {
  if (!/^[a-z][a-z0-9_]*$/.test(id)) throw new Error(`${id} is no id of a question`)
  return sql.raw(`'${id}'`)
}
