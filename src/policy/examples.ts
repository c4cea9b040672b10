/** The policy that the other examples rest on. */
export const policyDigest = 'sha256:7d2bbcd24e4bce4681a018b53a20194163c76f49b584ac4bd93821cd361a5446'

export const answers = {
  customer_facing: 'yes',
  regulated_language: 'yes',
  personal_data: 'personal',
  decision_role: 'none',
  autonomy: 'human_in_loop',
  affected: 'customers',
  vulnerable_people: 'no',
  annex_iii_area: 'none',
  omb_high_impact: 'no',
  prohibited_practice: 'none',
}

const seeAi =
  'People outside must be able to tell that it is AI, and what it says is ours: EU AI Act Article 50, NIST AI RMF MEASURE 2.8.'

export const firedRule = { id: 'RT-40', tier: 'limited', because: seeAi, unknown: false }

export const lane = {
  id: 'limited',
  title: 'Two of four',
  when: { tiers: ['limited'] },
  order: 'in_order',
  stages: [
    {
      id: 'committee',
      seats: [
        { seat: 'risk', required: true, veto: false },
        { seat: 'business', required: false, veto: false },
        { seat: 'legal', required: false, veto: false },
        { seat: 'compliance', required: false, veto: false },
      ],
      quorum: 2,
      dueInDays: 10,
    },
  ],
  outcomes: ['approved', 'approved_with_conditions', 'blocked', 'changes_requested'],
  validForDays: 548,
  materialFacts: ['purpose', 'answers', 'technique', 'systemIds', 'channels', 'jurisdictions'],
  reReview: { minor: 'limited-minor', adaptive: 'limited-adaptive' },
  precedent: {
    lane: 'limited-precedent',
    sameFacts: ['answers', 'technique', 'systemIds', 'channels', 'jurisdictions'],
    withinDays: 365,
  },
}

export const overlay = {
  id: 'OV-04',
  when: { tiers: ['limited', 'high'], orgUnits: ['sales'], jurisdictions: ['US-NY'] },
  because:
    'In New York the producer answers for what an insurer lets software say: compliance looks first, and again each year.',
  add: {
    seats: [{ seat: 'compliance', required: true, veto: false }],
    validForDays: 365,
    conditions: ['wording-approved'],
  },
}

export const conditionPatterns = [
  {
    id: 'wording-approved',
    title: 'Passages approved by compliance',
    type: 'obligation',
    text: 'Compliance approves the passages that it writes with; a new passage is approved before it is used.',
    beforeDeploy: true,
    owner: 'business_owner',
    satisfiedBy: 'legal_opinion',
  },
  {
    id: 'pilot-only',
    title: 'Not in production yet',
    type: 'limit',
    text: 'It may be tried; customers do not meet it.',
    on: 'environment',
    values: ['staging', 'development'],
  },
]

export const requirements = [
  {
    id: 'RQ-10',
    when: { tiers: ['high'] },
    because: 'NIST AI RMF MEASURE 2.1: what was tested, and how, is on record before it runs',
    evidence: { kind: 'test_report', freshForDays: 365 },
    ifMissing: 'refuse',
  },
  {
    id: 'RQ-20',
    when: { tiers: ['high'] },
    because: 'NIST AI RMF MANAGE 2.4: somebody can switch it off',
    controls: {
      catalog: 'nist-ai-rmf',
      version: '1.0',
      ids: ['MANAGE 2.4'],
      states: ['in_place'],
      withEvidence: false,
    },
    ifMissing: { dueInDays: 60, owner: 'risk_owner' },
    exception: { longestDays: 180 },
  },
]

export const required = {
  requirement: 'RQ-10',
  because: 'NIST AI RMF MEASURE 2.1: what was tested, and how, is on record before it runs',
  ask: { type: 'evidence', kind: 'test_report', freshForDays: 365, acceptedBy: [] },
  taken: 'met',
  exceptionId: null,
  exceptedUntil: null,
}

