import { type Catalog, type CatalogMapping, reverse } from './catalog.js'
import type { Meeting } from './catalog-view.js'

interface Shipped {
  catalogs: Catalog[]
  mappings: CatalogMapping[]
}

/**
 * Controls of other catalogs that ask for the same as controls of this one, or partly: by the mappings of policy, and by
 * what controls tie to, in either direction. Two steps are never taken for one: what meets a control that meets this one
 * need have nothing in common with it.
 */
export function meetingsOf({ catalogs, mappings }: Shipped, id: string): Meeting[] {
  const said = new Map<string, Meeting>()
  // A mapping says more than a tie, so it is read last.
  const all = [...catalogs.flatMap(tiesOf), ...mappings]
  for (const { from, to, pairs } of [...all, ...all.map(reverse)]) {
    if (from !== id) continue
    for (const { from: control, to: other, relation } of pairs) {
      said.set(JSON.stringify([control, to, other]), { control, relation, catalog: to, other })
    }
  }
  return [...said.values()]
}

/** A control that serves another one does a part of it, and perhaps more. */
function tiesOf({ id, tiesTo, title, source, controls }: Catalog): CatalogMapping[] {
  if (tiesTo === undefined) return []
  const pairs = controls.flatMap((control) =>
    (control.ties ?? []).map((to) => ({ from: control.id, to, relation: 'intersects' as const })),
  )
  return [{ from: id, to: tiesTo, title, source, pairs }]
}
