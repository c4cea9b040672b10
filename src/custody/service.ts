import { authorizeKnown } from '../auth/decision-rights.js'
import type { ReadTx } from '../db/transaction.js'
import type { BlobStore } from '../evidence/blobs.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { RetentionFile } from '../policy/retention-file.js'
import type { Custody, CustodyRound, Damage } from './custody.js'
import * as store from './store.js'

/** @throws RegistryError `forbidden` to whoever looks after no whole organisation */
export async function getCustody(
  tx: ReadTx,
  { locks }: Pick<BlobStore, 'locks'>,
  { withinDays }: RetentionFile['reconciliation'],
): Promise<Custody> {
  authorizeKnown(tx.ability, 'read', 'EvidenceStore', {})
  const [counts, rounds] = await Promise.all([
    store.readCounts(tx.client),
    store.listRounds(tx, { after: undefined, limit: 1 }),
  ])
  const [last] = rounds
  return { locks, ...counts, withinDays, lastRound: last ? present(last) : null }
}

/** Days of checks, the last one first. */
export async function listRounds(tx: ReadTx, { limit, after }: PageRequest): Promise<PageOf<CustodyRound>> {
  authorizeKnown(tx.ability, 'read', 'EvidenceStore', {})
  const [beganAt, id] = after ?? []
  const from = after && { beganAt: String(beganAt), id: String(id) }
  const rows = await store.listRounds(tx, { after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.beganAt, row.id])
  return { items: items.map(present), last }
}

/** Files that are damaged, with the pieces that rest on them. */
export async function listDamaged(tx: ReadTx, { limit, after }: PageRequest): Promise<PageOf<Damage>> {
  authorizeKnown(tx.ability, 'read', 'EvidenceStore', {})
  const rows = await store.listDamaged(tx, { after: String(after?.[0] ?? ''), limit: limit + 1 })
  return cutPage(rows, limit, ({ digest }) => [digest])
}

function present({ bytes: size, ...round }: store.RoundRow): CustodyRound {
  return { ...round, size }
}
