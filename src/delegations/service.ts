import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { type Delegated, listDelegates } from '../db/delegates.js'
import { delegations } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { listHeld, lockPeople, type PersonRow } from '../people/service.js'
import { lockUseCases } from '../use-cases/service.js'
import { keyOf } from '../use-cases/use-case.js'
import {
  assertApart,
  assertDelegate,
  assertFew,
  assertFree,
  assertNotOver,
  assertOnlyOne,
  assertPeriod,
  assertProposed,
  assertSeated,
  type Delegation,
  type NewDelegation,
  type State,
  stateOf,
} from './delegation.js'
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
 * No delegation of theirs is accepted until the deed is done.
 */
export async function listDelegatesOf(tx: WriteTx, personIds: readonly string[]): Promise<Delegated[]> {
  return await listDelegates(tx, personIds)
}

/**
 * Asks somebody else to vote through the seats that the caller was granted. Until they accept, nothing comes of it:
 * nobody is kept from voting by what another says of them.
 * @throws RegistryError `conflict` to who holds no seat, has too many that are not over, or has one for the same time
 */
export async function delegate(
  tx: WriteTx,
  { toId, startsAt: asked, endsAt, reason }: NewDelegation,
): Promise<Delegation> {
  const fromId = tx.principal.personId
  const right = authorize(tx.ability, 'delegate', 'Delegation', { fromId, toId })
  if (toId === fromId)
    throw new RegistryError('invalid', 'you vote for yourself already; choose somebody else')
  assertSeated(tx.principal.grants)
  if (asked !== undefined) assertPeriod({ startsAt: asked, endsAt }, tx.now)
  const people = await lockPeople(tx, [fromId, toId])
  assertDelegate(
    people.find(({ id }) => id === toId),
    await listHeld(tx, toId),
  )
  const startsAt = asked ?? tx.now
  if (asked === undefined) assertPeriod({ startsAt, endsAt }, tx.now)
  assertFew(await store.countOpen(tx, fromId))
  assertOnlyOne(await store.findOverlapping(tx, fromId, { startsAt, endsAt }))
  const made = { id: newId(), fromId, toId, startsAt, endsAt, reason, createdBy: fromId, createdAt: tx.now }
  const row = await store.insertDelegation(tx, made)
  const { id: delegationId } = row
  for (const person of people) {
    const event = { right, delegationId, fromId, toId, startsAt, endsAt, sealed: { reason } }
    tx.record(person, { type: 'delegation.made', ...event })
  }
  return present(row, tx)
}

/**
 * The delegate takes it on. From then on they vote for the other and count as both.
 * @throws RegistryError `conflict` when it is over or accepted, when somebody else votes for the other meanwhile, or
 *   when the delegate has voted where the other is excluded
 */
export async function acceptDelegation(tx: WriteTx, id: string): Promise<Delegation> {
  const asked = await store.getDelegationRow(tx, id)
  const right = authorize(tx.ability, 'accept', 'Delegation', asked)
  const people = await lockBoth(tx, asked)
  const row = await store.getDelegationRow(tx, id)
  const { fromId, toId } = row
  assertProposed(row, tx.now)
  assertApart(await listHeld(tx, toId), 'decline')
  assertFree(await store.findOverlapping(tx, fromId, row))
  await store.acceptDelegationRow(tx, id)
  await excludeDelegates(tx, row)
  for (const person of people) {
    tx.record(person, { type: 'delegation.accepted', right, delegationId: id, fromId, toId, sealed: {} })
  }
  return present(await store.getDelegationRow(tx, id), tx)
}

/**
 * Both people, locked. First the use cases of the rounds that are closed to the one, so that their votes come before
 * this or after it.
 */
async function lockBoth(
  tx: WriteTx,
  { fromId, toId }: Pick<DelegationRow, 'fromId' | 'toId'>,
): Promise<PersonRow[]> {
  const rounds = await store.listRoundsClosedTo(tx, fromId)
  await lockUseCases(
    tx,
    rounds.map(({ useCaseId }) => useCaseId),
  )
  return await lockPeople(tx, [fromId, toId])
}

/**
 * where somebody is excluded, their delegate is, too, in rounds that are open already. There it lasts when the
 * delegation ends: for a while they were both. Rounds that open later do not know of it.
 */
async function excludeDelegates(tx: WriteTx, { fromId, toId }: DelegationRow): Promise<void> {
  const rounds = await store.listRoundsClosedTo(tx, fromId)
  const further = await listDelegatesOf(tx, [toId])
  const delegates = [...new Set([toId, ...further.map((one) => one.toId)])].filter((id) => id !== fromId)
  await store.excludeFrom(tx, rounds, delegates)
  const number = await store.findVoterAmong(tx, rounds, delegates)
  if (number === undefined) return
  throw new RegistryError(
    'conflict',
    `you, or who votes for you, voted on ${keyOf(number)}, which they may not decide; wait until its review is closed, or decline`,
  )
}

/** Ends it before its time. Votes cast under it stand; no more are. */
export async function endDelegation(tx: WriteTx, id: string): Promise<Delegation> {
  const people = await lockPeople(tx, peopleOf(await store.getDelegationRow(tx, id)))
  const row = await store.getDelegationRow(tx, id)
  const right = authorize(tx.ability, 'end', 'Delegation', row)
  assertNotOver(row, tx.now)
  await store.endDelegationRow(tx, id)
  const { fromId, toId } = row
  for (const person of people) {
    tx.record(person, { type: 'delegation.ended', right, delegationId: id, fromId, toId, sealed: {} })
  }
  return present(await store.getDelegationRow(tx, id), tx)
}

function peopleOf({ fromId, toId }: DelegationRow): string[] {
  return [fromId, toId]
}

export async function getDelegation(tx: ReadTx, id: string): Promise<Delegation> {
  const row = await store.getDelegationRow(tx, id)
  authorize(tx.ability, 'read', 'Delegation', row)
  return present(row, tx)
}

/** What the caller may see, the last made first. */
export async function listDelegations(
  tx: ReadTx,
  filter: { personId: string | undefined; state: State | undefined },
  { limit, after }: PageRequest,
): Promise<PageOf<Delegation>> {
  const { fromId, toId } = delegations
  const where = visibleWhere(tx.ability, 'read', 'Delegation', { fromId, toId })
  const [createdAt, id] = after ?? []
  const from = after && { createdAt: String(createdAt), id: String(id) }
  const rows = await store.listDelegationRows(tx, { where, ...filter, after: from, limit: limit + 1 })
  return cutPage(
    rows.map((row) => present(row, tx)),
    limit,
    (row) => [row.createdAt, row.id],
  )
}

function present({ createdBy: _createdBy, ...row }: DelegationRow, { now }: ReadTx): Delegation {
  return { ...row, state: stateOf(row, now) }
}
