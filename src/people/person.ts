import { z } from 'zod'
import { roles, seats } from '../auth/principal.js'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import { reason, text } from '../text.js'

/** A human or a service account. Identity is (issuer, subject) or a key of their own, never the e-mail address. */
export const Person = z.strictObject({
  id: z.uuid(),
  kind: z.enum(['human', 'service']),
  name: z.string(),
  email: z.string().nullable(),
  status: z.enum(['invited', 'active', 'left']),
  revision: z.int(),
  createdAt: z.iso.datetime(),
})
export type Person = z.infer<typeof Person>

const name = text(200).trim().min(1)
const email = z.email().max(254)

/**
 * How the invited person will prove who they are: as a subject of the configured issuer, or with a key that they
 * made themselves and of which the inviter knows the SHA-256 only.
 */
export const Proof = z.union([
  z.strictObject({
    subject: z.string().min(1).max(255),
    issuer: z.string().max(500).optional().describe('Needed only when several providers are configured'),
  }),
  z.strictObject({
    keyDigest: z.string().regex(/^[0-9a-f]{64}$/, 'is the 64 hex digits that `assent join` printed'),
  }),
])
export type Proof = z.infer<typeof Proof>

export const NewInvitation = z.strictObject({ name, email: email.nullable().default(null), proof: Proof })
export type NewInvitation = z.infer<typeof NewInvitation>

export const NewServiceAccount = z.strictObject({ name })
export type NewServiceAccount = z.infer<typeof NewServiceAccount>

export const PersonChange = z.strictObject({ name: name.optional(), email: email.nullable().optional() })
export type PersonChange = z.infer<typeof PersonChange>

export const Leaving = z.strictObject({ reason })
export type Leaving = z.infer<typeof Leaving>

export const Invitation = z.strictObject({
  id: z.uuid(),
  personId: z.uuid(),
  invitedBy: z.uuid(),
  invitedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  acceptedAt: z.iso.datetime().nullable(),
})
export type Invitation = z.infer<typeof Invitation>

/** What whoever invites gets to see. */
export const InvitedPerson = z.strictObject({ ...Person.shape, invitation: Invitation })
export type InvitedPerson = z.infer<typeof InvitedPerson>

export const INVITATION_DAYS = 14

/** A role or a seat, for one unit and all below it. */
export const Grant = z.strictObject({
  id: z.uuid(),
  personId: z.uuid(),
  kind: z.enum(['role', 'seat']),
  name: z.enum([...roles, ...seats]),
  orgUnitId: z.uuid(),
  grantedBy: z.uuid(),
  grantedAt: z.iso.datetime(),
  revokedBy: z.uuid().nullable(),
  revokedAt: z.iso.datetime().nullable(),
})
export type Grant = z.infer<typeof Grant>

export const NewGrant = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('role'), name: z.enum(roles), orgUnitId: z.uuid() }),
  z.strictObject({ kind: z.literal('seat'), name: z.enum(seats), orgUnitId: z.uuid() }),
])
export type NewGrant = z.infer<typeof NewGrant>

export const Revocation = z.strictObject({ reason })
export type Revocation = z.infer<typeof Revocation>

/** An invitation is accepted once, in time, and by somebody who is still invited. */
export function assertAcceptable(
  invitation: { expiresAt: Instant; acceptedAt: Instant | null },
  now: Instant,
): void {
  if (invitation.acceptedAt !== null) {
    throw new RegistryError('conflict', 'this invitation was accepted before; use the token you got then')
  }
  if (invitation.expiresAt <= now) {
    throw new RegistryError('conflict', 'this invitation has expired; ask an administrator for a new one')
  }
}

/** @throws RegistryError `conflict` when they have come already, or the invitation was taken back */
export function assertInvited({ status }: { status: string }): void {
  if (status === 'invited') return
  const why = status === 'active' ? 'this person has accepted already' : 'this invitation was taken back'
  throw new RegistryError('conflict', `${why}; there is nothing to accept`)
}

export function assertActive(person: { status: string; name: string }): void {
  if (person.status === 'left')
    throw new RegistryError('conflict', `${person.name} has left; choose somebody else`)
}

/** A grant as rows hold it: which names go with which kind, `NewGrant` says. */
type Held = { kind: 'role' | 'seat'; name: string }

/**
 * Who administers does not decide: an administrator holds no seat and does not sit on the committee. A service
 * account is a pipeline and nothing else; a human is never one.
 */
export function assertGrantable(person: { kind: 'human' | 'service' }, held: Held[], grant: Held): void {
  const isPipeline = grant.kind === 'role' && grant.name === 'pipeline'
  if ((person.kind === 'service') !== isPipeline) {
    throw new RegistryError(
      'conflict',
      'a service account holds the role pipeline and no other, and a human never holds it',
    )
  }
  const administers = [...held, grant].some(({ kind, name }) => kind === 'role' && name === 'administrator')
  const decides = [...held, grant].some(({ kind, name }) => kind === 'seat' || name === 'committee_member')
  if (administers && decides) {
    throw new RegistryError(
      'conflict',
      'an administrator holds no seat on the committee; give one of the two to somebody else',
    )
  }
}
