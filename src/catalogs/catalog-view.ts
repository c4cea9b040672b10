import { z } from 'zod'
import { text } from '../text.js'
import { Catalog, CatalogId, CatalogSource, CatalogVersion, ControlId, Relation } from './catalog.js'
import * as examples from './examples.js'

const origin = z
  .enum(['policy', 'imported'])
  .describe('`policy` comes with the policy in force, `imported` was imported and never changes')

export const CatalogSummary = z
  .strictObject({
    id: CatalogId,
    version: CatalogVersion,
    title: z.string(),
    origin,
    source: CatalogSource,
    tiesTo: CatalogId.nullable().describe('The catalog that its controls tie to'),
    controls: z.int().describe('How many there are'),
    importedAt: z.iso.datetime().nullable(),
    importedBy: z.uuid().nullable(),
  })
  .meta({
    id: 'CatalogSummary',
    description: 'A version of a catalog of controls',
    examples: [examples.shipped, examples.imported],
  })
export type CatalogSummary = z.infer<typeof CatalogSummary>

export const CatalogView = CatalogSummary.extend({
  description: z.string().nullable(),
  functions: Catalog.shape.functions,
  categories: Catalog.shape.categories,
  risks: z.array(z.strictObject({ id: ControlId, title: z.string() })),
  versions: z
    .array(z.strictObject({ version: CatalogVersion, origin }))
    .describe('All that there are of this catalog'),
}).meta({
  id: 'Catalog',
  description: 'A version of a catalog with how it is arranged; its controls are a list of their own',
  examples: [examples.catalog],
})
export type CatalogView = z.infer<typeof CatalogView>

export const versionQuery = {
  version: CatalogVersion.optional().describe(
    'Left out: the version that was imported last, or else the newest one of policy',
  ),
}

export const controlFilters = {
  function: ControlId.optional().describe('Only controls of this function'),
  category: ControlId.optional().describe('Only controls of this category'),
  risk: ControlId.optional().describe('Only controls that answer this risk'),
  serves: ControlId.optional().describe('Only controls that tie to this one of the catalog in `tiesTo`'),
}
const ControlFilters = z.strictObject(controlFilters)
export type ControlFilters = z.infer<typeof ControlFilters>

/** Two controls that meet, seen from the catalog that was asked for. */
export const Meeting = z
  .strictObject({
    control: ControlId.describe('Of the catalog that was asked for'),
    relation: Relation,
    catalog: CatalogId.describe('The other catalog'),
    other: ControlId.describe('Its control'),
  })
  .meta({
    id: 'ControlMeeting',
    description:
      'A control of another catalog that asks for the same, or partly; `control` is the `from` of `relation`',
    examples: [examples.meeting],
  })
export type Meeting = z.infer<typeof Meeting>

export const meetingFilters = {
  control: ControlId.optional().describe('Only what meets this control'),
  to: CatalogId.optional().describe('Only controls of this catalog'),
}
const MeetingFilters = z.strictObject(meetingFilters)
export type MeetingFilters = z.infer<typeof MeetingFilters>

/** What comes with the file of a catalog, before it in the form. */
export const CatalogFields = z
  .strictObject({
    id: CatalogId,
    version: CatalogVersion.optional().describe(
      'Of OSCAL the one in the file if left out; a table does not say it',
    ),
    title: text(2000).trim().min(1).optional().describe('Of OSCAL the one in the file if left out'),
    format: z.enum(['oscal', 'csv']).optional().describe('Told by the first character if left out'),
    ids: z
      .enum(['id', 'label'])
      .optional()
      .describe('Of OSCAL: whether controls go by their id or by their label, as `GOVERN 1.1`'),
    tiesTo: CatalogId.optional().describe('Of a table: the catalog that its column `ties` speaks of'),
    sourceUrl: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional()
      .describe('Where the file comes from'),
    sourceDate: z.iso.date().optional().describe('When it was published'),
  })
  .meta({ examples: [examples.catalogFields] })
export type CatalogFields = z.infer<typeof CatalogFields>
