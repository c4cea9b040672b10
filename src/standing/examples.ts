import { standing, useCase } from '../use-cases/examples.js'

const { id, key, revision, title, orgUnitId, stage, technique, origin, updatedAt } = useCase
const { businessOwnerId, riskOwnerId, tags } = useCase

/** A use case as a list shows it. */
export const useCaseEntry = {
  ...{ id, key, revision, title, orgUnitId, stage, technique, origin },
  tier: useCase.tier.effective,
  standing: standing.standing,
  reasons: standing.reasons,
  validUntil: standing.validUntil,
  ...{ businessOwnerId, riskOwnerId, tags, updatedAt },
}

export const standingAt = { ...standing, at: '2026-06-01T00:00:00.000Z', revision: 7 }
