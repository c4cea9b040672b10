import { integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import type { Catalog } from '../catalogs/catalog.js'
import { instant } from './columns.js'

/** The part of the data dictionary that is about imported catalogs; `schema.ts` holds it too. */

/** One version of a catalog, which never changes; those of policy lie in its folder. */
export const catalogs = pgTable('catalog', {
  id: uuid().primaryKey(),
  key: text().notNull(),
  version: text().notNull(),
  title: text().notNull(),
  description: text(),
  source: jsonb().$type<Catalog['source']>().notNull(),
  tiesTo: text(),
  functions: jsonb().$type<Catalog['functions']>().notNull(),
  categories: jsonb().$type<Catalog['categories']>().notNull(),
  risks: jsonb().$type<Catalog['risks']>().notNull(),
  controlCount: integer().notNull(),
  format: text({ enum: ['oscal', 'csv'] }).notNull(),
  fileDigest: text().notNull(),
  lastEventNo: integer().notNull().default(0),
  lastEventAt: instant(),
  importedBy: uuid().notNull(),
  importedAt: instant().notNull(),
})

export const catalogControls = pgTable('catalog_control', {
  catalogId: uuid().notNull(),
  controlId: text().notNull(),
  /** From 0, in the order of the catalog. */
  position: integer().notNull(),
  function: text().notNull(),
  category: text().notNull(),
  title: text().notNull(),
  text: text(),
  parent: text(),
  ties: text().array().notNull(),
  risks: text().array().notNull(),
})
