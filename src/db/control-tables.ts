import { integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import type { ControlState } from '../policy/requirements.js'
import { instant } from './columns.js'

/** The part of the data dictionary that is about controls and exceptions; `schema.ts` holds it too. */

/** A requirement that need not be met until an instant; it never changes. */
export const exceptions = pgTable('exception', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  decisionId: uuid().notNull(),
  ordinal: integer().notNull(),
  requirement: text().notNull(),
  controlId: text(),
  until: instant().notNull(),
  compensating: text().notNull(),
  compensatingControl: jsonb().$type<{ catalog: string; version: string; control: string }>(),
  reason: text().notNull(),
  grantedAt: instant().notNull(),
})

const state = { enum: ['not_assessed', 'planned', 'in_place', 'not_effective', 'not_applicable'] } as const

/** What somebody said of a control; what they say later is another row. */
export const controlAssessments = pgTable('control_assessment', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  catalog: text().notNull(),
  version: text().notNull(),
  controlId: text().notNull(),
  ordinal: integer().notNull(),
  state: text(state).notNull(),
  note: text().notNull(),
  assessedBy: uuid().notNull(),
  assessedAt: instant().notNull(),
  copiedFrom: uuid(),
})

export const controlEvidence = pgTable('control_evidence', {
  assessmentId: uuid().notNull(),
  useCaseId: uuid().notNull(),
  evidenceId: uuid().notNull(),
})

/** The states of one use case: catalog and version, as `nist-ai-rmf@1.0`, to control, to its state. */
export type ControlStates = Record<string, Record<string, ControlState>>

/** The last assessments of a use case in one row, so that a list of many is read in one query. */
export const controlProfiles = pgTable('control_profile', {
  useCaseId: uuid().primaryKey(),
  states: jsonb().$type<ControlStates>().notNull(),
  assessedAt: instant().notNull(),
})
