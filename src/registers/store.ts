import { type SQL, sql } from 'drizzle-orm'
import { snakeCase } from '../db/insert-all.js'
import { recomputedTier, tierColumnOf } from '../db/recomputed-tier.js'
import type { Selection } from '../db/selection.js'
import { standingSql, tierSql } from '../db/standing-sql.js'
import { unitKeysSql } from '../db/unit-keys.js'
import type { Instant } from '../instant.js'
import type { InventoryRecord } from './omb-2025.js'
import {
  type DecisionRecord,
  decisionKinds,
  type GrantRecord,
  grantKinds,
  type UseCaseRecord,
  useCaseKinds,
  type VoteRecord,
  voteKinds,
} from './register.js'

/** The head row of a use case. By it rights are judged, whatever the instant: what somebody may see is of today. */
export const head = {
  id: sql`u.id`,
  useCaseId: sql`u.id`,
  orgUnitId: sql`u.org_unit_id`,
  businessOwnerId: sql`u.business_owner_id`,
  riskOwnerId: sql`u.risk_owner_id`,
}
export const grantHead = {
  personId: sql`g.person_id`,
  kind: sql`g.kind`,
  name: sql`g.name`,
  orgUnitId: sql`g.org_unit_id`,
}

/** A condition on a person, by the alias under which the row is joined. */
export type PersonCondition = (person: { id: SQL; kind: SQL }) => SQL

const factTypes = {
  ...{ title: 'text', purpose: 'text', benefits: 'text', outputs: 'text', orgUnitId: 'uuid' },
  ...{ jurisdictions: 'text[]', channels: 'text[]', stage: 'text', technique: 'text', systemIds: 'uuid[]' },
  ...{ answers: 'jsonb', businessOwnerId: 'uuid', riskOwnerId: 'uuid', tags: 'text[]' },
} as const
const tierNames = ['computedTier', 'fired', 'policyDigest'] as const
const stateNames = [
  ...(['revision', 'version', 'raisedTier', 'openReviewId', 'lastOutcome', 'approvalId'] as const),
  'approvedTier' as const,
  ...(['loweredTier', 'hasConditions', 'nextDueAt', 'suspendedAt'] as const),
  ...(['evidenceStaleAt', 'evidenceMissingAt', 'controlMissingAt'] as const),
  ...(['validUntil', 'firstMaterialChangeAt', 'tierRaisedAt', 'blockId', 'retiredAt'] as const),
]
const headNames = ['number', 'origin'] as const

/** All that is kept of a use case for each revision, and what filters look at. */
export type Kept = Record<
  | keyof typeof factTypes
  | (typeof tierNames)[number]
  | (typeof stateNames)[number]
  | (typeof headNames)[number]
  | 'updatedAt',
  SQL
>

/** Use cases as they are. */
export const present: Kept = {
  ...columnsOf(Object.keys(factTypes) as (keyof typeof factTypes)[], 'u'),
  ...columnsOf(tierNames, 'u'),
  ...columnsOf(stateNames, 'u'),
  ...columnsOf(headNames, 'u'),
  updatedAt: sql`u.updated_at`,
}

/** Use cases as they were: the last state recorded by then, and the version that was current in it. */
export const past: Kept = {
  ...columnsOf(Object.keys(factTypes) as (keyof typeof factTypes)[], 'f', (name) => `"${name}"`),
  computedTier: sql.raw(tierColumnOf('computed_tier')),
  fired: sql.raw(tierColumnOf('fired')),
  policyDigest: sql.raw(tierColumnOf('policy_digest')),
  ...columnsOf(stateNames, 's'),
  ...columnsOf(headNames, 'u'),
  updatedAt: sql`s.recorded_at`,
}

function columnsOf<N extends string>(
  names: readonly N[],
  alias: string,
  columnOf: (name: string) => string = snakeCase,
): Record<N, SQL> {
  const columns = names.map((name) => [name, sql.raw(`${alias}.${columnOf(name)}`)])
  return Object.fromEntries(columns)
}

