import { administratorId } from '../people/examples.js'

export const control = {
  id: 'MEASURE 2.11',
  function: 'MEASURE',
  category: 'MEASURE 2',
  title: 'Test for unfair treatment and bias, and keep the results',
}

export const action = {
  id: 'MS-2.11-002',
  function: 'MEASURE',
  category: 'MEASURE 2',
  title: 'Assess fairness across groups, in the field and by red team',
  ties: ['MEASURE 2.11'],
  risks: ['harmful-bias-homogenization'],
}

const source = {
  title: 'NIST AI 100-1, Artificial Intelligence Risk Management Framework',
  url: 'https://doi.org/10.6028/NIST.AI.100-1',
  date: '2023-01-26',
}

export const shipped = {
  id: 'nist-ai-rmf',
  version: '1.0',
  title: 'NIST AI Risk Management Framework 1.0',
  origin: 'policy',
  source,
  tiesTo: null,
  controls: 72,
  importedAt: null,
  importedBy: null,
}

export const imported = {
  ...shipped,
  version: '1.0-official',
  origin: 'imported',
  importedAt: '2026-02-03T09:00:00.000Z',
  importedBy: administratorId,
}

export const catalog = {
  ...imported,
  description: null,
  functions: [{ id: 'MEASURE', title: 'Testing and tracking what was found' }],
  categories: [
    { id: 'MEASURE 2', function: 'MEASURE', title: 'The system is tested for what makes it trustworthy' },
  ],
  risks: [],
  versions: [
    { version: '1.0', origin: 'policy' },
    { version: '1.0-official', origin: 'imported' },
  ],
}

export const catalogFields = {
  ...{ id: 'nist-ai-rmf', version: '1.0-official', format: 'oscal', ids: 'label' },
  ...{ sourceUrl: source.url, sourceDate: source.date },
}

export const meeting = {
  control: 'MEASURE 2.11',
  relation: 'superset',
  catalog: 'us-insurers',
  other: 'CO 1.2',
}
