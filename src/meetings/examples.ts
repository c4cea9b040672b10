import { openCondition } from '../conditions/examples.js'
import { closed as incident } from '../incidents/examples.js'
import { businessOwnerId, legalMemberId, riskOwner } from '../people/examples.js'
import { decision, review, withdrawn } from '../reviews/examples.js'
import { lifted } from '../suspensions/examples.js'
import { useCase } from '../use-cases/examples.js'

const about = { id: useCase.id, key: useCase.key, title: useCase.title, orgUnit: 'Sales' }
const people: Record<string, string> = {
  [legalMemberId]: 'Counsel',
  [businessOwnerId]: 'Business owner, Sales',
  [riskOwner.id]: 'Risk owner, Sales',
}
const named = (id: string) => ({ id, name: people[id] ?? 'Second line, Risk' })
const [stage] = review.stages

export const agenda = {
  day: '2026-02-26',
  at: '2026-02-25T16:00:00.000Z',
  items: [
    {
      reviewId: review.id,
      useCase: about,
      urgency: 'due',
      ...{ round: review.round, tier: review.tier, route: review.route },
      lane: { id: review.lane.id, title: review.lane.title },
      changeClass: null,
      ...{ asks: review.asks, openedAt: review.openedAt, dueAt: review.dueAt },
      stages: [
        {
          ...{ id: stage?.id, approvals: stage?.approvals, quorum: stage?.quorum, dueAt: stage?.dueAt },
          ...{ isOverdue: false, missing: stage?.openSeats },
        },
      ],
      votes: review.votes.map(({ seat, personId, choice }) => ({
        ...{ seat, person: named(personId), onBehalfOf: null, choice },
      })),
      brief: `/v1/reviews/${review.id}/brief`,
    },
  ],
  hasMore: false,
}

const { reviewId, reason, version, tier, route, laneId, decidedAt, validUntil } = decision
const { id, type, text, dueAt, beforeDeploy, ownerId } = openCondition

export const minutes = {
  from: '2026-02-16',
  to: '2026-03-20',
  at: '2026-03-21T08:00:00.000Z',
  decisions: [
    {
      ...{
        id: decision.id,
        reviewId,
        outcome: 'approved_with_conditions',
        reason,
        version,
        tier,
        route,
        laneId,
      },
      ...{ loweredTier: null, supersedesId: null, precedentId: null, validUntil, decidedAt, useCase: about },
      votes: decision.votes.map(({ seat, choice, rationale, personId }) => ({
        ...{ seat, choice, rationale, person: named(personId), onBehalfOf: null, isDissent: false },
      })),
      imposed: [{ id, type, text, dueAt, beforeDeploy, owner: named(ownerId) }],
      waived: [],
    },
  ],
  attestations: { count: 12, sampled: 1 },
  withdrawn: [
    {
      ...{ reviewId: withdrawn.id, useCase: about, round: withdrawn.round, reason: withdrawn.closingReason },
      at: withdrawn.closedAt,
    },
  ],
  suspended: [
    {
      ...{ id: lifted.id, useCase: about, by: named(lifted.suspendedBy), reason: lifted.reason },
      at: lifted.suspendedAt,
    },
  ],
  lifted: [
    {
      ...{ id: lifted.id, useCase: about, by: named(lifted.lifting.liftedBy), reason: lifted.lifting.reason },
      at: lifted.lifting.liftedAt,
    },
  ],
  incidents: [
    {
      ...{ id: incident.id, useCase: about, by: named(incident.closing.closedBy), title: incident.title },
      ...{ severity: incident.severity, learned: incident.closing.learned, at: incident.closing.closedAt },
    },
  ],
  more: [],
}
