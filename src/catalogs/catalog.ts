import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { explain, issuesOf } from '../issues.js'
import { addIssues, type Flaw } from '../policy/flaws.js'
import { text } from '../text.js'
import * as examples from './examples.js'

/** How large a catalog may be; the largest in common use has some 1,200 controls. */
export const limits = { functions: 200, categories: 1000, risks: 200, controls: 5000, links: 100 } as const

/** As the catalog's author writes it: `GOVERN 1.1`, `MS-2.10-001`, `III.5(c)`. Case counts. */
export const ControlId = z
  .string()
  .max(100)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9 ._:/()-]*$/,
    'must begin with a letter or digit, and hold letters, digits, blanks and . _ : / ( ) - alone',
  )

export const CatalogId = z
  .string()
  .max(80)
  .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must have lower-case letters, digits, dots and dashes alone')
  .describe('Name of a catalog, as `nist-ai-rmf`; the same in all its versions')

export const CatalogVersion = z
  .string()
  .max(40)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must have letters, digits, dots, underscores and dashes alone')
  .describe('Version of a catalog, as its author counts')

const title = text(2000).trim().min(1)

export const CatalogSource = z
  .strictObject({
    title,
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional(),
    date: z.iso.date().optional().describe('When it was published, or adopted'),
    note: text(2000).trim().min(1).optional().describe('How far it can be relied on'),
  })
  .meta({ id: 'CatalogSource', description: 'Where a catalog, or a part of it, comes from' })
export type CatalogSource = z.infer<typeof CatalogSource>

const CatalogFunction = z.strictObject({ id: ControlId, title })
const CatalogCategory = z.strictObject({
  id: ControlId,
  function: ControlId,
  title,
  source: CatalogSource.optional(),
})
const CatalogRisk = z.strictObject({ id: ControlId, title })

export const Control = z
  .strictObject({
    id: ControlId,
    function: ControlId,
    category: ControlId,
    title,
    text: text(20_000).trim().min(1).optional().describe('The wording in full'),
    parent: ControlId.optional().describe('Another control of this catalog that this one is a part of'),
    ties: z
      .array(ControlId)
      .max(limits.links)
      .optional()
      .describe('Controls of the catalog in `tiesTo` that this one serves'),
    risks: z.array(ControlId).max(limits.links).optional().describe('Risks of this catalog that it answers'),
  })
  .meta({
    id: 'Control',
    description: 'One thing that a catalog asks for, at its place in the catalog',
    examples: [examples.control, examples.action],
  })
export type Control = z.infer<typeof Control>

const shape = z.strictObject({
  id: CatalogId,
  version: CatalogVersion,
  title,
  description: text(4000).trim().min(1).optional(),
  source: CatalogSource,
  tiesTo: CatalogId.optional().describe('The catalog that controls tie to'),
  functions: z.array(CatalogFunction).min(1).max(limits.functions),
  categories: z.array(CatalogCategory).min(1).max(limits.categories),
  risks: z.array(CatalogRisk).max(limits.risks).default([]),
  controls: z.array(Control).min(1).max(limits.controls),
})
export type Catalog = z.infer<typeof shape>

/** A catalog of controls, in the order of its author. Every id that it uses is one that it has. */
export const Catalog = shape.superRefine((catalog, ctx) => addIssues(ctx, flawsOf(catalog)))

/** @throws RegistryError `invalid` with the first twenty flaws */
export function validateCatalog(draft: unknown): Catalog {
  const read = Catalog.safeParse(draft, { error: explain })
  if (read.success) return read.data
  const found = issuesOf(read.error)
  const issues = found.slice(0, 20)
  const more = found.length > 1 ? `, and ${found.length - 1} more` : ''
  const message = `correct the catalog at ${issues[0]?.path}: it ${issues[0]?.message}${more}`
  throw new RegistryError('invalid', message, { issues })
}

function flawsOf(catalog: Catalog): Flaw[] {
  return [
    ...repeatedIn(catalog, 'functions'),
    ...repeatedIn(catalog, 'categories'),
    ...repeatedIn(catalog, 'risks'),
    ...repeatedIn(catalog, 'controls'),
    ...misplaced(catalog),
    ...looseLinks(catalog),
    ...cycles(catalog.controls),
  ]
}

function repeatedIn(catalog: Catalog, list: 'functions' | 'categories' | 'risks' | 'controls'): Flaw[] {
  const seen = new Set<string>()
  return catalog[list].flatMap(({ id }, index) => {
    if (seen.has(id)) return [flaw([list, index, 'id'], `is ${id}, which is there before; give each its own`)]
    seen.add(id)
    return []
  })
}

