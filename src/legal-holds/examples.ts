import { evidence } from '../evidence/examples.js'
import { legalMemberId, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

export const newLegalHold = {
  key: '2026-CIV-0417',
  title: 'Complaint about declined letters',
  reason: 'A customer announced a suit; whatever shows how letters were worded stays.',
  orgUnitId: useCase.orgUnitId,
  objects: [{ useCaseId: useCase.id }],
}

export const newObjects = { objects: [{ evidenceId: evidence.id }] }

export const newEnding = { reason: 'The suit was settled, and counsel let it go.' }

export const legalHold = {
  id: '019cf301-8f80-7d0c-a3a7-5d1f6a0f9c70',
  key: newLegalHold.key,
  title: newLegalHold.title,
  reason: newLegalHold.reason,
  orgUnitId: useCase.orgUnitId,
  placedBy: riskOwner.id,
  placedAt: '2026-03-16T08:00:00.000Z',
  objects: [
    {
      id: '019cf301-8f80-7d0c-a3a7-5d1f6a0f9c71',
      useCaseId: useCase.id,
      evidenceId: null,
      addedBy: riskOwner.id,
      addedAt: '2026-03-16T08:00:00.000Z',
      release: null,
    },
  ],
  lifting: null,
}

export const lifted = {
  ...legalHold,
  lifting: { endedBy: legalMemberId, endedAt: '2026-09-01T10:00:00.000Z', ...newEnding },
}
