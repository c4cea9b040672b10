import { legalMemberId, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

export const newIncident = {
  title: 'Proposals promised a discount that does not exist',
  description: 'Eleven proposals named a discount of 15 % that we do not give; two customers insist on it.',
  severity: 'serious',
  occurredAt: '2026-03-15T16:00:00.000Z',
}

export const newEntry = {
  text: 'The passage came in with the spring campaign; 40 more drafts hold it, none of them sent.',
}

export const newClosing = {
  learned: 'Passages with numbers now need the approval of pricing, and drafts are searched for them.',
}

export const incident = {
  id: '019cf301-8f80-72b6-9f0e-0c7a5f0c1d11',
  useCaseId: useCase.id,
  useCase: { key: useCase.key, title: useCase.title },
  ordinal: 1,
  ...newIncident,
  reportedBy: riskOwner.id,
  reportedAt: '2026-03-15T19:30:00.000Z',
  suspensionId: '019cf301-8f80-7d0c-a3a7-5d1f6a0f9c52',
  closing: null,
}

const { description, severity, reportedBy, reportedAt } = incident
export const story = {
  ...incident,
  timeline: [
    { ordinal: 1, enteredBy: reportedBy, enteredAt: reportedAt, text: description, severity },
    {
      ordinal: 2,
      enteredBy: legalMemberId,
      enteredAt: '2026-03-16T08:40:00.000Z',
      ...newEntry,
      severity: null,
    },
  ],
}

export const closed = {
  ...story,
  closing: { closedBy: riskOwner.id, closedAt: '2026-03-19T15:00:00.000Z', ...newClosing },
}
