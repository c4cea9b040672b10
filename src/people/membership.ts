import { authorize } from '../auth/decision-rights.js'
import type { Sql } from '../db/client.js'
import type { WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { ASSENT_ID, newId, ROOT_UNIT_ID } from '../ids.js'
import { addDays, addSeconds, type Instant } from '../instant.js'
import { insertGrant } from './granting.js'
import {
  assertAcceptable,
  assertInvited,
  INVITATION_DAYS,
  type Invitation,
  type InvitedPerson,
  type NewInvitation,
} from './person.js'
import { type PersonRow, present } from './service.js'
import * as store from './store.js'

/**
 * @param issuers the configured sign-in providers
 * @throws RegistryError `conflict` when the identity belongs to somebody already
 */
export async function invite(
  tx: WriteTx,
  { name, email, proof }: NewInvitation,
  issuers: string[],
): Promise<InvitedPerson> {
  const id = newId()
  const right = authorize(tx.ability, 'invite', 'Invitation', { personId: id })
  const identity = identityOf(proof, issuers)
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
  recordInvitation(tx, person, invitation, right)
  return { ...present(person), invitation: presentInvitation(invitation) }
}

/**
 * A key proves that the same person comes again, not who they are: whoever invites could have made it. So it is for
 * places without a sign-in provider only.
 */
function identityOf(proof: NewInvitation['proof'], issuers: string[]) {
  if ('keyDigest' in proof) {
    if (issuers.length === 0) return { keyDigest: proof.keyDigest }
    throw new RegistryError(
      'invalid',
      'a sign-in provider is configured here; invite by the subject it knows them by',
    )
  }
  const { subject, issuer = issuers.length === 1 ? issuers[0] : undefined } = proof
  if (issuer !== undefined && issuers.includes(issuer)) return { issuer, subject }
  throw new RegistryError(
    'invalid',
    issuers.length > 0
      ? `say which sign-in provider the subject is of: its issuer is ${issuers.join(' or ')}`
      : 'no sign-in provider is configured; invite by the key digest that `assent join` prints',
  )
}

/** The same identity, and as much time again, for somebody who has not come yet. */
export async function renewInvitation(tx: WriteTx, personId: string): Promise<Invitation> {
  const person = await store.lockPerson(tx, personId)
  authorize(tx.ability, 'read', 'Person', person)
  const right = authorize(tx.ability, 'invite', 'Invitation', { personId })
  assertInvited(person)
  const invitation = await store.renewInvitationRow(tx, personId, addDays(tx.now, INVITATION_DAYS))
  recordInvitation(tx, person, invitation, right)
  return presentInvitation(invitation)
}

function recordInvitation(
  tx: WriteTx,
  person: PersonRow,
  { expiresAt, issuer, subject }: store.InvitationRow,
  right: string,
): void {
  const sealed = { name: person.name, email: person.email, issuer, subject }
  tx.record(person, { type: 'person.invited', right, kind: 'human', expiresAt, sealed })
}

/** The person whose open invitation this proof accepts. */
export async function findInvited(on: Sql, proof: store.Proof): Promise<string | undefined> {
  const invitation = await store.findInvitation(on, proof)
  return invitation?.acceptedAt === null ? invitation.personId : undefined
}

/** Accepts an invitation as the invited person, who has just proved who they are. */
export async function join(tx: WriteTx, personId: string): Promise<PersonRow> {
  const person = await store.lockPerson(tx, personId)
  const invitation = await store.getInvitationOf(tx, personId)
  assertAcceptable(invitation, tx.now)
  assertInvited(person)
  await store.acceptInvitation(tx, invitation.id)
  const { issuer, subject, keyDigest } = invitation
  const by = keyDigest ? 'key' : 'issuer'
  tx.record(person, { type: 'person.joined', by, sealed: { name: person.name, issuer, subject } })
  return await store.updatePerson(tx, person, { status: 'active', issuer, subject })
}

/** Right named by what Assent itself does before anybody has signed in. */
const BOOTSTRAP = 'bootstrap'

/** Lets one more administrator join, whoever administers: the operator holds the data anyway, and it is on record. */
export async function openRecovery(tx: WriteTx, digest: string, seconds: number): Promise<Instant> {
  const assent = await store.lockAssent(tx)
  const expiresAt = addSeconds(tx.now, seconds)
  await store.keepFirstSignIn(tx.sql, digest, tx.now, expiresAt)
  tx.record(assent, { type: 'recovery.opened', right: BOOTSTRAP, expiresAt, sealed: {} })
  return expiresAt
}

/**
 * An administrator by a code that only the operator has read, which is used up.
 * @param code its digest
 * @param recovers true for a code made to join those who administer already
 */
export async function joinByCode(
  tx: WriteTx,
  { code, recovers }: { code: string; recovers: boolean },
  name: string,
): Promise<PersonRow> {
  const id = tx.principal.personId
  const person = await store.insertPerson(tx, {
    id,
    kind: 'human',
    name,
    email: null,
    status: 'active',
    createdAt: tx.now,
  })
  if (!(await store.useFirstSignIn(tx, code, id))) {
    throw new RegistryError(
      'unauthenticated',
      'this code is used, expired or replaced; print a new one with `assent first-sign-in`, where the data lie',
    )
  }
  if (!recovers && (await store.hasAdministrator(tx.sql))) {
    throw new RegistryError('conflict', 'somebody administers this already; ask them to invite you')
  }
  tx.record(person, {
    type: 'person.joined',
    by: 'first_sign_in',
    sealed: { name, issuer: null, subject: null },
  })
  const grant = { kind: 'role', name: 'administrator', orgUnitId: ROOT_UNIT_ID } as const
  await insertGrant(tx, person, grant, ASSENT_ID, BOOTSTRAP)
  return person
}

function presentInvitation({
  keyDigest: _key,
  issuer: _issuer,
  subject: _subject,
  ...rest
}: store.InvitationRow): Invitation {
  return rest
}
