import { and, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { useCases } from '../db/schema.js'
import type { Selection } from '../db/selection.js'
import { hasStanding, standingSql, tierSql } from '../db/standing-sql.js'
import type { ReadTx } from '../db/transaction.js'
import { unitKeysSql } from '../db/unit-keys.js'
import { inUnit } from '../db/units.js'
import type { Instant } from '../instant.js'
import type { StandingWord } from '../use-cases/standing.js'
import type { Tier } from '../use-cases/use-case.js'
import type { ControlStates } from './coverage.js'
import type { CoverageFilters, CoverageSource } from './coverage-list.js'

/** The head row of a use case, by which rights are judged. */
export const head = {
  id: sql`u.id`,
  useCaseId: sql`u.id`,
  orgUnitId: sql`u.org_unit_id`,
  businessOwnerId: sql`u.business_owner_id`,
  riskOwnerId: sql`u.risk_owner_id`,
}

/** An instant, read once for a whole statement. */
export const instantSql = (at: Instant): SQL => sql`(select ${at}::timestamptz)`

const kinds: Selection<CoverageSource>['kinds'] = {
  ...{ id: 'word', key: 'word', title: 'text', orgUnitId: 'word', orgUnitKeys: 'words' },
  ...{ tier: 'word', standing: 'word', technique: 'word', channels: 'texts', jurisdictions: 'texts' },
  ...{ answers: 'json', assessedAt: 'instant', states: 'json' },
}

/** Use cases that are not retired, in the order in which they were registered, with what coverage is made of. */
export function selectSources(
  visible: SQL[],
  { tier, orgUnit }: CoverageFilters,
  at: SQL,
): Selection<CoverageSource> {
  const columns = getTableColumns(alias(useCases, 'u'))
  return {
    kinds,
    columns: {
      ...{ id: sql`u.id`, key: sql`'UC-' || u.number`, title: sql`u.title`, orgUnitId: sql`u.org_unit_id` },
      orgUnitKeys: unitKeysSql(sql`u.org_unit_id`),
      ...{ tier: tierSql(columns), standing: standingSql(columns, at).word, technique: sql`u.technique` },
      ...{ channels: sql`u.channels`, jurisdictions: sql`u.jurisdictions`, answers: sql`u.answers` },
      ...{ assessedAt: sql`p.assessed_at`, states: sql`p.states` },
    },
    from: sql`use_case u left join control_profile p on p.use_case_id = u.id`,
    where: [
      ...visible,
      sql`u.retired_at is null`,
      ...(tier ? [sql`${tierSql(columns)} = any(${sql.param(tier)}::text[])`] : []),
      ...(orgUnit === undefined ? [] : [inUnit(head.orgUnitId, orgUnit)]),
    ],
    order: { by: sql`u.number`, type: 'bigint', keyOf: ({ key }) => key.slice('UC-'.length) },
  }
}

export interface PrecedentRow extends Record<string, unknown> {
  id: string
  key: string
  title: string
  standing: StandingWord
  states: ControlStates
}

/** A use case that others are to be like. */
interface Like {
  id: string
  technique: string | null
  orgUnitId: string
  tier: Tier
}

/** As many as are looked at, of those that are most like it. */
const CANDIDATES = 200

/** Approved use cases of this tier that have a profile: those of the same technique first, then those of the same unit. */
export async function listPrecedentRows(
  tx: ReadTx,
  visible: SQL[],
  { id, technique, orgUnitId, tier }: Like,
): Promise<PrecedentRow[]> {
  const columns = getTableColumns(alias(useCases, 'u'))
  const at = instantSql(tx.now)
  const where = [...visible, sql`u.id <> ${id}`, sql`${tierSql(columns)} = ${tier}`]
  const approved = hasStanding(columns, at, ['cleared', 'cleared_with_conditions'])
  const { rows } = await tx.sql.execute<PrecedentRow>(sql`
    select u.id, 'UC-' || u.number as key, u.title, ${standingSql(columns, at).word} as standing, p.states
      from use_case u join control_profile p on p.use_case_id = u.id
      where ${and(...where, approved)}
      order by (u.technique is not distinct from ${technique}) desc, (u.org_unit_id = ${orgUnitId}) desc, p.assessed_at desc
      limit ${CANDIDATES}`)
  return rows
}
