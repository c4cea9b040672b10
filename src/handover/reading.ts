import { authorize } from '../auth/decision-rights.js'
import type { ReadTx } from '../db/transaction.js'
import { getPerson } from '../people/service.js'
import { keyOf } from '../use-cases/use-case.js'
import { Duties, LISTED, type Some } from './handover.js'
import * as store from './store.js'

/**
 * what somebody answers for, and what of theirs is under way.
 * @throws RegistryError `forbidden` to everybody but themselves and who may hand it over
 */
export async function getDuties(tx: ReadTx, personId: string): Promise<Duties> {
  const { id, kind } = await getPerson(tx, personId)
  if (id !== tx.principal.personId) authorize(tx.ability, 'hand_over', 'Person', { id, kind })
  const [useCases, conditions, seats, votes, submitted, suspensions, delegations] = await Promise.all([
    store.listOwnedUseCases(tx, id, LISTED),
    store.listOwnedConditions(tx, id, LISTED),
    store.listHeldSeats(tx, id, LISTED),
    store.listFilledSeats(tx, id, LISTED),
    store.listSubmittedRounds(tx, id, LISTED),
    store.listOrderedSuspensions(tx, id, LISTED),
    store.listOpenDelegations(tx, id, LISTED),
  ])
  return Duties.parse({
    personId,
    useCases: counted(useCases.map((row) => ownedBy(id, row))),
    conditions: counted(conditions.map(keyed)),
    seats: counted(seats),
    votes: counted(votes.map(keyed)),
    submitted: counted(submitted.map(keyed)),
    suspensions: counted(suspensions.map(keyed)),
    delegations: counted(delegations),
  })
}

type OwnedRow = Awaited<ReturnType<typeof store.listOwnedUseCases>>[number]

function ownedBy(personId: string, { businessOwnerId, riskOwnerId, ...row }: OwnedRow) {
  const owns = [
    ...(businessOwnerId === personId ? ['business'] : []),
    ...(riskOwnerId === personId ? ['risk'] : []),
  ]
  return { ...keyed(row), owns }
}

function keyed<R extends { number: number }>({ number, ...row }: R) {
  return { ...row, key: keyOf(number) }
}

/** Rows that each say how many there are in all. */
function counted<R extends { total: number }>(rows: R[]): Some<Omit<R, 'total'>> {
  const total = rows[0]?.total ?? 0
  return { total, items: rows.map(({ total: _total, ...row }) => row), more: total > rows.length }
}
