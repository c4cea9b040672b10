import { finished, type Readable } from 'node:stream'
import { type Ability, authorize, mayEver } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Database } from '../db/database.js'
import { linesOf, mapLines } from '../db/lines.js'
import { copyRecords, listRecords, type Selection } from '../db/selection.js'
import type { ReadTx } from '../db/transaction.js'
import { ROOT_UNIT_ID } from '../ids.js'
import type { Instant } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { csvLine } from '../spreadsheet.js'
import { filterConditions, inUnit } from '../standing/service.js'
import { selectAnnex } from './annex-store.js'
import { annexHeaders, annexRow } from './annex-viii.js'
import { inventoryHeaders, inventoryWriter } from './omb-2025.js'
import {
  type DecisionQuery,
  type DecisionRecord,
  type Format,
  type GrantQuery,
  type GrantRecord,
  type Moment,
  momentOf,
  type UseCaseQuery,
  type UseCaseRecord,
  type VoteQuery,
  type VoteRecord,
} from './register.js'
import * as store from './store.js'
import { type Sheet, sheetOf, workbookOf } from './workbook.js'

/** How a register is read: as of when, from which rows, and whether a page or all of it. */
interface Reading extends Moment {
  isPast: boolean
  isPage: boolean
}

/** One register: what it holds for this caller and this question. */
export type Select<Q, R> = (ability: Ability, query: Q, reading: Reading) => Selection<R>

export interface AnyQuery {
  asOf?: Instant | undefined
  orgUnit?: string | undefined
}

/**
 * One page, in the order in which things were recorded. All pages of a listing are of the instant of the first one.
 * @throws RegistryError `forbidden` to whoever may export nothing, `invalid` for an instant in the future
 */
export async function listRegister<Q extends AnyQuery, R>(
  tx: ReadTx,
  select: Select<Q, R>,
  query: Q,
  { after, limit }: PageRequest,
): Promise<PageOf<R> & Moment> {
  assertMayExport(tx.ability, query)
  const [first, key] = (after ?? []) as [first?: Instant, key?: string]
  const moment = momentOf(query.asOf ?? first, tx.now)
  const isPast = (query.asOf ?? first) !== undefined
  const selection = select(tx.ability, query, { ...moment, isPast, isPage: true })
  const records = await listRecords(tx, selection, { after: key, limit: limit + 1 })
  return { ...cutPage(records, limit, (record) => [moment.asOf, selection.order.keyOf(record)]), ...moment }
}

/** Whole registers run on connections of their own: whoever reads slowly holds up nobody but other exports. */
export interface Exports {
  pool: Database['exports']
  /** Questions that get a column in CSV. */
  questions: readonly string[]
}

export type FileFormat = Exclude<Format, 'json'>

export interface Exported extends Moment {
  bytes: Readable
}

/**
 * The whole register as bytes.
 * @throws RegistryError as `listRegister`
 */
export async function exportRegister<Q extends AnyQuery, R>(
  tx: ReadTx,
  { pool, questions }: Exports,
  { select, name }: { select: Select<Q, R>; name: string },
  query: Q,
  format: FileFormat,
): Promise<Exported> {
  assertMayExport(tx.ability, query)
  const moment = momentOf(query.asOf, tx.now)
  const selection = select(tx.ability, query, { ...moment, isPast: query.asOf !== undefined, isPage: false })
  if (format === 'csv')
    return { ...moment, bytes: await copyRecords(pool, selection, { csv: { questions } }) }
  const lines = await copyRecords(pool, selection, 'lines')
  const isBook = format === 'xlsx'
  return { ...moment, bytes: isBook ? bookOf(lines, sheetOf(name, selection.kinds, questions)) : lines }
}

/**
 * Use cases in columns that somebody else asks for.
 * @throws RegistryError as `listRegister`
 */
export async function exportColumns(
  tx: ReadTx,
  { pool }: Exports,
  { columns, ...query }: UseCaseQuery & { columns: Columns },
  format: 'csv' | 'xlsx',
): Promise<Exported> {
  assertMayExport(tx.ability, query)
  const moment = momentOf(query.asOf, tx.now)
  const reading = { ...moment, isPast: query.asOf !== undefined, isPage: false }
  const { select, headers, rowMaker } = layouts[columns]
  const lines = await copyRecords<object>(pool, select(sightOfUseCases(tx.ability, query, reading)), 'lines')
  return { ...moment, bytes: fileOf(lines, headers, rowMaker(), format) }
}

