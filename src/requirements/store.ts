import { and, eq, type SQL, sql } from 'drizzle-orm'
import { evidence, reviews, useCases } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import { fromPostgres, type Instant } from '../instant.js'
import type { Holdings, Piece } from '../policy/missing.js'
import type { OpenReview, Wanted } from './requirement.js'

const { orgUnitId, businessOwnerId, riskOwnerId } = useCases

/** Where the fields that rights look at come from. */
export const evidenceColumns = {
  ...{ useCaseId: evidence.useCaseId, attachedBy: evidence.attachedBy },
  ...{ orgUnitId, businessOwnerId, riskOwnerId },
}

/** Titles of all evidence of a use case that the caller may read, by its id. */
export async function readTitles(
  tx: ReadTx,
  useCaseId: string,
  where: SQL,
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.sql
    .select({ id: evidence.id, title: evidence.title })
    .from(evidence)
    .innerJoin(useCases, eq(useCases.id, evidence.useCaseId))
    .where(and(eq(evidence.useCaseId, useCaseId), where))
  return new Map(rows.map(({ id, title }) => [id, title]))
}

/** What of a review matters to what is required. */
export async function readReview(tx: ReadTx, reviewId: string): Promise<OpenReview | undefined> {
  const { exceptions, supersedesId, tier } = reviews
  const [row] = await tx.sql
    .select({ exceptions, supersedesId, tier })
    .from(reviews)
    .where(eq(reviews.id, reviewId))
  if (!row) return undefined
  const wanted = row.exceptions as Wanted[]
  return { tier: row.tier, wanted, isCorrection: row.supersedesId !== null }
}

interface HoldingsRow extends Record<string, unknown> {
  useCaseId: string
  pieces: Piece[]
  controls: Holdings['controls']
}

/**
 * What use cases have to show, in one round trip. Evidence that is rejected, disposed of or superseded is left out; that
 * of which a scanner has not let go is among it, and counts for nothing.
 */
export async function readHoldings(
  tx: ReadTx,
  useCaseIds: readonly string[],
): Promise<ReadonlyMap<string, Holdings>> {
  const ids = sql`${sql.param(useCaseIds)}::uuid[]`
  const { rows } = await tx.sql.execute<HoldingsRow>(sql`
    with recursive line (newer, older) as (
      select id, supersedes_id from evidence where use_case_id = any(${ids}) and supersedes_id is not null
      union select l.newer, e.supersedes_id from line l join evidence e on e.id = l.older
        where e.supersedes_id is not null)
    select u.id as "useCaseId", coalesce((${pieces}), '[]') as pieces, coalesce((${controls}), '[]') as controls
      from unnest(${ids}) as u (id)`)
  return new Map(
    rows.map(({ useCaseId, controls: said, pieces: given }) => [
      useCaseId,
      { controls: said, pieces: given.map(inInstants) },
    ]),
  )
}

/** a newer piece takes the place of all older ones once somebody accepted it. */
const pieces = sql`
  select json_agg(json_build_object('id', e.id, 'kind', e.kind, 'givenAt', coalesce(e.given_at, e.attached_at)::text,
      'freshUntil', e.fresh_until::text, 'verdict', v.verdict, 'seats', coalesce(v.seats, '{}'),
      'isHeld', coalesce(s.state, 'available') = 'quarantined',
      'replaces', coalesce((select json_agg(l.older) from line l where l.newer = e.id), '[]'))
      order by e.attached_at, e.id)
    from evidence e
    left join evidence_verdict v on v.evidence_id = e.id
    left join evidence_scan s on s.evidence_id = e.id
    where e.use_case_id = u.id and e.disposed_at is null and s.state is distinct from 'rejected'
      and not exists (select from line l join evidence_verdict a on a.evidence_id = l.newer
        where l.older = e.id and a.verdict = 'accepted')`

const controls = sql`
  select json_agg(json_build_object('catalog', c.catalog, 'version', c.version, 'control', c.control_id, 'state', c.state,
      'evidenceIds', coalesce((select json_agg(l.evidence_id) from control_evidence l where l.assessment_id = c.id), '[]')))
    from (select distinct on (catalog, version, control_id) * from control_assessment
      where use_case_id = u.id order by catalog, version, control_id, ordinal desc) c`

/** JSON holds an instant as PostgreSQL writes it. */
function inInstants(piece: Piece): Piece {
  const instant = (text: string): Instant => fromPostgres(text)
  const { givenAt, freshUntil } = piece
  return { ...piece, givenAt: instant(givenAt), freshUntil: freshUntil === null ? null : instant(freshUntil) }
}
