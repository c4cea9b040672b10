import { standing, useCase } from '../use-cases/examples.js'

const control = { catalog: 'nist-ai-rmf', version: '1.0', control: 'MANAGE 2.4' }

export const asked = {
  requirement: 'RQ-20',
  control,
  until: '2026-06-30T00:00:00.000Z',
  compensating: { text: 'A seller reads every draft before it goes out, and can stop all of them.' },
  reason: 'The switch comes with the release of June.',
}

export const exception = {
  id: '019c715f-58c0-7a54-9f0b-6c1d2e3f4a50',
  useCaseId: useCase.id,
  useCase: { key: useCase.key, title: useCase.title },
  decisionId: standing.decisionId,
  ordinal: 1,
  requirement: asked.requirement,
  control: control.control,
  until: asked.until,
  compensating: { ...asked.compensating, control: null },
  reason: asked.reason,
  grantedAt: '2026-02-18T15:30:00.000Z',
  state: 'in_force',
  endedById: null,
}
