import { type SQL, sql } from 'drizzle-orm'
import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Selection } from '../db/selection.js'
import type { DecisionRecord, UseCaseRecord } from '../registers/register.js'
import {
  type Fields,
  happened,
  head,
  inLeaf,
  instantIn,
  instantSql,
  listOf,
  type Reach,
  rowsOf,
  useCase,
  withMore,
} from './record-store.js'

/** Use cases with the number of their last event by then, so that a log that ends too early is noticed. */
export function withLastEvent(register: Selection<UseCaseRecord>, { at }: Reach): Selection<object> {
  const last = sql`(select max(a.event_no) from audit_event a
    where a.aggregate_id = u.id and a.recorded_at <= ${instantSql(at)})`
  return withMore(register, 'u', { lastEventNo: ['number', last] })
}

/** Decisions with all they rested on. */
export function withGrounds(decisions: Selection<DecisionRecord>): Selection<object> {
  return withMore(decisions, 'd', {
    ...{ required: 'json', evidence: 'json', attestation: 'text', basisVersion: 'number' },
  })
}

export function selectVersions({ where, at }: Reach): Selection<object> {
  const fields: Fields = {
    ...{ ...useCase, version: 'number', recordedAt: 'instant', authorId: 'word' },
    ...{ reason: 'text', facts: 'json', computedTier: 'word', fired: 'json', policyDigest: 'word' },
  }
  const from = sql`use_case_version v join use_case u on u.id = v.use_case_id`
  const until = sql`v.recorded_at <= ${instantSql(at)}`
  return rowsOf('v', fields, from, [...where, until], sql`v.use_case_id, v.version`)
}

export function selectReviews(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const closed = happened(then, sql`q.closed_at`)
  const fields: Fields = {
    ...{ ...useCase, id: 'word', round: 'number', version: 'number', tier: 'word' },
    ...{ route: 'word', lane: 'json', overlays: 'json', policyDigest: 'word', submittedBy: 'word' },
    ...{ note: 'text', openedAt: 'instant', dueAt: 'instant', closedAt: closed('instant', sql`q.closed_at`) },
    ...{ outcome: closed('word', sql`q.outcome`), closingReason: closed('text', sql`q.closing_reason`) },
    ...{
      exceptions: 'json',
      waives: 'words',
      lowerTierTo: 'word',
      precedentId: 'word',
      supersedesId: 'word',
    },
    ...{ stages: ['json', stagesOf(then)], excluded: ['json', excluded] },
  }
  const excludedIds = sql`array(select e.person_id from review_party e where e.review_id = q.id and e.part = 'excluded')`
  const readable = visibleWhere(ability, 'read', 'Review', {
    ...{ ...head, submittedBy: sql`q.submitted_by`, excludedIds },
  })
  const from = sql`review q join use_case u on u.id = q.use_case_id`
  return rowsOf('q', fields, from, [...where, readable, sql`q.opened_at <= ${then}`], sql`q.id`)
}

function stagesOf(then: SQL): SQL {
  const by = (when: SQL, value: SQL): SQL => sql`case when ${when} <= ${then} then ${value} end`
  const members = {
    ...{ stage: sql`y.stage`, quorum: sql`y.quorum` },
    openedAt: by(sql`y.opened_at`, instantIn(sql`y.opened_at`)),
    dueAt: by(sql`y.opened_at`, instantIn(sql`y.due_at`)),
    closedAt: by(sql`y.closed_at`, instantIn(sql`y.closed_at`)),
    passed: by(sql`y.closed_at`, sql`y.passed`),
  }
  return listOf(members, sql`from review_stage y where y.review_id = q.id`, sql`y.ordinal`)
}

/** Without an instant: as of when the package is made. */
const excluded = listOf(
  { personId: sql`y.person_id`, because: sql`y.because` },
  sql`from review_party y where y.review_id = q.id and y.part = 'excluded'`,
  sql`y.person_id`,
)

