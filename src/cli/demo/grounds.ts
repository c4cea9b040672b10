import type { Evidence, EvidenceKind } from '../../evidence/evidence.js'
import type { ControlAsk, ControlState, EvidenceAsk, Requirement } from '../../policy/requirements.js'
import type { ControlProfile } from '../../profiles/profile.js'
import type { AskStanding, UseCaseRequirements } from '../../requirements/requirement.js'
import type { NamedBytes } from './caller.js'
import { read } from './deciding.js'
import { as, type Stage } from './stage.js'

/** What people in the demo show for each kind of evidence, in words that fit any use of AI. */
const words: Record<EvidenceKind, { title: string; statement: string }> = {
  risk_assessment: {
    title: 'Risk assessment',
    statement: 'Whom it can harm and how badly, how likely that is, and what we do about each: eleven risks.',
  },
  test_report: {
    title: 'Test on past cases',
    statement:
      '200 past cases were run again; three answers differed and were put right by the person in charge.',
  },
  privacy_assessment: {
    title: 'Data protection impact assessment',
    statement: 'Which data about whom, on what basis, for how long, who sees them; two fields were left out.',
  },
  security_assessment: {
    title: 'Security assessment',
    statement:
      'Accounts, logs and the vendor’s access were looked at; prompt injection was tried for two days.',
  },
  bias_evaluation: {
    title: 'Comparison by sex, age and origin',
    statement: 'Rates were compared between groups on 2,000 cases; the largest difference is 1.2 points.',
  },
  model_card: {
    title: 'Model card',
    statement: 'What it was made for, from which data, how well it does, and where it should not be used.',
  },
  vendor_document: {
    title: 'Answers of the vendor',
    statement:
      'The vendor’s answers to our forty questions, with the contract’s clause on changes of the model.',
  },
  monitoring_report: {
    title: 'What was seen this month',
    statement:
      'Corrections by people, complaints and outages of the month, beside those of the month before.',
  },
  legal_opinion: {
    title: 'Legal opinion',
    statement: 'Which laws it falls under in each state, and what has to be said to whoever it concerns.',
  },
  other: {
    title: 'What else there is',
    statement: 'Notes of the meeting in which its owners went through it.',
  },
}

/** Attaches a statement that whoever acts vouches for. */
export async function attest(
  stage: Stage,
  key: string,
  by: string,
  piece: { kind: EvidenceKind; freshUntil?: string; supersedesId?: string },
): Promise<Evidence> {
  return await as(stage, by).post<Evidence>(`/v1/use-cases/${key}/evidence`, {
    ...words[piece.kind],
    ...piece,
  })
}

/** Attaches a file. */
export async function attachFile(
  stage: Stage,
  key: string,
  by: string,
  { kind, ...file }: NamedBytes & { kind: EvidenceKind },
): Promise<Evidence> {
  const fields = { kind, title: words[kind].title }
  return await as(stage, by).upload<Evidence>(`/v1/use-cases/${key}/evidence/files`, file, fields)
}

/** Past cases run again, as a spreadsheet of some hundred kilobytes; the same bytes each time. */
export function pastCases(rows = 5000): NamedBytes {
  const lines = Array.from({ length: rows }, (_, n) => {
    const score = ((n * 7919) % 1000) / 1000
    const differs = n % 1666 === 0
    return `C-${100_000 + n},${score.toFixed(3)},${score > 0.5 ? 'soon' : 'later'},${differs ? 'yes' : 'no'}`
  })
  const text = `${['case,score,desk,differs from the person', ...lines].join('\n')}\n`
  return { name: 'past-cases.csv', mediaType: 'text/csv', bytes: new TextEncoder().encode(text) }
}

/** Somebody else accepts it, from a seat that policy wants it from. */
export async function accept(
  stage: Stage,
  { id }: Pick<Evidence, 'id'>,
  { acceptedBy }: Pick<EvidenceAsk, 'acceptedBy'> = { acceptedBy: [] },
): Promise<string> {
  const [seat = 'compliance'] = acceptedBy
  await as(stage, `committee-${seat}`).post(`/v1/evidence/${id}/verdict`, {
    ...{ verdict: 'accepted', note: 'I went through it and tried three cases myself.' },
  })
  return seat
}

/** What policy asks of a use case, and how far each thing is. */
export async function requirementsOf(stage: Stage, key: string): Promise<UseCaseRequirements> {
  return await as(stage, 'auditor').get<UseCaseRequirements>(`/v1/use-cases/${key}/requirements`)
}

/** One thing that policy asks for and that is not there. */
export interface Open<A> extends Pick<AskStanding, 'atDecision' | 'next'> {
  requirement: string
  ifMissing: Requirement['ifMissing']
  /** For how long a decision may except from it; null for not at all. */
  exceptionDays: number | null
  ask: A
}

export interface AllOpen {
  evidence: Open<EvidenceAsk>[]
  controls: Open<ControlAsk>[]
}

export function openIn({ requirements }: UseCaseRequirements): AllOpen {
  const open: AllOpen = { evidence: [], controls: [] }
  for (const { id: requirement, ifMissing, exceptionDays, asks } of requirements) {
    for (const { ask, state, atDecision, next } of asks) {
      const about = { requirement, ifMissing, exceptionDays, atDecision, next }
      if (state === 'met') continue
      if (ask.type === 'evidence') open.evidence.push({ ...about, ask })
      else open.controls.push({ ...about, ask })
    }
  }
  return open
}

/** Says the same of many controls at once. */
export async function assess(
  stage: Stage,
  key: string,
  by: string,
  controls: ControlAsk[],
  said: { state: ControlState; note: string; evidenceIds?: string[] },
): Promise<void> {
  if (controls.length === 0) return
  const { revision } = await read(as(stage, by), key)
  // Several requirements may ask for one control.
  const once = new Map(controls.map((ask) => [`${ask.catalog}@${ask.version} ${ask.control}`, ask]))
  const assessments = [...once.values()].map(({ catalog, version, control }) => {
    return { catalog, version, control, ...said }
  })
  await as(stage, by).patch(`/v1/use-cases/${key}/profile`, { assessments }, revision)
}

/** Everything that policy asks for and that is not there: attached, accepted by somebody else, in place. */
export async function provide(
  stage: Stage,
  key: string,
  by: string,
  fresh: { freshUntil?: string } = {},
): Promise<AllOpen> {
  const open = openIn(await requirementsOf(stage, key))
  const evidenceIds: string[] = []
  for (const { ask } of open.evidence) {
    const piece = await attest(stage, key, by, { kind: ask.kind, ...fresh })
    await accept(stage, piece, ask)
    evidenceIds.push(piece.id)
  }
  const controls = open.controls.map(({ ask }) => ask)
  await assess(stage, key, by, controls, { state: 'in_place', note: 'as our handbook has it', evidenceIds })
  return open
}

export async function profileOf(stage: Stage, key: string): Promise<ControlProfile> {
  return await as(stage, 'auditor').get<ControlProfile>(`/v1/use-cases/${key}/profile`)
}
