import { administratorId, pipelineId } from '../people/examples.js'
import { policyDigest } from '../policy/examples.js'
import { useCase } from '../use-cases/examples.js'

export const question = {
  useCase: useCase.key,
  environment: 'production',
  artifacts: ['sha256:da7b0a8cec8e7c849733a9ea279b3df02d551d9afc6c635883da1017e29b5833'],
  version: 2,
  acceptBreakGlass: false,
  context: { repository: 'sales/quillmark-draft', commit: '9f3c2b1', run: '4711' },
}

export const answer = {
  decision: 'allow',
  enforced: true,
  wouldBe: 'allow',
  reasons: [{ code: 'cleared', sentence: 'UC-1042 is approved and may go to production' }],
  useCase: useCase.key,
  useCaseId: useCase.id,
  version: 2,
  standing: 'cleared',
  environment: 'production',
  askedAt: '2026-03-02T11:45:00.000Z',
  validUntil: '2026-03-02T12:00:00.000Z',
  breakGlassId: null,
  policyDigest,
}

const id = '019cae5d-aa60-7640-baf0-5ff2b9329100'
export const loggedAnswer = { id, ...answer }
export const answerOnRecord = { ...loggedAnswer, askedBy: pipelineId, question }

const refused = { ...answer, decision: 'deny', wouldBe: 'deny', validUntil: null }
const changed = 'A material fact of UC-1042 changed on 2026-02-27, after its approval: submit it again'
const missing = 'No such use case is registered, or you may not see it: check the key, or register it'

export const denied = {
  ...refused,
  reasons: [{ code: 'material_change', sentence: changed }],
  standing: 'lapsed',
}

export const unregistered = {
  ...refused,
  reasons: [{ code: 'not_registered', sentence: missing }],
  ...{ useCase: 'UC-9999', useCaseId: null, version: null, standing: null },
}

export const loggedDenied = { id, ...denied }
export const loggedUnregistered = { id, ...unregistered }

export const binding = {
  id: '019c74e9-b800-736e-a841-89ea8fbab040',
  useCaseId: useCase.id,
  personId: pipelineId,
  name: 'Deploy pipeline, Sales',
  boundBy: administratorId,
  boundAt: '2026-02-19T08:00:00.000Z',
}

export const newBinding = { personId: pipelineId }
