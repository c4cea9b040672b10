import { getTableColumns, getTableName } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { fromPostgres } from '../instant.js'
import { snakeCase } from './insert-all.js'
import { named } from './named.js'

/** A row as JSON, with its instants as PostgreSQL writes them. */
type JsonRow = Record<string, unknown>

interface Reader {
  select: string
  instants: string[]
}

const readers = new WeakMap<PgTable, Reader>()

/**
 * One row with all columns that the code knows. It comes as one column of JSON: PostgreSQL describes every column with
 * every answer, and forty descriptions take longer to read than the row.
 * @param where a condition on `$1`, and what follows it
 */
export async function findWholeRow<T extends PgTable>(
  client: pg.Pool | pg.ClientBase,
  table: T,
  where: string,
  value: string | number,
): Promise<T['$inferSelect'] | undefined> {
  const { select, instants } = readerOf(table)
  const { rows } = await client.query<{ row: JsonRow }>({
    ...named(`${select} where ${where}`),
    values: [value],
  })
  const row = rows[0]?.row
  if (!row) return undefined
  for (const name of instants) {
    const instant = row[name]
    if (typeof instant === 'string') row[name] = fromPostgres(instant)
  }
  return row as T['$inferSelect']
}

function readerOf(table: PgTable): Reader {
  const known = readers.get(table)
  if (known) return known
  const columns = Object.entries(getTableColumns(table))
  const isInstant = (column: PgColumn) => column.getSQLType().startsWith('timestamptz')
  const members = columns.map(
    ([name, column]) => `'${name}', ${snakeCase(name)}${isInstant(column) ? '::text' : ''}`,
  )
  const select = `select json_build_object(${members.join(', ')}) as row from ${getTableName(table)}`
  const instants = columns.filter(([, column]) => isInstant(column)).map(([name]) => name)
  readers.set(table, { select, instants })
  return { select, instants }
}
