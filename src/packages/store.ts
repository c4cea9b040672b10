import { type SQL, sql } from 'drizzle-orm'
import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Selection } from '../db/selection.js'
import type { Snapshot } from '../db/snapshot.js'
import type { Instant } from '../instant.js'
import type { Kind } from '../registers/register.js'

/** The use cases of a package, as conditions on `use_case u`, and the instant it is of. */
export interface Reach {
  where: SQL[]
  at: Instant
}

const head = {
  useCaseId: sql`u.id`,
  orgUnitId: sql`u.org_unit_id`,
  businessOwnerId: sql`u.business_owner_id`,
  riskOwnerId: sql`u.risk_owner_id`,
}

/** Use cases whose register the caller may export, and whose log they may read; today, whatever the instant. */
export function reachOf(ability: Ability, at: Instant, narrower: SQL[]): Reach {
  const { useCaseId: id, ...ofUseCase } = head
  return {
    where: [
      visibleWhere(ability, 'export', 'Register', head),
      visibleWhere(ability, 'read', 'UseCase', { id, ...ofUseCase }),
      visibleWhere(ability, 'read', 'Event', { aggregateId: id, ...ofUseCase }),
      ...narrower,
    ],
    at,
  }
}

export const isUseCase = (id: string): SQL => sql`u.id = ${id}::uuid`
export const unitOfUseCase = head.orgUnitId

/** Only what belongs to the use cases of the package. */
export function within<R>(selection: Selection<R>, { where }: Reach): Selection<R> {
  return { ...selection, where: [...selection.where, ...where] }
}

/** Grants for the unit of one use case, and for those above it. */
export function above<R>(selection: Selection<R>, useCaseId: string): Selection<R> {
  const units = sql`with recursive up as (
    select id, parent_id from org_unit where id = (select org_unit_id from use_case where id = ${useCaseId}::uuid)
    union all select o.id, o.parent_id from org_unit o join up on up.parent_id = o.id) select id from up`
  return { ...selection, where: [...selection.where, sql`g.org_unit_id in (${units})`] }
}

type Fields = Record<string, Kind | [Kind, SQL]>

/** Columns of a table under their names, and others that are made. */
function rowsOf(alias: string, fields: Fields, from: SQL, where: SQL[], by: SQL): Selection<object> {
  const entries = Object.entries(fields).map(([name, field]) => {
    const [kind, source] = Array.isArray(field) ? field : [field, sql.raw(`${alias}.${snakeOf(name)}`)]
    return { name, kind, source }
  })
  return {
    kinds: Object.fromEntries(entries.map(({ name, kind }) => [name, kind])),
    columns: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
    ...{ from, where },
    order: { by, type: 'uuid', keyOf: () => '' },
  }
}

function snakeOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

const useCase = { useCase: ['word', sql`'UC-' || u.number`] } satisfies Fields
const instantSql = (at: Instant): SQL => sql`(select ${at}::timestamptz)`
/** The value, if what it belongs to had happened by then. */
const by = (at: SQL, happened: SQL, value: SQL): SQL => sql`case when ${happened} <= ${at} then ${value} end`

export function selectVersions({ where, at }: Reach): Selection<object> {
  const fields: Fields = {
    ...{ ...useCase, useCaseId: 'word', version: 'number', recordedAt: 'instant', authorId: 'word' },
    ...{ reason: 'text', facts: 'json', computedTier: 'word', fired: 'json', policyDigest: 'word' },
  }
  const from = sql`use_case_version v join use_case u on u.id = v.use_case_id`
  const until = sql`v.recorded_at <= ${instantSql(at)}`
  return rowsOf('v', fields, from, [...where, until], sql`v.use_case_id, v.version`)
}

