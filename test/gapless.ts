import type pg from 'pg'
import type { Test } from 'tap'

/** Every event of a use case has the next number, every revision its state, every change of facts its version. */
export async function assertGapless(t: Test, { owner }: { owner: pg.Client }, id: string): Promise<void> {
  const { rows } = await owner.query(
    `select revision, last_event_no as last, version,
      (select array_agg(event_no order by event_no) from audit_event where aggregate_id = c.id) as events,
      (select array_agg(revision order by revision) from use_case_state where use_case_id = c.id) as states,
      (select array_agg(version order by version) from use_case_version where use_case_id = c.id) as versions
      from use_case c where id = $1`,
    [id],
  )
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
  const { revision, last, version, events, states, versions } = rows[0]
  t.same(
    { events, states, versions },
    { events: upTo(last), states: upTo(revision), versions: upTo(version) },
  )
}
