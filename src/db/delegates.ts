import type pg from 'pg'
import type { WriteTx } from './transaction.js'

/** Somebody, and a delegate of theirs: also one of a delegate's, for those of whom a delegate counts as all. */
export interface Delegated {
  fromId: string
  toId: string
}

/**
 * Everybody who has accepted to vote for these people, from now or from later on, and those who did so for them in
 * turn: each pair of a person asked about and one delegate. The people stay locked against another acceptance until the
 * deed is done, so that neither misses the other.
 */
export async function listDelegates(tx: WriteTx, personIds: readonly string[]): Promise<Delegated[]> {
  if (personIds.length === 0) return []
  await shareLock(tx.client, personIds)
  const { rows } = await tx.client.query<Delegated>({
    name: 'delegates',
    text: `with recursive open as (
        select from_id, to_id from delegation
          where accepted_at is not null and ended_at is null and ends_at > $2),
      reached as (
        select from_id as first_id, to_id from open where from_id = any($1::uuid[])
        union
        select r.first_id, o.to_id from reached r join open o on o.from_id = r.to_id)
      select first_id as "fromId", to_id as "toId" from reached where first_id <> to_id order by 1, 2`,
    values: [personIds, tx.now],
  })
  return rows
}

async function shareLock(client: pg.ClientBase, personIds: readonly string[]): Promise<void> {
  await client.query({
    name: 'share_people',
    text: 'select from person where id = any($1::uuid[]) order by id for share',
    values: [personIds],
  })
}
