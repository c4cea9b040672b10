import type { Database } from '../db/database.js'
import type { Request } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { BlobStore, Soundness } from '../evidence/blobs.js'
import { newId } from '../ids.js'
import { addSeconds, type Instant } from '../instant.js'
import type { RetentionFile } from '../policy/retention-file.js'
import { lockUseCases, saveUseCase } from '../use-cases/service.js'
import { budgetOf } from './custody.js'
import * as store from './store.js'

export interface Checking {
  database: Database
  blobs: BlobStore
  policy: RetentionFile['reconciliation']
  /** Assent itself, who says what was found. */
  assent: () => Request
  log: { warn(about: object, message: string): void; info(about: object, message: string): void }
}

/** In a round nothing is looked at twice. */
const DAY_SECONDS = 86_400
/** A store that says nothing of so many files is asked again the next day. */
const SILENCE = 5
/** Longer than one file takes. A process that dies in its round is followed by another after this. */
export const LEASE_SECONDS = 3600

/**
 * reads what was not looked at for the longest time, and what was damaged, and compares it with its digest. Damage
 * is an event of each piece that rests on it, and so is its end. One file at a time, in chunks.
 * @returns what it found; it is kept, too
 */
export async function checkSome(checking: Checking, signal: AbortSignal): Promise<store.RoundRow> {
  const { database, policy, log } = checking
  const beganAt = database.clock.now()
  const budget = budgetOf(policy, await store.countFiles(database.pool))
  const round = { id: newId(), beganAt, checked: 0, bytes: 0, damaged: 0, mended: 0 }
  const unanswered: string[] = []
  let turns = 0
  while (unanswered.length < SILENCE && !signal.aborted) {
    const due = await store.findDue(database.pool, { notSince: beganAt, except: unanswered })
    if (!due || isSpent({ ...round, turns }, due, budget)) break
    await store.keepTurn(database.pool, 'check', addSeconds(database.clock.now(), LEASE_SECONDS))
    const soundness = await look(checking, due)
    if (!due.isDamaged) turns += 1
    if (soundness === undefined) unanswered.push(due.digest)
    else count(round, due, soundness)
  }
  const row = { ...round, unanswered: unanswered.length, endedAt: database.clock.now() }
  await store.insertRound(database.pool, row)
  await store.keepTurn(database.pool, 'check', addSeconds(beganAt, DAY_SECONDS))
  if (row.damaged + row.unanswered === 0) log.info({ round: row }, 'files of evidence were checked')
  else
    log.warn({ round: row }, 'files of evidence were checked: some are damaged, or the store did not answer')
  return row
}

type Counted = Pick<store.RoundRow, 'checked' | 'bytes' | 'damaged' | 'mended'>

function count(round: Counted, { size, isDamaged }: store.Due, soundness: Soundness): void {
  round.checked += 1
  round.bytes += size
  if (soundness !== 'ok' && !isDamaged) round.damaged += 1
  if (soundness === 'ok' && isDamaged) round.mended += 1
}

/** At least one file is read, however large; what was damaged takes the turn of none that is sound. */
function isSpent(
  { checked, bytes, turns }: Counted & { turns: number },
  next: store.Due,
  budget: { files: number; size: number },
): boolean {
  const isItsTurn = next.isDamaged || turns < budget.files
  return !isItsTurn || (checked > 0 && bytes + next.size > budget.size)
}

/** @returns undefined when the store said nothing of it: that proves nothing */
async function look(checking: Checking, due: store.Due): Promise<Soundness | undefined> {
  const { database, blobs, log } = checking
  const { digest, size, isDamaged } = due
  try {
    const soundness = await blobs.check({ digest, size })
    const at = database.clock.now()
    const isNews = (soundness === 'ok') === isDamaged
    if (isNews) await tell(checking, digest, { soundness, at })
    else await store.keepCheck(database.pool, digest, { soundness, at })
    return soundness
  } catch (err) {
    log.warn({ err, digest }, 'a file of evidence could not be checked; it is looked at again')
    return undefined
  }
}

async function tell(
  { database, assent }: Checking,
  digest: string,
  { soundness, at }: { soundness: Soundness; at: Instant },
): Promise<void> {
  const nobodys = new RegistryError('conflict', 'no piece rests on it any more; nothing to do')
  try {
    await database.write(assent(), async (tx) => {
      const useCaseIds = (await store.listPiecesOf(tx.client, digest)).map(({ useCaseId }) => useCaseId)
      const rows = new Map((await lockUseCases(tx, [...new Set(useCaseIds)])).map((row) => [row.id, row]))
      const pieces = await store.listPiecesOf(tx.client, digest)
      if (!(await store.keepCheck(tx.client, digest, { soundness, at })) || pieces.length === 0) throw nobodys
      for (const useCase of rows.values()) {
        saveUseCase(tx, useCase, {})
        for (const { id: evidenceId } of pieces.filter(({ useCaseId }) => useCaseId === useCase.id)) {
          const of = { evidenceId, digest, sealed: {} }
          if (soundness === 'ok') tx.record(useCase, { type: 'evidence.mended', ...of })
          else tx.record(useCase, { type: 'evidence.damaged', ...of, found: soundness })
        }
      }
    })
  } catch (error) {
    if (error !== nobodys) throw error
    await store.keepCheck(database.pool, digest, { soundness, at })
  }
}
