import { and, getTableColumns, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Source } from '../auth/visible-where.js'
import type { Sql } from '../db/client.js'
import { useCases } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'
import type { SortKey } from '../page.js'
import type { StandingReason, StandingWord } from '../use-cases/standing.js'
import { numberOf, Tier } from '../use-cases/use-case.js'
import type { NumberedEntry, UseCaseFilters, UseCaseSort } from './use-case-list.js'

/** Where the instants and references come from that standing is computed from: the head row, or a state row. */
export type StandingColumns = Record<
  | 'retiredAt'
  | 'blockId'
  | 'approvalId'
  | 'validUntil'
  | 'firstMaterialChangeAt'
  | 'tierRaisedAt'
  | 'openReviewId'
  | 'lastOutcome',
  Source
>

export type TierColumns = Record<'computedTier' | 'raisedTier', Source>

/** All that filters look at. `search` is the `tsvector` of the texts. */
export type FilterColumns = StandingColumns &
  TierColumns &
  Record<
    | 'number'
    | 'title'
    | 'search'
    | 'orgUnitId'
    | 'businessOwnerId'
    | 'riskOwnerId'
    | 'stage'
    | 'tags'
    | 'technique'
    | 'channels'
    | 'jurisdictions'
    | 'systemIds'
    | 'origin',
    Source
  >

const columns = { ...getTableColumns(useCases), search: sql`${useCases}.search` }

/**
 * `standingOf` of `use-cases/standing.ts` in SQL, word and reasons: where the one changes, the other must.
 * @param at the instant it is judged at, as `timestamptz`
 */
export function standingSql(of: StandingColumns, at: SQL): { word: SQL; reasons: SQL } {
  const cases = standingCases(of, at).map(([word, holds]) => sql`when ${holds} then ${literal(word)}`)
  const word = sql`case ${sql.join(cases, sql` `)} end`
  const lapses = reasonCases(of, at).map(
    ([reason, holds]) => sql`case when ${holds} then ${literal(reason)} end`,
  )
  const reasons = sql`case
    when ${of.retiredAt} is not null or ${of.blockId} is not null then '{}'
    when ${of.approvalId} is not null then array_remove(array[${sql.join(lapses, sql`, `)}], null)
    when ${of.openReviewId} is null and ${of.lastOutcome} = 'changes_requested' then array['changes_requested']
    else '{}'::text[] end`
  return { word, reasons }
}

/** What must hold for each word, the strongest first: the first that holds is the standing. */
function standingCases(of: StandingColumns, at: SQL): [StandingWord, SQL][] {
  const lapsed = sql.join(
    reasonCases(of, at).map(([, holds]) => holds),
    sql` or `,
  )
  return [
    ['retired', sql`${of.retiredAt} is not null`],
    ['blocked', sql`${of.blockId} is not null`],
    ['lapsed', sql`${of.approvalId} is not null and (${lapsed})`],
    ['cleared', sql`${of.approvalId} is not null`],
    ['in_review', sql`${of.openReviewId} is not null`],
    ['unreviewed', sql`true`],
  ]
}

function reasonCases(of: StandingColumns, at: SQL): [StandingReason, SQL][] {
  return [
    ['expired', sql`${of.validUntil} <= ${at}`],
    ['material_change', sql`${of.firstMaterialChangeAt} is not null`],
    ['tier_raised', sql`${of.tierRaisedAt} is not null`],
  ]
}

/** Each case spelt out with those before it denied, so that an index over few rows can find them. */
function hasStanding(of: StandingColumns, at: SQL, words: StandingWord[]): SQL {
  const cases = standingCases(of, at)
  const wanted = cases.flatMap(([word, holds], index) => {
    const stronger = cases.slice(0, index).map(([, other]) => sql`(${other}) is not true`)
    return words.includes(word) ? [sql`(${sql.join([holds, ...stronger], sql` and `)})`] : []
  })
  return wanted.length > 0 ? sql`(${sql.join(wanted, sql` or `)})` : sql`false`
}

