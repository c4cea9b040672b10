import { evidence } from '../evidence/examples.js'
import { businessOwnerId, legalMemberId, riskOwner } from '../people/examples.js'
import { lane, policyDigest } from '../policy/examples.js'
import { standing, useCase } from '../use-cases/examples.js'

const vote = {
  id: '019c6b0a-dd00-72c9-9059-30004401d14e',
  seat: 'risk',
  personId: '019bb146-b600-730b-8994-35a92afab4ae',
  ordinal: 1,
  choice: 'approve',
  rationale: 'A seller reads every draft, and the passages are approved ones.',
  decisionRight: 'DR-32',
  castAt: '2026-02-17T10:00:00.000Z',
  conditions: [],
  onBehalfOf: null,
}

const lastVote = {
  ...vote,
  id: '019c715f-58c0-767d-b16e-d1107c237197',
  seat: 'legal',
  personId: legalMemberId,
  rationale: 'Disclosures stay in; the wording was tested for both jurisdictions.',
  castAt: '2026-02-18T15:30:00.000Z',
}

const decidedEvidence = {
  id: evidence.id,
  kind: evidence.kind,
  title: evidence.title,
  digest: evidence.digest,
}

const stage = {
  id: 'committee',
  state: 'open',
  seats: ['risk', 'business', 'legal', 'compliance'],
  approvals: 1,
  quorum: 2,
  openSeats: ['business', 'legal', 'compliance'],
  openedAt: '2026-02-16T09:00:00.000Z',
  dueAt: '2026-02-26T09:00:00.000Z',
  closedAt: null,
  isOverdue: false,
}

export const review = {
  id: '019c65ad-9280-7147-857a-d2d9526f4f11',
  useCaseId: useCase.id,
  useCase: { key: useCase.key, title: useCase.title },
  round: 1,
  version: 2,
  tier: 'limited',
  route: 'full',
  lane,
  overlays: [],
  asks: { lowerTierTo: null, waives: [], precedentId: null, supersedesId: null, exceptions: [] },
  sinceVersion: null,
  policyDigest,
  submittedBy: businessOwnerId,
  note: 'The pilot ends in March; we would like to go on.',
  openedAt: '2026-02-16T09:00:00.000Z',
  dueAt: '2026-02-26T09:00:00.000Z',
  closedAt: null,
  outcome: null,
  closingReason: null,
  votes: [vote],
  stages: [stage],
  approvals: 1,
  needed: 2,
  openSeats: stage.openSeats,
  isOverdue: false,
  excluded: [
    { personId: businessOwnerId, because: 'is its business owner' },
    { personId: riskOwner.id, because: 'is its risk owner' },
  ],
  evidence: [{ ...decidedEvidence, verdict: evidence.verdict }],
  missing: [],
}

const reason = '2 of 4 seats approved, 2 were needed'

const closed = {
  ...review,
  closedAt: lastVote.castAt,
  outcome: 'approved',
  closingReason: reason,
  votes: [vote, lastVote],
  stages: [{ ...stage, state: 'passed', approvals: 2, openSeats: [], closedAt: lastVote.castAt }],
  approvals: 2,
  openSeats: [],
  missing: null,
}

export const withdrawn = {
  ...review,
  closedAt: '2026-02-17T16:00:00.000Z',
  outcome: 'withdrawn',
  stages: [{ ...stage, state: 'not_passed', openSeats: [], closedAt: '2026-02-17T16:00:00.000Z' }],
  openSeats: [],
  missing: null,
  closingReason: 'The channels change next week; we submit again then.',
}

export const decision = {
  id: standing.decisionId,
  useCaseId: useCase.id,
  reviewId: review.id,
  outcome: 'approved',
  reason,
  version: 2,
  basisVersion: 2,
  tier: 'limited',
  route: 'full',
  laneId: lane.id,
  overlays: [],
  conditions: [],
  limits: [],
  waived: [],
  loweredTier: null,
  precedentId: null,
  supersedesId: null,
  supersededById: null,
  attestedBy: null,
  attestation: null,
  sampled: false,
  environments: null,
  validUntil: standing.validUntil,
  materialFacts: lane.materialFacts,
  materialDigest: 'sha256:40b30b4e8f0d137056ac497e859ea198c1a00db4267d1ade9c458d04024e2981',
  policyDigest,
  votes: [vote, lastVote],
  evidence: [decidedEvidence],
  required: [],
  decidedAt: lastVote.castAt,
}

export const submission = { note: review.note }

export const ballot = { seat: 'legal', choice: 'approve', rationale: lastVote.rationale }

/** The vote that decides, and one that does not. */
export const castVotes = [
  { review: closed, decision },
  { review, decision: null },
]

export const withdrawal = { reason: withdrawn.closingReason }
