import { getTableName } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { snakeCase } from './insert-all.js'
import { named } from './named.js'

/**
 * Changes some columns of the row that still has the revision it was read with. All values are one parameter: a
 * statement with a placeholder for each takes longer to build than to run.
 * @returns false when somebody else was faster
 */
export async function updateOne<T extends PgTable>(
  client: pg.ClientBase,
  table: T,
  { id, revision }: { id: string; revision: number },
  change: Partial<T['$inferInsert']>,
): Promise<boolean> {
  const written = Object.entries(change).map(([column, value]) => [snakeCase(column), value])
  const sets = written.map(([column]) => `${column} = n.${column}`).join(', ')
  const name = getTableName(table)
  const text = `update ${name} as t set ${sets} from json_populate_record(null::${name}, $3::json) as n
    where t.id = $1 and t.revision = $2`
  const values = [id, revision, JSON.stringify(Object.fromEntries(written))]
  const { rowCount } = await client.query({ ...named(text), values })
  return rowCount === 1
}
