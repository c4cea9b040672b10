import { z } from 'zod'
import { roles, seats } from '../auth/principal.js'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import { reason, text } from '../text.js'
import * as examples from './examples.js'

/** A human or a service account. Identity is (issuer, subject) or a key of their own, never the e-mail address. */
export const Person = z
  .strictObject({
    id: z.uuid(),
    kind: z.enum(['human', 'service']),
    name: z.string(),
    email: z.string().nullable().describe('To write to; nobody is recognised by it'),
    status: z.enum(['invited', 'active', 'left']).describe('Who left stays on record, and may do nothing'),
    revision: z.int().describe('Rises with each change; it is the ETag'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Person', description: 'A human or a service account', examples: [examples.riskOwner] })
export type Person = z.infer<typeof Person>

const name = text(200).trim().min(1)
const email = z.email().max(254).describe('To write to; nobody is recognised by it')

/**
 * How the invited person will prove who they are: as a subject of the configured issuer, or with a key that they
 * made themselves and of which the inviter knows the SHA-256 only.
 */
export const Proof = z
  .union([
    z.strictObject({
      subject: z.string().min(1).max(255).describe('Their `sub` at the sign-in provider'),
      issuer: z.string().max(500).optional().describe('Needed only when several providers are configured'),
    }),
    z.strictObject({
      keyDigest: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'is the 64 hex digits that `assent join` printed')
        .describe('SHA-256 of the key that `assent join` made for them, in hex'),
    }),
  ])
  .meta({ id: 'Proof', description: 'How the invited person will prove who they are' })
export type Proof = z.infer<typeof Proof>

export const NewInvitation = z
  .strictObject({ name, email: email.nullable().default(null), proof: Proof })
  .meta({ id: 'NewInvitation', examples: examples.newInvitations })
export type NewInvitation = z.infer<typeof NewInvitation>

export const NewServiceAccount = z
  .strictObject({ name })
  .meta({ id: 'NewServiceAccount', examples: [examples.newServiceAccount] })
export type NewServiceAccount = z.infer<typeof NewServiceAccount>

export const PersonChange = z
  .strictObject({ name: name.optional(), email: email.nullable().optional() })
  .meta({ id: 'PersonChange', examples: [examples.personChange] })
export type PersonChange = z.infer<typeof PersonChange>

export const Leaving = z.strictObject({ reason }).meta({ id: 'Leaving', examples: [examples.leaving] })
export type Leaving = z.infer<typeof Leaving>

export const Invitation = z
  .strictObject({
    id: z.uuid(),
    personId: z.uuid(),
    invitedBy: z.uuid().describe('Id of a person'),
    invitedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    acceptedAt: z.iso.datetime().nullable().describe('Null while it is open'),
  })
  .meta({ id: 'Invitation', examples: [examples.invitation] })
export type Invitation = z.infer<typeof Invitation>

/** What whoever invites gets to see. */
export const InvitedPerson = z.strictObject({ ...Person.shape, invitation: Invitation }).meta({
  id: 'InvitedPerson',
  description: 'A person with their open invitation',
  examples: [examples.invitedPerson],
})
export type InvitedPerson = z.infer<typeof InvitedPerson>

export const INVITATION_DAYS = 14

export const Grant = z
  .strictObject({
    id: z.uuid(),
    personId: z.uuid(),
    kind: z.enum(['role', 'seat']),
    name: z.enum([...roles, ...seats]),
    orgUnitId: z.uuid().describe('It holds there and in all units below'),
    grantedBy: z.uuid().describe('Id of a person'),
    grantedAt: z.iso.datetime(),
    revokedBy: z.uuid().nullable(),
    revokedAt: z.iso.datetime().nullable().describe('Null while it holds'),
  })
  .meta({
    id: 'Grant',
    description: 'A role or a seat, for one unit and all below it',
    examples: [examples.grant],
  })
export type Grant = z.infer<typeof Grant>

export const NewGrant = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('role'), name: z.enum(roles), orgUnitId: z.uuid() }),
    z.strictObject({ kind: z.literal('seat'), name: z.enum(seats), orgUnitId: z.uuid() }),
  ])
  .meta({ id: 'NewGrant', examples: examples.newGrants })
export type NewGrant = z.infer<typeof NewGrant>

export const Revocation = z
  .strictObject({ reason })
  .meta({ id: 'Revocation', examples: [examples.revocation] })
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

/** nothing that somebody answers for is left behind. */
export function assertNothingOwned(
  { id, name }: { id: string; name: string },
  { useCases, conditions }: { useCases: number; conditions: number },
): void {
  if (useCases + conditions === 0) return
  const owned = [several(useCases, 'use case'), several(conditions, 'open condition')]
  throw new RegistryError(
    'conflict',
    `${name} answers for ${owned.filter(Boolean).join(' and ')}; hand them over first, with POST /v1/people/${id}/handover`,
  )
}

function several(count: number, noun: string): string {
  if (count === 0) return ''
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A grant as rows hold it: which names go with which kind, `NewGrant` says. */
type Held = { kind: 'role' | 'seat'; name: string }

/**
 * Who administers or audits does not decide: neither holds a seat or sits on the committee. A service account is a
 * pipeline and nothing else; a human is never one.
 */
export function assertGrantable(person: { kind: 'human' | 'service' }, held: Held[], grant: Held): void {
  const isPipeline = grant.kind === 'role' && grant.name === 'pipeline'
  if ((person.kind === 'service') !== isPipeline) {
    throw new RegistryError(
      'conflict',
      'a service account holds the role pipeline and no other, and a human never holds it',
    )
  }
  const all = [...held, grant]
  if (!all.some(({ kind, name }) => kind === 'seat' || name === 'committee_member')) return
  const apart = all.find(({ name }) => name === 'administrator' || name === 'auditor')
  if (apart) {
    throw new RegistryError(
      'conflict',
      `an ${apart.name} holds no seat on the committee; give one of the two to somebody else`,
    )
  }
}

interface Accepted {
  toId: string
  acceptedAt: string | null
}

/** nor does who administers or audits fill a seat for somebody else. */
export function assertNoDelegate(personId: string, delegations: Accepted[], { name }: Held): void {
  if (name !== 'administrator' && name !== 'auditor') return
  if (!delegations.some(({ toId, acceptedAt }) => toId === personId && acceptedAt !== null)) return
  throw new RegistryError(
    'conflict',
    `somebody has delegated their seat to this person, and an ${name} fills none; end that delegation first`,
  )
}
