import { and, asc, eq, gt, isNull, or } from 'drizzle-orm'
import pg from 'pg'
import type { Aggregate } from '../audit/log.js'
import { people, pipelineBindings } from '../db/schema.js'
import { lock, type ReadTx, type WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { fromPostgres, type Instant } from '../instant.js'
import type { PageRequest } from '../page.js'
import { numberOf } from '../use-cases/use-case.js'
import type { Binding } from './binding.js'
import type { Answer, AnswerOnRecord, Question } from './gate.js'
import type { GateFacts, Opening } from './judging.js'

/** A pipelined connection, or that of a transaction. */
export interface Asked {
  query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>>
}

/** What the gate reads, with what decision rights look at. */
export interface GateRow extends GateFacts {
  orgUnitId: string
  businessOwnerId: string | null
  riskOwnerId: string | null
}

const INT8 = 20
const TIMESTAMPTZ = 1184
const types: pg.CustomTypesConfig = {
  getTypeParser: (type: number) => {
    if (type === TIMESTAMPTZ) return fromPostgres
    return type === INT8 ? Number : pg.types.getTypeParser(type)
  },
}

/** One column of JSON: a description of two dozen with every answer would cost more than all else about it. */
const select = `
  select json_build_object('id', c.id, 'number', c.number, 'version', c.version, 'orgUnitId', c.org_unit_id,
    'businessOwnerId', c.business_owner_id, 'riskOwnerId', c.risk_owner_id, 'computedTier', c.computed_tier,
    'raisedTier', c.raised_tier, 'loweredTier', c.lowered_tier, 'hasConditions', c.has_conditions,
    'nextDueAt', c.next_due_at::text, 'beforeDeployOpen', c.before_deploy_open, 'suspendedAt', c.suspended_at::text,
    'evidenceStaleAt', c.evidence_stale_at::text, 'evidenceMissingAt', c.evidence_missing_at::text,
    'controlMissingAt', c.control_missing_at::text,
    'breakGlassUntil', c.break_glass_until::text, 'openReviewId', c.open_review_id, 'lastOutcome', c.last_outcome,
    'approvalId', c.approval_id, 'approvedTier', c.approved_tier,
    'validUntil', case when c.valid_until is not null then least(c.valid_until, d.valid_until) end::text,
    'firstMaterialChangeAt', c.first_material_change_at::text, 'tierRaisedAt', c.tier_raised_at::text,
    'blockId', c.block_id, 'retiredAt', c.retired_at::text, 'approvalFound', d.id,
    'environments', d.environments, 'limits', d.limits, 'jurisdictions', c.jurisdictions, 'channels', c.channels) as row
  from use_case c
  left join decision d on d.id = c.approval_id and d.use_case_id = c.id and d.outcome in ('approved', 'approved_with_conditions')`

const byNumber = { name: 'gate_by_number', text: `${select} where c.number = $1` }
const byId = { name: 'gate_by_id', text: `${select} where c.id = $1` }

/** By key or id, as it is at this moment, in one round trip of a statement that is prepared once. */
export async function findAtGate(on: Asked, useCase: string): Promise<GateRow | undefined> {
  const number = numberOf(useCase)
  const { name, text } = number === undefined ? byId : byNumber
  const { rows } = await on.query<{ row: GateRow }>({ name, text, values: [number ?? useCase] })
  const row = rows[0]?.row
  if (!row) return undefined
  row.validUntil &&= fromPostgres(row.validUntil)
  row.firstMaterialChangeAt &&= fromPostgres(row.firstMaterialChangeAt)
  row.tierRaisedAt &&= fromPostgres(row.tierRaisedAt)
  row.nextDueAt &&= fromPostgres(row.nextDueAt)
  row.evidenceStaleAt &&= fromPostgres(row.evidenceStaleAt)
  row.evidenceMissingAt &&= fromPostgres(row.evidenceMissingAt)
  row.controlMissingAt &&= fromPostgres(row.controlMissingAt)
  row.suspendedAt &&= fromPostgres(row.suspendedAt)
  row.breakGlassUntil &&= fromPostgres(row.breakGlassUntil)
  row.retiredAt &&= fromPostgres(row.retiredAt)
  return row
}

/** The emergency opening of this environment that lasts longest, among those that nobody closed. */
export async function findOpening(
  on: Asked,
  { useCaseId, environment, now }: { useCaseId: string; environment: string; now: Instant },
): Promise<Opening | undefined> {
  const { rows } = await on.query<Opening & pg.QueryResultRow>({
    name: 'gate_opening',
    text: `select b.id, b.expires_at as "expiresAt" from break_glass b
      where b.use_case_id = $1 and b.environment = $2 and b.expires_at > $3
        and not exists (select from break_glass_closing l where l.break_glass_id = b.id)
      order by b.expires_at desc, b.id desc limit 1`,
    types,
    values: [useCaseId, environment, now],
  })
  return rows[0]
}

/** An Idempotency-Key, the digest of the question that came with it, and how often it was answered anew. */
export interface Key {
  key: string
  digest: string
  ordinal: number
}

/** One answer a row, and one event each, so that the row is written once. @returns what numbers its event */
export function insertAnswer(
  tx: WriteTx,
  answer: Answer,
  question: Question,
  idempotency: Key | undefined,
): Aggregate {
  const { decision, enforced, wouldBe, reasons, useCaseId, version, standing, environment } = answer
  const { askedAt, validUntil, policyDigest, breakGlassId } = answer
  const { key = null, digest = null, ordinal = null } = idempotency ?? {}
  const id = newId()
  const inserted = tx.client.query({
    name: 'insert_gate_answer',
    text: `insert into gate_answer (id, asked_by, asked_at, question, use_case_id, environment, decision, enforced,
        would_be, reasons, version, standing, valid_until, policy_digest, idempotency_key, request_digest, ordinal, break_glass_id,
        last_event_no, last_event_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1, $3)`,
    values: [
      ...[id, tx.principal.personId, askedAt, JSON.stringify(question), useCaseId, environment, decision],
      ...[enforced, wouldBe, JSON.stringify(reasons), version, standing, validUntil, policyDigest],
      ...[key, digest, ordinal, breakGlassId],
    ],
  })
  tx.alongside(inserted)
  return { id, lastEventNo: 0, storedEventNo: 1 }
}

/** An answer as it was given, with what decision rights look at. */
export interface AnswerRow extends AnswerOnRecord {
  orgUnitId: string | null
  requestDigest: string | null
  ordinal: number | null
}

const selectAnswer = `
  select a.id, a.decision, a.enforced, a.would_be as "wouldBe", a.reasons,
    coalesce('UC-' || c.number, a.question ->> 'useCase') as "useCase", a.use_case_id as "useCaseId", a.version,
    a.standing, a.environment, a.asked_at as "askedAt", a.valid_until as "validUntil",
    a.policy_digest as "policyDigest", a.break_glass_id as "breakGlassId", a.asked_by as "askedBy", a.question, c.org_unit_id as "orgUnitId",
    a.request_digest as "requestDigest", a.ordinal
  from gate_answer a left join use_case c on c.id = a.use_case_id`

/** What this person was answered last under this Idempotency-Key. */
export async function findEarlier(on: Asked, personId: string, key: string): Promise<AnswerRow | undefined> {
  const { rows } = await on.query<AnswerRow>({
    name: 'gate_earlier',
    text: `${selectAnswer} where a.asked_by = $1 and a.idempotency_key = $2 order by a.ordinal desc limit 1`,
    types,
    values: [personId, key],
  })
  return rows[0]
}

export async function getAnswerRow(on: Asked, id: string): Promise<AnswerRow> {
  const { rows } = await on.query<AnswerRow>({
    name: 'gate_answer',
    text: `${selectAnswer} where a.id = $1`,
    types,
    values: [id],
  })
  if (!rows[0]) throw notFound('gate answer')
  return rows[0]
}

export async function lockPipeline(tx: WriteTx, personId: string): Promise<typeof people.$inferSelect> {
  return await lock(tx, people, personId, 'person')
}

type BindingRow = typeof pipelineBindings.$inferSelect

export async function insertBinding(tx: WriteTx, useCaseId: string, personId: string): Promise<BindingRow> {
  const [row] = await tx.sql
    .insert(pipelineBindings)
    .values({ id: newId(), personId, useCaseId, boundBy: tx.principal.personId, boundAt: tx.now })
    .onConflictDoNothing()
    .returning()
  if (!row)
    throw new RegistryError('conflict', 'this pipeline is bound to the use case already; nothing to do')
  return row
}

/** Ends a binding; it stays on record. */
export async function endBinding(tx: WriteTx, useCaseId: string, personId: string): Promise<BindingRow> {
  const [row] = await tx.sql
    .update(pipelineBindings)
    .set({ unboundAt: tx.now })
    .where(
      and(
        eq(pipelineBindings.useCaseId, useCaseId),
        eq(pipelineBindings.personId, personId),
        isNull(pipelineBindings.unboundAt),
      ),
    )
    .returning()
  if (!row)
    throw new RegistryError('not_found', 'this pipeline is not bound to the use case; list those that are')
  return row
}

/** Bindings in force, the oldest first; one row more than asked for says that there are more. */
export async function listBindings(
  tx: ReadTx,
  useCaseId: string,
  { limit, after }: PageRequest,
): Promise<Binding[]> {
  const [boundAt, id] = (after ?? []).map(String)
  const { boundAt: at, id: bindingId } = pipelineBindings
  const beyond = boundAt && id ? or(gt(at, boundAt), and(eq(at, boundAt), gt(bindingId, id))) : undefined
  const { useCaseId: useCase, personId, boundBy } = pipelineBindings
  return await tx.sql
    .select({ id: bindingId, useCaseId: useCase, personId, name: people.name, boundBy, boundAt: at })
    .from(pipelineBindings)
    .innerJoin(people, eq(people.id, personId))
    .where(and(eq(useCase, useCaseId), isNull(pipelineBindings.unboundAt), beyond))
    .orderBy(asc(at), asc(bindingId))
    .limit(limit + 1)
}
