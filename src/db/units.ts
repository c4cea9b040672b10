import { type AnyColumn, type SQL, sql } from 'drizzle-orm'

/** In a unit or anywhere below it. */
export const inUnit = (column: AnyColumn | SQL, id: string): SQL => sql`${column} = any(array(
  with recursive below as (
    select id from org_unit where id = ${id}::uuid
    union select u.id from org_unit u join below b on u.parent_id = b.id)
  select id from below))`