/** Whoever answered for a condition then: from whom it was taken next, or who has it still. */
export function selectConditions(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const ended = happened(then, sql`y.ended_at`)
  const owner = sql`coalesce((select ${inLeaf('a', 'from')} from audit_event a
    where a.aggregate_id = c.use_case_id and a.type = 'condition.reassigned' and a.recorded_at > ${then}
      and ${inLeaf('a', 'conditionId')} = c.id::text order by a.event_no limit 1), c.owner_id::text)`
  const fields: Fields = {
    ...{ ...useCase, id: 'word', decisionId: 'word', ordinal: 'number', type: 'word' },
    ...{ text: 'text', pattern: 'word', dueAt: 'instant', beforeDeploy: 'json', ownerId: ['word', owner] },
    ...{ satisfiedBy: 'word', limitOn: 'word', limitValues: 'texts', imposedAt: 'instant' },
    ...{ requirement: 'word', asks: 'json' },
    state: ['word', sql`case when y.ended_at <= ${then} then y.state else 'open' end`],
    ...{ endedBy: ended('word', sql`y.ended_by`), endedAt: ended('instant', sql`y.ended_at`) },
    ...{ note: ended('text', sql`y.note`), evidenceId: ended('word', sql`y.evidence_id`) },
  }
  const readable = visibleWhere(ability, 'read', 'Condition', { ...head, ownerId: sql`c.owner_id` })
  const from = sql`condition c join use_case u on u.id = c.use_case_id
    left join condition_ending y on y.condition_id = c.id`
  return rowsOf('c', fields, from, [...where, readable, sql`c.imposed_at <= ${then}`], sql`c.id`)
}

export function selectExceptions(ability: Ability, { where, at }: Reach): Selection<object> {
  const fields: Fields = {
    ...{ ...useCase, id: 'word', decisionId: 'word', ordinal: 'number', requirement: 'word' },
    ...{ control: ['word', sql`x.control_id`], until: 'instant', compensating: 'text' },
    ...{ compensatingControl: 'json', reason: 'text', grantedAt: 'instant' },
  }
  const readable = visibleWhere(ability, 'read', 'Exception', head)
  const from = sql`exception x join use_case u on u.id = x.use_case_id`
  const until = sql`x.granted_at <= ${instantSql(at)}`
  return rowsOf('x', fields, from, [...where, readable, until], sql`x.id`)
}

export function selectSuspensions(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const lifted = happened(then, sql`y.lifted_at`)
  const fields: Fields = {
    ...{ ...useCase, id: 'word', incidentId: 'word', suspendedBy: 'word' },
    ...{ suspendedAt: 'instant', reason: 'text', liftedBy: lifted('word', sql`y.lifted_by`) },
    ...{ liftedAt: lifted('instant', sql`y.lifted_at`), liftingReason: lifted('text', sql`y.reason`) },
  }
  const readable = visibleWhere(ability, 'read', 'Suspension', { ...head, suspendedBy: sql`s.suspended_by` })
  const from = sql`suspension s join use_case u on u.id = s.use_case_id
    left join suspension_lifting y on y.suspension_id = s.id`
  return rowsOf('s', fields, from, [...where, readable, sql`s.suspended_at <= ${then}`], sql`s.id`)
}

/** How severe it was counted then: what its last entry by then that spoke of that said. */
export function selectIncidents(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const closed = happened(then, sql`n.closed_at`)
  const byThen = sql`from incident_entry y where y.incident_id = n.id and y.entered_at <= ${then}`
  const members = {
    ...{ ordinal: sql`y.ordinal`, enteredBy: sql`y.entered_by`, enteredAt: instantIn(sql`y.entered_at`) },
    ...{ text: sql`y.text`, severity: sql`y.severity` },
  }
  const severity = sql`coalesce((select y.severity ${byThen} and y.severity is not null
    order by y.ordinal desc limit 1), n.severity)`
  const fields: Fields = {
    ...{ ...useCase, id: 'word', ordinal: 'number', severity: ['word', severity], title: 'text' },
    ...{ description: 'text', occurredAt: 'instant', reportedBy: 'word', reportedAt: 'instant' },
    ...{
      entries: ['json', listOf(members, byThen, sql`y.ordinal`)],
      closedBy: closed('word', sql`n.closed_by`),
    },
    ...{ closedAt: closed('instant', sql`n.closed_at`), learned: closed('text', sql`n.learned`) },
  }
  const readable = visibleWhere(ability, 'read', 'Incident', { ...head, reportedBy: sql`n.reported_by` })
  const from = sql`incident n join use_case u on u.id = n.use_case_id`
  return rowsOf('n', fields, from, [...where, readable, sql`n.reported_at <= ${then}`], sql`n.id`)
}

