import { type SQL, sql } from 'drizzle-orm'

type TierColumn = 'computed_tier' | 'fired' | 'policy_digest'

/**
 * Joins what a later policy made of the version `v` until the state `s`, as `n`: after `use_case_state s` and
 * `use_case_version v`. Mostly there is nothing.
 */
export const recomputedTier: SQL = sql`left join lateral (select * from tier_recomputation y
  where y.use_case_id = v.use_case_id and y.version = v.version and y.revision <= s.revision
  order by y.revision desc limit 1) n on true`

/** A tier, the rules that fired for it or its policy, as they were in the state `s`. */
export function tierColumnOf(column: TierColumn): string {
  return `coalesce(n.${column}, v.${column})`
}
