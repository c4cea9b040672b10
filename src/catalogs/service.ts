import { authorize, isAllowed } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import { idOfName, newId } from '../ids.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { type Catalog, type Control, limits } from './catalog.js'
import type { CatalogSummary, CatalogView, ControlFilters, Meeting, MeetingFilters } from './catalog-view.js'
import { meetingsOf } from './meetings.js'
import { catalogToOscal } from './oscal-writing.js'
import * as store from './store.js'
import { type Found, present, presentControl, summarize, viewOf } from './view.js'

type Shipped = Pick<Policies, 'catalogs' | 'mappings'>

/** A catalog that was read from a file, and the file. */
export interface ReceivedCatalog {
  catalog: Catalog
  format: 'oscal' | 'csv'
  fileDigest: string
}

/** @throws RegistryError `forbidden` */
export function assertImporter({ ability }: ReadTx): void {
  authorize(ability, 'import', 'Catalog', { id: null })
}

/**
 * Adds a version of a catalog. It never changes.
 * @throws RegistryError `conflict` when there is one of this name and version, `invalid` for ties that lead nowhere
 */
export async function importCatalog(
  tx: WriteTx,
  policies: Shipped,
  { catalog, format, fileDigest }: ReceivedCatalog,
): Promise<CatalogView> {
  const id = newId()
  const right = authorize(tx.ability, 'import', 'Catalog', { id })
  await assertTies(tx, policies, catalog)
  if (policies.catalogs.some((one) => one.id === catalog.id && one.version === catalog.version))
    throw alreadyThere(catalog)
  const { id: key, controls, tiesTo = null, description = null, ...rest } = catalog
  const row = await store.insertCatalog(
    tx,
    {
      ...{ ...rest, id, key, tiesTo, description, format, fileDigest },
      ...{ controlCount: controls.length, importedBy: tx.principal.personId, importedAt: tx.now },
    },
    controls,
  )
  if (!row) throw alreadyThere(catalog)
  const { version, title } = row
  const counted = { key, version, controls: controls.length, format, fileDigest }
  tx.record(row, { type: 'catalog.imported', right, ...counted, sealed: { title } })
  return await getCatalog(tx, policies, key, version)
}

function alreadyThere({ id, version }: Catalog): RegistryError {
  const message = `there is a version ${version} of ${id} already, and versions never change; import it as another one`
  return new RegistryError('conflict', message)
}

async function assertTies(tx: ReadTx, policies: Shipped, { tiesTo, controls }: Catalog): Promise<void> {
  if (tiesTo === undefined) return
  const shipped = policies.catalogs.filter(({ id }) => id === tiesTo)
  const known = new Set(shipped.flatMap((catalog) => catalog.controls.map(({ id }) => id)))
  const ties = [...new Set(controls.flatMap((control) => control.ties ?? []))].filter(
    (tie) => !known.has(tie),
  )
  const imported = new Set(ties.length > 0 ? await store.listControlIdsAmong(tx, tiesTo, ties) : [])
  const loose = ties.filter((tie) => !imported.has(tie))
  if (loose.length === 0) return
  const [first, ...more] = loose
  const others = more.length > 0 ? ` and ${more.length} more are` : ' is'
  throw new RegistryError(
    'invalid',
    `${first}${others} no control of ${tiesTo}; correct ties, or import that first`,
  )
}

/** Every version of every catalog, by id and version. */
export async function listCatalogs(
  tx: ReadTx,
  { catalogs }: Shipped,
  { limit, after }: PageRequest,
): Promise<PageOf<CatalogSummary>> {
  const [key, version] = (after ?? []).map(String)
  const from = key === undefined || version === undefined ? undefined : { key, version }
  const where = visible(tx)
  const rows = await store.listCatalogRows(tx, { where, after: from, limit: limit + 1 })
  const shipped = (seesShipped(tx) ? catalogs : []).filter(
    (one) => from === undefined || compare([one.id, one.version], [from.key, from.version]) > 0,
  )
  const all = [...rows, ...shipped].map((found) => summarize(present(found)))
  const sorted = all.sort((a, b) => compare([a.id, a.version], [b.id, b.version]))
  return cutPage(sorted.slice(0, limit + 1), limit, (one) => [one.id, one.version])
}

/** @throws RegistryError `not_found` */
export async function getCatalog(
  tx: ReadTx,
  policies: Shipped,
  id: string,
  version: string | undefined,
): Promise<CatalogView> {
  const versions = await findVersions(tx, policies, id)
  return viewOf(choose(versions, version), versions)
}

/**
 * Controls in the order of their catalog.
 * @throws RegistryError `not_found`
 */
