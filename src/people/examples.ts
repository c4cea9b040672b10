import { orgUnit } from '../org-units/examples.js'

/** People are named after their parts: nobody in an example is real. */
export const riskOwner = {
  id: '019bb143-0c80-7116-be8e-e301ff14653a',
  kind: 'human',
  name: 'Risk owner, Sales',
  email: 'risk-owner-sales@insurer.example',
  status: 'active',
  revision: 2,
  createdAt: '2026-01-12T08:12:00.000Z',
}
export const administratorId = '019bb11c-98c0-7576-a448-21b24848029f'
export const businessOwnerId = '019bb141-37c0-76ea-a697-cab4c425746c'
export const legalMemberId = '019bb145-cba0-76d7-89c8-164aa664b305'
export const pipelineId = '019c1dcb-7900-7088-816a-8095f375e33d'

const keyDigest = '2a57fc8f378a25f11a9449b4c841bda1d31fe488b5791158122108db607f895f'
const { name, email } = riskOwner

/** By their identity at the sign-in provider, or by a key that they made with `assent join`. */
export const newInvitations = [
  { name, email, proof: { subject: 'risk-owner-sales' } },
  { name, email, proof: { keyDigest } },
]

export const invitation = {
  id: '019bb143-0c80-72a5-8b6f-1998eb2d1ce0',
  personId: riskOwner.id,
  invitedBy: administratorId,
  invitedAt: '2026-01-12T08:12:00.000Z',
  expiresAt: '2026-01-26T08:12:00.000Z',
  acceptedAt: null,
}

export const invitedPerson = { ...riskOwner, status: 'invited', revision: 1, invitation }

export const newServiceAccount = { name: 'Deploy pipeline, Sales' }

export const personChange = { name: 'Risk owner, Sales and distribution' }

export const leaving = { reason: 'Moved to another company of the group on 31 March.' }

export const grant = {
  id: '019bb14a-5f80-760d-9283-e2c123c7ddf6',
  personId: riskOwner.id,
  kind: 'role',
  name: 'risk_owner',
  orgUnitId: orgUnit.id,
  grantedBy: administratorId,
  grantedAt: '2026-01-12T08:20:00.000Z',
  revokedBy: null,
  revokedAt: null,
}

export const newGrants = [
  { kind: 'role', name: 'risk_owner', orgUnitId: orgUnit.id },
  { kind: 'seat', name: 'legal', orgUnitId: orgUnit.id },
]

export const revocation = { reason: 'Handed over to the new risk owner.' }