type Columns = NonNullable<UseCaseQuery['columns']>

/** The cells of a line of JSON, or null for one that is left out. */
type RowOf = (line: string) => (string | null)[] | null

interface Layout {
  select(sight: store.UseCaseSight): Selection<object>
  headers: readonly string[]
  rowMaker(): RowOf
}

const layouts: Record<Columns, Layout> = {
  'omb-2025': {
    select: store.selectInventory,
    headers: inventoryHeaders,
    rowMaker() {
      const write = inventoryWriter()
      return (line) => write(JSON.parse(line))
    },
  },
  'eu-annex-viii': {
    select: selectAnnex,
    headers: annexHeaders,
    rowMaker: () => (line) => annexRow(JSON.parse(line)),
  },
}

/** Columns of somebody else's, which are made of a line each. */
function fileOf(
  lines: Readable,
  headers: readonly string[],
  cellsOf: RowOf,
  format: 'csv' | 'xlsx',
): Readable {
  const csvOf = (cells: (string | null)[] | null) => (cells ? csvLine(cells) : '')
  if (format === 'csv') return mapLines(lines, csvLine(headers), (line) => csvOf(cellsOf(line)))
  return bookOf(lines, {
    ...{ name: 'use-cases', columns: headers.map((header) => ({ header, width: 30 })), cellsOf },
  })
}

function bookOf(lines: Readable, sheet: Sheet): Readable {
  const bytes = workbookOf(linesOf(lines), sheet)
  finished(bytes, () => lines.destroy())
  return bytes
}

function assertMayExport(ability: Ability, { orgUnit = ROOT_UNIT_ID }: AnyQuery): void {
  // Asked about one unit, the refusal is logged; rows of other units are then left out one by one.
  if (!mayEver(ability, 'export', 'Register'))
    authorize(ability, 'export', 'Register', { orgUnitId: orgUnit })
}

export const selectUseCases: Select<UseCaseQuery, UseCaseRecord> = (ability, query, reading) =>
  store.selectUseCases(sightOfUseCases(ability, query, reading))

function sightOfUseCases(ability: Ability, query: UseCaseQuery, reading: Reading): store.UseCaseSight {
  const { asOf: _asOf, format: _format, columns: _columns, ...filters } = query
  const kept = reading.isPast ? store.past : store.present
  const at = store.instantSql(reading.asOf)
  return {
    where: [
      visibleWhere(ability, 'export', 'Register', store.head),
      visibleWhere(ability, 'read', 'UseCase', store.head),
      ...filterConditions(filters, kept, at),
    ],
    nameable: nameableBy(ability),
    ...{ at, kept, isPage: reading.isPage },
  }
}

export const selectDecisions: Select<DecisionQuery, DecisionRecord> = (ability, query, { asOf }) =>
  store.selectDecisions({
    ...sightOf(ability, asOf),
    where: rowsOfUseCases(ability, 'Decision', query),
    ...query,
  })

export const selectVotes: Select<VoteQuery, VoteRecord> = (ability, query, { asOf }) =>
  store.selectVotes({ ...sightOf(ability, asOf), where: rowsOfUseCases(ability, 'Vote', query), ...query })

export const selectGrants: Select<GrantQuery, GrantRecord> = (ability, { orgUnit }, { asOf }) =>
  store.selectGrants({
    ...sightOf(ability, asOf),
    where: [
      visibleWhere(ability, 'export', 'Register', store.grantHead),
      visibleWhere(ability, 'read', 'Grant', store.grantHead),
      ...(orgUnit === undefined ? [] : [inUnit(store.grantHead.orgUnitId, orgUnit)]),
    ],
  })

function rowsOfUseCases(ability: Ability, type: 'Decision' | 'Vote', { orgUnit }: AnyQuery) {
  return [
    visibleWhere(ability, 'export', 'Register', store.head),
    visibleWhere(ability, 'read', type, store.head),
    ...(orgUnit === undefined ? [] : [inUnit(store.head.orgUnitId, orgUnit)]),
  ]
}

function sightOf(ability: Ability, asOf: Instant) {
  return { nameable: nameableBy(ability), at: store.instantSql(asOf) }
}

function nameableBy(ability: Ability): store.PersonCondition {
  return (person) => visibleWhere(ability, 'read', 'Person', person)
}
