import { sql } from 'drizzle-orm'
import { bigint, boolean, integer, json, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import type { AskedException } from '../exceptions/exception.js'
import type { Lane } from '../policy/lanes.js'
import type { Required } from '../policy/missing.js'
import type { Ask } from '../policy/requirements.js'
import { bytea, instant } from './columns.js'

export * from './catalog-tables.js'
export * from './control-tables.js'
export * from './notice-tables.js'
export * from './policy-tables.js'
export * from './retention-tables.js'

/**
 * The data dictionary: every table as the code sees it. Keys, checks and rights live in `migrations/`, where the
 * database holds them whatever the code does.
 */

/** What every aggregate carries, so that its events are numbered without a gap. */
const aggregate = {
  lastEventNo: integer().notNull().default(0),
  lastEventAt: instant(),
}

export const orgUnits = pgTable('org_unit', {
  id: uuid().primaryKey(),
  key: text().notNull(),
  name: text().notNull(),
  parentId: uuid(),
  revision: integer().notNull().default(1),
  ...aggregate,
  createdAt: instant().notNull(),
})

export const people = pgTable('person', {
  id: uuid().primaryKey(),
  kind: text({ enum: ['human', 'service'] }).notNull(),
  name: text().notNull(),
  email: text(),
  issuer: text(),
  subject: text(),
  status: text({ enum: ['invited', 'active', 'left'] }).notNull(),
  revision: integer().notNull().default(1),
  ...aggregate,
  createdAt: instant().notNull(),
})

export const grants = pgTable('rights_grant', {
  id: uuid().primaryKey(),
  personId: uuid().notNull(),
  kind: text({ enum: ['role', 'seat'] }).notNull(),
  name: text().notNull(),
  orgUnitId: uuid().notNull(),
  grantedBy: uuid().notNull(),
  grantedAt: instant().notNull(),
  revokedBy: uuid(),
  revokedAt: instant(),
})

export const invitations = pgTable('invitation', {
  id: uuid().primaryKey(),
  personId: uuid().notNull(),
  keyDigest: text(),
  issuer: text(),
  subject: text(),
  invitedBy: uuid().notNull(),
  invitedAt: instant().notNull(),
  expiresAt: instant().notNull(),
  acceptedAt: instant(),
})

export const accessTokens = pgTable('access_token', {
  id: uuid().primaryKey(),
  personId: uuid().notNull(),
  personKind: text({ enum: ['human', 'service'] }).notNull(),
  kind: text({ enum: ['personal', 'service'] }).notNull(),
  name: text().notNull(),
  digest: text().notNull(),
  createdBy: uuid().notNull(),
  createdAt: instant().notNull(),
  expiresAt: instant().notNull(),
  revokedBy: uuid(),
  revokedAt: instant(),
})

export const firstSignIns = pgTable('first_sign_in', {
  digest: text().primaryKey(),
  createdAt: instant().notNull(),
  expiresAt: instant().notNull(),
  usedAt: instant(),
  usedBy: uuid(),
})

export const auditEvents = pgTable('audit_event', {
  id: uuid().primaryKey(),
  aggregateKind: text().notNull(),
  aggregateId: uuid().notNull(),
  eventNo: integer().notNull(),
  type: text().notNull(),
  actorId: uuid().notNull(),
  recordedAt: instant().notNull(),
  leaf: bytea().notNull(),
})

export const auditPayloads = pgTable('audit_payload', {
  eventId: uuid().primaryKey(),
  sealed: jsonb().$type<Record<string, { salt: string; value: unknown }>>().notNull(),
})

export const refusals = pgTable('refusal', {
  personId: uuid().notNull(),
  rule: text().notNull(),
  subjectId: uuid().notNull(),
  minute: instant().notNull(),
})

export const idempotencyKeys = pgTable('idempotency_key', {
  principalId: uuid().notNull(),
  key: text().notNull(),
  requestDigest: text().notNull(),
  response: jsonb(),
  createdAt: instant().notNull(),
})

export const systems = pgTable('system', {
  id: uuid().primaryKey(),
  key: text().notNull(),
  name: text().notNull(),
  kind: text({ enum: ['tool', 'model', 'dataset', 'agent', 'vendor_product'] }).notNull(),
  vendor: text(),
  description: text().notNull(),
  revision: integer().notNull().default(1),
  ...aggregate,
  createdAt: instant().notNull(),
})

const tier = { enum: ['minimal', 'limited', 'high', 'prohibited'] } as const
const loweredTier = { enum: ['minimal', 'limited', 'high'] } as const
const outcome = { enum: ['approved', 'approved_with_conditions', 'blocked', 'changes_requested'] } as const
const route = { enum: ['full', 'minor', 'adaptive', 'precedent', 'attestation', 'sample'] } as const

/** The instants and references from which standing is computed. */
const standing = {
  openReviewId: uuid(),
  lastOutcome: text(outcome),
  approvalId: uuid(),
  approvedTier: text(tier),
  validUntil: instant(),
  firstMaterialChangeAt: instant(),
  tierRaisedAt: instant(),
  blockId: uuid(),
  /** The approval was given with conditions. */
  hasConditions: boolean().notNull().default(false),
  /** When the first of its open obligations falls due. */
  nextDueAt: instant(),
  /** An obligation that has to be met before a deploy is open. */
  beforeDeployOpen: boolean().notNull().default(false),
  /** When what the approval requires goes stale, and since when it is not there: see `policy/missing.ts`. */
  evidenceStaleAt: instant(),
  evidenceMissingAt: instant(),
  controlMissingAt: instant(),
  /** Since when it is suspended; null when nothing suspends it. */
  suspendedAt: instant(),
  retiredAt: instant(),
}

/** One rule that fired, as kept with every tier. */
export interface FiredRule {
  id: string
  tier: 'minimal' | 'limited' | 'high' | 'prohibited'
  because: string
  /** True when only an unanswered question made it fire. */
  unknown: boolean
}

export const useCases = pgTable('use_case', {
  id: uuid().primaryKey(),
  number: bigint({ mode: 'number' }).notNull().default(sql`nextval('use_case_number')`),
  revision: integer().notNull().default(1),
  ...aggregate,
  createdAt: instant().notNull(),
  updatedAt: instant().notNull(),
  origin: text({ enum: ['declared', 'imported', 'discovered'] }).notNull(),
  version: integer().notNull(),
  title: text().notNull(),
  purpose: text().notNull(),
  benefits: text().notNull(),
  outputs: text().notNull(),
  orgUnitId: uuid().notNull(),
  jurisdictions: text().array().notNull(),
  channels: text().array().notNull(),
  stage: text({ enum: ['idea', 'pre_deployment', 'pilot', 'deployed'] }).notNull(),
  technique: text({
    enum: [
      'generative',
      'agentic',
      'classical_ml',
      'nlp',
      'computer_vision',
      'reinforcement_learning',
      'other',
    ],
  }),
  systemIds: uuid().array().notNull(),
  answers: jsonb().$type<Record<string, string>>().notNull(),
  businessOwnerId: uuid(),
  riskOwnerId: uuid(),
  tags: text().array().notNull(),
  /** Human authors since the last approval; none of them may vote on the next. */
  authorIds: uuid().array().notNull(),
  computedTier: text(tier).notNull(),
  raisedTier: text(tier),
  /** What a decision lowered the tier to, until an answer changes. */
  loweredTier: text(loweredTier),
  fired: jsonb().$type<FiredRule[]>().notNull(),
  policyDigest: text().notNull(),
  /** Facts that must not change while a review is open, and those the approval in force rests on. */
  openMaterialFacts: text().array(),
  materialFacts: text().array(),
  materialDigest: text(),
  /** What the approval in force requires, each as it was taken; copied from the decision. */
  required: jsonb().$type<Required[]>().notNull().default([]),
  /** The last instant until which an environment is open by break-glass. */
  breakGlassUntil: instant(),
  ...standing,
})

export const useCaseVersions = pgTable('use_case_version', {
  useCaseId: uuid().notNull(),
  version: integer().notNull(),
  recordedAt: instant().notNull(),
  authorId: uuid().notNull(),
  reason: text().notNull(),
  facts: jsonb().$type<Record<string, unknown>>().notNull(),
  computedTier: text(tier).notNull(),
  fired: jsonb().$type<FiredRule[]>().notNull(),
  policyDigest: text().notNull(),
})

export const useCaseStates = pgTable('use_case_state', {
  useCaseId: uuid().notNull(),
  revision: integer().notNull(),
  recordedAt: instant().notNull(),
  version: integer().notNull(),
  raisedTier: text(tier),
  loweredTier: text(loweredTier),
  ...standing,
})

export const retirements = pgTable('retirement', {
  useCaseId: uuid().primaryKey(),
  retiredBy: uuid().notNull(),
  retiredAt: instant().notNull(),
  reason: text().notNull(),
})

export const pipelineBindings = pgTable('pipeline_binding', {
  id: uuid().primaryKey(),
  personId: uuid().notNull(),
  useCaseId: uuid().notNull(),
  boundBy: uuid().notNull(),
  boundAt: instant().notNull(),
  unboundAt: instant(),
})

export const evidence = pgTable('evidence', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  kind: text().notNull(),
  title: text().notNull(),
  form: text({ enum: ['file', 'attestation', 'link'] }).notNull(),
  digest: text().notNull(),
  size: bigint({ mode: 'number' }).notNull(),
  mediaType: text().notNull(),
  fileName: text(),
  statement: text(),
  freshUntil: instant(),
  attachedBy: uuid().notNull(),
  attachedAt: instant().notNull(),
  url: text(),
  supersedesId: uuid(),
  sharedFromId: uuid(),
  /** When these bytes were first attached, here or where they were shared from; null for then and here. */
  givenAt: instant(),
  disposedAt: instant(),
  /** 1 for the first piece that came to take the place of `supersedesId`, and so on after each that was refused. */
  attempt: integer().notNull().default(1),
})

