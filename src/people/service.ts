import { authorize } from '../auth/decision-rights.js'
import type { Principal } from '../auth/principal.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Sql } from '../db/client.js'
import { findPrincipalRow } from '../db/principal-row.js'
import { people } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { assertChanges, assertRevision, RegistryError } from '../errors.js'
import { newId, ROOT_UNIT_ID } from '../ids.js'
import type { Instant } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Person, PersonChange } from './person.js'
import * as store from './store.js'

export { countOwned, hasAdministrator, keepFirstSignIn, listOwnersAmong } from './store.js'

export type PersonRow = store.PersonRow

/** A service account signs in with service tokens only. */
export async function createServiceAccount(tx: WriteTx, name: string): Promise<Person> {
  const id = newId()
  const right = authorize(tx.ability, 'create', 'Person', { id, kind: 'service' })
  const person = await store.insertPerson(tx, {
    id,
    kind: 'service',
    name,
    email: null,
    status: 'active',
    createdAt: tx.now,
  })
  const sealed = { name, email: null, issuer: null, subject: null }
  tx.record(person, { type: 'person.invited', right, kind: 'service', sealed })
  return present(person)
}

export async function revisePerson(
  tx: WriteTx,
  id: string,
  revision: number,
  change: PersonChange,
): Promise<Person> {
  const person = await store.lockPerson(tx, id)
  const right = authorize(tx.ability, 'manage', 'Person', person)
  assertRevision(person, revision)
  assertChanges(person, change)
  const revised = await store.updatePerson(tx, person, change)
  tx.record(person, { type: 'person.revised', right, sealed: { name: revised.name, email: revised.email } })
  return present(revised)
}

export async function getPerson(tx: ReadTx, id: string): Promise<Person> {
  const person = await store.getPersonRow(tx, id)
  authorize(tx.ability, 'read', 'Person', person)
  return present(person)
}

/** People by name. */
export async function listPeople(
  tx: ReadTx,
  search: string | undefined,
  { limit, after }: PageRequest,
): Promise<PageOf<Person>> {
  const where = visibleWhere(tx.ability, 'read', 'Person', { id: people.id, kind: people.kind })
  const [name, id] = after ?? []
  const from = after && { name: String(name), id: String(id) }
  const rows = await store.listPersonRows(tx, { where, search, after: from, limit: limit + 1 })
  return cutPage(rows.map(present), limit, (person) => [person.name, person.id])
}

/**
 * an owner has no vote. So whoever holds a seat for the unit, and no role that owns, becomes an owner by their own
 * deed only: nobody is named out of the committee.
 * @throws RegistryError `conflict`
 */
export async function assertNotSeated(tx: ReadTx, ids: string[], unitId: string): Promise<void> {
  const others = ids.filter((id) => id !== tx.principal.personId)
  const principals = await Promise.all(others.map((id) => findPrincipal(tx.sql, id, tx.now)))
  const seated = principals.find((principal) => {
    const held = (principal?.grants ?? []).filter(
      ({ units, for: holder }) => holder === undefined && (units === 'all' || units.includes(unitId)),
    )
    const isOwner = held.some(({ name }) => name === 'risk_owner' || name === 'business_owner')
    return !isOwner && held.some(({ kind }) => kind === 'seat')
  })
  if (!seated) return
  throw new RegistryError(
    'conflict',
    `${seated.name} votes on the use cases of this unit, which an owner cannot; they name themselves, or you another`,
  )
}

/** Whether somebody holds a seat for one org unit: by grant, for a delegated one is not theirs. */
export async function holdsSeat(
  tx: WriteTx,
  personId: string,
  seat: string,
  unitId: string,
): Promise<boolean> {
  const principal = await findPrincipal(tx.sql, personId, tx.now)
  return (principal?.grants ?? []).some(
    ({ kind, name, units, for: holder }) =>
      kind === 'seat' && name === seat && holder === undefined && (units === 'all' || units.includes(unitId)),
  )
}

/** Those of these people that there are, locked in the order of their ids. */
export async function lockPeople(tx: WriteTx, ids: string[]): Promise<PersonRow[]> {
  return await store.lockPeople(tx, ids)
}

/** The roles and seats that somebody holds by grant, whom whoever calls has locked. */
export async function listHeld(
  tx: ReadTx,
  personId: string,
): Promise<Pick<store.GrantRow, 'id' | 'kind' | 'name' | 'orgUnitId'>[]> {
  return await store.listGrantRows(tx, personId)
}

/** The person whose token changes, locked: their events carry it. */
export async function lockPersonForToken(tx: WriteTx, personId: string): Promise<PersonRow> {
  return await store.lockPerson(tx, personId)
}

/** @throws RegistryError `invalid` unless every one of them is a human who has not left */
export async function assertOwners(tx: ReadTx, ids: string[]): Promise<void> {
  const known = await store.listOwnersAmong(tx, ids)
  if (ids.every((id) => known.includes(id))) return
  throw new RegistryError(
    'invalid',
    'an owner must be a person who is registered here and has not left; choose another',
  )
}

/** Humans who have not left, by one of these names or e-mail addresses, in any case. */
export async function listPeopleCalled(
  tx: ReadTx,
  names: string[],
): Promise<Pick<PersonRow, 'id' | 'name' | 'email'>[]> {
  return await store.listPeopleCalled(tx, names)
}

/** An active person with the grants and delegations in force at this instant, or nobody. */
export async function findPrincipal(on: Sql, id: string, now: Instant): Promise<Principal | undefined> {
  const row = await findPrincipalRow(on, id, now)
  if (!row) return undefined
  const held = row.grants.map(({ for: holder, ...grant }) => ({
    ...grant,
    units: grant.orgUnitId === ROOT_UNIT_ID ? ('all' as const) : grant.units,
    ...(holder !== null && { for: holder }),
  }))
  const { kind, name, bound: boundUseCaseIds, eventNo: asOfEventNo, standsFor } = row
  const changesAt = row.changesAt ?? undefined
  return { personId: id, kind, name, grants: held, boundUseCaseIds, asOfEventNo, standsFor, changesAt }
}

export async function findPersonByIdentity(
  on: Sql,
  issuer: string,
  subject: string,
): Promise<string | undefined> {
  return await store.findPersonByIdentity(on, issuer, subject)
}

export function present({ id, kind, name, email, status, revision, createdAt }: store.PersonRow): Person {
  return { id, kind, name, email, status, revision, createdAt }
}
