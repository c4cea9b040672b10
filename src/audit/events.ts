import { z } from 'zod'

/**
 * The catalogue of events. `leaf` is what an outsider may one day read in the log: ids, names, digests. `sealed` is
 * personal or bulky: the leaf holds a salted hash of it, the value lies beside the leaf and can be erased.
 */
function event<A extends AggregateKind, L extends z.ZodRawShape, S extends z.ZodRawShape>(
  of: A,
  leaf: L,
  sealed: S,
) {
  return { of, leaf: z.strictObject(leaf), sealed: z.strictObject(sealed) }
}

/** What numbers its own events: each row of these tables is locked before an event is recorded on it. */
export type AggregateKind =
  | 'use_case'
  | 'person'
  | 'org_unit'
  | 'system'
  | 'import_run'
  | 'gate_answer'
  | 'policy'
  | 'webhook'
  | 'catalog'

const id = z.uuid()
const right = z.string().regex(/^DR-\d+$/)
const word = z.string().max(60)
const digest = z.string().max(100)
const prose = z.string()
/** Not looked into: what canonical JSON cannot hold is refused when it is hashed. */
const json = z.custom<z.core.util.JSONType>()
/** How long a piece is kept: until then, and for so many days after its use case is retired. */
const kept = { ordinal: z.int(), retainUntil: prose, daysAfterRetirement: z.int(), classes: z.array(word) }
/** Of whoever judged; earlier events do not say. */
const seats = z.array(word).optional()
const tier = z.enum(['minimal', 'limited', 'high', 'prohibited'])