export const evidenceScans = pgTable('evidence_scan', {
  evidenceId: uuid().primaryKey(),
  state: text({ enum: ['quarantined', 'available', 'rejected'] }).notNull(),
  tries: integer().notNull(),
  nextAt: instant().notNull(),
  finding: text(),
  endedAt: instant(),
})

export const evidenceVerdicts = pgTable('evidence_verdict', {
  evidenceId: uuid().primaryKey(),
  attachedBy: uuid().notNull(),
  givenBy: uuid().notNull(),
  verdict: text({ enum: ['accepted', 'refused'] }).notNull(),
  note: text().notNull(),
  givenAt: instant().notNull(),
  /** The seats that the judge held there. */
  seats: text().array().notNull().default([]),
})

export const reviews = pgTable('review', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  round: integer().notNull(),
  version: integer().notNull(),
  tier: text(tier).notNull(),
  lane: jsonb().$type<Lane>().notNull(),
  policyDigest: text().notNull(),
  submittedBy: uuid().notNull(),
  note: text().notNull(),
  openedAt: instant().notNull(),
  dueAt: instant().notNull(),
  closedAt: instant(),
  outcome: text({
    enum: ['approved', 'approved_with_conditions', 'blocked', 'changes_requested', 'withdrawn'],
  }),
  closingReason: text(),
  /** Which way through policy led to its lane. */
  route: text(route).notNull().default('full'),
  lowerTierTo: text(loweredTier),
  waives: uuid().array().notNull().default([]),
  precedentId: uuid(),
  supersedesId: uuid(),
  /** The version of the decision before, from which the difference is shown. */
  sinceVersion: integer(),
  overlays: jsonb().$type<{ id: string; because: string }[]>().notNull().default([]),
  /** Patterns of conditions that overlays add to an approval. */
  imposes: text().array().notNull().default([]),
  /** What the submission wants to be excepted from. */
  exceptions: jsonb().$type<AskedException[]>().notNull().default([]),
})

