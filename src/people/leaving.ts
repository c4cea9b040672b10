import { authorize } from '../auth/decision-rights.js'
import type { WriteTx } from '../db/transaction.js'
import { assertRevision } from '../errors.js'
import { endGrants } from './granting.js'
import { assertActive, assertNothingOwned, type Person } from './person.js'
import { type PersonRow, present } from './service.js'
import * as store from './store.js'

/**
 * Somebody who left keeps their name in the register, and nothing else: every grant and delegation ends, no token
 * works.
 * @throws RegistryError `conflict` while they answer for use cases or conditions, which would be orphaned
 */
export async function leave(tx: WriteTx, id: string, revision: number, reason: string): Promise<Person> {
  const { person, people, delegations } = await lockWithDelegates(tx, id)
  const right = authorize(tx.ability, 'manage', 'Person', person)
  assertRevision(person, revision)
  assertActive(person)
  assertNothingOwned(person, await store.countOwned(tx, id))
  await endGrants(tx, person, right, reason)
  await store.endDelegationRows(tx, id)
  for (const { id: delegationId, fromId, toId } of delegations) {
    const ended = people.filter((one) => one.id === fromId || one.id === toId)
    for (const one of ended) {
      tx.record(one, { type: 'delegation.ended', right, delegationId, fromId, toId, sealed: {} })
    }
  }
  const left = await store.updatePerson(tx, person, { status: 'left' })
  tx.record(person, { type: 'person.left', right, sealed: { reason } })
  return present(left)
}

/** With everybody who delegated to them or to whom they did, since what those may do changes. */
async function lockWithDelegates(tx: WriteTx, id: string) {
  const concerned = async () => {
    const delegations = await store.listDelegationsOf(tx, id)
    const people = await store.lockPeople(tx, [
      id,
      ...delegations.flatMap(({ fromId, toId }) => [fromId, toId]),
    ])
    return { delegations, people }
  }
  // Under the first lock no further delegation is made, so the second look sees all of them.
  await concerned()
  const person: PersonRow = await store.lockPerson(tx, id)
  return { person, ...(await concerned()) }
}
