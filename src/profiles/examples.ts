import { evidence as piece } from '../evidence/examples.js'
import { riskOwner } from '../people/examples.js'
import { policyDigest } from '../policy/examples.js'
import { useCase } from '../use-cases/examples.js'

const named = { catalog: 'nist-ai-rmf', version: '1.0', control: 'MEASURE 2.11' }

export const assessment = {
  id: '019d02a1-3b00-7c1e-9f0a-5d6b4c3a2e10',
  ...named,
  ordinal: 2,
  state: 'in_place',
  note: 'Wording is compared by customer group before each release.',
  evidenceIds: [piece.id],
  assessedBy: riskOwner.id,
  assessedAt: '2026-03-18T09:40:00.000Z',
  copiedFrom: null,
}

const { kind, title, digest } = piece

export const entry = {
  ...named,
  title: 'Test for unfair treatment and bias, and keep the results',
  function: 'MEASURE',
  category: 'MEASURE 2',
  applies: true,
  asked: [
    {
      requirement: 'RQ-12',
      because: 'What is said to customers has to be tested for unfair treatment: NIST AI RMF MEASURE 2.11.',
      states: ['in_place', 'not_applicable'],
      withEvidence: true,
    },
  ],
  missing: [],
  state: assessment.state,
  note: assessment.note,
  assessedBy: assessment.assessedBy,
  assessedAt: assessment.assessedAt,
  copiedFrom: null,
  evidence: [{ id: piece.id, kind, title, digest, counts: true }],
  assessments: 2,
}

export const coverage = {
  applicable: 1,
  states: { not_assessed: 0, planned: 0, in_place: 1, not_effective: 0, not_applicable: 0 },
  covered: 1,
  share: 1,
  unmet: 0,
}

const { catalog, version } = named
export const functionCoverage = {
  ...{ catalog, version, function: 'MEASURE', title: 'Testing and tracking what was found' },
  ...coverage,
}

export const profile = {
  useCaseId: useCase.id,
  key: useCase.key,
  title: useCase.title,
  tier: useCase.tier.effective,
  revision: 7,
  asOf: '2026-03-18T09:41:00.000Z',
  policyDigest,
  coverage: {
    ...coverage,
    withEvidence: 1,
    beyond: 0,
    functions: [{ ...functionCoverage, withEvidence: 1 }],
  },
  controls: [entry],
}

export const newAssessments = {
  assessments: [
    { ...named, state: 'in_place', note: assessment.note, evidenceIds: [piece.id] },
    { catalog, version, category: 'MEASURE 3', state: 'planned' },
    { catalog, version, control: 'MAP 5.1', evidenceIds: [piece.id] },
  ],
}

export const assessed = {
  useCaseId: useCase.id,
  revision: 8,
  assessed: 5,
  unchanged: 0,
  standing: 'cleared',
  reasons: [],
  coverage,
}

export const newCopy = { fromUseCaseId: 'UC-1017', catalogs: ['nist-ai-rmf'] }

export const copy = {
  useCaseId: useCase.id,
  fromUseCaseId: '019c47da-1300-7f6d-a2c1-4b0de1f25a77',
  revision: 9,
  copied: [{ catalog, version, control: 'GOVERN 1.1', state: 'planned' }],
  kept: [{ ...named, state: 'in_place' }],
  skipped: [{ catalog, version, control: 'MAP 1.6', state: 'not_assessed', because: 'not_assessed_there' }],
}

export const precedent = {
  id: copy.fromUseCaseId,
  key: 'UC-1017',
  title: 'Letter drafts for customers',
  tier: 'limited',
  standing: 'cleared',
  assessed: 41,
  helps: 29,
}

export const coverageEntry = {
  id: useCase.id,
  key: useCase.key,
  title: useCase.title,
  orgUnitId: useCase.orgUnitId,
  tier: useCase.tier.effective,
  standing: useCase.standing.standing,
  assessedAt: assessment.assessedAt,
  ...coverage,
  functions: [functionCoverage],
}

export const registerCoverage = {
  asOf: '2026-03-18T09:41:00.000Z',
  useCases: 1,
  asked: 1,
  assessed: 1,
  whole: 1,
  total: coverage,
  functions: [functionCoverage],
}

/** What the files look like; the OSCAL ones cut to their heads. */
export const samples = {
  'text/csv': `"useCase","catalog","version","control","state"
"${useCase.key}","${catalog}","${version}","${named.control}","in_place"
`,
  'application/oscal.ssp+json': JSON.stringify({
    'system-security-plan': { metadata: { title: `Controls of ${useCase.key}`, 'oscal-version': '1.1.3' } },
  }),
  'application/oscal.profile+json': JSON.stringify({
    profile: { imports: [{ href: '#…', 'include-controls': [{ 'with-ids': ['MEASURE-2.11'] }] }] },
  }),
}

export const coverageSamples = {
  'text/csv': `"key","tier","applicable","covered","share"
"${useCase.key}","${useCase.tier.effective}","1","1","1"
`,
  'application/x-ndjson': `${JSON.stringify(coverageEntry)}\n`,
}
