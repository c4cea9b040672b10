import type { Readable } from 'node:stream'
import { visibleWhere } from '../auth/visible-where.js'
import type { Database } from '../db/database.js'
import { linesOf, mapLines } from '../db/lines.js'
import { copyRecords, listRecords, type Selection } from '../db/selection.js'
import type { ReadTx } from '../db/transaction.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { RequirementPolicies } from '../policy/requirements.js'
import { asksOn } from '../requirements/service.js'
import { effectiveTier } from '../use-cases/use-case.js'
import { keyOf } from './assessment.js'
import type { Precedent } from './copying.js'
import { applicability, CoverageSum, functionsAsked, stateOf } from './coverage.js'
import {
  type CoverageEntry,
  type CoverageFilters,
  type CoverageSource,
  coverageHead,
  coverageLine,
  entryOf,
  isBelow,
  type RegisterCoverage,
} from './coverage-list.js'
import * as store from './coverage-store.js'
import { nameOf } from './profile.js'
import { getProfiled } from './reading.js'
import { listSaid } from './store.js'

type Asked = CoverageFilters & { below?: number | undefined }

/** Rows that are looked at in one go where few of them may fit. */
const BATCH = 2000

/** Use cases that the caller may see, each with how far its controls are, in the order they were registered. */
export async function listCoverage(
  tx: ReadTx,
  policies: RequirementPolicies,
  { below, ...filters }: Asked,
  { limit, after }: PageRequest,
): Promise<PageOf<CoverageEntry>> {
  const selection = selectionFor(tx, filters)
  const applies = applicability(policies, filters.catalog)
  const size = below === undefined ? limit + 1 : BATCH
  const found: CoverageEntry[] = []
  let key = after === undefined ? undefined : String(after[0])
  for (let rows = size; rows === size && found.length <= limit; ) {
    const sources = await listRecords(tx, selection, { after: key, limit: size })
    found.push(...sources.map((source) => entryOf(source, applies)).filter((entry) => isBelow(entry, below)))
    rows = sources.length
    const last = sources.at(-1)
    if (last) key = selection.order.keyOf(last)
  }
  return cutPage(found.slice(0, limit + 1), limit, ({ key }) => [key.slice('UC-'.length)])
}

/** All of them as bytes, as of one moment. */
export async function exportCoverage(
  tx: ReadTx,
  exports: Database['exports'],
  policies: RequirementPolicies,
  { below, ...filters }: Asked,
  format: 'csv' | 'ndjson',
): Promise<Readable> {
  const applies = applicability(policies, filters.catalog)
  const functions = functionsAsked(policies)
  const lines = await copyRecords(exports, selectionFor(tx, filters), 'lines')
  const write = format === 'csv' ? (entry: CoverageEntry) => coverageLine(entry, functions) : jsonLine
  return mapLines(lines, format === 'csv' ? coverageHead(functions) : '', (line) => {
    const entry = entryOf(JSON.parse(line) as CoverageSource, applies)
    return isBelow(entry, below) ? write(entry) : ''
  })
}

const jsonLine = (entry: CoverageEntry): string => `${JSON.stringify(entry)}\n`

/** How far the controls of all these use cases together are, as of one moment; one after another, never all at once. */
export async function sumCoverage(
  tx: ReadTx,
  exports: Database['exports'],
  policies: RequirementPolicies,
  filters: CoverageFilters,
): Promise<RegisterCoverage> {
  const applies = applicability(policies, filters.catalog)
  const lines = await copyRecords(exports, selectionFor(tx, filters), 'lines')
  const sum = new CoverageSum()
  const counts = { useCases: 0, asked: 0, assessed: 0, whole: 0 }
  for await (const line of linesOf(lines)) {
    const { functions, assessedAt, ...total } = entryOf(JSON.parse(line) as CoverageSource, applies)
    sum.add({ total, functions })
    counts.useCases += 1
    if (total.applicable > 0) counts.asked += 1
    if (assessedAt !== null) counts.assessed += 1
    if (total.share === 1) counts.whole += 1
  }
  return { asOf: tx.now, ...counts, ...sum.result() }
}

/** What is read of all that the caller may see. */
export function selectionFor(
  { ability, now }: Pick<ReadTx, 'ability' | 'now'>,
  filters: CoverageFilters,
): Selection<CoverageSource> {
  return store.selectSources(visibleTo(ability), filters, store.instantSql(now))
}

function visibleTo(ability: ReadTx['ability']) {
  return [
    visibleWhere(ability, 'read', 'UseCase', store.head),
    visibleWhere(ability, 'read', 'Profile', store.head),
  ]
}

/** At most so many are suggested. */
const SUGGESTED = 10

/** Approved use cases of the same tier whose profile would help here, those that help most first. */
export async function listPrecedents(
  tx: ReadTx,
  policies: RequirementPolicies,
  useCaseRef: string,
): Promise<Precedent[]> {
  const useCase = await getProfiled(tx, useCaseRef)
  const tier = effectiveTier(useCase)
  const asks = await asksOn(tx, policies, useCase, tier)
  const here = new Set((await listSaid(tx, useCase.id)).map(keyOf))
  const open = asks.flatMap(({ ask }) => (ask.type === 'control' && !here.has(keyOf(ask)) ? [ask] : []))
  const rows = await store.listPrecedentRows(tx, visibleTo(tx.ability), { ...useCase, tier })
  return rows
    .map(({ id, key, title, standing, states }) => {
      const isSaid = (ask: (typeof open)[number]) =>
        stateOf(states, nameOf(ask), ask.control) !== 'not_assessed'
      const assessed = Object.values(states).flatMap((said) =>
        Object.values(said).filter((state) => state !== 'not_assessed'),
      ).length
      const helps = new Set(open.filter(isSaid).map(keyOf)).size
      return { id, key, title, tier, standing, assessed, helps }
    })
    .filter(({ helps }) => helps > 0)
    .sort((a, b) => b.helps - a.helps)
    .slice(0, SUGGESTED)
}
