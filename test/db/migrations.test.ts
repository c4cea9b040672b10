// The rules of migrations/README.md, and that the data dictionary in src/db/schema.ts is true.
import { isTable } from 'drizzle-orm'
import { CasingCache } from 'drizzle-orm/casing'
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { migrate, shippedMigrations } from '../../src/db/migrate.js'
import * as schema from '../../src/db/schema.js'
import { openClient } from '../database-run.js'
import { createDatabase, type TestDatabase } from '../helper.js'

/** What no migration may say, with a sentence that says it. */
const forbidden: [rule: string, words: RegExp, planted: string][] = [
  ['LISTEN and NOTIFY', /\b(un)?listen\b|\bnotify\b|\bpg_notify\b/, 'notify changes'],
  ['advisory locks', /\bpg_(try_)?advisory/, 'select pg_advisory_lock(1)'],
  [
    'arithmetic on transaction ids',
    /\bx(min|max|id8?)\b|\btxid_|\bpg_current_(xact|snapshot)/,
    'create table a (at xid8)',
  ],
  ['deferrable constraints', /(?<!not )\bdeferrable\b|\binitially deferred\b/, 'unique (a) deferrable'],
  [
    'logic',
    /\bcreate (or replace )?(constraint )?(trigger|function|procedure|rule)\b|\bdo \$/,
    'create trigger a after',
  ],
  ['meaning in sequences', /\b(small|big)?serial\b|\bas identity\b/, 'id bigserial primary key'],
  ['tables that a crash empties', /\bunlogged\b|\btemp(orary)?\b/, 'create unlogged table a ()'],
  [
    'end of what the version before still uses',
    /\bdrop (table|column|sequence|type|constraint)\b|\brename\b|\btruncate\b|\bdelete from\b/,
    'alter table a drop column b',
  ],
  [
    'transaction of their own',
    /^\s*(begin|commit|rollback|vacuum)\b|\bconcurrently\b/m,
    'create index concurrently a on b (c)',
  ],
  [
    'rights for everybody',
    /\bto public\b|\bgrant all\b|\bsecurity definer\b/,
    'grant all on a to assent_app',
  ],
  ['times of another form', /\btimestamp\b|\btimestamptz\b(?!\(3\))/, 'at timestamptz not null'],
]

const migrations = shippedMigrations().map(({ name, text }) => ({
  name,
  statements: withoutWidenings(withoutComments(text)),
}))

for (const [rule, words, planted] of forbidden) {
  t.test(`migrations hold no ${rule}`, async (t) => {
    t.match(planted, words, 'a planted one is found')
    const found = migrations.flatMap(({ name, statements }) => {
      const match = statements.toLowerCase().match(words)
      return match ? [`${name} says ${match[0]}`] : []
    })
    t.strictSame(found, [])
  })
}

t.test('numbers are contiguous, and a second run does nothing', async (t) => {
  const numbers = migrations.map(({ name }) => Number(name.slice(0, 4)))
  t.strictSame(
    numbers,
    numbers.map((_, index) => index + 1),
  )
  const { ownerConnection } = await createDatabase(t)
  const owner = await openClient(ownerConnection)
  t.teardown(() => owner.end())
  t.strictSame(await migrate(owner), [])
  await owner.query(`update schema_migration set digest = 'sha256:other' where name like '0001%'`)
  await t.rejects(migrate(owner), { code: 'conflict', message: /0001_.* was changed after it ran/ })
  await owner.query(`update schema_migration set name = '9999_later.sql' where name like '0001%'`)
  await t.rejects(migrate(owner), { code: 'conflict', message: /newer than this Assent/ })
})

t.test('the data dictionary', async (t) => {
  const connections = await createDatabase(t)
  const real = await readColumns(connections)

  t.strictSame(Object.keys(dictionary()).sort(), Object.keys(real).sort(), 'has every table')
  for (const [table, columns] of Object.entries(dictionary())) {
    for (const [name, column] of Object.entries(columns)) {
      const found = real[table]?.[name]
      const { type, required, hasDefault, words } = column
      t.match(found, { type, required, ...(hasDefault && { hasDefault }) }, `${table}.${name} is as it says`)
      const unknown = words.length > 0 ? found?.words.filter((word) => !words.includes(word)) : []
      t.strictSame(unknown, [], `it knows every word that ${table}.${name} may hold`)
    }
  }
  const unsaid = Object.entries(real).flatMap(([table, columns]) =>
    Object.keys(columns)
      .filter((name) => !(name in (dictionary()[table] ?? {})))
      .map((name) => `${table}.${name}`),
  )
  t.strictSame(
    unsaid,
    [
      'review_seat.part',
      'review_seat.person_kind',
      'review_seat.person_status',
      'use_case.search',
      'vote.person_status',
    ],
    'leaves out only what the database fills in',
  )
})

