import type { Catalog, CatalogMapping } from '../catalogs/catalog.js'
import type { Misfit } from './cross-checks.js'

/** By file name, as `catalogs/nist-ai-rmf-1.0.json`. */
export interface CatalogFiles {
  catalogs: ReadonlyMap<string, Catalog>
  mappings: ReadonlyMap<string, CatalogMapping>
}

/** What no catalog shows alone: one that is there twice, and ties and pairs that lead to no control. */
export function findLooseEnds({ catalogs, mappings }: CatalogFiles): Misfit[] {
  const known = controlsOf([...catalogs.values()])
  return [
    ...twice(catalogs, ({ id, version }) => `${id} ${version}`, 'version'),
    ...twice(mappings, ({ from, to }) => [from, to].sort().join(' and '), 'to'),
    ...[...catalogs].flatMap(([file, catalog]) => looseTies(file, catalog, known)),
    ...[...mappings].flatMap(([file, mapping]) => loosePairs(file, mapping, known)),
  ]
}

/** Control ids by catalog id; those of all its versions, as a mapping is for all of them. */
type Known = ReadonlyMap<string, ReadonlySet<string>>

function controlsOf(catalogs: Catalog[]): Known {
  const known = new Map<string, Set<string>>()
  for (const { id, controls } of catalogs) {
    const ids = known.get(id) ?? new Set()
    for (const control of controls) ids.add(control.id)
    known.set(id, ids)
  }
  return known
}

function twice<T>(files: ReadonlyMap<string, T>, keyOf: (one: T) => string, at: string): Misfit[] {
  const seen = new Map<string, string>()
  return [...files].flatMap(([file, one]) => {
    const key = keyOf(one)
    const before = seen.get(key)
    if (before === undefined) seen.set(key, file)
    return before === undefined
      ? []
      : [{ file, path: [at], message: `is in ${before} already; once is enough` }]
  })
}

function looseTies(file: string, { tiesTo, controls }: Catalog, known: Known): Misfit[] {
  if (tiesTo === undefined) return []
  const ids = known.get(tiesTo)
  if (!ids) return [{ file, path: ['tiesTo'], message: `is ${tiesTo}, which is no catalog of this policy` }]
  return controls.flatMap(({ ties = [] }, index) =>
    ties.flatMap((tie, at) =>
      ids.has(tie)
        ? []
        : [
            {
              file,
              path: ['controls', index, 'ties', at],
              message: `is ${tie}, which is no control of ${tiesTo}`,
            },
          ],
    ),
  )
}

function loosePairs(file: string, { from, to, pairs }: CatalogMapping, known: Known): Misfit[] {
  return (['from', 'to'] as const).flatMap((end) => {
    const catalog = end === 'from' ? from : to
    const ids = known.get(catalog)
    if (!ids) return [{ file, path: [end], message: `is ${catalog}, which is no catalog of this policy` }]
    return pairs.flatMap((pair, index) =>
      ids.has(pair[end])
        ? []
        : [
            {
              file,
              path: ['pairs', index, end],
              message: `is ${pair[end]}, which is no control of ${catalog}`,
            },
          ],
    )
  })
}
