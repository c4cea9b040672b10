import { evidence } from '../evidence/examples.js'
import { legalHold } from '../legal-holds/examples.js'
import { legalMemberId, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

const floor = { retainUntil: '2033-02-11T14:00:00.000Z', daysAfterRetirement: 2557 }

export const retention = {
  evidenceId: evidence.id,
  useCaseId: useCase.id,
  endsAt: null,
  ...floor,
  regulatory: { retainUntil: '2026-02-10T14:00:00.000Z', daysAfterRetirement: 0 },
  classes: ['ordinary', 'decision-record'],
  holds: [{ id: legalHold.id, key: legalHold.key }],
  disposalId: null,
  history: [
    {
      ordinal: 1,
      ...floor,
      because: 'attached',
      classes: ['ordinary', 'decision-record'],
      reason: null,
      setBy: riskOwner.id,
      setAt: evidence.attachedAt,
      approvedBy: null,
    },
  ],
}

export const newExtension = {
  retainUntil: '2036-01-01T00:00:00Z',
  reason: 'The supervisor announced an examination of this line of business.',
}

export const newShortening = {
  retainUntil: '2030-01-01T00:00:00Z',
  reason: 'It holds names of customers, and no decision rests on it any more.',
}

export const shortening = {
  id: '019cf301-8f80-7d0c-a3a7-5d1f6a0f9c80',
  evidenceId: evidence.id,
  useCaseId: useCase.id,
  retainUntil: '2030-01-01T00:00:00.000Z',
  reason: newShortening.reason,
  proposedBy: riskOwner.id,
  proposedAt: '2026-04-01T09:00:00.000Z',
  verdict: null,
}

export const newVerdict = { verdict: 'confirmed', reason: 'Read it: nothing in it is needed longer.' }

export const confirmed = {
  ...shortening,
  verdict: { ...newVerdict, givenBy: legalMemberId, givenAt: '2026-04-02T09:00:00.000Z' },
}
