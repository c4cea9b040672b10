import { and, asc, desc, eq, type SQL, sql } from 'drizzle-orm'
import { catalogControls, catalogs } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import type { Control } from './catalog.js'
import type { ControlFilters } from './catalog-view.js'

export type CatalogRow = typeof catalogs.$inferSelect
type ControlRow = typeof catalogControls.$inferSelect

/** Where the fields that rights look at come from. */
export const rightsColumns = { id: catalogs.id }

/** Undefined when there is a catalog of this name and version already. */
export async function insertCatalog(
  tx: WriteTx,
  catalog: typeof catalogs.$inferInsert,
  controls: Control[],
): Promise<CatalogRow | undefined> {
  const [row] = await tx.sql.insert(catalogs).values(catalog).onConflictDoNothing().returning()
  if (!row) return undefined
  // One statement, so that a control may come before its parent, and one parameter, so that there may be many.
  const rows = controls.map((control, position) => ({ ties: [], risks: [], ...control, position }))
  await tx.sql.execute(sql`
    insert into ${catalogControls}
      (catalog_id, control_id, position, function, category, title, text, parent, ties, risks)
    select ${row.id}::uuid, c.id, c.position, c.function, c.category, c.title, c.text, c.parent, c.ties, c.risks
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as c (id text, position integer, function text,
      category text, title text, text text, parent text, ties text[], risks text[])`)
  return row
}

export interface CatalogsPage {
  where: SQL
  after: { key: string; version: string } | undefined
  limit: number
}

/** By key and version, in the order of their bytes; `after` is the last row of the page before. */
export async function listCatalogRows(
  tx: ReadTx,
  { where, after, limit }: CatalogsPage,
): Promise<CatalogRow[]> {
  const key = sql`${catalogs.key} collate "C"`
  const version = sql`${catalogs.version} collate "C"`
  const beyond = after ? sql`(${key}, ${version}) > (${after.key}, ${after.version})` : undefined
  return await tx.sql.select().from(catalogs).where(and(where, beyond)).orderBy(key, version).limit(limit)
}

/** Every version of a catalog, the last imported first. */
export async function listVersionRows(tx: ReadTx, where: SQL, key: string): Promise<CatalogRow[]> {
  return await tx.sql
    .select()
    .from(catalogs)
    .where(and(where, eq(catalogs.key, key)))
    .orderBy(desc(catalogs.importedAt), desc(catalogs.id))
}

export interface ControlsPage {
  filters: ControlFilters
  /** The position of the last control of the page before. */
  after: number
  limit: number
}

/** Controls in the order of the catalog, with their positions. */
export async function listControlRows(
  tx: ReadTx,
  catalogId: string,
  { filters, after, limit }: ControlsPage,
): Promise<ControlRow[]> {
  const { function: owner, category, risk, serves } = filters
  return await tx.sql
    .select()
    .from(catalogControls)
    .where(
      and(
        eq(catalogControls.catalogId, catalogId),
        sql`${catalogControls.position} > ${after}`,
        owner === undefined ? undefined : eq(catalogControls.function, owner),
        category === undefined ? undefined : eq(catalogControls.category, category),
        risk === undefined ? undefined : sql`${risk} = any(${catalogControls.risks})`,
        serves === undefined ? undefined : sql`${serves} = any(${catalogControls.ties})`,
      ),
    )
    .orderBy(asc(catalogControls.position))
    .limit(limit)
}

/** The ids among these that are controls of any imported version of the catalog. */
export async function listControlIdsAmong(tx: ReadTx, key: string, ids: string[]): Promise<string[]> {
  const rows = await tx.sql
    .selectDistinct({ id: catalogControls.controlId })
    .from(catalogControls)
    .innerJoin(catalogs, eq(catalogs.id, catalogControls.catalogId))
    .where(and(eq(catalogs.key, key), sql`${catalogControls.controlId} = any(${sql.param(ids)}::text[])`))
  return rows.map(({ id }) => id)
}

/** Imported versions of catalogs with these names, as `nist-ai-rmf@1.0`, without the wording of their controls. */
export async function listOutlines(
  tx: ReadTx,
  names: string[],
): Promise<(Pick<CatalogRow, 'id' | 'version' | 'title' | 'functions'> & { controls: OutlinedControl[] })[]> {
  if (names.length === 0) return []
  const rows = await tx.sql
    .select()
    .from(catalogs)
    .where(sql`${catalogs.key} || '@' || ${catalogs.version} = any(${sql.param(names)}::text[])`)
  const { catalogId, controlId: id, function: owner, category, title } = catalogControls
  const controls = await tx.sql
    .select({ catalogId, id, function: owner, category, title })
    .from(catalogControls)
    .where(sql`${catalogId} = any(${sql.param(rows.map((row) => row.id))}::uuid[])`)
    .orderBy(asc(catalogControls.position))
  return rows.map(({ id, key, version, title, functions }) => {
    const own = controls.filter((control) => control.catalogId === id)
    return { id: key, version, title, functions, controls: own }
  })
}

type OutlinedControl = Pick<ControlRow, 'function' | 'category' | 'title'> & { id: string }
