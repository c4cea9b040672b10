import { authorize } from '../auth/decision-rights.js'
import type { Principal } from '../auth/principal.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Sql } from '../db/client.js'
import { grants, people } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { assertRevision, RegistryError } from '../errors.js'
import { ASSENT_ID, newId, ROOT_UNIT_ID } from '../ids.js'
import { addDays } from '../instant.js'
import { getOrgUnit } from '../org-units/service.js'
import {
  assertAcceptable,
  assertActive,
  assertGrantable,
  type Grant,
  INVITATION_DAYS,
  type Invitation,
  type NewGrant,
  type NewInvitation,
  type Person,
  type PersonChange,
} from './person.js'
import * as store from './store.js'

export { hasAdministrator, keepFirstSignIn } from './store.js'

/** @throws RegistryError `conflict` when the identity belongs to somebody already */
export async function invite(
  tx: WriteTx,
  { name, email, proof }: NewInvitation,
  issuer: string | undefined,
): Promise<{ person: Person; invitation: Invitation }> {
  const id = newId()
  const right = authorize(tx.ability, 'invite', 'Invitation', { personId: id })
  const identity = identityOf(proof, issuer)
  const person = await store.insertPerson(tx, {
    id,
    kind: 'human',
    name,
    email,
    status: 'invited',
    createdAt: tx.now,
  })
  const invitation = await store.insertInvitation(tx, {
    id: newId(),
    personId: id,
    ...identity,
    invitedBy: tx.principal.personId,
    invitedAt: tx.now,
    expiresAt: addDays(tx.now, INVITATION_DAYS),
  })
  const { expiresAt } = invitation
  const { issuer: from = null, subject = null } = 'subject' in identity ? identity : {}
  tx.record(person, {
    type: 'person.invited',
    right,
    kind: 'human',
    expiresAt,
    sealed: { name, email, issuer: from, subject },
  })
  return { person: present(person), invitation: presentInvitation(invitation) }
}

function identityOf(proof: NewInvitation['proof'], issuer: string | undefined) {
  if ('keyDigest' in proof) return { keyDigest: proof.keyDigest }
  if (!issuer) {
    throw new RegistryError(
      'invalid',
      'no sign-in provider is configured; invite by the key digest that `assent join` prints',
    )
  }
  return { issuer, subject: proof.subject }
}

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
  const revised = await store.updatePerson(tx, person, change)
  tx.record(person, { type: 'person.revised', right, sealed: { name: revised.name, email: revised.email } })
  return present(revised)
}

/** Somebody who left keeps their name in the register, and nothing else: every grant ends, no token works. */
export async function leave(tx: WriteTx, id: string, revision: number, reason: string): Promise<Person> {
  const person = await store.lockPerson(tx, id)
  const right = authorize(tx.ability, 'manage', 'Person', person)
  assertRevision(person, revision)
  assertActive(person)
  for (const grant of await store.listGrantRows(tx, id)) {
    await store.revokeGrantRow(tx, grant.id)
    recordRevocation(tx, person, grant, right, reason)
  }
  const left = await store.updatePerson(tx, person, { status: 'left' })
  tx.record(person, { type: 'person.left', right, sealed: { reason } })
  return present(left)
}

export async function getPerson(tx: ReadTx, id: string): Promise<Person> {
  const person = await store.getPersonRow(tx, id)
  authorize(tx.ability, 'read', 'Person', person)
  return present(person)
}

export interface PeopleQuery {
  search?: string | undefined
  after?: { name: string; id: string } | undefined
  limit: number
}

export async function listPeople(tx: ReadTx, { search, after, limit }: PeopleQuery): Promise<Person[]> {
  const visible = visibleWhere(tx.ability, 'read', 'Person', { id: people.id, kind: people.kind })
  const rows = await store.listPersonRows(tx, { where: visible, search, after, limit })
  return rows.map(present)
}

/** @throws RegistryError `forbidden` to oneself, `conflict` when it would let an administrator decide */
export async function grantRight(tx: WriteTx, personId: string, grant: NewGrant): Promise<Grant> {
  const { kind, name, orgUnitId } = grant
  const person = await store.lockPerson(tx, personId)
  const right = authorize(tx.ability, 'grant', 'Grant', { personId, kind, name, orgUnitId })
  assertActive(person)
  await getOrgUnit(tx, orgUnitId)
  assertGrantable(person, await store.listGrantRows(tx, personId), { kind, name })
  return await insertGrant(tx, person, grant, tx.principal.personId, right)
}

async function insertGrant(
  tx: WriteTx,
  person: store.PersonRow,
  grant: NewGrant,
  grantedBy: string,
  right: string,
): Promise<Grant> {
  const row = await store.insertGrant(tx, {
    id: newId(),
    personId: person.id,
    ...grant,
    grantedBy,
    grantedAt: tx.now,
  })
  tx.record(person, { type: 'right.granted', right, grantId: row.id, ...grant, sealed: {} })
  return presentGrant(row)
}

