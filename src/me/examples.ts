import { grant, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

export const me = {
  person: riskOwner,
  grants: [{ kind: grant.kind, name: grant.name, orgUnitId: grant.orgUnitId, for: null }],
  may: {
    UseCase: ['read', 'register', 'revise', 'raise_tier', 'submit', 'retire'],
    Evidence: ['read', 'judge'],
  },
  useCase: {
    id: useCase.id,
    key: useCase.key,
    verdicts: [
      {
        action: 'raise_tier',
        allowed: true,
        right: 'DR-22',
        because: 'Risk owners raise tiers, attach evidence, submit and retire within their units',
      },
    ],
  },
  review: null,
}
