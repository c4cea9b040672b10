import { getTableColumns, getTableName } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { named } from './named.js'

/**
 * Inserts rows of one shape in one statement with one parameter, however many they are: a statement with a
 * placeholder for each value takes longer to build than to run.
 * @param returning what to give back of each row, as SQL
 */
export async function insertAll<T extends PgTable, R extends object = object>(
  client: pg.ClientBase,
  table: T,
  rows: T['$inferInsert'][],
  returning?: string,
): Promise<R[]> {
  const [first] = rows
  if (!first) return []
  const columns = Object.keys(getTableColumns(table)).filter((name) => name in first)
  const names = columns.map(snakeCase).join(', ')
  const name = getTableName(table)
  const text = `insert into ${name} (${names})
    select ${names} from json_populate_recordset(null::${name}, $1::json)${returning ? ` returning ${returning}` : ''}`
  const written = rows.map((row) =>
    Object.fromEntries(columns.map((column) => [snakeCase(column), Reflect.get(row, column)])),
  )
  const result = await client.query<R & pg.QueryResultRow>({
    ...named(text),
    values: [JSON.stringify(written)],
  })
  return result.rows
}

const snakeCased = new Map<string, string>()

export function snakeCase(name: string): string {
  const known = snakeCased.get(name)
  if (known !== undefined) return known
  const words = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  snakeCased.set(name, words)
  return words
}
