import { sql } from 'drizzle-orm'
import type { Selection } from '../db/selection.js'
import { tierSql } from '../db/standing-sql.js'
import type { AnnexRecord } from './annex-viii.js'
import { agencies, selectUseCases, type UseCaseSight } from './store.js'

/** Use cases of the high tier, with what Annex VIII of the EU AI Act asks beyond a record. */
export function selectAnnex(sight: UseCaseSight): Selection<AnnexRecord> {
  const { kinds, columns, from, where, order } = selectUseCases(sight)
  return {
    kinds: { ...kinds, agencyName: 'text', ownerEmail: 'text', parts: 'json' },
    columns: {
      ...columns,
      ...{ agencyName: sql`coalesce(a.name, o.name)`, ownerEmail: sql`b.email` },
      parts: sql`coalesce((select json_agg(json_build_object('key', y.key, 'name', y.name, 'vendor', y.vendor)
        order by y.key) from system y where y.id = any(${sight.kept.systemIds})), '[]')`,
    },
    from: sql`${from} left join (${agencies}) a on a.id = o.id`,
    where: [...where, sql`${tierSql(sight.kept)} = 'high'`],
    order,
  }
}
