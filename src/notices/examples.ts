import { orgUnit } from '../org-units/examples.js'
import { administratorId } from '../people/examples.js'

export const webhook = {
  id: '019d0b1e-3c00-7412-9a57-1b2f6f1d8c10',
  name: 'Risk system',
  url: 'https://risk.example/hooks/assent',
  orgUnitId: orgUnit.id,
  eventTypes: ['decision.made', 'approval.lapsed'],
  createdBy: administratorId,
  createdAt: '2026-03-02T09:00:00.000Z',
  disabledAt: null,
  disabledBecause: null,
  endedAt: null,
  secrets: [
    { id: '019d0b1e-3c01-7b0e-8d0c-5f1f3a1f4b71', createdAt: '2026-03-02T09:00:00.000Z', expiresAt: null },
  ],
}

export const newWebhook = {
  name: 'Risk system',
  url: 'https://risk.example/hooks/assent',
  orgUnitId: orgUnit.id,
  eventTypes: ['decision.made', 'approval.lapsed'],
}

export const issuedWebhook = { webhook, secret: 'whsec_…' }

export const rotation = { overlapHours: 24 }

const deliveryId = '019d1c7a-9a02-7c55-a1f3-9b1b5a0f2e33'

export const replays = [{ deliveryId }, { since: '2026-03-05T00:00:00.000Z' }]

export const replayed = { deliveries: 12 }

const attempts = [
  {
    attemptedAt: '2026-03-05T14:02:11.402Z',
    tookMs: 5003,
    status: null,
    problem: 'timed_out',
  },
  { attemptedAt: '2026-03-05T14:02:16.911Z', tookMs: 84, status: 204, problem: null },
]

export const delivery = {
  id: deliveryId,
  messageId: 'msg_019d1c7a-9a01-7e7c-b6a5-2f7c9f1f60aa',
  eventId: '019d1c7a-9a01-7e7c-b6a5-2f7c9f1f60aa',
  type: 'decision.made',
  state: 'delivered',
  nextAt: null,
  createdAt: '2026-03-05T14:02:10.950Z',
  doneAt: '2026-03-05T14:02:16.995Z',
  attempts,
}

export const choices = { mail: true }