const factRecord = Object.entries(factTypes).map(([name, type]) => `"${name}" ${type}`)

const pastOf = (at: SQL): SQL => sql`
  join lateral (select * from use_case_state x where x.use_case_id = u.id and x.recorded_at <= ${at}
    order by x.revision desc limit 1) s on true
  join use_case_version v on v.use_case_id = u.id and v.version = s.version
  ${recomputedTier}
  cross join lateral jsonb_to_record(v.facts) as f (${sql.raw(factRecord.join(', '))})`

/** An instant, read once for a whole statement. */
export const instantSql = (at: Instant): SQL => sql`(select ${at}::timestamptz)`

export interface UseCaseSight {
  /** Which use cases, of those that were registered by then. */
  where: SQL[]
  /** Whose names are shown. */
  nameable: PersonCondition
  at: SQL
  kept: Kept
  /** For a page, evidence is looked up a case at a time; for a whole register, all at once. */
  isPage: boolean
}

export function selectUseCases(sight: UseCaseSight): Selection<UseCaseRecord> {
  const { where, kept, nameable, at, isPage } = sight
  const evidence = evidenceOf(at, isPage)
  return {
    kinds: useCaseKinds,
    columns: recordOf(sight),
    from: sql`use_case u ${kept === past ? pastOf(at) : sql``}
      join org_unit o on o.id = ${kept.orgUnitId}
      ${personJoin('b', kept.businessOwnerId, nameable)}
      ${personJoin('r', kept.riskOwnerId, nameable)}
      left join use_case_source t on t.use_case_id = u.id
      left join ${isPage ? sql`lateral` : sql``} (${evidence}) e on e.use_case_id = u.id`,
    where,
    order: { by: sql`u.number`, type: 'bigint', keyOf: ({ key }) => key.slice('UC-'.length) },
  }
}

function recordOf({ kept, at }: UseCaseSight): Record<keyof UseCaseRecord, SQL> {
  const { title, purpose, benefits, outputs, orgUnitId, jurisdictions, channels, stage, technique } = kept
  const { answers, businessOwnerId, riskOwnerId, tags, computedTier, raisedTier, loweredTier, policyDigest } =
    kept
  const { revision, version, origin, openReviewId, retiredAt, updatedAt, validUntil } = kept
  const { word: standing, reasons } = standingSql(kept, at)
  return {
    ...{ key: sql`'UC-' || u.number`, id: sql`u.id`, revision, version, origin },
    ...{ title, purpose, benefits, outputs, orgUnitId, orgUnit: sql`o.key`, orgUnitName: sql`o.name` },
    orgUnitKeys: unitKeysSql(orgUnitId),
    ...{ jurisdictions, channels, stage, technique, systems: systemKeys(kept.systemIds), answers },
    ...{ businessOwnerId, businessOwner: sql`b.name`, riskOwnerId, riskOwner: sql`r.name`, tags },
    ...{
      tier: tierSql(kept),
      computedTier,
      raisedTier,
      loweredTier,
      approvedTier: kept.approvedTier,
      firedRules: idsIn(kept.fired),
      policyDigest,
    },
    ...{ standing, reasons },
    ...{ decisionId: sql`coalesce(${kept.blockId}, ${kept.approvalId})`, validUntil, openReviewId },
    ...{ evidenceCount: sql`coalesce(cardinality(e.digests), 0)`, evidenceDigests: orNone(sql`e.digests`) },
    evidenceStaleAt: kept.evidenceStaleAt,
    ...{ sourceRegister: sql`t.register`, sourceIdentity: sql`t.identity` },
    ...{ retiredAt, registeredAt: sql`u.created_at`, updatedAt },
  }
}

