import { and, fillPlaceholders, getTableColumns, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Source } from '../auth/visible-where.js'
import { instantText } from '../db/cells.js'
import { prepareOnce } from '../db/client.js'
import { useCases } from '../db/schema.js'
import {
  hasStanding,
  type StandingColumns,
  standingSql,
  type TierColumns,
  tierSql,
  unknownOnlySql,
} from '../db/standing-sql.js'
import type { ReadTx } from '../db/transaction.js'
import { inUnit } from '../db/units.js'
import type { Instant } from '../instant.js'
import type { SortKey } from '../page.js'
import { numberOf } from '../use-cases/use-case.js'
import { pastUseCases } from './past-store.js'
import type { UseCaseEntry, UseCaseFilters, UseCaseSort } from './use-case-list.js'

/** All that filters look at. */
export type FilterColumns = StandingColumns &
  TierColumns &
  Record<
    SetName | 'fired' | 'orgUnitId' | 'businessOwnerId' | 'riskOwnerId' | 'stage' | 'technique' | 'origin',
    Source
  >
type SetName = 'tags' | 'channels' | 'jurisdictions' | 'systemIds'

const columns = { ...getTableColumns(useCases), search: sql`${useCases}.search` }

/** The conditions that filters stand for, but for the search. */
export function filterConditions(filters: UseCaseFilters, of: FilterColumns, at: SQL): SQL[] {
  const { tier, tierUnknownOnly, standing, stage, technique, origin } = filters
  return [
    ...sparseConditions(filters, of),
    ...(tier ? [among(tierSql(of), tier)] : []),
    ...(tierUnknownOnly === undefined ? [] : [sql`${unknownOnlySql(of)} = ${tierUnknownOnly}::boolean`]),
    ...(standing ? [hasStanding(of, at, standing)] : []),
    ...(stage ? [among(of.stage, stage)] : []),
    ...(technique ? [among(of.technique, technique)] : []),
    ...(origin ? [among(of.origin, origin)] : []),
  ]
}

/** Filters that may match few use cases among many, and have an index that finds these. */
function sparseConditions(filters: UseCaseFilters, of: FilterColumns): SQL[] {
  const { orgUnit, owner, tag, channel, jurisdiction, system } = filters
  return [
    ...(orgUnit ? [inUnit(of.orgUnitId, orgUnit)] : []),
    ...(owner ? [sql`(${of.businessOwnerId} = ${owner}::uuid or ${of.riskOwnerId} = ${owner}::uuid)`] : []),
    ...(tag ? [overlaps(of.tags, tag)] : []),
    ...(channel ? [overlaps(of.channels, channel)] : []),
    ...(jurisdiction ? [overlaps(of.jurisdictions, jurisdiction)] : []),
    ...(system ? [sql`${of.systemIds} && array[${system}::uuid]`] : []),
  ]
}

/** One word is compared as such: then an index that begins with it also gives the order. */
function among(source: Source, words: string[]): SQL {
  const [word] = words
  return words.length === 1
    ? sql`${source} = ${word}::text`
    : sql`${source} = any(${sql.param(words)}::text[])`
}

const overlaps = (source: Source, words: string[]): SQL => sql`${source} && ${sql.param(words)}::text[]`

/** With more rows than this in sight, some soon turn up in the order of any index; with fewer, they are sorted. */
const FEW = 5000

/**
 * The conditions of a list. Where few rows match, they are to be found first and then sorted: the planner, which
 * cannot know, would walk through a whole index in the hope to meet them early.
 */
async function narrow(
  tx: ReadTx,
  { visible, filters, at: instant }: Pick<EntriesQuery, 'visible' | 'filters' | 'at'>,
): Promise<SQL[]> {
  const at = sql`${instant ?? tx.now}::timestamptz`
  const exact = filterConditions(filters, columns, at)
  const number = filters.q === undefined ? undefined : numberOf(filters.q)
  if (number !== undefined) return [...exact, sql`${columns.number} = ${String(number)}::bigint`]
  if (filters.q !== undefined) return [...exact, ...(await searchConditions(tx, visible, filters.q))]
  const sparse = sparseConditions(filters, columns)
  const isFew = sparse.length > 0 && (await countUpTo(tx, FEW, [visible, ...sparse])) < FEW
  return isFew ? [...exact, foundFirst([visible, ...sparse])] : exact
}

