import { delegation } from '../delegations/examples.js'
import { orgUnit } from '../org-units/examples.js'
import { businessOwnerId, grant, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

const ofUseCase = { useCaseId: useCase.id, key: useCase.key }
const reviewId = '019c6c38-0080-7c1d-9f04-8c3a92b1d2e7'
const conditionId = '019c715f-58c0-7e11-8a40-2b7d9c3f6e55'
const newRiskOwnerId = '019bb147-c2e0-7b3f-a6d1-0c9e84f27b36'
const only = <T>(item: T) => ({ total: 1, items: [item], more: false })
const none = { total: 0, items: [], more: false }
const { id, fromId, toId, startsAt, endsAt } = delegation

export const duties = {
  personId: riskOwner.id,
  useCases: only({ ...ofUseCase, title: useCase.title, owns: ['risk'], openReviewId: null }),
  conditions: only({
    ...{ id: conditionId, ...ofUseCase },
    text: 'Sample fifty drafts each month and say how many were wrong.',
    ...{ dueAt: '2026-09-30T00:00:00.000Z', beforeDeploy: false },
  }),
  seats: only({ grantId: grant.id, seat: 'risk', orgUnitId: orgUnit.id }),
  votes: only({ reviewId, ...ofUseCase, seat: 'risk' }),
  submitted: none,
  suspensions: none,
  delegations: only({ id, fromId, toId, startsAt, endsAt }),
}

export const handover = {
  toRiskOwnerId: newRiskOwnerId,
  toConditionOwnerId: newRiskOwnerId,
  reason: 'Moves to another company of the group on 31 March.',
}

export const handedOver = {
  personId: riskOwner.id,
  useCases: [{ ...ofUseCase, version: 3, businessOwnerId, riskOwnerId: newRiskOwnerId }],
  conditions: [{ id: conditionId, ...ofUseCase, ownerId: newRiskOwnerId }],
  refused: [
    {
      ...{ useCaseId: '019c22d6-5dc0-7a11-9d02-71c4b0e95f18', key: 'UC-1057' },
      reason:
        'somebody who would write or own this, or their delegate, has voted in the open review; withdraw it first',
    },
  ],
  left: { useCases: 1, conditions: 0 },
}