/** With what the inventory of OMB asks beyond a record. */
export function selectInventory(sight: UseCaseSight): Selection<InventoryRecord> {
  const { kinds, columns, from, ...rest } = selectUseCases(sight)
  const added = { agency: 'word', agencyName: 'text', ownerEmail: 'text', standIn: 'text' } as const
  return {
    ...rest,
    kinds: { ...kinds, ...added, raw: 'json', mapped: 'json', base: 'json' },
    columns: {
      ...columns,
      ...{
        agency: sql`coalesce(a.key, o.key)`,
        agencyName: sql`coalesce(a.name, o.name)`,
        ownerEmail: sql`b.email`,
      },
      standIn: sql`m.profile #>> '{facts,purpose,otherwise}'`,
      ...{ raw: sql`c.raw`, mapped: sql`c.mapped`, base: sql`t.base` },
    },
    from: sql`${from}
      left join (${agencies}) a on a.id = o.id
      left join use_case_source_row c on c.use_case_id = u.id
      left join import_run m on m.id = c.import_id`,
  }
}

/** For each unit, the one above it that lies right below the whole organisation; it may be itself. */
export const agencies = sql`
  with recursive agency as (
    select id, key, name from org_unit where parent_id = (select id from org_unit where parent_id is null)
    union all select u.id, agency.key, agency.name from org_unit u join agency on u.parent_id = agency.id)
  select id, key, name from agency`

/** Evidence that was accepted by then, and in whose place nothing had been accepted, by use case. */
const evidenceOf = (at: SQL, isPage: boolean): SQL => sql`
  select i.use_case_id, array_agg(i.digest order by i.attached_at, i.id) as digests
    from evidence i join evidence_verdict y on y.evidence_id = i.id
    where y.verdict = 'accepted' and y.given_at <= ${at} and (i.disposed_at is null or i.disposed_at > ${at})
      and not (exists (select from evidence n where n.supersedes_id = i.id) and exists (
        with recursive line as (select i.id union select n.id from evidence n join line l on n.supersedes_id = l.id)
        select from line l join evidence_verdict a on a.evidence_id = l.id
          where l.id <> i.id and a.verdict = 'accepted' and a.given_at <= ${at}))
      ${isPage ? sql`and i.use_case_id = u.id` : sql``}
    group by i.use_case_id`

function personJoin(alias: string, id: SQL, nameable: PersonCondition): SQL {
  const person = sql.raw(alias)
  const condition = nameable({ id: sql`${person}.id`, kind: sql`${person}.kind` })
  return sql`left join person ${person} on ${person}.id = ${id} and ${condition}`
}

/** One look at the table of systems for the whole statement, instead of one for each row. */
const systemKeys = (ids: SQL): SQL =>
  sql`array(select (select jsonb_object_agg(id, key) from system) ->> id::text from unnest(${ids}) as i (id))`
const idsIn = (list: SQL): SQL => sql`array(select i ->> 'id' from jsonb_array_elements(${list}) as i)`
const textsIn = (list: SQL): SQL => sql`array(select i ->> 'text' from jsonb_array_elements(${list}) as i)`
const limitsIn = (list: SQL): SQL => sql`array(select (i ->> 'on') || ': ' || (
  select string_agg(v, ', ') from jsonb_array_elements_text(i -> 'values') v) from jsonb_array_elements(${list}) as i)`
const orNone = (list: SQL): SQL => sql`coalesce(${list}, '{}')`

/** Ids are of version 7, so that their order is that of time. */
const byId = (by: SQL) => ({ by, type: 'uuid' as const, keyOf: ({ id }: { id: string }) => id })

interface Sight {
  where: SQL[]
  nameable: PersonCondition
  at: SQL
  useCase?: string | undefined
}

const ofUseCase = (id: string | undefined): SQL[] => (id === undefined ? [] : [sql`u.id = ${id}::uuid`])

