import { bigint, boolean, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instant } from './columns.js'

/** The part of the data dictionary that is about how long evidence is kept; `schema.ts` holds it too. */

const verdict = { enum: ['confirmed', 'rejected'] } as const

export const retentionFloors = pgTable('retention_floor', {
  evidenceId: uuid().notNull(),
  ordinal: integer().notNull(),
  retainUntil: instant().notNull(),
  daysAfterRetirement: integer().notNull(),
  /** What policy had asked for by then, and which of that no schedule may go below. */
  policyUntil: instant().notNull(),
  policyDays: integer().notNull(),
  regulatoryUntil: instant().notNull(),
  regulatoryDays: integer().notNull(),
  because: text({ enum: ['attached', 'before', 'policy', 'extended', 'shortened'] }).notNull(),
  classes: text().array().notNull(),
  policyDigest: text(),
  reason: text(),
  setBy: uuid().notNull(),
  setAt: instant().notNull(),
  shorteningId: uuid(),
  approvedBy: uuid(),
  approval: text({ enum: ['confirmed'] }),
  /** The row before, as it is; null in the first. */
  earlierOrdinal: integer(),
  earlierUntil: instant(),
  earlierDays: integer(),
  earlierPolicyUntil: instant(),
  earlierPolicyDays: integer(),
  earlierRegulatoryUntil: instant(),
  earlierRegulatoryDays: integer(),
})

export const retentionShortenings = pgTable('retention_shortening', {
  id: uuid().primaryKey(),
  evidenceId: uuid().notNull(),
  useCaseId: uuid().notNull(),
  retainUntil: instant().notNull(),
  reason: text().notNull(),
  proposedBy: uuid().notNull(),
  proposedAt: instant().notNull(),
})

export const retentionShorteningVerdicts = pgTable('retention_shortening_verdict', {
  shorteningId: uuid().primaryKey(),
  proposedBy: uuid().notNull(),
  givenBy: uuid().notNull(),
  verdict: text(verdict).notNull(),
  reason: text().notNull(),
  givenAt: instant().notNull(),
})

export const legalHolds = pgTable('legal_hold', {
  id: uuid().primaryKey(),
  key: text().notNull(),
  title: text().notNull(),
  reason: text().notNull(),
  orgUnitId: uuid().notNull(),
  placedBy: uuid().notNull(),
  placedAt: instant().notNull(),
})

export const legalHoldObjects = pgTable('legal_hold_object', {
  id: uuid().primaryKey(),
  holdId: uuid().notNull(),
  useCaseId: uuid().notNull(),
  /** Null for all evidence of the use case, also what comes later. */
  evidenceId: uuid(),
  addedBy: uuid().notNull(),
  addedAt: instant().notNull(),
})

export const legalHoldReleases = pgTable('legal_hold_release', {
  objectId: uuid().primaryKey(),
  addedBy: uuid().notNull(),
  releasedBy: uuid().notNull(),
  releasedAt: instant().notNull(),
  reason: text().notNull(),
})

export const legalHoldLiftings = pgTable('legal_hold_lifting', {
  holdId: uuid().primaryKey(),
  placedBy: uuid().notNull(),
  liftedBy: uuid().notNull(),
  liftedAt: instant().notNull(),
  reason: text().notNull(),
})

export const disposals = pgTable('disposal', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  reason: text().notNull(),
  policyDigest: text().notNull(),
  proposedBy: uuid().notNull(),
  proposedAt: instant().notNull(),
})

export const disposalPieces = pgTable('disposal_piece', {
  disposalId: uuid().notNull(),
  useCaseId: uuid().notNull(),
  evidenceId: uuid().notNull(),
  shown: jsonb().$type<ShownPiece>().notNull(),
})

/** What whoever confirms saw of a piece; of what it says itself, nothing. */
export interface ShownPiece {
  kind: string
  form: string
  digest: string
  size: number
  attachedAt: string
  /** Past the last instant at which it had to be kept. */
  retainedUntil: string
  classes: string[]
  /** Decisions that named it. */
  decisionIds: string[]
}

export const disposalVerdicts = pgTable('disposal_verdict', {
  disposalId: uuid().primaryKey(),
  proposedBy: uuid().notNull(),
  givenBy: uuid().notNull(),
  verdict: text(verdict).notNull(),
  reason: text().notNull(),
  givenAt: instant().notNull(),
})

export const evidenceDisposals = pgTable('evidence_disposal', {
  evidenceId: uuid().primaryKey(),
  disposalId: uuid().notNull(),
  verdict: text({ enum: ['confirmed'] }).notNull(),
  disposedAt: instant().notNull(),
})

export const storedBlobs = pgTable('stored_blob', {
  digest: text().primaryKey(),
  size: bigint({ mode: 'number' }).notNull(),
  /** When a piece with these bytes was last attached. */
  storedAt: instant().notNull(),
  removedAt: instant(),
  checkedAt: instant(),
  soundness: text({ enum: ['ok', 'missing', 'altered'] }),
  damagedAt: instant(),
  /** What the store was told, and when. */
  retainUntil: instant(),
  held: boolean(),
  toldAt: instant(),
})

export const custodyRounds = pgTable('custody_round', {
  id: uuid().primaryKey(),
  beganAt: instant().notNull(),
  endedAt: instant().notNull(),
  checked: integer().notNull(),
  bytes: bigint({ mode: 'number' }).notNull(),
  damaged: integer().notNull(),
  mended: integer().notNull(),
  unanswered: integer().notNull(),
})

export const custodyTurns = pgTable('custody_turn', {
  name: text({ enum: ['check', 'collect', 'keep', 'raise'] }).primaryKey(),
  nextAt: instant().notNull(),
})
