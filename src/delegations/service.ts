import { type Delegated, listDelegates } from '../db/delegates.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import * as store from './store.js'

export type DelegationRow = store.DelegationRow

/** The delegation in force at this instant, by which one votes for the other. */
export async function findDelegation(
  tx: ReadTx,
  people: { fromId: string; toId: string },
): Promise<DelegationRow | undefined> {
  return await store.findInForce(tx, people)
}

/**
 * Who counts as these people as well: their delegates, in force or from later on, and the delegates of those.
 * No delegation of theirs is made until the deed is done.
 */
export async function listDelegatesOf(tx: WriteTx, personIds: readonly string[]): Promise<Delegated[]> {
  return await listDelegates(tx, personIds)
}
