import { legalMemberId, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

export const newBreakGlass = {
  environment: 'production',
  reason: 'The portal is down after the storm and brokers cannot quote; the fix changes the technique.',
  hours: 8,
}

export const breakGlass = {
  id: '019cafa1-3b40-7b6e-9a5d-5a3f1e1e6c01',
  useCaseId: useCase.id,
  useCase: { key: useCase.key, title: useCase.title },
  environment: newBreakGlass.environment,
  reason: newBreakGlass.reason,
  openedBy: riskOwner.id,
  openedAt: '2026-03-02T18:30:00.000Z',
  expiresAt: '2026-03-03T02:30:00.000Z',
  state: 'closed',
  closing: {
    closedBy: riskOwner.id,
    closedAt: '2026-03-02T21:10:00.000Z',
    reason: 'The fix is out and brokers quote again.',
  },
  review: {
    verdict: 'justified',
    note: 'One deploy, announced before it was made; the change was submitted the same evening.',
    reviewedBy: legalMemberId,
    reviewedAt: '2026-03-03T09:00:00.000Z',
  },
}

export const closing = { reason: breakGlass.closing.reason }

export const review = { verdict: breakGlass.review.verdict, note: breakGlass.review.note }
