import { requirements as policies, policyDigest, required } from '../policy/examples.js'
import { standing, useCase } from '../use-cases/examples.js'

const { id, key, title } = useCase
const evidence = { id: '019c47da-1300-779b-9bcc-f850598d6ed7', title: 'Test of the drafts, February 2026' }
const [report, switchOff] = policies
const control = {
  ...{ type: 'control', catalog: 'nist-ai-rmf', version: '1.0', control: 'MANAGE 2.4' },
  ...{ states: ['in_place'], withEvidence: false },
}
const test = {
  ask: required.ask,
  words: 'a test report of the last 365 days, accepted by somebody other than its giver',
  state: 'waiting',
  until: null,
  evidence: [{ ...evidence, counts: false }],
  next: 'RQ-10: a test report is there; somebody other than its giver has to accept it',
}

export const requirements = {
  useCase: { id, key, title },
  at: '2026-02-27T08:00:00.000Z',
  tier: 'high',
  policyDigest,
  readyToDecide: false,
  counts: { required: 2, met: 0, missing: 2, refused: 1 },
  requirements: [
    {
      ...{ id: report?.id, because: report?.because, ifMissing: 'refuse', exceptionDays: null, unstated: [] },
      words:
        'a test report of the last 365 days, accepted by somebody other than its giver; nothing is approved without it',
      asks: [{ ...test, atDecision: 'refused', exceptedUntil: null, offers: [] }],
    },
    {
      ...{
        id: switchOff?.id,
        because: switchOff?.because,
        ifMissing: switchOff?.ifMissing,
        exceptionDays: 180,
      },
      words: 'MANAGE 2.4 in place; without it an approval has a condition for the risk owner, due in 60 days',
      unstated: ['technique'],
      asks: [
        {
          ...{ ask: control, words: 'MANAGE 2.4 in place', state: 'missing', until: null, evidence: [] },
          next: 'RQ-20: MANAGE 2.4 is not assessed, and has to be in place; assess it',
          ...{ atDecision: 'condition', exceptedUntil: null },
          offers: [
            {
              ...{ catalog: 'eu-ai-act', version: '2024', control: 'Article 14', relation: 'intersects' },
              evidenceIds: [evidence.id],
            },
          ],
        },
      ],
    },
  ],
  approval: {
    decisionId: standing.decisionId,
    required: [
      {
        ...{
          requirement: required.requirement,
          because: required.because,
          taken: 'met',
          exceptedUntil: null,
        },
        ...{ ...test, state: 'met', until: '2027-02-10T14:00:00.000Z', next: null },
        evidence: [{ ...evidence, counts: true }],
      },
    ],
    ...{ evidenceStaleAt: '2027-02-10T14:00:00.000Z', evidenceMissingAt: null, controlMissingAt: null },
  },
}
