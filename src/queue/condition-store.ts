import { type SQL, sql } from 'drizzle-orm'
import type { Instant } from '../instant.js'

export interface ConditionDetail {
  satisfiedBy: string
  text: string
  /** Title of the last piece that may meet it. */
  accepted: string | null
}

/** what is of the kind that the condition names, accepted since then, fresh, and the last of its line. */
export const acceptedFor = (now: Instant): SQL => sql`(
  select e.title from evidence e join evidence_verdict v on v.evidence_id = e.id and v.verdict = 'accepted'
  where e.use_case_id = c.use_case_id and e.kind = c.satisfied_by and v.given_at >= c.imposed_at
    and e.disposed_at is null and (e.fresh_until is null or e.fresh_until > ${now}::timestamptz)
    and not exists (select from evidence n join evidence_verdict y on y.evidence_id = n.id
      where n.supersedes_id = e.id and y.verdict = 'accepted')
  order by v.given_at desc, e.id desc limit 1)`
