import { finished, type Readable } from 'node:stream'
import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { type CopyToStreamQuery, to as copyTo } from 'pg-copy-streams'

/**
 * - `csv`: a header, then a line a row (RFC 4180)
 * - `lines`: the one column of each row as a line of its own, unchanged; it must hold no line feed
 */
export type CopyForm = 'csv' | 'lines'

/**
 * In CSV each cell is quoted: a spreadsheet that splits lines at `;` must find no cell in the middle of a text.
 * The two control characters can occur in no JSON text (RFC 8259 section 7), so no line is ever quoted.
 */
const options: Record<CopyForm, string> = {
  csv: `format csv, header, force_quote *`,
  lines: `format csv, quote E'\\x01', delimiter E'\\x02'`,
}

const dialect = new PgDialect({ casing: 'snake_case' })

/**
 * Streams the rows of a query as bytes, on a connection of its own and as of one moment. COPY takes no parameters:
 * the text is built from code alone, and every value reaches it as a setting of the transaction.
 *
 * A stream that breaks off is destroyed, never ended. Whoever stops reading destroys it, which ends the statement.
 * @param query untyped values in it count as `uuid` where they look like one and as `text` otherwise
 */
export async function copyOut(pool: pg.Pool, query: SQL, form: CopyForm): Promise<Readable> {
  const client = await pool.connect()
  let statement: string
  try {
    await client.query('begin isolation level repeatable read read only')
    statement = await prepare(client, query)
  } catch (error) {
    client.release(error instanceof Error ? error : true)
    throw error
  }
  const stream = copyWithin(client, statement, form)
  finished(stream, (error) => void giveBack(client, error))
  return stream
}

/** The statement without parameters, whose values are from now on settings of the transaction. */
export async function prepare(client: pg.PoolClient, query: SQL): Promise<string> {
  const { sql: text, params } = dialect.sqlToQuery(query)
  await client.query(keepValues(params))
  return text.replace(/\$(\d+)/g, (_, number: string) => settingOf(params[Number(number) - 1], number))
}

/** The rows of a prepared statement, in a transaction that its caller ends. */
export function copyWithin(client: pg.PoolClient, statement: string, form: CopyForm): Readable {
  const stream: Timed = client.query(copyTo(`copy (${statement}) to stdout with (${options[form]})`))
  finished(stream, () => stream.callback?.())
  return stream
}

/** `pg` counts the time of a query until this is called, which `pg-copy-streams` never does. */
type Timed = CopyToStreamQuery & { callback?: () => void }

/** A connection that is still busy with what nobody reads any more is closed, and the server notices. */
async function giveBack(client: pg.PoolClient, error: Error | null | undefined): Promise<void> {
  if (error) return client.release(error)
  await client.query('commit').then(
    () => client.release(),
    (broken) => client.release(broken),
  )
}

/** Rows come in the order of an index, so that the first is there at once and nothing is written to disk to sort. */
function keepValues(values: unknown[]): pg.QueryConfig {
  const names = values.map((_, index) => `assent.v${index + 1}`)
  return {
    text: 'select set_config(name, value, true) from unnest($1::text[], $2::text[]) as v (name, value)',
    values: [
      ['enable_sort', ...names],
      ['off', ...values.map(textOf)],
    ],
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** In a query of its own, so that it is read and parsed once and not for each row. */
function settingOf(value: unknown, number: string): string {
  const elements = Array.isArray(value) ? value : [value]
  const type = elements.every((element) => uuid.test(String(element))) ? 'uuid' : 'text'
  if (!Array.isArray(value)) return `(select current_setting('assent.v${number}')::${type})`
  // The second cast makes it one array in `any (…)`, which would take a bare query for a set of rows.
  return `(select current_setting('assent.v${number}')::${type}[])::${type}[]`
}

function textOf(value: unknown): string {
  if (!Array.isArray(value)) return String(value)
  const quoted = value.map((element) => `"${String(element).replace(/["\\]/g, '\\$&')}"`)
  return `{${quoted.join(',')}}`
}