export function selectReviews(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const closed = (kind: Kind, column: SQL): [Kind, SQL] => [kind, by(then, sql`q.closed_at`, column)]
  const fields: Fields = {
    ...{ ...useCase, id: 'word', useCaseId: 'word', round: 'number', version: 'number', tier: 'word' },
    ...{ route: 'word', lane: 'json', overlays: 'json', policyDigest: 'word', submittedBy: 'word' },
    ...{ note: 'text', openedAt: 'instant', closedAt: closed('instant', sql`q.closed_at`) },
    ...{ outcome: closed('word', sql`q.outcome`), closingReason: closed('text', sql`q.closing_reason`) },
  }
  const excludedIds = sql`array(select e.person_id from review_party e where e.review_id = q.id and e.part = 'excluded')`
  const readable = visibleWhere(ability, 'read', 'Review', {
    ...{ ...head, submittedBy: sql`q.submitted_by`, excludedIds },
  })
  const from = sql`review q join use_case u on u.id = q.use_case_id`
  return rowsOf('q', fields, from, [...where, readable, sql`q.opened_at <= ${then}`], sql`q.id`)
}

/** Who answers for a condition is as of today. */
export function selectConditions(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const ended = (kind: Kind, column: SQL): [Kind, SQL] => [kind, by(then, sql`y.ended_at`, column)]
  const fields: Fields = {
    ...{ ...useCase, id: 'word', useCaseId: 'word', decisionId: 'word', ordinal: 'number', type: 'word' },
    ...{ text: 'text', pattern: 'word', ownerId: 'word', dueAt: 'instant', beforeDeploy: 'json' },
    ...{ satisfiedBy: 'word', limitOn: 'word', limitValues: 'texts', imposedAt: 'instant' },
    ...{ state: ['word', sql`coalesce(${by(then, sql`y.ended_at`, sql`y.state`)}, 'open')`] },
    ...{ endedBy: ended('word', sql`y.ended_by`), endedAt: ended('instant', sql`y.ended_at`) },
    ...{ note: ended('text', sql`y.note`), evidenceId: ended('word', sql`y.evidence_id`) },
  }
  const readable = visibleWhere(ability, 'read', 'Condition', { ...head, ownerId: sql`c.owner_id` })
  const from = sql`condition c join use_case u on u.id = c.use_case_id
    left join condition_ending y on y.condition_id = c.id`
  return rowsOf('c', fields, from, [...where, readable, sql`c.imposed_at <= ${then}`], sql`c.id`)
}

export function selectSuspensions(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const lifted = (kind: Kind, column: SQL): [Kind, SQL] => [kind, by(then, sql`y.lifted_at`, column)]
  const fields: Fields = {
    ...{ ...useCase, id: 'word', useCaseId: 'word', incidentId: 'word', suspendedBy: 'word' },
    ...{ suspendedAt: 'instant', reason: 'text', liftedBy: lifted('word', sql`y.lifted_by`) },
    ...{ liftedAt: lifted('instant', sql`y.lifted_at`), liftingReason: lifted('text', sql`y.reason`) },
  }
  const readable = visibleWhere(ability, 'read', 'Suspension', { ...head, suspendedBy: sql`s.suspended_by` })
  const from = sql`suspension s join use_case u on u.id = s.use_case_id
    left join suspension_lifting y on y.suspension_id = s.id`
  return rowsOf('s', fields, from, [...where, readable, sql`s.suspended_at <= ${then}`], sql`s.id`)
}

/** How severe it is counted is as of today; its entries say how that changed. */
export function selectIncidents(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const closed = (kind: Kind, column: SQL): [Kind, SQL] => [kind, by(then, sql`n.closed_at`, column)]
  const entries = sql`coalesce((select json_agg(json_build_object('ordinal', y.ordinal, 'enteredBy', y.entered_by,
      'enteredAt', y.entered_at, 'text', y.text, 'severity', y.severity) order by y.ordinal)
    from incident_entry y where y.incident_id = n.id and y.entered_at <= ${then}), '[]')`
  const fields: Fields = {
    ...{ ...useCase, id: 'word', useCaseId: 'word', ordinal: 'number', severity: 'word', title: 'text' },
    ...{ description: 'text', occurredAt: 'instant', reportedBy: 'word', reportedAt: 'instant' },
    ...{ entries: ['json', entries], closedBy: closed('word', sql`n.closed_by`) },
    ...{ closedAt: closed('instant', sql`n.closed_at`), learned: closed('text', sql`n.learned`) },
  }
  const readable = visibleWhere(ability, 'read', 'Incident', { ...head, reportedBy: sql`n.reported_by` })
  const from = sql`incident n join use_case u on u.id = n.use_case_id`
  return rowsOf('n', fields, from, [...where, readable, sql`n.reported_at <= ${then}`], sql`n.id`)
}

