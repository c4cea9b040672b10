import { evidence } from '../evidence/examples.js'
import { useCase } from '../use-cases/examples.js'

export const custody = {
  locks: true,
  files: 1204,
  size: 9_412_381_204,
  unchecked: 3,
  oldestCheckAt: '2026-02-14T02:00:11.204Z',
  withinDays: 30,
  damaged: 1,
  quarantined: 0,
  waitingForRemoval: 2,
  lastRound: {
    id: '019cf301-8f80-7d0c-a3a7-5d1f6a0f9ca0',
    beganAt: '2026-03-16T02:00:00.112Z',
    endedAt: '2026-03-16T02:03:41.870Z',
    checked: 100,
    size: 781_440_120,
    damaged: 1,
    mended: 0,
    unanswered: 0,
  },
}

export const damage = {
  digest: evidence.digest,
  size: evidence.size,
  found: 'altered',
  damagedAt: '2026-03-16T02:01:07.020Z',
  checkedAt: '2026-03-16T02:01:07.020Z',
  evidence: [{ id: evidence.id, useCase: useCase.key }],
}