/** Words in any form; where no use case in sight has them, titles that are much alike. */
async function searchConditions(tx: ReadTx, visible: Visible, q: string): Promise<SQL[]> {
  const words = sql`${columns.search} @@ websearch_to_tsquery('english', ${q}::text)`
  const count = await countUpTo(tx, FEW, [visible, words])
  if (count === FEW) return [words]
  if (count > 0) return [foundFirst([visible, words])]
  // Shorter texts are alike to almost everything.
  return q.length < 4 ? [sql`false`] : [foundFirst([visible, sql`${columns.title} %> ${q}::text`])]
}

async function countUpTo(tx: ReadTx, most: number, conditions: (SQL | undefined)[]): Promise<number> {
  const some = tx.sql
    .select({ id: useCases.id })
    .from(useCases)
    .where(and(...conditions))
    .limit(most)
    .as('some')
  return await tx.sql.$count(some)
}

const foundFirst = (conditions: (SQL | undefined)[]): SQL =>
  sql`${useCases.id} = any(array(select ${useCases.id} from ${useCases} where ${and(...conditions)}))`

interface Order {
  by: SQL[]
  /** PostgreSQL's types of these, for the values of a cursor. */
  types: string[]
  descending: boolean
  keyOf(entry: UseCaseEntry): SortKey
}

const byTime = {
  ...{ by: [columns.updatedAt, columns.id].map(asSql), types: ['timestamptz', 'uuid'] },
  keyOf: ({ updatedAt, id }: UseCaseEntry) => [updatedAt, id],
}
const byNumber = {
  ...{ by: [columns.number].map(asSql), types: ['bigint'] },
  keyOf: ({ key }: UseCaseEntry) => [numberOf(key) ?? 0],
}
const byTitle = {
  ...{ by: [columns.title, columns.id].map(asSql), types: ['text', 'uuid'] },
  keyOf: ({ title, id }: UseCaseEntry) => [title, id],
}

/** The last of each is unique, so that a page has an exact end. */
const orders: Record<UseCaseSort, Order> = {
  '-updatedAt': { ...byTime, descending: true },
  updatedAt: { ...byTime, descending: false },
  number: { ...byNumber, descending: false },
  '-number': { ...byNumber, descending: true },
  title: { ...byTitle, descending: false },
}

export function sortKeyOf(sort: UseCaseSort): (entry: UseCaseEntry) => SortKey {
  return orders[sort].keyOf
}

/** What a caller may see; undefined for whoever sees everything. */
export type Visible = SQL | undefined

const dialect = new PgDialect({ casing: 'snake_case' })

/** @param where what `visibleWhere` made of the caller's rights */
export function readVisible(where: SQL): Visible {
  return dialect.sqlToQuery(where).sql === 'true' ? undefined : where
}

/** What a page is cut by: values where a statement runs once, placeholders where it is prepared. */
interface Cut {
  at: Instant | Placeholder
  after: (SortKey[number] | Placeholder)[] | undefined
  limit: number | Placeholder
}

export interface EntriesQuery {
  visible: Visible
  filters: UseCaseFilters
  sort: UseCaseSort
  after: SortKey | undefined
  limit: number
  /** The instant that standing is asked for; now if not given. */
  at: Instant | undefined
}

