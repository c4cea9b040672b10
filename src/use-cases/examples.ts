import { orgUnit } from '../org-units/examples.js'
import { businessOwnerId, riskOwner } from '../people/examples.js'
import { answers, firedRule, policyDigest } from '../policy/examples.js'
import { system } from '../systems/examples.js'

export const facts = {
  title: 'E-mail and proposal drafts for customers',
  purpose: 'Sellers write the same proposal many times, each with words of their own.',
  benefits: 'Time to a proposal fell from two days to four hours.',
  outputs: 'Draft e-mails and proposals out of approved passages; the seller reads and sends.',
  orgUnitId: orgUnit.id,
  jurisdictions: ['US', 'GB'],
  channels: ['e-mail', 'broker portal'],
  stage: 'deployed',
  technique: 'generative',
  systemIds: [system.id],
  answers,
  businessOwnerId,
  riskOwnerId: riskOwner.id,
  tags: ['message-validation', 'commercial'],
}

export const standing = {
  standing: 'cleared',
  reasons: [],
  decisionId: '019c715f-58c0-71a3-b2ad-3f9575d17e55',
  validUntil: '2027-08-20T15:30:00.000Z',
  nextDueAt: null,
  evidenceStaleAt: null,
  suspendedAt: null,
  openReviewId: null,
}

export const useCase = {
  id: '019c22d6-5dc0-704a-b631-617dba9e1787',
  key: 'UC-1042',
  revision: 6,
  version: 2,
  origin: 'declared',
  ...facts,
  tier: {
    effective: 'limited',
    computed: 'limited',
    raised: null,
    lowered: null,
    fired: [firedRule],
    unknownOnly: false,
    policyDigest,
  },
  standing,
  createdAt: '2026-02-03T09:30:00.000Z',
  updatedAt: '2026-02-18T15:30:00.000Z',
}

const { title, purpose, orgUnitId, channels } = facts
/** Three facts are enough to begin with; the second says all that is known. */
export const newUseCases = [{ title, purpose, orgUnitId }, facts]

export const similar = {
  key: 'UC-1017',
  orgUnit: 'claims',
  title: 'Letter drafts for customers',
  similarity: 0.46,
}

export const registeredUseCase = {
  ...useCase,
  revision: 1,
  version: 1,
  stage: 'pilot',
  standing: {
    standing: 'unreviewed',
    reasons: [],
    decisionId: null,
    validUntil: null,
    nextDueAt: null,
    evidenceStaleAt: null,
    suspendedAt: null,
    openReviewId: null,
  },
  updatedAt: useCase.createdAt,
  similar: [similar],
}

export const revision = {
  facts: { channels: ['e-mail', 'broker portal'], answers: { vulnerable_people: 'no' } },
  reason: 'Brokers get drafts in their portal from March.',
}

export const tierRaise = {
  tier: 'high',
  reason: 'Drafts will name prices from April, so legal and compliance should both see it.',
}

export const retirement = { reason: 'The broker portal drafts by itself now; UC-1107 takes its place.' }

export const version = {
  version: 2,
  recordedAt: '2026-02-12T13:05:00.000Z',
  authorId: businessOwnerId,
  reason: revision.reason,
  tier: 'limited',
  policyDigest,
  facts,
  changes: [{ fact: 'channels', from: ['e-mail'], to: channels }],
}
