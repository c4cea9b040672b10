import { openCondition } from '../conditions/examples.js'
import { evidence } from '../evidence/examples.js'
import { exception } from '../exceptions/examples.js'
import { lane } from '../policy/examples.js'
import { decision, review } from '../reviews/examples.js'
import { useCase } from '../use-cases/examples.js'

const named = (id: string, name: string) => ({ id, name })
const [vote] = review.votes
const { round, version, route, asks, overlays, note, openedAt, dueAt, isOverdue, closedAt, outcome } = review
const { title, purpose, benefits, outputs, stage, technique, jurisdictions, channels } = useCase

export const brief = {
  review: {
    ...{ id: review.id, round, version, route, asks, overlays, note, openedAt, dueAt, isOverdue, closedAt },
    ...{ outcome, stages: review.stages, policyDigest: review.policyDigest, missing: review.missing },
  },
  useCase: {
    ...{ title, purpose, benefits, outputs, stage, technique, jurisdictions, channels },
    ...{ id: useCase.id, key: useCase.key, orgUnit: 'Sales' },
  },
  owners: {
    business: named(useCase.businessOwnerId, 'Business owner, Sales'),
    risk: named(useCase.riskOwnerId, 'Risk owner, Sales'),
    submittedBy: named(review.submittedBy, 'Business owner, Sales'),
  },
  tier: { decidedAs: review.tier, fired: useCase.tier.fired },
  lane: { id: review.lane.id, title: review.lane.title, stages: review.lane.stages },
  since: {
    version: 1,
    decision: {
      id: decision.id,
      outcome: 'changes_requested',
      decidedAt: '2026-02-02T10:00:00.000Z',
      reason: 'the risk seat is required and did not approve',
    },
    changeClass: 'adaptive',
    changes: [{ fact: 'channels', from: ['phone'], to: ['phone', 'e-mail'] }],
  },
  evidence: [
    {
      id: evidence.id,
      kind: evidence.kind,
      title: evidence.title,
      freshUntil: evidence.freshUntil,
      verdict: evidence.verdict,
    },
  ],
  conditions: [openCondition],
  exceptions: [exception],
  votes: [
    {
      seat: 'risk',
      person: named(vote?.personId ?? '', 'Second line, Risk'),
      onBehalfOf: null,
      choice: 'approve',
      counts: true,
      rationale: vote?.rationale,
      conditions: [],
      castAt: vote?.castAt,
    },
  ],
  canDecide: [
    {
      seat: 'legal',
      stage: 'committee',
      people: [{ ...named(decision.votes[1]?.personId ?? '', 'Counsel'), onBehalfOf: null, cannot: null }],
    },
  ],
  outlook: [
    {
      seat: 'legal',
      choice: 'approve',
      effect: 'The round ends and it is approved: 2 of 4 seats approved, 2 were needed',
    },
  ],
}

export const prospect = {
  tier: 'limited',
  route: 'adaptive',
  lane,
  overlays: [],
  imposes: [],
  readyToDecide: true,
  missing: [
    'RQ-35: MANAGE 4.1 is not assessed, and has to be planned or in place; assess it (or an approval carries it as a condition)',
  ],
  since: brief.since,
  precedents: [
    {
      decisionId: '019c715f-58c0-767d-b16e-d1107c237203',
      useCase: { key: 'UC-1007', title: 'Drafts of proposals for brokers' },
      decidedAt: '2026-01-12T09:30:00.000Z',
      conditions: 1,
      lane: { id: 'limited-precedent', title: 'Risk follows a precedent' },
    },
  ],
}
