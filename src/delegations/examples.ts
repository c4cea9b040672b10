import { legalMemberId } from '../people/examples.js'

export const newDelegation = {
  toId: '019bb146-4dc0-7aa3-9c52-7f4b1e0a93d8',
  startsAt: '2026-07-06T00:00:00.000Z',
  endsAt: '2026-07-27T00:00:00.000Z',
  reason: 'Away until 26 July; Legal, Claims stands in.',
}

export const delegation = {
  id: '019f2c1b-2a00-7d4e-8f61-5b0c93a7e214',
  fromId: legalMemberId,
  ...newDelegation,
  createdAt: '2026-07-02T08:30:00.000Z',
  acceptedAt: '2026-07-02T10:05:00.000Z',
  endedBy: null,
  endedAt: null,
  state: 'in_force',
}
