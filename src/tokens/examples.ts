import { administratorId, pipelineId } from '../people/examples.js'

export const token = {
  id: '019c1dd0-0ce0-7083-bec0-1f0aad18a370',
  personId: pipelineId,
  kind: 'service',
  name: 'sales-tools deploy',
  createdBy: administratorId,
  createdAt: '2026-02-02T10:05:00.000Z',
  expiresAt: '2026-05-03T10:05:00.000Z',
  revokedAt: null,
}

export const newToken = { name: 'sales-tools deploy', expiresInDays: 90 }

export const issuedToken = { token, secret: 'assent_sk_…' }

export const keyAcceptance = { key: 'assent_key_…' }

export const firstSignIn = { code: 'assent_first_…', name: 'Administrator' }
