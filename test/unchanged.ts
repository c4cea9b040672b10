import type pg from 'pg'
import type { Test } from 'tap'
import type { Answer } from './app.js'

export interface Refusal {
  status: number
  detail?: string | RegExp
  rule?: string
}

interface Refusing {
  owner: pg.Client
}

/** Asks, and expects to be refused with a sentence; every row there is stays as it was. */
export async function refuses(
  t: Test,
  { owner }: Refusing,
  ask: () => Promise<Answer>,
  expected: Refusal,
): Promise<Answer> {
  const before = await everyRow(owner)
  const answer = await ask()
  t.match({ status: answer.status, ...answer.body }, expected)
  t.match(answer.headers['content-type'], /^application\/problem\+json/)
  t.same(await everyRow(owner), before, 'nothing changed')
  return answer
}

/** What only says that somebody was refused. */
const OF_REFUSALS = new Set(['refusal', 'schema_migration'])

/** A digest of every table, apart from what tells of refusals themselves. */
export async function everyRow(owner: pg.Client): Promise<Record<string, string>> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  )
  const digests = tables.filter(({ name }) => !OF_REFUSALS.has(name)).map(({ name }) => digestOf(name))
  const { rows } = await owner.query<{ name: string; digest: string }>(digests.join(' union all '))
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]))
}

function digestOf(table: string): string {
  const what = table === 'person' ? `to_jsonb(r) - 'last_event_no' - 'last_event_at'` : 'to_jsonb(r)'
  const which = table === 'audit_event' ? `where type <> 'access.denied'` : ''
  return `select '${table}' as name, md5(string_agg(row, ',' order by row)) as digest
    from (select (${what})::text as row from ${table} r ${which}) rows`
}
