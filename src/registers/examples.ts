import { evidence } from '../evidence/examples.js'
import { orgUnit } from '../org-units/examples.js'
import { grant, riskOwner } from '../people/examples.js'
import { castVotes, decision } from '../reviews/examples.js'
import { system } from '../systems/examples.js'
import { facts, standing, useCase } from '../use-cases/examples.js'

const { id, key, revision, version, origin, tier, createdAt, updatedAt } = useCase
const { orgUnitId: _unit, systemIds: _systems, ...stated } = facts
const { decisionId, validUntil, openReviewId, reasons } = standing

const useCaseRecord = {
  ...{ key, id, revision, version, origin },
  ...stated,
  ...{ orgUnitId: orgUnit.id, orgUnit: orgUnit.key, orgUnitName: orgUnit.name },
  systems: [system.key],
  ...{ businessOwner: 'Business owner, Sales', riskOwner: riskOwner.name },
  ...{ tier: tier.effective, computedTier: tier.computed, raisedTier: tier.raised },
  firedRules: tier.fired.map((rule) => rule.id),
  policyDigest: tier.policyDigest,
  ...{ standing: standing.standing, reasons, decisionId, validUntil, openReviewId },
  ...{ evidenceCount: 1, evidenceDigests: [evidence.digest] },
  ...{ sourceRegister: 'sales-portfolio', sourceIdentity: 'INS-08', retiredAt: null },
  ...{ registeredAt: createdAt, updatedAt },
}

const { laneId, votes, evidence: _accepted, ...decided } = decision
const decisionRecord = {
  ...{ ...decided, useCase: key, lane: laneId },
  voteIds: votes.map((vote) => vote.id),
  evidenceDigests: [evidence.digest],
}

const [cast] = castVotes
const voteRecords = (cast?.review.votes ?? []).map((vote) => ({
  ...{ ...vote, person: vote.seat === 'risk' ? 'Committee, risk seat' : 'Committee, legal seat' },
  ...{ useCase: key, useCaseId: id, reviewId: decision.reviewId, round: 1 },
}))

const grantRecord = { ...grant, person: riskOwner.name, orgUnit: orgUnit.key }

const ofMoment = <R>(items: R[]) => ({ items, next: null, asOf: '2026-03-02T11:45:00.000Z', settled: true })

export const useCaseRegister = ofMoment([useCaseRecord])
export const decisionRegister = ofMoment([decisionRecord])
export const voteRegister = ofMoment(voteRecords)
export const grantRegister = ofMoment([grantRecord])
