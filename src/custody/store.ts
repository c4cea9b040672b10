import { and, desc, eq, lt, or, sql } from 'drizzle-orm'
import type pg from 'pg'
import type { custodyTurns } from '../db/retention-tables.js'
import { custodyRounds } from '../db/schema.js'
import type { ReadTx } from '../db/transaction.js'
import type { Soundness, StoredBytes } from '../evidence/blobs.js'
import { fromPostgres, type Instant } from '../instant.js'
import type { Damage } from './custody.js'

export type RoundRow = typeof custodyRounds.$inferSelect

/** What is done by one process at a time. */
export type Turn = (typeof custodyTurns.$inferSelect)['name']

/** Whether it is our turn, and then nobody else's until `nextAt`: whoever of all processes comes first. */
export async function claimTurn(
  pool: pg.Pool,
  name: Turn,
  { now, nextAt }: { now: Instant; nextAt: Instant },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update custody_turn set next_at = $3 where name in
      (select name from custody_turn where name = $1 and next_at <= $2 for update skip locked)`,
    [name, now, nextAt],
  )
  return rowCount === 1
}

/** Moves on the turn that is ours. */
export async function keepTurn(pool: pg.Pool, name: Turn, nextAt: Instant): Promise<void> {
  await pool.query('update custody_turn set next_at = $2 where name = $1', [name, nextAt])
}

const isInUse =
  "exists (select from evidence l where l.digest = b.digest and l.form = 'file' and l.disposed_at is null)"

/** Files that a version of Assent attached which knew no custody, or not enough. */
export async function adoptFiles(pool: pg.Pool): Promise<void> {
  await pool.query(`insert into stored_blob (digest, size, stored_at)
    select e.digest, max(e.size), min(e.attached_at) from evidence e
      where e.form = 'file' and not exists (select from stored_blob b where b.digest = e.digest)
      group by e.digest on conflict (digest) do nothing`)
  // A note of removal that is wrong would keep them from being checked.
  await pool.query(`update stored_blob b set removed_at = null, checked_at = null, soundness = null, damaged_at = null
    where b.removed_at is not null and ${isInUse}`)
}

export interface Untold {
  digest: string
  retainUntil: Instant
  held: boolean
}

/** While its use case is not retired, a piece is kept for so long from now at least; this moves on by the month. */
const ends = `greatest(f.retain_until, case when f.days_after_retirement > 0 then
  coalesce(r.retired_at, $1::timestamptz) + make_interval(hours => 24 * f.days_after_retirement) end)`

const isHeld = `exists (select from legal_hold_object o
  where o.use_case_id = e.use_case_id and (o.evidence_id is null or o.evidence_id = e.id)
    and not exists (select from legal_hold_release x where x.object_id = o.id)
    and not exists (select from legal_hold_lifting x where x.hold_id = o.hold_id))`

/** Of so many files, by digest, those of which the store was told less than now holds of any piece with them. */
export async function listUntold(
  pool: pg.Pool,
  now: Instant,
  { after, limit }: { after: string; limit: number },
): Promise<{ untold: Untold[]; last: string | null }> {
  const { rows } = await pool.query<Untold & { isUntold: boolean }>(
    `select digest, until::text as "retainUntil", held, until is not null and (told_at is null
        or held is distinct from told_held
        or until > told_until + case when is_open then interval '720 hours' else interval '0' end) as "isUntold"
      from (
        select b.digest, b.told_at, b.held as told_held, b.retain_until as told_until,
          max(${ends}) as until, bool_or(${isHeld}) as held,
          bool_and(r.retired_at is null and f.days_after_retirement > 0) as is_open
        from (select * from stored_blob where removed_at is null and digest > $2 order by digest limit $3) b
          left join evidence e on e.digest = b.digest and e.form = 'file' and e.disposed_at is null
          left join lateral (select * from retention_floor l where l.evidence_id = e.id
            order by l.ordinal desc limit 1) f on true
          left join retirement r on r.use_case_id = e.use_case_id
        group by b.digest, b.told_at, b.held, b.retain_until) d
      order by digest`,
    [now, after, limit],
  )
  const untold = rows.filter(({ isUntold }) => isUntold)
  return {
    untold: untold.map(({ digest, retainUntil, held }) => ({
      ...{ digest, held, retainUntil: fromPostgres(retainUntil) },
    })),
    last: rows.length < limit ? null : (rows.at(-1)?.digest ?? null),
  }
}

export async function keepTold(
  pool: pg.Pool,
  { digest, retainUntil, held }: Untold,
  now: Instant,
): Promise<void> {
  await pool.query(
    `update stored_blob set retain_until = greatest(retain_until, $2::timestamptz), held = $3, told_at = $4
      where digest = $1`,
    [digest, retainUntil, held, now],
  )
}

/** From what was disposed of to its bytes, where they are still there and in no use. */
const removable = `from evidence_disposal d join evidence e on e.id = d.evidence_id and e.form = 'file'
  join stored_blob b on b.digest = e.digest and b.removed_at is null where not ${isInUse}`

/** Bytes of which every piece was disposed of, and that are still there. */
export async function listRemovable(pool: pg.Pool, after: string, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ digest: string }>(
    `select distinct b.digest ${removable} and b.digest > $1 order by b.digest limit $2`,
    [after, limit],
  )
  return rows.map(({ digest }) => digest)
}

/**
 * Removes bytes while their row is locked, so that no piece comes to rest on them meanwhile.
 * @param remove throws where they stay
 * @returns false when they are in use again, or in the hands of another process
 */
export async function removeLocked(
  pool: pg.Pool,
  digest: string,
  { now, remove }: { now: () => Instant; remove: (isHeld: boolean) => Promise<void> },
): Promise<boolean> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query<{ held: boolean | null }>(
      'select held from stored_blob where digest = $1 and removed_at is null for update skip locked',
      [digest],
    )
    const [row] = rows
    // Asked anew: what was attached before the lock was ours is seen only now.
    const { rowCount } = await client.query(
      `select from stored_blob b where b.digest = $1 and not ${isInUse}`,
      [digest],
    )
    if (row === undefined || rowCount === 0) {
      await client.query('rollback')
      return false
    }
    await remove(row.held === true)
    await client.query(
      `update stored_blob set removed_at = $2, checked_at = null, soundness = null, damaged_at = null
        where digest = $1`,
      [digest, now()],
    )
    await client.query('commit')
    return true
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

export async function countFiles(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ files: number }>(
    'select count(*)::int as files from stored_blob where removed_at is null',
  )
  return rows[0]?.files ?? 0
}

export type Due = StoredBytes & { isDamaged: boolean }

/** What to look at next: first what was damaged, then what was not looked at for the longest time. */
export async function findDue(
  pool: pg.Pool,
  { notSince, except }: { notSince: Instant; except: string[] },
): Promise<Due | undefined> {
  const { rows } = await pool.query<{ digest: string; size: string; isDamaged: boolean }>(
    `(select digest, size::text, true as "isDamaged" from stored_blob
      where damaged_at is not null and removed_at is null and checked_at < $1 and digest <> all($2)
      order by checked_at, digest limit 1)
    union all
    (select digest, size::text, false from stored_blob
      where removed_at is null and damaged_at is null and digest <> all($2) and (checked_at is null or checked_at < $1)
      order by checked_at nulls first, digest limit 1)
    limit 1`,
    [notSince, except],
  )
  const [row] = rows
  return row && { ...row, size: Number(row.size) }
}

/** @returns false when it was removed meanwhile */
export async function keepCheck(
  client: pg.Pool | pg.ClientBase,
  digest: string,
  { soundness, at }: { soundness: Soundness; at: Instant },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update stored_blob set checked_at = $3, soundness = $2,
      damaged_at = case when $2 = 'ok' then null else coalesce(damaged_at, $3) end
      where digest = $1 and removed_at is null`,
    [digest, soundness, at],
  )
  return rowCount === 1
}

