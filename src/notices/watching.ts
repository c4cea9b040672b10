import type { Database } from '../db/database.js'
import type { Request, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { lockUseCases, type UseCaseRow } from '../use-cases/service.js'
import { type Due, keepNotice, listDue } from './due-store.js'

const BATCH = 100

/**
 * Records what time brought about since somebody looked last: lapses, overdue stages and conditions, and conditions
 * that fall due soon. Each is an event of Assent's own, once, for those who want to be told; standing never reads it,
 * and nothing is decided.
 * @returns how many it recorded
 */
export async function giveNotice(database: Database, assent: Request): Promise<number> {
  let given = 0
  for (;;) {
    const due = await listDue(database.pool, database.clock.now(), { limit: BATCH })
    if (due.length === 0) return given
    const recorded = await recordAll(database, assent, [...new Set(due.map(({ useCaseId }) => useCaseId))])
    if (recorded === 0) return given
    given += recorded
  }
}

/** Looks again under the locks, for what was due may have been cured, decided or told by somebody else. */
async function recordAll(database: Database, assent: Request, useCaseIds: string[]): Promise<number> {
  try {
    const { value } = await database.write(assent, async (tx) => {
      const rows = new Map((await lockUseCases(tx, useCaseIds)).map((row) => [row.id, row]))
      const due = await listDue(tx.client, tx.now, { limit: BATCH, useCaseIds: [...rows.keys()] })
      let recorded = 0
      for (const one of due) {
        const row = rows.get(one.useCaseId)
        if (!row || !(await keepNotice(tx.client, one, tx.now))) continue
        record(tx, row, one)
        recorded += 1
      }
      if (recorded === 0) throw new RegistryError('conflict', 'others told it; nothing to do')
      return recorded
    })
    return value
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'conflict') return 0
    throw error
  }
}

function record(tx: WriteTx, row: UseCaseRow, { type, subjectId, reason, since }: Due): void {
  const sealed = {}
  if (type === 'approval.lapsed') tx.record(row, { type, decisionId: subjectId, reason, since, sealed })
  else if (type === 'stage.overdue') {
    tx.record(row, { type, reviewId: subjectId, stage: reason, since, sealed })
  } else if (type === 'condition.overdue') tx.record(row, { type, conditionId: subjectId, since, sealed })
  else tx.record(row, { type, conditionId: subjectId, dueAt: since, sealed })
}