export async function revokeGrant(tx: WriteTx, id: string, reason: string): Promise<Grant> {
  const { personId } = await store.getGrantRow(tx, id)
  const person = await store.lockPerson(tx, personId)
  const grant = await store.getGrantRow(tx, id)
  const right = authorize(tx.ability, 'revoke', 'Grant', grant)
  if (grant.revokedAt) throw new RegistryError('conflict', 'this grant has ended already; nothing to do')
  await store.revokeGrantRow(tx, id)
  recordRevocation(tx, person, grant, right, reason)
  return presentGrant(await store.getGrantRow(tx, id))
}

function recordRevocation(
  tx: WriteTx,
  person: store.PersonRow,
  grant: store.GrantRow,
  right: string,
  reason: string,
): void {
  const { id: grantId, kind, name, orgUnitId } = grant
  tx.record(person, { type: 'right.revoked', right, grantId, kind, name, orgUnitId, sealed: { reason } })
}

export async function listGrants(tx: ReadTx, personId: string): Promise<Grant[]> {
  await getPerson(tx, personId)
  const visible = visibleWhere(tx.ability, 'read', 'Grant', grants)
  const rows = await store.listGrantRows(tx, personId, { everything: true, where: visible })
  return rows.map(presentGrant)
}

/** The holders of a seat in force, for one org unit. Whether they may vote is another question. */
export async function holdsSeat(
  tx: WriteTx,
  personId: string,
  seat: string,
  unitId: string,
): Promise<boolean> {
  const principal = await findPrincipal(tx.sql, personId)
  return (principal?.grants ?? []).some(
    (grant) =>
      grant.kind === 'seat' && grant.name === seat && (grant.units === 'all' || grant.units.includes(unitId)),
  )
}

export type PersonRow = store.PersonRow

/** The person whose token changes, locked: their events carry it. */
export async function lockPersonForToken(tx: WriteTx, personId: string): Promise<PersonRow> {
  const person = await store.lockPerson(tx, personId)
  assertActive(person)
  return person
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

/** An active person with the grants in force, or nobody. */
export async function findPrincipal(on: Sql, personId: string): Promise<Principal | undefined> {
  const row = await store.findPrincipalRow(on, personId)
  if (!row) return undefined
  const held = row.grants.map((grant) => ({
    ...grant,
    units: grant.orgUnitId === ROOT_UNIT_ID ? ('all' as const) : grant.units,
  }))
  return { personId: row.id, kind: row.kind, name: row.name, grants: held, boundUseCaseIds: row.bound }
}

export async function findPersonByIdentity(
  on: Sql,
  issuer: string,
  subject: string,
): Promise<string | undefined> {
  return await store.findPersonByIdentity(on, issuer, subject)
}

/** The person whose open invitation this proof accepts. */
export async function findInvited(on: Sql, proof: store.Proof): Promise<string | undefined> {
  return (await store.findInvitation(on, proof))?.personId
}

/** Accepts an invitation as the invited person, who has just proved who they are. */
export async function join(tx: WriteTx, personId: string): Promise<PersonRow> {
  const person = await store.lockPerson(tx, personId)
  const invitation = await store.findInvitationOf(tx.sql, personId)
  if (!invitation)
    throw new RegistryError('not_found', 'there is no such invitation; ask an administrator for one')
  assertActive(person)
  assertAcceptable(invitation, tx.now)
  await store.acceptInvitation(tx, invitation.id)
  const { issuer, subject, keyDigest } = invitation
  const by = keyDigest ? 'key' : 'issuer'
  tx.record(person, { type: 'person.joined', by, sealed: { name: person.name, issuer, subject } })
  return await store.updatePerson(tx, person, { status: 'active', issuer, subject })
}

/** Right named by what Assent itself does before anybody has signed in. */
const BOOTSTRAP = 'bootstrap'

/** The first administrator: uses up the code that only the operator has read. */
export async function joinAsFirst(tx: WriteTx, code: string, name: string): Promise<PersonRow> {
  const id = tx.principal.personId
  const person = await store.insertPerson(tx, {
    id,
    kind: 'human',
    name,
    email: null,
    status: 'active',
    createdAt: tx.now,
  })
  const isOurs = await store.useFirstSignIn(tx, code, id)
  if (!isOurs)
    throw new RegistryError(
      'unauthenticated',
      'this code is used, expired or replaced; restart Assent to print a new one',
    )
  tx.record(person, {
    type: 'person.joined',
    by: 'first_sign_in',
    sealed: { name, issuer: null, subject: null },
  })
  const grant = { kind: 'role', name: 'administrator', orgUnitId: ROOT_UNIT_ID } as const
  await insertGrant(tx, person, grant, ASSENT_ID, BOOTSTRAP)
  return person
}

export function present({ id, kind, name, email, status, revision, createdAt }: store.PersonRow): Person {
  return { id, kind, name, email, status, revision, createdAt }
}

function presentGrant(row: store.GrantRow): Grant {
  return row as Grant
}

function presentInvitation({
  keyDigest: _key,
  issuer: _issuer,
  subject: _subject,
  ...rest
}: store.InvitationRow): Invitation {
  return rest
}
