import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { useCases } from '../../src/db/schema.js'
import { standingSql } from '../../src/db/standing-sql.js'
import type { Bench } from '../bench.js'
import { query } from '../database.js'
import { alternate, type Finding, secondsOf } from '../finding.js'

/** At most; a smaller register is listed whole. */
const ROWS = 100_000

/** Standing with its reasons, computed for each of many use cases in one query, beside the same query without it. */
export async function standingRow({ options, register }: Bench): Promise<Finding[]> {
  const { word, reasons } = standingSql(getTableColumns(useCases), sql`now()`)
  const timed = (columns: SQL) => {
    const { id, number, title, orgUnitId, stage, tags, validUntil, updatedAt } = getTableColumns(useCases)
    const { sql: text } = new PgDialect({ casing: 'snake_case' }).sqlToQuery(sql`
      select ${id}, ${number}, ${title}, ${orgUnitId}, ${stage}, ${tags}, ${validUntil}, ${updatedAt} ${columns}
        from ${useCases} order by ${updatedAt} desc, ${id} desc limit ${sql.raw(`${ROWS}`)}`)
    return async () => await secondsOf(async () => await query(register, text))
  }
  const { withIt, without } = await alternate(
    { rounds: Math.max(options.rounds, 5), warmUp: true },
    { withIt: timed(sql`, ${word} as standing, ${reasons} as reasons`), without: timed(sql``) },
  )
  const baseline = { name: 'the same without standing', value: without }
  const deed = `standing of ${Math.min(ROWS, register.size).toLocaleString('en')} in one query`
  return [{ deed, size: register.size, unit: 's', ours: withIt, baseline, bar: { atMost: 1.3 } }]
}
