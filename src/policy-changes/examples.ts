import { policyDigest } from '../policy/examples.js'
import { useCase } from '../use-cases/examples.js'

export const tierChange = {
  ...{ id: useCase.id, key: useCase.key, title: useCase.title, orgUnitId: useCase.orgUnitId },
  ...{ from: 'limited', to: 'high', fired: ['RT-21', 'RT-40'], lapses: true, loweringEnds: false },
}

export const tierChanges = { items: [tierChange], next: null, policy: policyDigest, examined: 214 }

export const newApplication = { policy: policyDigest }

export const application = {
  ...{ policy: policyDigest, examined: 214, changed: [tierChange] },
  ...{ through: useCase.key, finished: true },
}
