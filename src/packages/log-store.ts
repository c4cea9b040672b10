import { sql } from 'drizzle-orm'
import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Selection } from '../db/selection.js'
import type { Snapshot } from '../db/snapshot.js'
import type { Instant } from '../instant.js'
import {
  type Fields,
  head,
  inLeaf,
  instantSql,
  listOf,
  logged,
  type Reach,
  rowsOf,
  useCase,
} from './record-store.js'

/** The events of the use cases, with the salts that the log's hashes are made with. */
export function selectEvents({ where, at }: Reach): Selection<object> {
  const fields: Fields = {
    ...{ id: 'word', type: 'word', aggregateId: 'word', eventNo: 'number', recordedAt: 'instant' },
    ...{ actorId: 'word', ...logged },
  }
  const from = sql`audit_event a join use_case u on u.id = a.aggregate_id
    left join audit_payload y on y.event_id = a.id`
  const until = sql`a.recorded_at <= ${instantSql(at)}`
  return rowsOf('a', fields, from, [...where, until], sql`a.aggregate_id, a.event_no`)
}

/** What the gate answered, and to what, with its entry in the log. */
export function selectGateAnswers(ability: Ability, { where, at }: Reach): Selection<object> {
  const fields: Fields = {
    ...{ ...useCase, id: 'word', askedBy: 'word', askedAt: 'instant', question: 'json', environment: 'word' },
    ...{ decision: 'word', enforced: 'json', wouldBe: 'word', reasons: 'json', version: 'number' },
    ...{ standing: 'word', validUntil: 'instant', policyDigest: 'word', breakGlassId: 'word', ...logged },
  }
  const { useCaseId, orgUnitId } = head
  const readable = visibleWhere(ability, 'read', 'GateAnswer', { useCaseId, orgUnitId })
  const from = sql`gate_answer g join use_case u on u.id = g.use_case_id
    left join audit_event a on a.aggregate_id = g.id and a.event_no = 1
    left join audit_payload y on y.event_id = a.id`
  const until = sql`g.asked_at <= ${instantSql(at)}`
  return rowsOf('g', fields, from, [...where, readable, until], sql`g.use_case_id, g.asked_at, g.id`)
}

/** What hangs on a use case and can be the subject of a refusal. */
const subjectsOf = [
  ...['review', 'evidence', 'decision', 'condition', 'suspension', 'incident', 'break_glass'],
  ...['disposal', 'retention_shortening'],
]
const held = 'select distinct hold_id, use_case_id from legal_hold_object'
const hung = sql.raw(
  [...subjectsOf.map((table) => `select id, use_case_id from ${table}`), held].join(' union all '),
)

/** Who was refused what on these use cases. A refusal is in the log of the person, and is read by its right. */
export function selectRefusals(ability: Ability, { where, at }: Reach): Selection<object> {
  const fields: Fields = {
    ...{ ...useCase, id: 'word', recordedAt: 'instant', personId: ['word', sql`a.aggregate_id`] },
    ...{ rule: ['word', inLeaf('a', 'rule')], action: ['word', inLeaf('a', 'action')] },
    ...{ kind: ['word', inLeaf('a', 'kind')], subjectId: ['word', sql`r.subject_id`], ...logged },
  }
  const none = sql`null::uuid`
  const readable = visibleWhere(ability, 'read', 'Event', {
    ...{ aggregateId: sql`a.aggregate_id`, orgUnitId: none, businessOwnerId: none, riskOwnerId: none },
  })
  const from = sql`audit_event a
    cross join lateral (select (${inLeaf('a', 'subjectId')})::uuid as subject_id) r
    join (select id, id as use_case_id from use_case union all ${hung}) h on h.id = r.subject_id
    join use_case u on u.id = h.use_case_id left join audit_payload y on y.event_id = a.id`
  const denied = [sql`a.type = 'access.denied'`, sql`a.recorded_at <= ${instantSql(at)}`]
  return rowsOf('a', fields, from, [...where, readable, ...denied], sql`a.recorded_at, a.id`)
}