/** Openings by break-glass, how they were closed, and what whoever reviewed them found. */
export function selectBreakGlass(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const closed = happened(then, sql`y.closed_at`)
  const reviewed = happened(then, sql`z.reviewed_at`)
  const fields: Fields = {
    ...{ ...useCase, id: 'word', environment: 'word', openedBy: 'word', openedAt: 'instant' },
    ...{ expiresAt: 'instant', reason: 'text', closedBy: closed('word', sql`y.closed_by`) },
    ...{ closedAt: closed('instant', sql`y.closed_at`), closingReason: closed('text', sql`y.reason`) },
    ...{ reviewedBy: reviewed('word', sql`z.reviewed_by`), verdict: reviewed('word', sql`z.verdict`) },
    ...{ reviewedAt: reviewed('instant', sql`z.reviewed_at`), note: reviewed('text', sql`z.note`) },
  }
  const readable = visibleWhere(ability, 'read', 'BreakGlass', { ...head, openedBy: sql`b.opened_by` })
  const from = sql`break_glass b join use_case u on u.id = b.use_case_id
    left join break_glass_closing y on y.break_glass_id = b.id
    left join break_glass_review z on z.break_glass_id = b.id`
  return rowsOf('b', fields, from, [...where, readable, sql`b.opened_at <= ${then}`], sql`b.id`)
}

/** Delegations under which somebody voted for another in these rounds, or was kept out of one as their delegate. */
export function selectDelegations(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const ended = happened(then, sql`d.ended_at`)
  const overlaps = sql`d.accepted_at <= coalesce(q.closed_at, ${then}) and d.ends_at > q.opened_at
    and d.starts_at <= coalesce(q.closed_at, ${then}) and coalesce(d.ended_at, d.ends_at) >= q.opened_at`
  const keys = sql`array(select 'UC-' || u.number from review q join use_case u on u.id = q.use_case_id
    where ${sql.join(where, sql` and `)} and q.opened_at <= ${then} and ${overlaps} and (
      exists (select from vote w where w.review_id = q.id and w.person_id = d.to_id and w.on_behalf_of = d.from_id
        and w.cast_at <= ${then})
      or exists (select from review_party x join review_party z on z.review_id = x.review_id
        where x.review_id = q.id and x.part = 'excluded' and z.part = 'excluded'
          and x.person_id = d.to_id and z.person_id = d.from_id))
    group by u.number order by u.number)`
  const fields: Fields = {
    ...{ id: 'word', fromId: 'word', toId: 'word', startsAt: 'instant', endsAt: 'instant', reason: 'text' },
    ...{ createdBy: 'word', createdAt: 'instant', acceptedAt: 'instant', useCases: ['words', sql`m.keys`] },
    ...{ endedBy: ended('word', sql`d.ended_by`), endedAt: ended('instant', sql`d.ended_at`) },
  }
  const readable = visibleWhere(ability, 'read', 'Delegation', { fromId: sql`d.from_id`, toId: sql`d.to_id` })
  const from = sql`delegation d cross join lateral (select ${keys} as keys) m`
  const mattered = [readable, sql`d.accepted_at <= ${then}`, sql`m.keys <> '{}'`]
  return rowsOf('d', fields, from, mattered, sql`d.id`)
}

/** Grants for the unit of one use case, and for those above it. */
export function above<R>(selection: Selection<R>, useCaseId: string): Selection<R> {
  const units = sql`with recursive up as (
    select id, parent_id from org_unit where id = (select org_unit_id from use_case where id = ${useCaseId}::uuid)
    union all select o.id, o.parent_id from org_unit o join up on up.parent_id = o.id) select id from up`
  return { ...selection, where: [...selection.where, sql`g.org_unit_id in (${units})`] }
}