export const reviewStages = pgTable('review_stage', {
  reviewId: uuid().notNull(),
  stage: text().notNull(),
  ordinal: integer().notNull(),
  quorum: integer().notNull(),
  openedAt: instant(),
  dueAt: instant(),
  closedAt: instant(),
  passed: boolean(),
})

export const reviewParties = pgTable('review_party', {
  reviewId: uuid().notNull(),
  personId: uuid().notNull(),
  part: text({ enum: ['excluded', 'elector'] }).notNull(),
  because: text().notNull(),
})

export const reviewSeats = pgTable('review_seat', {
  reviewId: uuid().notNull(),
  seat: text().notNull(),
  personId: uuid().notNull(),
  vacatedAt: instant(),
  /** The holder for whom a delegate fills the seat; on the holder's row, the delegate. */
  represents: uuid(),
  representedBy: uuid(),
})

export const votes = pgTable('vote', {
  id: uuid().primaryKey(),
  reviewId: uuid().notNull(),
  seat: text().notNull(),
  personId: uuid().notNull(),
  ordinal: integer().notNull(),
  choice: text({
    enum: ['approve', 'approve_with_conditions', 'block', 'request_changes', 'abstain', 'recuse'],
  }).notNull(),
  rationale: text().notNull(),
  decisionRight: text().notNull(),
  castAt: instant().notNull(),
  conditions: jsonb().$type<unknown[]>().notNull().default([]),
  onBehalfOf: uuid(),
})