export async function listControls(
  tx: ReadTx,
  policies: Shipped,
  { id, version, ...filters }: { id: string; version?: string | undefined } & ControlFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<Control>> {
  const [from, position = -1] = after ?? []
  // A list that began with one version goes on with it, also when another one is imported meanwhile.
  const found = choose(await findVersions(tx, policies, id), from === undefined ? version : String(from))
  const page = { filters, after: Number(position), limit: limit + 1 }
  const controls = 'shipped' in found ? pick(found.shipped, page) : await fetchControls(tx, found.row, page)
  const { items, last } = cutPage(controls, limit, (one) => [found.version, one.position])
  return { items: items.map(({ control }) => control), last }
}

interface Placed {
  control: Control
  position: number
}

async function fetchControls(tx: ReadTx, row: store.CatalogRow, page: store.ControlsPage): Promise<Placed[]> {
  const rows = await store.listControlRows(tx, row.id, page)
  return rows.map((one) => ({ control: presentControl(one), position: one.position }))
}

function pick({ controls }: Catalog, { filters, after, limit }: store.ControlsPage): Placed[] {
  const { function: owner, category, risk, serves } = filters
  const fits = (control: Control) =>
    (owner === undefined || control.function === owner) &&
    (category === undefined || control.category === category) &&
    (risk === undefined || (control.risks ?? []).includes(risk)) &&
    (serves === undefined || (control.ties ?? []).includes(serves))
  return controls
    .map((control, position) => ({ control, position }))
    .filter(({ control, position }) => position > after && fits(control))
    .slice(0, limit)
}

/**
 * Controls of other catalogs that meet those of this one, in the order of their ids.
 * @throws RegistryError `not_found`
 */
export async function listMeetings(
  tx: ReadTx,
  policies: Shipped,
  { id, control, to }: { id: string } & MeetingFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<Meeting>> {
  await findVersions(tx, policies, id)
  const keyOf = (one: Meeting) => [one.control, one.catalog, one.other]
  const meetings = meetingsOf(policies, id)
    .filter((one) => to === undefined || one.catalog === to)
    .filter((one) => control === undefined || one.control === control)
    .filter((one) => after === undefined || compare(keyOf(one), after.map(String)) > 0)
    .sort((a, b) => compare(keyOf(a), keyOf(b)))
  return cutPage(meetings.slice(0, limit + 1), limit, keyOf)
}

/**
 * A version of a catalog as an OSCAL catalog.
 * @throws RegistryError `not_found`
 */
export async function exportCatalog(
  tx: ReadTx,
  policies: Shipped,
  id: string,
  version: string | undefined,
): Promise<object> {
  const found = choose(await findVersions(tx, policies, id), version)
  if ('shipped' in found) return catalogToOscal(found.shipped, idOfName)
  const { key, title, source, functions, categories, risks } = found.row
  const controls = await fetchControls(tx, found.row, { filters: {}, after: -1, limit: limits.controls })
  const head = { id: key, version: found.version, title, source, functions, categories, risks }
  return catalogToOscal({ ...head, controls: controls.map(({ control }) => control) }, idOfName)
}

/** A version of a catalog without the wording of its controls. */
export type Outline = Pick<Catalog, 'id' | 'version' | 'title' | 'functions'> & {
  controls: Pick<Control, 'id' | 'function' | 'category' | 'title'>[]
}

/**
 * Those of these versions that there are, by name as `nist-ai-rmf@1.0`. For a later feature, which authorizes what it
 * shows of them.
 */
export async function loadOutlines(
  tx: ReadTx,
  { catalogs }: Pick<Shipped, 'catalogs'>,
  names: ReadonlySet<string>,
): Promise<Map<string, Outline>> {
  const nameOf = ({ id, version }: Outline) => `${id}@${version}`
  const shipped = catalogs.filter((one) => names.has(nameOf(one)))
  const found = new Map<string, Outline>(shipped.map((one) => [nameOf(one), one]))
  const others = [...names].filter((name) => !found.has(name))
  for (const one of await store.listOutlines(tx, others)) found.set(nameOf(one), one)
  return found
}

/** The last imported first, then those of policy from the newest on. */
async function findVersions(tx: ReadTx, { catalogs }: Shipped, id: string): Promise<Found[]> {
  const rows = await store.listVersionRows(tx, visible(tx), id)
  const shipped = (seesShipped(tx) ? catalogs : [])
    .filter((catalog) => catalog.id === id)
    .sort((a, b) => compare([b.source.date ?? '', b.version], [a.source.date ?? '', a.version]))
  const found = [...rows, ...shipped].map(present)
  if (found.length === 0) throw notFound('catalog')
  return found
}

function choose(versions: Found[], version: string | undefined): Found {
  const chosen = versions.find((one) => version === undefined || one.version === version)
  if (!chosen) throw notFound('version of this catalog')
  return chosen
}

function visible(tx: ReadTx) {
  return visibleWhere(tx.ability, 'read', 'Catalog', store.rightsColumns)
}

function seesShipped(tx: ReadTx): boolean {
  return isAllowed(tx.ability, 'read', 'Catalog', { id: null })
}

/** As the database compares bytes: all that is compared is ASCII. */
function compare(a: string[], b: string[]): number {
  const at = a.findIndex((word, index) => word !== b[index])
  if (at < 0) return 0
  return (a[at] ?? '') < (b[at] ?? '') ? -1 : 1
}
