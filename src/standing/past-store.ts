import { and, desc, eq, getTableColumns, lte, type SQL, sql } from 'drizzle-orm'
import { snakeCase } from '../db/insert-all.js'
import { recomputedTier, tierColumnOf } from '../db/recomputed-tier.js'
import { useCaseStates, useCases } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'
import type { StandingFacts } from '../use-cases/standing.js'

/** What was known of a use case at an instant; undefined before it was registered. */
export async function findStateAt(
  tx: ReadTx,
  useCaseId: string,
  at: Instant,
): Promise<(StandingFacts & { revision: number }) | undefined> {
  const [row] = await tx.sql
    .select()
    .from(useCaseStates)
    .where(and(eq(useCaseStates.useCaseId, useCaseId), lte(useCaseStates.recordedAt, at)))
    .orderBy(desc(useCaseStates.revision))
    .limit(1)
  return row
}

const facts = {
  ...{ title: 'text', purpose: 'text', benefits: 'text', outputs: 'text', orgUnitId: 'uuid', stage: 'text' },
  ...{ jurisdictions: 'text[]', channels: 'text[]', technique: 'text', systemIds: 'uuid[]', tags: 'text[]' },
  ...{ businessOwnerId: 'uuid', riskOwnerId: 'uuid' },
}
const ofVersion = ['computed_tier', 'fired'] as const
const ofState = Object.keys(getTableColumns(useCaseStates)).filter(
  (name) => name in getTableColumns(useCases),
)
const ofHead = ['id', 'number', 'origin']

const search = `setweight(to_tsvector('english', f.title), 'A') || setweight(to_tsvector('english', f.purpose), 'B')
  || setweight(to_tsvector('english', f.benefits || ' ' || f.outputs), 'C')`

/**
 * Use cases as they were: the last state recorded by then, and the version that was current in it, under the name and
 * with the columns of the table itself, so that filters, order and standing read the one as the other.
 */
export function pastUseCases(at: SQL): SQL {
  const columns = [
    ...ofHead.map((name) => `u.${snakeCase(name)}`),
    ...ofState.map((name) => `s.${snakeCase(name)}`),
    ...ofVersion.map((name) => `${tierColumnOf(name)} as ${name}`),
    ...Object.keys(facts).map((name) => `f."${name}" as ${snakeCase(name)}`),
    ...['s.recorded_at as updated_at', `${search} as search`],
  ]
  const record = Object.entries(facts).map(([name, type]) => `"${name}" ${type}`)
  return sql`(select ${sql.raw(columns.join(', '))} from use_case u
    join lateral (select * from use_case_state x where x.use_case_id = u.id and x.recorded_at <= ${at}
      order by x.revision desc limit 1) s on true
    join use_case_version v on v.use_case_id = u.id and v.version = s.version
    ${recomputedTier}
    cross join lateral jsonb_to_record(v.facts) as f (${sql.raw(record.join(', '))})) use_case`
}