export const severity = {
  id: 'serious',
  title: 'Serious',
  help: 'A person was treated wrongly, or words reached a customer that must not have.',
  suspends: true,
}

export const retentionClass = {
  id: 'eu-high-risk-documentation',
  title: 'Documentation of high-risk systems, EU',
  when: { tiers: ['high'], jurisdictions: ['EU'] },
  period: { years: 10 },
  trigger: 'retired',
  basis: 'regulatory',
  because:
    'Article 18 of the AI Act: ten years. Counted from its end, so that every version in service is covered.',
}

export const policyInForce = {
  digest: policyDigest,
  loadedAt: '2026-02-16T06:00:12.000Z',
  questions: [
    {
      id: 'customer_facing',
      text: 'Do customers, or others outside the organisation, see or hear what it produces?',
      help: 'Yes also when an employee passes its words on as they are. No when only employees see it.',
      options: [
        { id: 'yes', label: 'Yes' },
        { id: 'no', label: 'No' },
        { id: 'unknown', label: 'Not known yet' },
      ],
    },
  ],
  rules: [{ id: 'RT-40', when: { customer_facing: 'yes' }, tier: 'limited', because: seeAi }],
  lanes: [lane],
  changeClasses: { minor: ['title', 'benefits', 'tags'], adaptive: ['outputs', 'channels', 'systemIds'] },
  overlays: [overlay],
  conditions: conditionPatterns,
  requirements,
  retention: [retentionClass],
  severities: [severity],
  breakGlass: { maxHours: 24, environments: ['production'] },
  environments: { production: 'enforce', staging: 'warn', development: 'warn' },
  answersValidForMinutes: 15,
  decisionRights: {
    allow: [
      {
        id: 'DR-30',
        roles: ['risk_owner', 'committee_member', 'seat_holder'],
        may: 'judge',
        a: 'Evidence',
        when: { orgUnitId: { $in: '$units' } },
        because: 'Risk owners and the committee accept or refuse what others attached, within their units',
      },
    ],
    deny: [
      {
        id: 'DR-70',
        roles: ['anyone'],
        may: 'vote',
        a: 'Review',
        when: { submittedBy: '$me' },
        because: 'Whoever submitted a use case does not vote on it',
      },
    ],
  },
}

export const triedFacts = {
  answers: { ...answers, vulnerable_people: 'unknown' },
  technique: 'generative',
  channels: ['e-mail', 'broker portal'],
  jurisdictions: ['US', 'GB'],
  unitKeys: ['sales', 'organisation'],
}

export const trial = {
  tier: 'limited',
  fired: [
    firedRule,
    {
      id: 'RT-46',
      tier: 'limited',
      because: 'Vulnerable people are among those it touches: NIST AI RMF MAP 5.1.',
      unknown: true,
    },
  ],
  lane: {
    ...lane,
    stages: [
      {
        id: 'committee',
        seats: [
          { seat: 'risk', required: true, veto: false },
          { seat: 'business', required: false, veto: false },
          { seat: 'legal', required: false, veto: false },
          { seat: 'compliance', required: true, veto: false },
        ],
        quorum: 2,
        dueInDays: 10,
      },
    ],
    validForDays: 365,
  },
  overlays: [{ id: overlay.id, because: overlay.because }],
  attested: false,
  conditions: [conditionPatterns[0]],
  requirements: [
    {
      id: 'RQ-21',
      because: 'What it makes up reaches customers as our word: AI 600-1 on confabulation',
      ifMissing: { dueInDays: 30, owner: 'business_owner' },
      words:
        'a test report of the last 365 days, accepted by somebody other than its giver; without it an approval has a condition for the business owner, due in 30 days',
      asks: ['a test report of the last 365 days, accepted by somebody other than its giver'],
      unstated: [],
    },
  ],
  unknown: ['vulnerable_people'],
}
