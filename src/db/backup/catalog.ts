import pg from 'pg'
import type { Sequence, Table } from './manifest.js'

/** Tables and sequences as the database itself knows them, so that one that comes later is never forgotten. */

/** Every table with the columns that are written; generated ones follow from those. */
export async function listTables(client: pg.ClientBase): Promise<Pick<Table, 'name' | 'columns'>[]> {
  const { rows } = await client.query<{ name: string; columns: string[] }>(`
    select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where ${isOurs} and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    group by c.oid, c.relname order by c.relname collate "C"`)
  return rows
}

export async function readSequences(client: pg.ClientBase): Promise<Sequence[]> {
  const { rows: names } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c where ${isOurs} and c.relkind = 'S' order by c.relname collate "C"`,
  )
  const sequences: Sequence[] = []
  for (const { name } of names) {
    const { rows } = await client.query<{ lastValue: string; isCalled: boolean }>(
      `select last_value::text as "lastValue", is_called as "isCalled" from ${inPublic(name)}`,
    )
    sequences.push(...rows.map((row) => ({ name, ...row })))
  }
  return sequences
}

export interface ForeignKey {
  table: string
  name: string
  definition: string
}

export async function listForeignKeys(client: pg.ClientBase): Promise<ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(`
    select c.relname as "table", k.conname as name, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where ${isOurs} and k.contype = 'f' and k.conparentid = 0`)
  return rows
}

/** A name in the one schema that is ours, safe to stand in SQL. */
export function inPublic(name: string): string {
  return `public.${pg.escapeIdentifier(name)}`
}

export function columnList(columns: string[]): string {
  return columns.map((column) => pg.escapeIdentifier(column)).join(', ')
}

/** In schema `public`, and not brought along by an extension. */
const isOurs = `c.relnamespace = 'public'::regnamespace and not exists (
  select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`

/** Rows are written and read alike whatever the server's settings are. */
export const textForms = `set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
  set local client_encoding = 'UTF8'; set local timezone = 'UTC'; set local datestyle = 'ISO, YMD';
  set local bytea_output = 'hex'; set local extra_float_digits = 1`
