import { inArray, sql } from 'drizzle-orm'
import { orgUnits, people } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'

export interface HolderRow extends Record<string, unknown> {
  seat: string
  personId: string
  name: string
  /** The holder for whom a delegate votes at this time. */
  forId: string | null
  forName: string | null
}

/** Active people who hold a seat for a unit, by a grant there or above; and their delegates at this time. */
export async function listHolders(tx: ReadTx, unitId: string): Promise<HolderRow[]> {
  const { rows } = await tx.sql.execute<HolderRow>(sql`
    with recursive above as (
      select id, parent_id from org_unit where id = ${unitId}
      union select u.id, u.parent_id from org_unit u join above a on u.id = a.parent_id),
    holder as (
      select distinct g.name as seat, p.id, p.name from rights_grant g
        join above a on a.id = g.org_unit_id
        join person p on p.id = g.person_id and p.status = 'active' and p.kind = 'human'
        where g.kind = 'seat' and g.revoked_at is null)
    select seat, id as "personId", name, null::uuid as "forId", null::text as "forName" from holder
    union all
    select h.seat, p.id, p.name, h.id, h.name from holder h
      join delegation d on d.from_id = h.id and d.starts_at <= ${tx.now}::timestamptz
        and d.ends_at > ${tx.now}::timestamptz and d.ended_at is null and d.accepted_at is not null
      join person p on p.id = d.to_id and p.status = 'active'
    order by seat, name, "personId"`)
  return rows
}

export async function namesOf(tx: ReadTx, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await tx.sql
    .select({ id: people.id, name: people.name })
    .from(people)
    .where(inArray(people.id, ids))
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export async function nameOfUnit(tx: ReadTx, id: string): Promise<string> {
  const [row] = await tx.sql
    .select({ name: orgUnits.name })
    .from(orgUnits)
    .where(inArray(orgUnits.id, [id]))
  return row?.name ?? ''
}