export function selectDecisions({ where, at, useCase }: Sight): Selection<DecisionRecord> {
  const digests = sql`array(select i ->> 'digest' from jsonb_array_elements(d.evidence) as i)`
  return {
    kinds: decisionKinds,
    columns: {
      ...{ id: sql`d.id`, useCase: sql`'UC-' || u.number`, useCaseId: sql`u.id`, reviewId: sql`d.review_id` },
      ...{ outcome: sql`d.outcome`, reason: sql`d.reason`, version: sql`d.version`, tier: sql`d.tier` },
      ...{ route: sql`d.route`, lane: sql`d.lane_id`, overlays: idsIn(sql`d.overlays`) },
      ...{ conditions: textsIn(sql`d.conditions`), limits: limitsIn(sql`d.limits`), waived: sql`d.waived` },
      ...{ loweredTier: sql`d.lowered_tier`, precedentId: sql`d.precedent_id` },
      ...{ supersedesId: sql`d.supersedes_id`, attestedBy: sql`d.attested_by` },
      ...{ sampled: sql`case when d.sampled then 'yes' else 'no' end` },
      ...{ environments: sql`d.environments`, validUntil: sql`d.valid_until` },
      ...{ materialFacts: sql`d.material_facts`, materialDigest: sql`d.material_digest` },
      ...{ policyDigest: sql`d.policy_digest`, voteIds: idsIn(sql`d.votes`), evidenceDigests: digests },
      decidedAt: sql`d.decided_at`,
    },
    from: sql`decision d join use_case u on u.id = d.use_case_id`,
    where: [...where, ...ofUseCase(useCase), sql`d.decided_at <= ${at}`],
    order: byId(sql`d.id`),
  }
}

export function selectVotes({ where, nameable, at, useCase }: Sight): Selection<VoteRecord> {
  return {
    kinds: voteKinds,
    columns: {
      ...{ id: sql`w.id`, useCase: sql`'UC-' || u.number`, useCaseId: sql`u.id`, reviewId: sql`w.review_id` },
      ...{ round: sql`q.round`, seat: sql`w.seat`, ordinal: sql`w.ordinal`, personId: sql`w.person_id` },
      ...{ person: sql`p.name`, onBehalfOf: sql`w.on_behalf_of`, choice: sql`w.choice` },
      ...{ rationale: sql`w.rationale`, conditions: textsIn(sql`w.conditions`) },
      ...{ decisionRight: sql`w.decision_right`, castAt: sql`w.cast_at` },
    },
    from: sql`vote w join review q on q.id = w.review_id join use_case u on u.id = q.use_case_id
      ${personJoin('p', sql`w.person_id`, nameable)}`,
    where: [...where, ...ofUseCase(useCase), sql`w.cast_at <= ${at}`],
    order: byId(sql`w.id`),
  }
}

/** Grants that were made by then; one that was revoked only later is not revoked yet. */
export function selectGrants({ where, nameable, at }: Sight): Selection<GrantRecord> {
  const ifRevoked = (column: SQL) => sql`case when g.revoked_at <= ${at} then ${column} end`
  return {
    kinds: grantKinds,
    columns: {
      ...{
        id: sql`g.id`,
        personId: sql`g.person_id`,
        person: sql`p.name`,
        kind: sql`g.kind`,
        name: sql`g.name`,
      },
      ...{ orgUnitId: sql`g.org_unit_id`, orgUnit: sql`o.key`, grantedBy: sql`g.granted_by` },
      ...{ grantedAt: sql`g.granted_at`, revokedBy: ifRevoked(sql`g.revoked_by`) },
      revokedAt: ifRevoked(sql`g.revoked_at`),
    },
    from: sql`rights_grant g join org_unit o on o.id = g.org_unit_id
      ${personJoin('p', sql`g.person_id`, nameable)}`,
    where: [...where, sql`g.granted_at <= ${at}`],
    order: byId(sql`g.id`),
  }
}