/** `effectiveTier` in SQL. The index `use_case_tier` is over this very expression. */
export function tierSql({ computedTier, raisedTier }: TierColumns): SQL<Tier> {
  const cases = [...Tier.options]
    .reverse()
    .map((tier) => sql`when ${literal(tier)} in (${computedTier}, ${raisedTier}) then ${literal(tier)}`)
  return sql<Tier>`case ${sql.join(cases, sql` `)} end`
}

/** The conditions that filters stand for; a key such as `UC-1042` finds that use case and no other. */
export function filterConditions(filters: UseCaseFilters, of: FilterColumns, at: SQL): SQL[] {
  const { q, tier, standing, orgUnit, owner, stage, tag, technique } = filters
  const { channel, jurisdiction, system, origin } = filters
  const conditions = [
    q && searchCondition(q, of),
    tier && among(tierSql(of), tier),
    standing && hasStanding(of, at, standing),
    orgUnit && inUnit(of.orgUnitId, orgUnit),
    owner && sql`${sql.param(owner)}::uuid in (${of.businessOwnerId}, ${of.riskOwnerId})`,
    stage && among(of.stage, stage),
    technique && among(of.technique, technique),
    origin && among(of.origin, origin),
    tag && overlaps(of.tags, tag),
    channel && overlaps(of.channels, channel),
    jurisdiction && overlaps(of.jurisdictions, jurisdiction),
    system && sql`${of.systemIds} && array[${system}::uuid]`,
  ]
  return conditions.filter((condition) => condition !== undefined && condition !== '')
}

function searchCondition(q: string, { number, title, search }: FilterColumns): SQL {
  const wanted = numberOf(q)
  if (wanted !== undefined) return sql`${number} = ${String(wanted)}::bigint`
  return sql`(${search} @@ websearch_to_tsquery('english', ${q}::text) or ${title} %> ${q}::text)`
}

const among = (source: Source, words: string[]): SQL => sql`${source} = any(${sql.param(words)}::text[])`
const overlaps = (source: Source, words: string[]): SQL => sql`${source} && ${sql.param(words)}::text[]`

/** In a unit or anywhere below it. */
export const inUnit = (source: Source, id: string): SQL => sql`${source} = any(array(
  with recursive below as (
    select id from org_unit where id = ${id}::uuid
    union select u.id from org_unit u join below b on u.parent_id = b.id)
  select id from below))`

/** What a page is cut by: values on the first run of a query, placeholders in one that is prepared. */
interface Cut {
  at: Instant | Placeholder
  after: (SortKey[number] | Placeholder)[] | undefined
  limit: number | Placeholder
}

interface Order {
  by: SQL[]
  /** PostgreSQL's types of these, for the values of a cursor. */
  types: string[]
  descending: boolean
  keyOf(entry: NumberedEntry): SortKey
}

const byTime = { by: [columns.updatedAt, columns.id].map(asSql), types: ['timestamptz', 'uuid'] }
const byNumber = { by: [columns.number].map(asSql), types: ['bigint'] }
const byTitle = { by: [columns.title, columns.id].map(asSql), types: ['text', 'uuid'] }

/** The last of each is unique, so that a page has an exact end. */
const orders: Record<UseCaseSort, Order> = {
  '-updatedAt': { ...byTime, descending: true, keyOf: ({ updatedAt, id }) => [updatedAt, id] },
  updatedAt: { ...byTime, descending: false, keyOf: ({ updatedAt, id }) => [updatedAt, id] },
  number: { ...byNumber, descending: false, keyOf: ({ number }) => [number] },
  '-number': { ...byNumber, descending: true, keyOf: ({ number }) => [number] },
  title: { ...byTitle, descending: false, keyOf: ({ title, id }) => [title, id] },
}