/** Pieces that rest on these bytes. */
export async function listPiecesOf(
  client: pg.Pool | pg.ClientBase,
  digest: string,
): Promise<{ id: string; useCaseId: string }[]> {
  const { rows } = await client.query<{ id: string; useCaseId: string }>(
    `select id, use_case_id as "useCaseId" from evidence
      where digest = $1 and form = 'file' and disposed_at is null order by id`,
    [digest],
  )
  return rows
}

export async function insertRound(pool: pg.Pool, row: RoundRow): Promise<void> {
  const { id, beganAt, endedAt, checked, bytes, damaged, mended, unanswered } = row
  await pool.query(
    `insert into custody_round (id, began_at, ended_at, checked, bytes, damaged, mended, unanswered)
      values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, beganAt, endedAt, checked, bytes, damaged, mended, unanswered],
  )
}

/** The last one first. */
export async function listRounds(
  tx: ReadTx,
  { after, limit }: { after: { beganAt: string; id: string } | undefined; limit: number },
): Promise<RoundRow[]> {
  const { beganAt, id } = custodyRounds
  const beyond = after && or(lt(beganAt, after.beganAt), and(eq(beganAt, after.beganAt), lt(id, after.id)))
  return await tx.sql.select().from(custodyRounds).where(beyond).orderBy(desc(beganAt), desc(id)).limit(limit)
}

export interface Counts {
  files: number
  size: number
  unchecked: number
  oldestCheckAt: Instant | null
  damaged: number
  quarantined: number
  waitingForRemoval: number
}

export async function readCounts(client: pg.Pool | pg.ClientBase): Promise<Counts> {
  const { rows } = await client.query<Counts>(`
    select count(*)::int as files, coalesce(sum(size), 0)::float8 as size,
      count(*) filter (where checked_at is null)::int as unchecked, min(checked_at)::text as "oldestCheckAt",
      count(*) filter (where damaged_at is not null)::int as damaged,
      (select count(*)::int from evidence_scan where state = 'quarantined') as quarantined,
      (select count(distinct b.digest)::int ${removable}) as "waitingForRemoval"
    from stored_blob where removed_at is null`)
  const [row] = rows
  if (!row) throw new Error('counts came back empty')
  return { ...row, oldestCheckAt: row.oldestCheckAt === null ? null : fromPostgres(row.oldestCheckAt) }
}

/** By digest. */
export async function listDamaged(
  tx: ReadTx,
  { after, limit }: { after: string; limit: number },
): Promise<Damage[]> {
  const { rows } = await tx.sql.execute<Damage & Record<string, unknown>>(sql`
    select b.digest, b.size::float8 as size, b.soundness as found, b.damaged_at::text as "damagedAt",
      b.checked_at::text as "checkedAt",
      coalesce((select json_agg(json_build_object('id', e.id, 'useCase', 'UC-' || u.number) order by e.id)
        from evidence e join use_case u on u.id = e.use_case_id
        where e.digest = b.digest and e.form = 'file' and e.disposed_at is null), '[]') as evidence
    from stored_blob b where b.damaged_at is not null and b.removed_at is null and b.digest > ${after}
    order by b.digest limit ${limit}`)
  return rows.map((row) => ({
    ...row,
    damagedAt: fromPostgres(row.damagedAt),
    checkedAt: fromPostgres(row.checkedAt),
  }))
}
