import { legalMemberId, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

export const suspension = {
  id: '019cf301-8f80-7d0c-a3a7-5d1f6a0f9c52',
  useCaseId: useCase.id,
  useCase: { key: useCase.key, title: useCase.title },
  incidentId: null,
  suspendedBy: riskOwner.id,
  suspendedAt: '2026-03-15T19:30:00.000Z',
  reason: 'Drafts name a discount that we do not give; nothing goes out until we know why.',
  lifting: null,
}

export const newSuspension = { reason: suspension.reason }

export const newLifting = {
  reason: 'The passage with the discount is gone, and 200 drafts were read without another finding.',
}

export const lifted = {
  ...suspension,
  lifting: { liftedBy: legalMemberId, liftedAt: '2026-03-20T10:15:00.000Z', ...newLifting },
}