export const catalogue = {
  'person.invited': event(
    'person',
    { right: word, kind: word, expiresAt: prose.optional() },
    { name: prose, email: prose.nullable(), issuer: prose.nullable(), subject: prose.nullable() },
  ),
  'person.joined': event(
    'person',
    { by: z.enum(['issuer', 'key', 'first_sign_in']) },
    { name: prose, issuer: prose.nullable(), subject: prose.nullable() },
  ),
  'recovery.opened': event('person', { right: word, expiresAt: prose }, {}),
  'person.revised': event('person', { right }, { name: prose, email: prose.nullable() }),
  'person.left': event('person', { right }, { reason: prose }),
  'right.granted': event('person', { right: word, grantId: id, kind: word, name: word, orgUnitId: id }, {}),
  'right.revoked': event(
    'person',
    { right, grantId: id, kind: word, name: word, orgUnitId: id },
    { reason: prose },
  ),
  'token.issued': event(
    'person',
    { right: word, tokenId: id, kind: word, expiresAt: prose },
    { name: prose },
  ),
  'token.revoked': event('person', { right, tokenId: id }, {}),
  'pipeline.bound': event('person', { right, bindingId: id, useCaseId: id }, {}),
  'pipeline.unbound': event('person', { right, bindingId: id, useCaseId: id }, {}),
  'access.denied': event('person', { rule: word, action: word, kind: word, subjectId: id }, {}),
  'org_unit.created': event('org_unit', { right, key: word, parentId: id }, { name: prose }),
  'org_unit.revised': event('org_unit', { right, parentId: id.nullable() }, { name: prose }),
  'system.registered': event(
    'system',
    { right, key: prose, kind: word },
    { name: prose, vendor: prose.nullable(), description: prose },
  ),
  'system.revised': event(
    'system',
    { right, revision: z.int() },
    { name: prose, vendor: prose.nullable(), description: prose },
  ),
  'use_case.registered': event(
    'use_case',
    {
      right,
      version: z.int(),
      orgUnitId: id,
      tier,
      fired: z.array(word),
      policy: digest,
      factsDigest: digest,
      origin: word,
      importId: id.optional(),
    },
    { facts: json, reason: prose },
  ),
  'use_case.revised': event(
    'use_case',
    {
      right,
      version: z.int(),
      orgUnitId: id,
      tier,
      fired: z.array(word),
      policy: digest,
      factsDigest: digest,
      material: z.array(prose),
      changed: z.array(prose),
      importId: id.optional(),
    },
    { facts: json, reason: prose },
  ),
  'use_case.retired': event('use_case', { right, importId: id.optional() }, { reason: prose }),
  'tier.recomputed': event(
    'use_case',
    {
      ...{ right, from: tier, to: tier, fired: z.array(word), policy: digest },
      ...{ inForce: tier, loweringEnded: z.boolean(), lapsed: z.boolean() },
    },
    {},
  ),
  'tier.raised': event('use_case', { right, from: tier, to: tier }, { reason: prose }),
  'evidence.attached': event(
    'use_case',
    {
      ...{ right, evidenceId: id, kind: word, form: word, digest, size: z.number() },
      ...{ supersedesId: id.optional(), sharedFromId: id.optional() },
      ...{ retainUntil: prose.optional(), daysAfterRetirement: z.int().optional() },
      classes: z.array(word).optional(),
    },
    { title: prose, fileName: prose.nullable(), statement: prose.nullable(), url: prose.optional() },
  ),
  'retention.raised': event('use_case', { evidenceId: id, ...kept, policy: digest }, {}),
  'retention.extended': event('use_case', { right, evidenceId: id, ...kept }, { reason: prose }),
  'retention.shortening_proposed': event(
    'use_case',
    { right, shorteningId: id, evidenceId: id, retainUntil: prose },
    { reason: prose },
  ),
  'retention.shortening_rejected': event(
    'use_case',
    { right, shorteningId: id, evidenceId: id },
    { reason: prose },
  ),
  'retention.shortened': event(
    'use_case',
    { right, shorteningId: id, evidenceId: id, ...kept, proposedBy: id },
    { reason: prose },
  ),
  'legal_hold.placed': event(
    'use_case',
    { right, holdId: id, key: word, evidenceIds: z.array(id), whole: z.boolean() },
    { title: prose },
  ),
  'legal_hold.released': event(
    'use_case',
    { right, holdId: id, objectId: id, evidenceId: id.nullable() },
    { reason: prose },
  ),
  'legal_hold.lifted': event('use_case', { right, holdId: id }, { reason: prose }),
  'disposal.proposed': event(
    'use_case',
    { right, disposalId: id, evidenceIds: z.array(id), policy: digest },
    { reason: prose },
  ),
  'disposal.rejected': event('use_case', { right, disposalId: id, proposedBy: id }, { reason: prose }),
  'disposal.confirmed': event(
    'use_case',
    { right, disposalId: id, proposedBy: id, pieces: z.int() },
    { reason: prose },
  ),
  'evidence.disposed': event(
    'use_case',
    {
      ...{ disposalId: id, evidenceId: id, digest, size: z.number(), proposedBy: id, policy: digest },
      ...{ classes: z.array(word), retainedUntil: prose },
    },
    {},
  ),
  'evidence.damaged': event('use_case', { evidenceId: id, digest, found: word }, {}),
  'evidence.mended': event('use_case', { evidenceId: id, digest }, {}),
  'evidence.released': event('use_case', { evidenceId: id, digest }, {}),
  'evidence.rejected': event('use_case', { evidenceId: id, digest }, { finding: prose }),
  'evidence.accepted': event('use_case', { right, evidenceId: id, digest, seats }, { note: prose }),
  'evidence.refused': event('use_case', { right, evidenceId: id, digest, seats }, { note: prose }),
  'control.assessed': event(
    'use_case',
    {
      ...{ right, catalog: word, version: word, copiedFrom: id.optional() },
      controls: z.array(z.strictObject({ id: prose, state: word, evidenceIds: z.array(id) })),
    },
    { notes: json },
  ),
  'exception.granted': event(
    'use_case',
    { exceptionId: id, decisionId: id, requirement: word, control: prose.optional(), until: prose },
    { compensating: prose, reason: prose },
  ),
  'review.opened': event(
    'use_case',
    {
      ...{ right, reviewId: id, round: z.int(), version: z.int(), tier, lane: word, policy: digest },
      ...{ route: word, overlays: z.array(word), lowerTierTo: tier.optional(), waives: z.array(id) },
      ...{ precedentId: id.optional(), supersedesId: id.optional(), excepts: z.array(word).optional() },
    },
    { note: prose, exceptions: json.optional() },
  ),
  'review.withdrawn': event('use_case', { right, reviewId: id }, { reason: prose }),
  'vote.cast': event(
    'use_case',
    { right, reviewId: id, seat: word, ordinal: z.int(), choice: word, onBehalfOf: id.optional() },
    { rationale: prose, conditions: json },
  ),
  'stage.opened': event('use_case', { reviewId: id, stage: word, dueAt: prose }, {}),
  'stage.closed': event('use_case', { reviewId: id, stage: word, passed: z.boolean() }, {}),
  'decision.made': event(
    'use_case',
    {
      reviewId: id,
      decisionId: id,
      outcome: word,
      tier,
      lane: word,
      version: z.int(),
      materialDigest: digest,
      policy: digest,
      validUntil: prose.nullable(),
      ...{
        route: word,
        conditions: z.int(),
        limits: z.int(),
        waived: z.array(id),
        loweredTier: tier.optional(),
      },
      ...{ precedentId: id.optional(), supersedesId: id.optional(), sampled: z.boolean().optional() },
      ...{ attestedBy: id.optional(), required: z.int().optional(), excepted: z.int().optional() },
    },
    { reason: prose },
  ),
  'condition.imposed': event(
    'use_case',
    { conditionId: id, decisionId: id, kind: word, pattern: word.optional(), dueAt: prose.nullable() },
    { text: prose },
  ),
  'condition.met': event(
    'use_case',
    { right, conditionId: id, evidenceId: id, evidenceDigest: digest },
    { note: prose },
  ),
  'condition.reassigned': event('use_case', { right, conditionId: id, from: id, to: id }, { reason: prose }),
  'condition.waived': event('use_case', { conditionId: id, decisionId: id }, {}),
  'condition.ended': event('use_case', { conditionId: id, decisionId: id }, {}),
  'use_case.suspended': event(
    'use_case',
    { right, suspensionId: id, incidentId: id.optional() },
    { reason: prose },
  ),
  'suspension.lifted': event('use_case', { right, suspensionId: id }, { reason: prose }),
  'incident.reported': event(
    'use_case',
    { right, incidentId: id, severity: word, occurredAt: prose },
    { title: prose, description: prose },
  ),
  'incident.continued': event(
    'use_case',
    { right, incidentId: id, ordinal: z.int(), severity: word.optional() },
    { text: prose },
  ),
  'incident.closed': event('use_case', { right, incidentId: id }, { learned: prose }),
  'break_glass.opened': event(
    'use_case',
    { right, breakGlassId: id, environment: word, expiresAt: prose },
    { reason: prose },
  ),
  'break_glass.closed': event('use_case', { right, breakGlassId: id }, { reason: prose }),
  'break_glass.reviewed': event('use_case', { right, breakGlassId: id, verdict: word }, { note: prose }),
  'delegation.made': event(
    'person',
    { right, delegationId: id, fromId: id, toId: id, startsAt: prose, endsAt: prose },
    { reason: prose },
  ),
  'delegation.accepted': event('person', { right, delegationId: id, fromId: id, toId: id }, {}),
  'delegation.ended': event('person', { right, delegationId: id, fromId: id, toId: id }, {}),
  'person.handed_over': event(
    'person',
    { right, toId: id.nullable(), useCases: z.int(), conditions: z.int() },
    { reason: prose },
  ),
  'approval.lapsed': event('use_case', { decisionId: id, reason: word, since: prose }, {}),
  'stage.overdue': event('use_case', { reviewId: id, stage: word, since: prose }, {}),
  'condition.due_soon': event('use_case', { conditionId: id, dueAt: prose }, {}),
  'condition.overdue': event('use_case', { conditionId: id, since: prose }, {}),
  'catalog.imported': event(
    'catalog',
    { right, key: prose, version: prose, controls: z.int(), format: word, fileDigest: digest },
    { title: prose },
  ),
  'webhook.created': event(
    'webhook',
    { right, orgUnitId: id, eventTypes: z.array(word).nullable() },
    { name: prose, url: prose },
  ),
  'webhook.rotated': event('webhook', { right, secretId: id, overlapHours: z.number() }, {}),
  'webhook.tested': event('webhook', { right }, {}),
  'webhook.replayed': event('webhook', { right, deliveries: z.int(), since: prose.optional() }, {}),
  'webhook.disabled': event('webhook', { right: right.optional(), because: word }, {}),
  'webhook.enabled': event('webhook', { right }, {}),
  'webhook.ended': event('webhook', { right }, {}),
  'notices.chosen': event('person', { mail: z.boolean() }, {}),
  'import.uploaded': event(
    'import_run',
    { right, orgUnitId: id, fileDigest: digest },
    { fileName: prose, register: word },
  ),
  'import.mapped': event('import_run', { right, profileDigest: digest }, { profile: word, register: word }),
  'import.advanced': event('import_run', { right, state: word, through: z.int() }, {}),
  'import.previewed': event(
    'import_run',
    { right, fileDigest: digest, rows: z.int() },
    { fileName: prose, profile: word },
  ),
  'import.applied': event(
    'import_run',
    {
      right,
      created: z.int(),
      updated: z.int(),
      unchanged: z.int(),
      needsAttention: z.int(),
      refused: z.int(),
      gone: z.int(),
    },
    {},
  ),
  'policy.loaded': event('policy', { digest, version: word }, { deployedBy: prose.nullable() }),
  'policy.applied': event(
    'policy',
    {
      ...{ right, policy: digest, through: prose.nullable() },
      ...{ examined: z.int(), changed: z.int(), finished: z.boolean() },
    },
    {},
  ),
  'gate.answered': event(
    'gate_answer',
    {
      useCaseId: id.nullable(),
      environment: word,
      decision: word,
      enforced: z.boolean(),
      reasons: z.array(word),
      policy: digest,
      breakGlassId: id.optional(),
    },
    { question: json },
  ),
} as const

type Catalogue = typeof catalogue
export type EventType = keyof Catalogue

/** An event as a service records it: its type, the leaf's members, and what is sealed. */
export type DomainEvent = {
  [T in EventType]: { type: T } & z.input<Catalogue[T]['leaf']> & { sealed: z.input<Catalogue[T]['sealed']> }
}[EventType]
