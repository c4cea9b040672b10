import { evidence } from '../evidence/examples.js'
import { businessOwnerId, riskOwner } from '../people/examples.js'
import { standing, useCase } from '../use-cases/examples.js'

const report = 'Compare the wording for each group of customers, on 200 drafts that were sent.'
const wording = 'Compliance approves the passages that it writes with, before it goes out to customers.'

/** Each form once: a report by a date, a pattern of policy that another person owns, and a limit. */
export const proposals = [
  { type: 'obligation', text: report, satisfiedBy: evidence.kind, dueInDays: 90 },
  { type: 'pattern', pattern: 'wording-approved', ownerId: businessOwnerId },
  { type: 'limit', on: 'jurisdiction', values: ['GB', 'US'] },
]

export const terms = [
  {
    type: 'obligation',
    text: report,
    pattern: null,
    owner: 'risk_owner',
    satisfiedBy: evidence.kind,
    dueAt: null,
    dueInDays: 90,
    beforeDeploy: false,
  },
  {
    type: 'obligation',
    text: wording,
    pattern: 'wording-approved',
    owner: businessOwnerId,
    satisfiedBy: 'legal_opinion',
    dueAt: null,
    dueInDays: null,
    beforeDeploy: true,
  },
  {
    type: 'limit',
    text: 'Only in the jurisdictions GB, US',
    pattern: null,
    on: 'jurisdiction',
    values: ['GB', 'US'],
  },
]

const imposed = {
  useCaseId: useCase.id,
  useCase: { key: useCase.key, title: useCase.title },
  decisionId: standing.decisionId,
  pattern: null,
  requirement: null,
  asks: [],
  imposedAt: '2026-02-18T15:30:00.000Z',
}

export const openCondition = {
  id: '019c715f-58c0-7c21-8f0e-5d3d1a7b9e40',
  ...imposed,
  ordinal: 1,
  type: 'obligation',
  text: report,
  ownerId: riskOwner.id,
  dueAt: '2026-05-19T15:30:00.000Z',
  beforeDeploy: false,
  satisfiedBy: evidence.kind,
  limit: null,
  state: 'open',
  ending: null,
}

const note = 'The comparison covers 200 drafts; the three faults in it were corrected in March.'

export const metCondition = {
  ...openCondition,
  state: 'met',
  ending: {
    endedBy: riskOwner.id,
    endedAt: '2026-03-30T10:15:00.000Z',
    note,
    evidenceId: evidence.id,
    decisionId: null,
  },
}

export const limitCondition = {
  id: '019c715f-58c0-70d5-9a36-0f2c4f1b6d12',
  ...imposed,
  ordinal: 2,
  type: 'limit',
  text: 'Only in the jurisdictions GB, US',
  ownerId: null,
  dueAt: null,
  beforeDeploy: false,
  satisfiedBy: null,
  limit: { on: 'jurisdiction', values: ['GB', 'US'] },
  state: 'in_force',
  ending: null,
}

export const fulfilment = { evidenceId: evidence.id, note }

export const newOwner = { ownerId: businessOwnerId, reason: 'Sales collects the drafts from now on.' }

export const reassignedCondition = { ...openCondition, ownerId: businessOwnerId }