/** Rows come as they are answered: on the way of each page, mapping them would take as long as reading them. */
export async function listEntries(tx: ReadTx, query: EntriesQuery): Promise<UseCaseEntry[]> {
  const { visible, filters, sort, after, limit, at = tx.now } = query
  if (visible === undefined && Object.keys(filters).length === 0 && at === tx.now) {
    return await listWhole(tx, query)
  }
  const isPast = at < tx.now
  const conditions = isPast ? narrowPast(query) : and(visible, ...(await narrow(tx, query)))
  const from = isPast ? pastUseCases(sql`${at}::timestamptz`) : undefined
  const statement = selectEntries(conditions, sort, { at, after, limit }, from)
  const { sql: text, params } = dialect.sqlToQuery(statement)
  return (await tx.sql.$client.query<UseCaseEntry>(text, params)).rows
}

/** What somebody may see is of today, whatever the instant; what filters look at is of then. */
function narrowPast({ visible, filters, at }: EntriesQuery): SQL | undefined {
  const { q, ...exact } = filters
  const number = q === undefined ? undefined : numberOf(q)
  const isSeen = visible && sql`${columns.id} in (select ${useCases.id} from ${useCases} where ${visible})`
  const isFound =
    number === undefined
      ? sql`${columns.search} @@ websearch_to_tsquery('english', ${q}::text)`
      : sql`${columns.number} = ${String(number)}::bigint`
  return and(
    isSeen,
    ...filterConditions(exact, columns, sql`${at}::timestamptz`),
    q === undefined ? undefined : isFound,
  )
}

/** The list without filters is prepared, and no other: where there are filters, the best plan depends on them. */
async function listWhole(tx: ReadTx, { sort, after = [], limit }: EntriesQuery): Promise<UseCaseEntry[]> {
  const isFirst = after.length === 0
  const { name, text, params } = prepareOnce(
    tx.sql,
    `use_cases_by_${sort}_${isFirst ? 'first' : 'after'}`,
    (name) => {
      const keys = isFirst
        ? undefined
        : [...orders[sort].types.keys()].map((key) => sql.placeholder(`${key}`))
      const cut = { at: sql.placeholder('at'), after: keys, limit: sql.placeholder('limit') }
      const { sql: text, params } = dialect.sqlToQuery(selectEntries(undefined, sort, cut))
      return { name, text, params }
    },
  )
  const values = fillPlaceholders(params, { ...after, at: tx.now, limit })
  return (await tx.sql.$client.query<UseCaseEntry>({ name, text, values })).rows
}

function selectEntries(
  where: SQL | undefined,
  sort: UseCaseSort,
  { at, after, limit }: Cut,
  from: SQL = sql`${useCases}`,
): SQL {
  const { by, types, descending } = orders[sort]
  const direction = sql.raw(descending ? 'desc' : 'asc')
  const values = after?.map((value, index) => sql`${value}::${sql.raw(types[index] ?? 'text')}`)
  const beyond = values && sql`(${list(by)}) ${sql.raw(descending ? '<' : '>')} (${list(values)})`
  const order = list(by.map((column) => sql`${column} ${direction}`))
  return sql`select ${entryColumns(sql`${at}::timestamptz`)} from ${from}
    where ${and(sql`true`, where, beyond)} order by ${order} limit ${limit}`
}

function entryColumns(at: SQL): SQL {
  const { id, number, revision, title, orgUnitId, stage, technique, origin } = columns
  const { validUntil, businessOwnerId, riskOwnerId, tags, updatedAt } = columns
  const { word: standing, reasons } = standingSql(columns, at)
  const values: Record<keyof UseCaseEntry, Source> = {
    ...{ id, key: sql`'UC-' || ${number}`, revision, title, orgUnitId, stage, technique, origin },
    ...{ tier: tierSql(columns), standing, reasons, validUntil: instantText(asSql(validUntil)) },
    ...{ businessOwnerId, riskOwnerId, tags, updatedAt: instantText(asSql(updatedAt)) },
  }
  return list(Object.entries(values).map(([name, value]) => sql`${value} as ${sql.identifier(name)}`))
}

const list = (parts: SQL[]): SQL => sql.join(parts, sql`, `)

function asSql(source: Source): SQL {
  return sql`${source}`
}