t.test('every table has a primary key, and assent_app no more rights than it needs', async (t) => {
  const { appConnection } = await createDatabase(t)
  const app = await openClient(appConnection)
  t.teardown(() => app.end())
  const { rows: tables } = await app.query<Record<string, string | boolean>>(`
    select c.relname as name, c.relpersistence as kind,
      exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as has_key,
      has_table_privilege(c.oid, 'select') as reads, has_table_privilege(c.oid, 'delete, truncate, trigger') as removes,
      has_any_column_privilege(c.oid, 'update') as changes
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`)
  t.strictSame(
    tables.filter(({ kind, has_key }) => kind !== 'p' || !has_key),
    [],
  )
  t.strictSame(
    tables.filter(({ reads }) => !reads),
    [],
  )
  t.strictSame(namesOf(tables.filter(({ removes }) => removes)), [
    'audit_payload',
    'delivery',
    'delivery_attempt',
    'idempotency_key',
    'outbox',
  ])
  const onRecord = `
    audit_event audit_payload break_glass break_glass_closing break_glass_review
    catalog_control condition_ending control_assessment control_evidence custody_round
    decision delivery_attempt disposal disposal_piece disposal_verdict evidence_disposal
    evidence_verdict exception incident_entry legal_hold legal_hold_lifting
    legal_hold_object legal_hold_release notice policy_content policy_file refusal retention_floor retention_shortening
    retention_shortening_verdict retirement review_party schema_migration suspension
    suspension_lifting tier_recomputation use_case_state use_case_version vote
  `
    .trim()
    .split(/\s+/)
  t.strictSame(
    namesOf(tables.filter(({ changes }) => !changes)),
    onRecord,
    'what is on record stays as it is',
  )
  const { rows: sequences } = await app.query(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S'`,
  )
  t.strictSame(sequences, [{ name: 'use_case_number' }])
})

interface Column {
  type: string
  required: boolean
  hasDefault: boolean
  /** What a check allows, or the code knows; empty when there is neither. */
  words: string[]
}

type Columns = Record<string, Record<string, Column>>

/** The tables as `src/db/schema.ts` has them. */
function dictionary(): Columns {
  const casing = new CasingCache('snake_case')
  const tables = Object.values(schema as Record<string, unknown>).filter((value) =>
    isTable(value),
  ) as PgTable[]
  return Object.fromEntries(
    tables.map((table) => {
      const { name, columns } = getTableConfig(table)
      const entries = columns.map((column) => [
        casing.getColumnCasing(column),
        {
          type: column.getSQLType(),
          required: column.notNull,
          hasDefault: column.hasDefault,
          words: [...(column.enumValues ?? [])],
        },
      ])
      return [name, Object.fromEntries(entries)]
    }),
  )
}

/** The tables as the database has them. */
async function readColumns({ ownerConnection }: TestDatabase): Promise<Columns> {
  const owner = await openClient(ownerConnection)
  const { rows } = await owner.query<{ table: string; name: string; check: string | null } & Column>(`
    select c.relname as table, a.attname as name, a.attnotnull as required, a.atthasdef as "hasDefault",
      replace(format_type(a.atttypid, a.atttypmod), 'timestamp(3) with time zone', 'timestamptz(3)') as type,
      (select pg_get_constraintdef(k.oid) from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
          and pg_get_constraintdef(k.oid) like '%ANY (ARRAY[%' limit 1) as check
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'schema_migration'
    order by 1, a.attnum`)
  await owner.end()
  const tables: Columns = {}
  for (const { table, name, check, ...column } of rows) {
    const words = [...(check ?? '').matchAll(/'([^']*)'::text/g)].map(([, word]) => word ?? '')
    tables[table] = { ...tables[table], [name]: { ...column, words } }
  }
  return tables
}

function namesOf(rows: Record<string, string | boolean>[]): (string | boolean | undefined)[] {
  return rows.map(({ name }) => name)
}

function withoutComments(sql: string): string {
  return sql.replace(/--.*/g, '')
}

/** What is dropped and added again in one statement only widens: what the version before writes still fits. */
function withoutWidenings(sql: string): string {
  return sql.replace(/drop constraint (\w+),\s+add constraint \1\s+(check|unique)/g, '')
}
