import { type SQL, sql } from 'drizzle-orm'

/**
 * The key of the unit with this id, and then those of the units above it: one walk over the tree for the whole statement,
 * instead of one for each row.
 */
export const unitKeysSql = (id: SQL): SQL => sql`array(select k from jsonb_array_elements_text(
  (select jsonb_object_agg(id, keys) from (${unitPaths}) w) -> ${id}::text) as k)`

/** For each unit its key, and then those of the units above it, up to the whole organisation. */
const unitPaths = sql`
  with recursive path as (
    select id, array[key] as keys from org_unit where parent_id is null
    union all select c.id, c.key || path.keys from org_unit c join path on c.parent_id = path.id)
  select id, keys from path`
