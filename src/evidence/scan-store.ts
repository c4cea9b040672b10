import { and, eq, sql } from 'drizzle-orm'
import type pg from 'pg'
import { evidenceScans } from '../db/schema.js'
import type { WriteTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'

/** A file that waits for the scanner, in the hands of whoever claimed it. */
export interface QuarantinedFile {
  evidenceId: string
  useCaseId: string
  digest: string
  size: number
  tries: number
}

/** It waits from now on, to be claimed by whichever process comes first. */
export async function insertScan(tx: WriteTx, evidenceId: string): Promise<void> {
  await tx.sql.insert(evidenceScans).values({ evidenceId, state: 'quarantined', tries: 0, nextAt: tx.now })
}

/** One that is due, the longest waiting first; it is ours until `leasedUntil`. */
export async function claimScan(
  pool: pg.Pool,
  { now, leasedUntil }: { now: Instant; leasedUntil: Instant },
): Promise<QuarantinedFile | undefined> {
  const { rows } = await pool.query<QuarantinedFile>(
    `with due as (
      select evidence_id from evidence_scan where state = 'quarantined' and next_at <= $1
        order by next_at limit 1 for update skip locked
    ), claimed as (
      update evidence_scan s set tries = s.tries + 1, next_at = $2 from due
        where s.evidence_id = due.evidence_id returning s.evidence_id, s.tries
    )
    select e.id as "evidenceId", e.use_case_id as "useCaseId", e.digest, e.size::float8 as size, c.tries
      from claimed c join evidence e on e.id = c.evidence_id`,
    [now, leasedUntil],
  )
  return rows[0]
}

/** Since when that file waits for the scanner that waits longest; null where none does. */
export async function readQuarantinedSince(pool: pg.Pool): Promise<Instant | null> {
  const { rows } = await pool.query<{ since: Instant | null }>(
    `select min(e.attached_at) as since from evidence_scan s join evidence e on e.id = s.evidence_id
      where s.state = 'quarantined'`,
  )
  return rows[0]?.since ?? null
}

/** It stays in quarantine, and is looked at again then. */
export async function postponeScan(pool: pg.Pool, evidenceId: string, nextAt: Instant): Promise<void> {
  await pool.query(`update evidence_scan set next_at = $2 where evidence_id = $1 and state = 'quarantined'`, [
    evidenceId,
    nextAt,
  ])
}

/** @returns false when another process was faster */
export async function endScan(tx: WriteTx, evidenceId: string, finding: string | null): Promise<boolean> {
  const state = finding === null ? ('available' as const) : ('rejected' as const)
  const rows = await tx.sql
    .update(evidenceScans)
    .set({ state, finding, endedAt: sql`${tx.now}::timestamptz` })
    .where(and(eq(evidenceScans.evidenceId, evidenceId), eq(evidenceScans.state, 'quarantined')))
    .returning({ evidenceId: evidenceScans.evidenceId })
  return rows.length > 0
}
