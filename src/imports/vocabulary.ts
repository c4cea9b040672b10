import type { Stage, Technique } from '../use-cases/use-case.js'

/** Words by which people head the columns of a register of AI, the commonest first. Nothing of one source's own. */
export const headerWords = {
  id: ['id', 'use case id', 'identifier', 'reference', 'ref', 'ref no', 'number', 'key', 'ticket'],
  title: ['title', 'use case name', 'use case', 'name', 'project name', 'project', 'initiative', 'solution'],
  purpose: [
    'purpose',
    'description',
    'problem solved',
    'problem',
    'summary',
    'objective',
    'business need',
    'goal',
  ],
  benefits: ['benefits', 'expected benefits', 'business value', 'value', 'positive outcomes'],
  outputs: ['outputs', 'system outputs', 'results', 'deliverables'],
  orgUnit: [
    'org unit',
    'business unit',
    'department',
    'division',
    'line of business',
    'bureau',
    'team',
    'office',
  ],
  jurisdictions: ['jurisdiction', 'country', 'region', 'state', 'geography', 'market'],
  channels: ['channel', 'touchpoint', 'distribution channel'],
  stage: [
    'stage',
    'status',
    'development stage',
    'lifecycle stage',
    'phase',
    'maturity',
    'deployment status',
  ],
  technique: [
    'technique',
    'ai technique',
    'ai type',
    'type of ai',
    'ai classification',
    'model type',
    'technology',
  ],
  systems: [
    'system',
    'system name',
    'tool',
    'product',
    'application',
    'platform',
    'model',
    'software',
    'vendor',
  ],
  businessOwner: [
    'business owner',
    'owner',
    'product owner',
    'sponsor',
    'accountable',
    'responsible',
    'contact',
  ],
  riskOwner: ['risk owner', 'risk manager', 'control owner', 'compliance owner', 'risk contact'],
  tags: ['tags', 'topic', 'topic area', 'category', 'keywords', 'labels'],
} satisfies Record<string, string[]>
export type HeaderField = keyof typeof headerWords

/** Words of a header that tell nothing about what stands under it. */
export const emptyWords = new Set(
  'a an and any are as at be by can do does for from has have if in intended involve is it its of on or the this to use used uses using what which who with you your'.split(
    ' ',
  ),
)

export const stageWords: Record<string, Stage> = {
  Idea: 'idea',
  Ideation: 'idea',
  Proposed: 'idea',
  Planned: 'idea',
  Planning: 'idea',
  Backlog: 'idea',
  'Pre-deployment': 'pre_deployment',
  Development: 'pre_deployment',
  'In development': 'pre_deployment',
  Build: 'pre_deployment',
  Testing: 'pre_deployment',
  Pilot: 'pilot',
  Piloting: 'pilot',
  Trial: 'pilot',
  Beta: 'pilot',
  Deployed: 'deployed',
  Production: 'deployed',
  'In production': 'deployed',
  Operational: 'deployed',
  Live: 'deployed',
  'In use': 'deployed',
}

export const retiredWords = ['Retired', 'Decommissioned', 'Discontinued', 'Sunset', 'Terminated']

export const techniqueWords: Record<string, Technique> = {
  Generative: 'generative',
  'Generative AI': 'generative',
  GenAI: 'generative',
  'Gen AI': 'generative',
  LLM: 'generative',
  'Large language model': 'generative',
  Agentic: 'agentic',
  'Agentic AI': 'agentic',
  Agent: 'agentic',
  'Machine learning': 'classical_ml',
  ML: 'classical_ml',
  'Classical ML': 'classical_ml',
  'Predictive model': 'classical_ml',
  'Natural language processing': 'nlp',
  NLP: 'nlp',
  'Computer vision': 'computer_vision',
  'Reinforcement learning': 'reinforcement_learning',
  Other: 'other',
}

export const blankWords = [
  '-',
  'N/A',
  'NA',
  'None',
  'Not applicable',
  'TBD',
  'Unknown',
  'Not available',
  'null',
]