function misplaced({ functions, categories, controls }: Catalog): Flaw[] {
  const known = new Set(functions.map(({ id }) => id))
  const functionOf = new Map(categories.map((category) => [category.id, category.function]))
  const strays = categories.flatMap((category, index) =>
    known.has(category.function)
      ? []
      : [flaw(['categories', index, 'function'], `is ${category.function}, which is no function here`)],
  )
  const lost = controls.flatMap((control, index) => {
    const owner = functionOf.get(control.category)
    if (owner === undefined)
      return [flaw(['controls', index, 'category'], `is ${control.category}, which is no category here`)]
    if (owner === control.function) return []
    return [flaw(['controls', index, 'function'], `must be ${owner}, the function of its category`)]
  })
  return [...strays, ...lost]
}

function looseLinks({ id, tiesTo, risks, controls }: Catalog): Flaw[] {
  const riskIds = new Set(risks.map((risk) => risk.id))
  const controlIds = new Set(controls.map((control) => control.id))
  const own = tiesTo === id ? [flaw(['tiesTo'], 'is this catalog; use parent within it')] : []
  const loose = controls.flatMap((control, index) => [
    ...(control.risks ?? []).flatMap((risk, at) =>
      riskIds.has(risk) ? [] : [flaw(['controls', index, 'risks', at], `is ${risk}, which is no risk here`)],
    ),
    ...(control.parent === undefined || controlIds.has(control.parent)
      ? []
      : [flaw(['controls', index, 'parent'], `is ${control.parent}, which is no control here`)]),
    ...((control.ties ?? []).length > 0 && tiesTo === undefined
      ? [flaw(['controls', index, 'ties'], 'lead nowhere; name the catalog in tiesTo')]
      : []),
  ])
  return [...own, ...loose]
}

/** One flaw for each control at which a way up by parents comes back to where it was. */
function cycles(controls: Control[]): Flaw[] {
  const parentOf = new Map(controls.map(({ id, parent }) => [id, parent]))
  const placeOf = new Map(controls.map(({ id }, index) => [id, index]))
  const settled = new Set<string>()
  return controls.flatMap(({ id }) => {
    const way = new Set<string>()
    let at: string | undefined = id
    while (at !== undefined && !settled.has(at) && !way.has(at)) {
      way.add(at)
      at = parentOf.get(at)
    }
    const isCycle = at !== undefined && way.has(at)
    for (const step of way) settled.add(step)
    const place = at === undefined ? undefined : placeOf.get(at)
    return isCycle && place !== undefined
      ? [
          flaw(
            ['controls', place, 'parent'],
            'comes back to this control; parents must end at a control without one',
          ),
        ]
      : []
  })
}

function flaw(path: Flaw['path'], message: string): Flaw {
  return { path, message }
}

/** How the first control relates to the second, as sets of what is asked for (NIST IR 8477). */
export const Relation = z
  .enum(['equal', 'subset', 'superset', 'intersects'])
  .describe(
    '`subset`: all that `from` asks for is asked for by `to` as well, and `superset` the other way round',
  )

const mappingShape = z.strictObject({
  from: CatalogId,
  to: CatalogId,
  title,
  source: CatalogSource,
  pairs: z
    .array(z.strictObject({ from: ControlId, to: ControlId, relation: Relation }))
    .min(1)
    .max(20_000),
})
export type CatalogMapping = z.infer<typeof mappingShape>

/** Which controls of two catalogs ask for the same, or partly, so that one piece of evidence serves both. */
export const CatalogMapping = mappingShape.superRefine(({ from, to, pairs }, ctx) => {
  const seen = new Set<string>()
  const flaws = pairs.flatMap((pair, index) => {
    const key = JSON.stringify([pair.from, pair.to])
    if (seen.has(key)) return [flaw(['pairs', index], 'is there before; say it once')]
    seen.add(key)
    return []
  })
  const own = from === to ? [flaw(['to'], 'is the same catalog; map two different ones')] : []
  addIssues(ctx, [...own, ...flaws])
})

/** A mapping read from its other end. */
export function reverse(mapping: CatalogMapping): CatalogMapping {
  const opposite = {
    equal: 'equal',
    subset: 'superset',
    superset: 'subset',
    intersects: 'intersects',
  } as const
  return {
    ...mapping,
    from: mapping.to,
    to: mapping.from,
    pairs: mapping.pairs.map(({ from, to, relation }) => ({
      from: to,
      to: from,
      relation: opposite[relation],
    })),
  }
}
