import type { catalogControls } from '../db/schema.js'
import type { Catalog, Control } from './catalog.js'
import type { CatalogSummary, CatalogView } from './catalog-view.js'
import type { CatalogRow } from './store.js'

/** A version of a catalog, wherever it lies. */
export type Found = { version: string } & ({ shipped: Catalog } | { row: CatalogRow })

export function present(one: Catalog | CatalogRow): Found {
  return 'key' in one ? { version: one.version, row: one } : { version: one.version, shipped: one }
}

export function summarize(found: Found): CatalogSummary {
  if ('shipped' in found) {
    const { id, version, title, source, tiesTo = null, controls } = found.shipped
    const origin = { origin: 'policy' as const, importedAt: null, importedBy: null }
    return { id, version, title, source, tiesTo, controls: controls.length, ...origin }
  }
  const { key, version, title, source, tiesTo, controlCount, importedAt, importedBy } = found.row
  const origin = { origin: 'imported' as const, importedAt, importedBy }
  return { id: key, version, title, source, tiesTo, controls: controlCount, ...origin }
}

export function viewOf(found: Found, versions: Found[]): CatalogView {
  const { description, functions, categories, risks } = 'shipped' in found ? found.shipped : found.row
  return {
    ...summarize(found),
    ...{ description: description ?? null, functions, categories, risks },
    versions: versions.map((one) => ({
      version: one.version,
      origin: 'shipped' in one ? 'policy' : 'imported',
    })),
  }
}

export function presentControl(row: typeof catalogControls.$inferSelect): Control {
  const { controlId: id, function: owner, category, title, text, parent, ties, risks } = row
  return {
    ...{ id, function: owner, category, title },
    ...(text !== null && { text }),
    ...(parent !== null && { parent }),
    ...(ties.length > 0 && { ties }),
    ...(risks.length > 0 && { risks }),
  }
}
