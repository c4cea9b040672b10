import type { Readable } from 'node:stream'
import { and, type SQL, sql } from 'drizzle-orm'
import type pg from 'pg'
import type { Kind } from '../registers/register.js'
import { csvCellsOf, jsonValuesOf } from './cells.js'
import { copyOut } from './copy.js'
import type { ReadTx } from './transaction.js'

/** What records are read from: their columns, where they come from, and the order of the rows. */
export interface Selection<R> {
  kinds: Record<keyof R, Kind>
  columns: Record<keyof R, SQL>
  from: SQL
  where: SQL[]
  /** Unique, and what a cursor holds of a record. */
  order: { by: SQL; type: 'bigint' | 'uuid'; keyOf(record: R): string }
}

/** At most `limit` records after the one with this key; the lines of the NDJSON form hold the same. */
export async function listRecords<R>(
  tx: ReadTx,
  { kinds, columns, from, where, order }: Selection<R>,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<R[]> {
  const { by, type } = order
  const beyond = after === undefined ? undefined : sql`${by} > ${after}::${sql.raw(type)}`
  const { rows } = await tx.sql.execute<{ record: R }>(sql`
    select row_to_json(j) as record from (
      select ${jsonValuesOf(kinds, columns)} from ${from}
        where ${and(...where, beyond)} order by ${by} limit ${limit}) as j`)
  return rows.map(({ record }) => record)
}

/**
 * All records as bytes.
 * @param form `lines` is NDJSON
 */
export async function copyRecords<R>(
  pool: pg.Pool,
  selection: Selection<R>,
  form: { csv: { questions: readonly string[] } } | 'lines',
): Promise<Readable> {
  if (form === 'lines') return await copyOut(pool, linesQuery(selection), 'lines')
  const { kinds, columns } = selection
  return await copyOut(pool, rowsQuery(selection, csvCellsOf(kinds, columns, form.csv.questions)), 'csv')
}

/** One column, which holds each record as JSON. */
export function linesQuery<R>(selection: Selection<R>): SQL {
  const query = rowsQuery(selection, jsonValuesOf(selection.kinds, selection.columns))
  return sql`select row_to_json(j) from (${query}) as j`
}

function rowsQuery<R>({ from, where, order }: Selection<R>, list: SQL): SQL {
  return sql`select ${list} from ${from} where ${and(...where)} order by ${order.by}`
}