export const decisions = pgTable('decision', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  reviewId: uuid().notNull(),
  outcome: text(outcome).notNull(),
  reason: text().notNull(),
  version: integer().notNull(),
  tier: text(tier).notNull(),
  laneId: text().notNull(),
  environments: text().array(),
  validUntil: instant(),
  materialFacts: text().array().notNull(),
  materialDigest: text().notNull(),
  policyDigest: text().notNull(),
  votes: jsonb().$type<unknown[]>().notNull(),
  evidence: jsonb().$type<unknown[]>().notNull(),
  decidedAt: instant().notNull(),
  route: text(route).notNull().default('full'),
  /** The version that the last full review looked at; null for the one it decided on itself. */
  basisVersion: integer(),
  loweredTier: text(loweredTier),
  conditions: jsonb().$type<unknown[]>().notNull().default([]),
  limits: jsonb().$type<Limit[]>().notNull().default([]),
  waived: uuid().array().notNull().default([]),
  overlays: jsonb().$type<{ id: string; because: string }[]>().notNull().default([]),
  precedentId: uuid(),
  supersedesId: uuid(),
  attestedBy: uuid(),
  attestation: text(),
  sampled: boolean().notNull().default(false),
  required: jsonb().$type<Required[]>().notNull().default([]),
})

/** Where an approval holds: one dimension, and the values in it that are covered. */
export interface Limit {
  on: 'environment' | 'jurisdiction' | 'channel'
  values: string[]
}

export const conditions = pgTable('condition', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  decisionId: uuid().notNull(),
  ordinal: integer().notNull(),
  type: text({ enum: ['obligation', 'limit'] }).notNull(),
  text: text().notNull(),
  pattern: text(),
  ownerId: uuid(),
  dueAt: instant(),
  beforeDeploy: boolean().notNull().default(false),
  satisfiedBy: text(),
  limitOn: text({ enum: ['environment', 'jurisdiction', 'channel'] }),
  limitValues: text().array(),
  imposedAt: instant().notNull(),
  /** Of policy, where it is what was required and not there. */
  requirement: text(),
  /** What has to be there for it to be met. */
  asks: jsonb().$type<Ask[]>().notNull().default([]),
})

export const conditionEndings = pgTable('condition_ending', {
  conditionId: uuid().primaryKey(),
  state: text({ enum: ['met', 'waived', 'ended'] }).notNull(),
  endedBy: uuid().notNull(),
  endedAt: instant().notNull(),
  note: text().notNull(),
  evidenceId: uuid(),
  verdict: text({ enum: ['accepted'] }),
  decisionId: uuid(),
})

export const delegations = pgTable('delegation', {
  id: uuid().primaryKey(),
  fromId: uuid().notNull(),
  toId: uuid().notNull(),
  startsAt: instant().notNull(),
  endsAt: instant().notNull(),
  reason: text().notNull(),
  createdBy: uuid().notNull(),
  createdAt: instant().notNull(),
  acceptedAt: instant(),
  endedBy: uuid(),
  endedAt: instant(),
})

export const incidents = pgTable('incident', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  ordinal: integer().notNull(),
  severity: text().notNull(),
  title: text().notNull(),
  description: text().notNull(),
  occurredAt: instant().notNull(),
  reportedBy: uuid().notNull(),
  reportedAt: instant().notNull(),
  closedBy: uuid(),
  closedAt: instant(),
  learned: text(),
})

export const incidentEntries = pgTable('incident_entry', {
  incidentId: uuid().notNull(),
  ordinal: integer().notNull(),
  enteredBy: uuid().notNull(),
  enteredAt: instant().notNull(),
  text: text().notNull(),
  severity: text(),
})

export const suspensions = pgTable('suspension', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  incidentId: uuid(),
  suspendedBy: uuid().notNull(),
  suspendedAt: instant().notNull(),
  reason: text().notNull(),
})

