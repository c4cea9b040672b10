import { integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, instant } from './columns.js'
import type { FiredRule } from './schema.js'

/** The part of the data dictionary that is about changes of policy; `schema.ts` holds it too. */

/** One row: the policy that a process loaded last. */
export const policies = pgTable('policy', {
  id: uuid().primaryKey(),
  digest: text(),
  loadedAt: instant(),
  lastEventNo: integer().notNull().default(0),
  lastEventAt: instant(),
})

/** The tier that a later policy gave to a version, from this revision on. */
export const tierRecomputations = pgTable('tier_recomputation', {
  useCaseId: uuid().notNull(),
  revision: integer().notNull(),
  version: integer().notNull(),
  recordedAt: instant().notNull(),
  computedTier: text({ enum: ['minimal', 'limited', 'high', 'prohibited'] }).notNull(),
  fired: jsonb().$type<FiredRule[]>().notNull(),
  policyDigest: text().notNull(),
})

/** A file of a policy that was loaded, so that what was decided under it can be understood later. */
export const policyFiles = pgTable('policy_file', {
  policyDigest: text().notNull(),
  /** Relative to the policy folder. */
  name: text().notNull(),
  contentDigest: text().notNull(),
})

/** Policies that have a file in common share its content. */
export const policyContents = pgTable('policy_content', {
  digest: text().primaryKey(),
  content: bytea().notNull(),
})
