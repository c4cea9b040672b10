import { evidence } from '../evidence/examples.js'
import { legalMemberId, riskOwner } from '../people/examples.js'
import { policyDigest } from '../policy/examples.js'
import { useCase } from '../use-cases/examples.js'

const shown = {
  evidenceId: evidence.id,
  kind: evidence.kind,
  form: evidence.form,
  digest: evidence.digest,
  size: evidence.size,
  attachedAt: evidence.attachedAt,
  retainedUntil: '2033-05-04T09:00:00.000Z',
  classes: ['ordinary', 'decision-record'],
  decisionIds: ['019c47da-1300-7b0e-8f62-2f4a1d9c6e55'],
}

export const candidate = {
  ...shown,
  title: evidence.title,
  useCase: { id: useCase.id, key: useCase.key, title: useCase.title },
}

export const newDisposal = {
  evidenceIds: [evidence.id],
  reason: 'Retired seven years ago; nothing of it is asked for any more.',
}

export const newVerdict = { verdict: 'confirmed', reason: 'Looked at each piece: its time is over.' }

export const disposal = {
  id: '019cf301-8f80-7d0c-a3a7-5d1f6a0f9c90',
  useCaseId: useCase.id,
  useCase: { key: useCase.key, title: useCase.title },
  reason: newDisposal.reason,
  policy: policyDigest,
  proposedBy: riskOwner.id,
  proposedAt: '2033-06-01T09:00:00.000Z',
  verdict: null,
  pieces: [shown],
}

export const confirmed = {
  ...disposal,
  verdict: { ...newVerdict, givenBy: legalMemberId, givenAt: '2033-06-02T10:00:00.000Z' },
}

export const certificate = {
  format: 'assent-disposal-certificate',
  formatVersion: 1,
  disposalId: disposal.id,
  useCase: { id: useCase.id, key: useCase.key, title: useCase.title },
  disposedAt: '2033-06-02T10:00:00.000Z',
  proposed: {
    by: { id: riskOwner.id, name: riskOwner.name },
    at: disposal.proposedAt,
    reason: disposal.reason,
  },
  confirmed: {
    by: { id: legalMemberId, name: 'Lena Vogt' },
    at: '2033-06-02T10:00:00.000Z',
    reason: newVerdict.reason,
  },
  policy: policyDigest,
  pieces: [{ ...shown, eventNo: 31, bytes: 'removed', bytesRemovedAt: '2033-06-02T10:00:41.000Z' }],
}
