import { type SQL, sql } from 'drizzle-orm'
import type { Source } from '../auth/visible-where.js'
import type { StandingReason, StandingWord } from '../use-cases/standing.js'
import { Tier } from '../use-cases/use-case.js'

/** Where the instants and references come from that standing is computed from: the head row, or a state row. */
export type StandingColumns = Record<
  | 'retiredAt'
  | 'blockId'
  | 'approvalId'
  | 'validUntil'
  | 'firstMaterialChangeAt'
  | 'tierRaisedAt'
  | 'openReviewId'
  | 'lastOutcome'
  | 'hasConditions'
  | 'nextDueAt'
  | 'evidenceStaleAt'
  | 'evidenceMissingAt'
  | 'controlMissingAt'
  | 'suspendedAt',
  Source
>

export type TierColumns = Record<'computedTier' | 'raisedTier' | 'loweredTier', Source>

/**
 * `standingOf` of `use-cases/standing.ts` in SQL, word and reasons: where the one changes, the other must.
 * @param at the instant it is judged at, as `timestamptz`
 */
export function standingSql(of: StandingColumns, at: SQL): { word: SQL; reasons: SQL } {
  const cases = standingCases(of, at).map(([word, holds]) => sql`when ${holds} then ${literal(word)}`)
  const word = sql`case ${sql.join(cases, sql` `)} end`
  const lapses = reasonCases(of, at).map(
    ([reason, holds]) => sql`case when ${holds} then ${literal(reason)} end`,
  )
  const reasons = sql`case
    when ${of.retiredAt} is not null or ${of.blockId} is not null then '{}'
    when ${of.approvalId} is not null then array_remove(array[${sql.join(lapses, sql`, `)}], null)
    when ${of.openReviewId} is null and ${of.lastOutcome} = 'changes_requested' then array['changes_requested']
    else '{}'::text[] end`
  return { word, reasons }
}

/** What must hold for each word, the strongest first: the first that holds is the standing. */
function standingCases(of: StandingColumns, at: SQL): [StandingWord, SQL][] {
  const lapsed = sql.join(
    reasonCases(of, at).map(([, holds]) => holds),
    sql` or `,
  )
  return [
    ['retired', sql`${of.retiredAt} is not null`],
    ['blocked', sql`${of.blockId} is not null`],
    ['suspended', sql`${of.suspendedAt} is not null`],
    ['lapsed', sql`${of.approvalId} is not null and (${lapsed})`],
    ['cleared_with_conditions', sql`${of.approvalId} is not null and ${of.hasConditions}`],
    ['cleared', sql`${of.approvalId} is not null`],
    ['in_review', sql`${of.openReviewId} is not null`],
    ['unreviewed', sql`true`],
  ]
}

function reasonCases(of: StandingColumns, at: SQL): [StandingReason, SQL][] {
  return [
    ['expired', sql`${of.validUntil} <= ${at}`],
    ['material_change', sql`${of.firstMaterialChangeAt} is not null`],
    ['tier_raised', sql`${of.tierRaisedAt} is not null`],
    ['condition_overdue', sql`${of.nextDueAt} <= ${at}`],
    ['evidence_stale', sql`${of.evidenceStaleAt} <= ${at}`],
    ['evidence_missing', sql`${of.evidenceMissingAt} <= ${at}`],
    ['control_missing', sql`${of.controlMissingAt} <= ${at}`],
  ]
}

/** Each case spelt out with those before it denied, so that an index over few rows can find them. */
export function hasStanding(of: StandingColumns, at: SQL, words: StandingWord[]): SQL {
  const cases = standingCases(of, at)
  const wanted = cases.flatMap(([word, holds], index) => {
    const stronger = cases.slice(0, index).map(([, other]) => sql`(${other}) is not true`)
    return words.includes(word) ? [sql`(${sql.join([holds, ...stronger], sql` and `)})`] : []
  })
  return wanted.length > 0 ? sql`(${sql.join(wanted, sql` or `)})` : sql`false`
}

/** `effectiveTier` in SQL. The index `use_case_tier_in_force` is over this very expression. */
export function tierSql({ computedTier, raisedTier, loweredTier }: TierColumns): SQL<Tier> {
  const cases = [...Tier.options]
    .reverse()
    .map((tier) => sql`when ${literal(tier)} in (${computedTier}, ${raisedTier}) then ${literal(tier)}`)
  return sql<Tier>`coalesce(${loweredTier}, case ${sql.join(cases, sql` `)} end)`
}

/** `isUnknownOnly` in SQL. */
export function unknownOnlySql({
  computedTier,
  raisedTier,
  loweredTier,
  fired,
}: TierColumns & Record<'fired', Source>): SQL {
  const has = (unknown: boolean) =>
    sql`${fired} @> jsonb_build_array(jsonb_build_object('tier', ${computedTier}, 'unknown', ${sql.raw(`${unknown}`)}))`
  const tier = tierSql({ computedTier, raisedTier, loweredTier })
  const isSet = sql`${loweredTier} is not null or (${raisedTier} is not null and ${tier} = ${raisedTier})`
  return sql`(not (${isSet}) and ${has(true)} and not ${has(false)})`
}

/** A word of our own in a statement: never a value from outside. */
function literal(word: StandingWord | StandingReason | Tier): SQL {
  return sql.raw(`'${word}'`)
}