export function sortKeyOf(sort: UseCaseSort): (entry: NumberedEntry) => SortKey {
  return orders[sort].keyOf
}

/** What a caller may see; undefined for whoever sees everything. */
export type Visible = SQL | undefined

const dialect = new PgDialect()

/** @param where what `visibleWhere` made of the caller's rights */
export function readVisible(where: SQL): Visible {
  return dialect.sqlToQuery(where).sql === 'true' ? undefined : where
}

export interface EntriesQuery {
  visible: Visible
  filters: UseCaseFilters
  sort: UseCaseSort
  after: SortKey | undefined
  limit: number
}

export async function listEntries(tx: ReadTx, query: EntriesQuery): Promise<NumberedEntry[]> {
  const { visible, filters, sort, after, limit } = query
  const conditions = filterConditions(filters, columns, sql`${tx.now}::timestamptz`)
  const isWhole = visible === undefined && conditions.length === 0
  if (!isWhole) {
    const where = and(visible, ...conditions)
    return await selectEntries(tx.sql, where, sort, { at: tx.now, after, limit })
  }
  const values = Object.fromEntries((after ?? []).map((value, index) => [`after${index}`, value]))
  return await wholeList(tx.sql, sort, after !== undefined).execute({ at: tx.now, limit, ...values })
}

type WholeList = ReturnType<ReturnType<typeof selectEntries>['prepare']>

const wholeLists = new WeakMap<Sql, Map<string, WholeList>>()

/**
 * The list without filters, prepared once a connection. Only this one: a named statement is planned without a look
 * at its values, and where there are filters the best plan depends on them.
 */
function wholeList(on: Sql, sort: UseCaseSort, isLaterPage: boolean): WholeList {
  const prepared = wholeLists.get(on) ?? new Map<string, WholeList>()
  wholeLists.set(on, prepared)
  const name = `list_use_cases_${sort}${isLaterPage ? '_after' : ''}`
  const known = prepared.get(name)
  if (known) return known
  const after = isLaterPage
    ? orders[sort].types.map((_, index) => sql.placeholder(`after${index}`))
    : undefined
  const cut = { at: sql.placeholder('at'), after, limit: sql.placeholder('limit') }
  const statement = selectEntries(on, undefined, sort, cut).prepare(name)
  prepared.set(name, statement)
  return statement
}

function selectEntries(on: Sql, where: SQL | undefined, sort: UseCaseSort, { at, after, limit }: Cut) {
  const { by, types, descending } = orders[sort]
  const direction = sql.raw(descending ? 'desc' : 'asc')
  const values = after?.map((value, index) => sql`${value}::${sql.raw(types[index] ?? 'text')}`)
  const beyond =
    values &&
    sql`(${sql.join(by, sql`, `)}) ${sql.raw(descending ? '<' : '>')} (${sql.join(values, sql`, `)})`
  return on
    .select(entryColumns(sql`${at}::timestamptz`))
    .from(useCases)
    .where(and(where, beyond))
    .orderBy(...by.map((column) => sql`${column} ${direction}`))
    .limit(limit)
}

function entryColumns(at: SQL) {
  const { id, number, revision, title, orgUnitId, stage, technique, origin } = columns
  const { validUntil, businessOwnerId, riskOwnerId, tags, updatedAt } = columns
  const { word, reasons } = standingSql(columns, at)
  return {
    ...{ id, number, revision, title, orgUnitId, stage, technique, origin },
    tier: tierSql(columns),
    standing: sql<StandingWord>`${word}`,
    reasons: sql<StandingReason[]>`${reasons}`,
    ...{ validUntil, businessOwnerId, riskOwnerId, tags, updatedAt },
  }
}

function asSql(source: Source): SQL {
  return sql`${source}`
}

/** A word of our own in a statement: never a value from outside. */
function literal(word: StandingWord | StandingReason | Tier): SQL {
  return sql.raw(`'${word}'`)
}
