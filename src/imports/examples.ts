import { orgUnit } from '../org-units/examples.js'
import { administratorId } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

const about =
  'The list that Sales keeps by hand. Its phases are those of the product teams; Live means deployed.'
const headers = ['No', 'Use case', 'What for', 'Team', 'Phase']

/** How a file is understood, as a person writes it. */
export const profile = {
  version: 1,
  id: 'sales-portfolio',
  title: 'Portfolio of Sales',
  about,
  register: 'sales-portfolio',
  headers,
  identity: { id: 'No', name: 'Use case' },
  facts: {
    title: { from: 'Use case' },
    purpose: { from: 'What for' },
    orgUnit: [{ from: 'Team' }],
    stage: { from: 'Phase', values: { Idea: 'idea', Trial: 'pilot', Live: 'deployed' } },
  },
}

/** The same, with what was left out. */
export const completeProfile = {
  ...profile,
  layout: {},
  blanks: [],
  defused: false,
  identity: { ...profile.identity, within: [] },
  facts: {
    ...profile.facts,
    orgUnit: [{ from: 'Team', several: [] }],
    stage: { ...profile.facts.stage, match: 'exact', separators: [] },
  },
  answers: {},
  answerPrefixes: [],
  dates: {},
  flags: [],
}

const outcomes = { created: 21, updated: 0, unchanged: 0, needsAttention: 2, refused: 1 }
const counts = { rows: 24, registered: 23, ...outcomes, gone: 0 }

export const importSummary = {
  id: '019c18a5-1d00-7397-be07-b1d5be0cad89',
  revision: 3,
  state: 'previewed',
  fileName: 'sales-portfolio.csv',
  fileDigest: 'sha256:0694aacb66d62e742a92e8d5f1e82bd9d2a8ca1be88744201fbe63d0f5007502',
  format: 'csv',
  encoding: 'utf-8',
  sheet: null,
  headerRow: 1,
  register: profile.register,
  orgUnitId: orgUnit.id,
  profileFrom: 'inferred',
  needsConfirmation: true,
  counts: { ...counts, newUnits: 1, newSystems: 0 },
  createdBy: administratorId,
  createdAt: '2026-02-01T10:00:00.000Z',
  appliedBy: null,
  appliedAt: null,
}

const facts = ['identity', 'title', 'purpose', 'orgUnit', 'stage']

export const importRun = {
  ...importSummary,
  profile: completeProfile,
  columns: headers.map((name, at) => ({ name, fields: facts.slice(at, at + 1), confidence: 0.9 })),
}

export const uploadFields = { orgUnitId: orgUnit.id, register: profile.register, encoding: 'windows-1252' }

/** Confirmed as proposed, and corrected. */
export const mappings = [{}, { profile }]

const raw = {
  No: '8',
  'Use case': useCase.title,
  'What for': useCase.purpose,
  Team: 'Sales',
  Phase: 'Rollout',
}
const mapped = {
  identity: { kind: 'id', value: '8' },
  facts: { title: useCase.title, purpose: useCase.purpose, orgUnit: ['Sales'] },
}

export const importRow = {
  ordinal: 8,
  rowNumber: 9,
  identity: '8',
  outcome: 'needs_attention',
  reasons: [
    {
      field: 'stage',
      message: 'This value is not on the list; choose one.',
      raw: 'Rollout',
      conflict: null,
    },
  ],
  useCaseId: null,
  raw,
  mapped,
}

export const goneRow = {
  useCaseId: useCase.id,
  key: useCase.key,
  title: useCase.title,
  identity: '8',
}

export const provenance = {
  register: profile.register,
  identity: '8',
  importId: importSummary.id,
  ordinal: 8,
  rowNumber: 9,
  raw,
  mapped,
}