/** The catalogs that were imported and that profiles name, each whole; those of policy lie among its files. */
export function selectCatalogs(ability: Ability, { where, at }: Reach): Selection<object> {
  const control = {
    ...{ id: sql`y.control_id`, function: sql`y.function`, category: sql`y.category`, title: sql`y.title` },
    ...{ text: sql`y.text`, parent: sql`y.parent`, ties: sql`y.ties`, risks: sql`y.risks` },
  }
  const controls = listOf(control, sql`from catalog_control y where y.catalog_id = c.id`, sql`y.position`)
  const fields: Fields = {
    ...{ key: 'word', version: 'word', title: 'text', description: 'text', source: 'json', tiesTo: 'word' },
    ...{ functions: 'json', categories: 'json', risks: 'json', controls: ['json', controls] },
    ...{ format: 'word', fileDigest: 'word', importedBy: 'word', importedAt: 'instant' },
  }
  const named = sql`exists (select from control_assessment p join use_case u on u.id = p.use_case_id
    where ${sql.join(where, sql` and `)} and p.catalog = c.key and p.version = c.version
      and p.assessed_at <= ${instantSql(at)})`
  const readable = visibleWhere(ability, 'read', 'Catalog', { id: sql`c.id` })
  return rowsOf('c', fields, sql`catalog c`, [readable, named], sql`c.id`)
}

/** A policy that something in the package names, or that was in force. */
export interface NamedPolicy extends Record<string, unknown> {
  digest: string
  /** Whether the database has its files. */
  held: boolean
}

/** The policies that tiers, rounds, decisions, answers of the gate and the like were made by. */
export async function listPolicies(
  { sql: on }: Snapshot,
  { where, at }: Reach,
  inForce: string[],
): Promise<NamedPolicy[]> {
  const conditions = sql.join(where, sql` and `)
  const then = sql`${at}::timestamptz`
  const by = (table: string, when: string) => sql`
    select t.policy_digest from ${sql.raw(table)} t join use_case u on u.id = t.use_case_id
      where ${conditions} and t.${sql.raw(when)} <= ${then}`
  const { rows } = await on.execute<NamedPolicy>(sql`
    select n.digest, exists (select from policy_file f where f.policy_digest = n.digest) as held from (
      select unnest(${sql.param(inForce)}::text[]) as digest
      union ${by('decision', 'decided_at')} union ${by('use_case_version', 'recorded_at')}
      union ${by('review', 'opened_at')} union ${by('gate_answer', 'asked_at')}
      union ${by('tier_recomputation', 'recorded_at')} union ${by('disposal', 'proposed_at')}
      union select f.policy_digest from retention_floor f join evidence i on i.id = f.evidence_id
        join use_case u on u.id = i.use_case_id where ${conditions} and f.set_at <= ${then}) n
    where n.digest is not null order by 1`)
  return rows
}

/** The policy that was in force at an instant; null before the first was loaded. */
export async function findInForce({ sql: on }: Snapshot, at: Instant): Promise<string | null> {
  const { rows } = await on.execute<{ digest: string }>(sql`
    select ${inLeaf('a', 'digest')} as digest from audit_event a
      where a.type = 'policy.loaded' and a.recorded_at <= ${at}::timestamptz
      order by a.recorded_at desc, a.id desc limit 1`)
  return rows[0]?.digest ?? null
}

export interface PolicyFile extends Record<string, unknown> {
  /** Relative to the policy folder. */
  name: string
  content: Buffer
}

/** The files of a policy, in the order of their names. */
export async function listPolicyFiles({ sql: on }: Snapshot, digest: string): Promise<PolicyFile[]> {
  const { rows } = await on.execute<PolicyFile>(sql`
    select f.name, c.content from policy_file f join policy_content c on c.digest = f.content_digest
      where f.policy_digest = ${digest} order by f.name collate "C"`)
  return rows
}