export function selectEvidence(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const judged = (kind: Kind, column: SQL): [Kind, SQL] => [kind, by(then, sql`y.given_at`, column)]
  const fields: Fields = {
    ...{ ...useCase, id: 'word', useCaseId: 'word', kind: 'word', title: 'text', form: 'word' },
    ...{ digest: 'word', size: 'number', mediaType: 'word', fileName: 'text', statement: 'text' },
    ...{ freshUntil: 'instant', attachedBy: 'word', attachedAt: 'instant' },
    ...{ verdict: judged('word', sql`y.verdict`), judgedBy: judged('word', sql`y.given_by`) },
    ...{ judgedAt: judged('instant', sql`y.given_at`), note: judged('text', sql`y.note`) },
  }
  const from = sql`evidence i join use_case u on u.id = i.use_case_id
    left join evidence_verdict y on y.evidence_id = i.id`
  return rowsOf('i', fields, from, evidenceWhere(ability, { where, at }), sql`i.id`)
}

function evidenceWhere(ability: Ability, { where, at }: Reach): SQL[] {
  const readable = visibleWhere(ability, 'read', 'Evidence', { ...head, attachedBy: sql`i.attached_by` })
  return [...where, readable, sql`i.attached_at <= ${instantSql(at)}`]
}

/** The events of the use cases, with the salts that the log's hashes are made with. */
export function selectEvents({ where, at }: Reach): Selection<object> {
  const fields: Fields = {
    ...{ id: 'word', type: 'word', aggregateId: 'word', eventNo: 'number', recordedAt: 'instant' },
    ...{ actorId: 'word', leaf: ['word', sql`translate(encode(a.leaf, 'base64'), E'\\n', '')`] },
    sealed: ['json', sql`y.sealed`],
  }
  const from = sql`audit_event a join use_case u on u.id = a.aggregate_id
    left join audit_payload y on y.event_id = a.id`
  const until = sql`a.recorded_at <= ${instantSql(at)}`
  return rowsOf('a', fields, from, [...where, until], sql`a.aggregate_id, a.event_no`)
}

/** Digests of the policies that versions and decisions name. */
export async function listPolicyDigests({ sql: on }: Snapshot, { where, at }: Reach): Promise<string[]> {
  const conditions = sql.join(where, sql` and `)
  const { rows } = await on.execute<{ digest: string }>(sql`
    select d.policy_digest as digest from decision d join use_case u on u.id = d.use_case_id
      where ${conditions} and d.decided_at <= ${at}::timestamptz
    union select v.policy_digest from use_case_version v join use_case u on u.id = v.use_case_id
      where ${conditions} and v.recorded_at <= ${at}::timestamptz
    order by 1`)
  return rows.map(({ digest }) => digest)
}

/** A file of evidence, by the digest of its bytes. */
export interface StoredFile extends Record<string, unknown> {
  digest: string
  size: number
}

const PAGE = 1000

/** Each file once, in the order of digests, a thousand at a time: there is no telling how many there are. */
export async function* listFiles(
  snapshot: Snapshot,
  ability: Ability,
  reach: Reach,
): AsyncGenerator<StoredFile> {
  const where = sql.join([...evidenceWhere(ability, reach), sql`i.form = 'file'`], sql` and `)
  for (let last = ''; ; ) {
    const { rows } = await snapshot.sql.execute<{ digest: string; size: string }>(sql`
      select i.digest, max(i.size)::text as size from evidence i join use_case u on u.id = i.use_case_id
        where ${where} and i.digest > ${last} group by i.digest order by i.digest limit ${PAGE}`)
    for (const { digest, size } of rows) yield { digest, size: Number(size) }
    const end = rows.at(-1)
    if (!end || rows.length < PAGE) return
    last = end.digest
  }
}
