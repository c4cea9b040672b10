import { sql } from 'drizzle-orm'
import type { Represented } from '../auth/principal.js'
import type { Instant } from '../instant.js'
import type { Sql } from './client.js'

/** Who asks, as the database knows them. */
export interface PrincipalRow extends Record<string, unknown> {
  id: string
  kind: 'human' | 'service'
  name: string
  eventNo: number
  grants: {
    kind: 'role' | 'seat'
    name: string
    orgUnitId: string
    units: string[]
    /** Whose seat it is, if it is delegated. */
    for: string | null
  }[]
  standsFor: Represented[]
  changesAt: Instant | null
  bound: string[]
}

/**
 * An active person with the grants in force, each with the ids of its unit and all below, and with the seats of those
 * who have delegated theirs, once it was accepted, in one round trip. Of these, only what they hold by grant comes along.
 */
export async function findPrincipalRow(
  on: Sql,
  personId: string,
  now: Instant,
): Promise<PrincipalRow | undefined> {
  const { rows } = await on.execute<PrincipalRow>(sql`
    with recursive delegated as materialized (
      select from_id, starts_at, ends_at from delegation
      where to_id = ${personId} and accepted_at is not null and ended_at is null and ends_at > ${now}),
    represented as (
      select from_id as id from delegated where starts_at <= ${now}
      union
      select d.from_id from delegation d join represented r on d.to_id = r.id
        where d.accepted_at is not null and d.ended_at is null and d.starts_at <= ${now} and d.ends_at > ${now}),
    held as (
      select kind, name, org_unit_id, null::uuid as for_id from rights_grant
        where person_id = ${personId} and revoked_at is null
      union all
      select g.kind, g.name, g.org_unit_id, g.person_id from rights_grant g join delegated d on g.person_id = d.from_id
        where g.kind = 'seat' and g.revoked_at is null and d.starts_at <= ${now})
    select p.id, p.kind, p.name, p.last_event_no as "eventNo",
      coalesce((select json_agg(json_build_object('kind', h.kind, 'name', h.name, 'orgUnitId', h.org_unit_id, 'for', h.for_id,
          'units', (with recursive below as (
            select h.org_unit_id as id union select u.id from org_unit u join below b on u.parent_id = b.id)
          select json_agg(id) from below)))
        from held h), '[]') as grants,
      coalesce((select json_agg(json_build_object('personId', f.id, 'asOfEventNo', f.last_event_no))
        from person f join represented r on r.id = f.id where f.id <> p.id), '[]') as "standsFor",
      (select to_char(min(case when starts_at > ${now} then starts_at else ends_at end) at time zone 'utc',
        'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') from delegated) as "changesAt",
      coalesce((select json_agg(b.use_case_id) from pipeline_binding b
        where b.person_id = p.id and b.unbound_at is null), '[]') as bound
    from person p where p.id = ${personId} and p.status = 'active'`)
  return rows[0]
}