export const suspensionLiftings = pgTable('suspension_lifting', {
  suspensionId: uuid().primaryKey(),
  suspendedBy: uuid().notNull(),
  liftedBy: uuid().notNull(),
  liftedAt: instant().notNull(),
  reason: text().notNull(),
})

export const breakGlasses = pgTable('break_glass', {
  id: uuid().primaryKey(),
  useCaseId: uuid().notNull(),
  environment: text().notNull(),
  openedBy: uuid().notNull(),
  openedAt: instant().notNull(),
  expiresAt: instant().notNull(),
  reason: text().notNull(),
})

export const breakGlassClosings = pgTable('break_glass_closing', {
  breakGlassId: uuid().primaryKey(),
  closedBy: uuid().notNull(),
  closedAt: instant().notNull(),
  reason: text().notNull(),
})

export const breakGlassReviews = pgTable('break_glass_review', {
  breakGlassId: uuid().primaryKey(),
  openedBy: uuid().notNull(),
  reviewedBy: uuid().notNull(),
  reviewedAt: instant().notNull(),
  verdict: text({ enum: ['justified', 'not_justified'] }).notNull(),
  note: text().notNull(),
})

export const gateAnswers = pgTable('gate_answer', {
  id: uuid().primaryKey(),
  askedBy: uuid().notNull(),
  askedAt: instant().notNull(),
  question: jsonb().$type<Record<string, unknown>>().notNull(),
  useCaseId: uuid(),
  environment: text().notNull(),
  decision: text({ enum: ['allow', 'deny'] }).notNull(),
  enforced: boolean().notNull(),
  wouldBe: text({ enum: ['allow', 'deny'] }).notNull(),
  reasons: jsonb().$type<unknown[]>().notNull(),
  version: integer(),
  standing: text(),
  validUntil: instant(),
  policyDigest: text().notNull(),
  idempotencyKey: text(),
  requestDigest: text(),
  ordinal: integer(),
  breakGlassId: uuid(),
  ...aggregate,
})

export const sourceRegisters = pgTable('source_register', {
  name: text().primaryKey(),
  createdAt: instant().notNull(),
})

export const importRuns = pgTable('import_run', {
  id: uuid().primaryKey(),
  revision: integer().notNull().default(1),
  ...aggregate,
  register: text().notNull(),
  orgUnitId: uuid().notNull(),
  state: text({ enum: ['reading', 'previewed', 'applying', 'applied'] }).notNull(),
  fileName: text().notNull(),
  fileDigest: text().notNull(),
  format: text({ enum: ['csv', 'xlsx', 'ndjson'] }).notNull(),
  encoding: text(),
  sheet: text(),
  headerRow: integer().notNull(),
  columns: jsonb().$type<{ name: string; header: string }[]>().notNull(),
  rowCount: integer().notNull(),
  profile: jsonb().$type<Record<string, unknown>>().notNull(),
  profileFrom: text({ enum: ['chosen', 'detected', 'inferred', 'confirmed'] }).notNull(),
  /** Column name to the confidence with which its field was inferred, 0 to 1. */
  proposals: jsonb().$type<Record<string, number>>(),
  counts: jsonb().$type<Record<string, number>>(),
  doneThrough: integer().notNull().default(0),
  editions: uuid().array().notNull().default([]),
  createdBy: uuid().notNull(),
  createdAt: instant().notNull(),
  appliedBy: uuid(),
  appliedAt: instant(),
})

export const importRows = pgTable('import_row', {
  importId: uuid().notNull(),
  ordinal: integer().notNull(),
  rowNumber: integer().notNull(),
  identity: text().notNull(),
  /** In the order of the import's columns. */
  cells: json().$type<string[]>().notNull(),
  problems: text().array().notNull(),
  mapped: jsonb().$type<Record<string, unknown>>().notNull(),
  outcome: text({ enum: ['created', 'updated', 'unchanged', 'needs_attention', 'refused'] }).notNull(),
  reasons: jsonb().$type<unknown[]>().notNull(),
  useCaseId: uuid(),
})

export const useCaseSources = pgTable('use_case_source', {
  useCaseId: uuid().primaryKey(),
  register: text().notNull(),
  identity: text().notNull(),
  /** The facts that the row meant here. */
  base: jsonb().$type<Record<string, unknown>>().notNull(),
  importId: uuid().notNull(),
  ordinal: integer().notNull(),
})
