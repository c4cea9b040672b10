import { isTold, type ToldType } from '../audit/told.js'
import { day } from '../instant.js'

/** Who a mail goes to, before those who cannot get it are left out. */
export type Audience =
  | 'owners'
  | 'risk_owner'
  | 'seats_of_stage'
  | 'empty_seats_of_stage'
  | 'condition_owner'
  | 'owners_of_imposed'
  | 'administrators'

/** What a mail is about, as its recipient may read it. */
export interface Subject {
  /** Of the use case, such as `UC-1042`; empty when there is none. */
  key: string
  title: string
  /** The members of the leaf. */
  data: Record<string, unknown>
  aggregateId: string
}

interface Kind {
  to: Audience[]
  /** One sentence each: what happened, and what to do. */
  happened(of: Subject): string
  next(of: Subject): string
  path(of: Subject): string
}

const name = ({ key, title }: Subject) => `${key} “${title}”`
const member = ({ data }: Subject, field: string) => String(data[field] ?? '')
const dayOf = (of: Subject, field: string) => day(member(of, field))
const useCasePath = ({ key }: Subject) => `/v1/use-cases/${key}`
const reviewPath = (of: Subject) => `/v1/reviews/${member(of, 'reviewId')}/brief`
const conditionsPath = (of: Subject) => `${useCasePath(of)}/conditions`

const outcomes: Record<string, string> = {
  approved: 'was approved',
  approved_with_conditions: 'was approved with conditions',
  blocked: 'was blocked',
  changes_requested: 'needs changes before it can be approved',
}

const lapses: Record<string, string> = {
  expired: 'its time is over',
  material_change: 'a fact changed that the decision rests on',
  tier_raised: 'its tier rose above the one that was decided',
  condition_overdue: 'a condition is overdue',
}

/** Every event that is worth a mail. The rest is for webhooks. */
const kinds: Partial<Record<ToldType, Kind>> = {
  'review.opened': {
    to: ['seats_of_stage'],
    happened: (of) => `${name(of)} is in review and waits for votes.`,
    next: () => 'Read it and vote, or recuse yourself.',
    path: reviewPath,
  },
  'stage.opened': {
    to: ['seats_of_stage'],
    happened: (of) => `${name(of)} is in review and waits for the votes of stage "${member(of, 'stage')}".`,
    next: (of) => `Read it and vote, or recuse yourself, by ${dayOf(of, 'dueAt')}.`,
    path: reviewPath,
  },
  'stage.overdue': {
    to: ['empty_seats_of_stage', 'risk_owner'],
    happened: (of) =>
      `Stage "${member(of, 'stage')}" of the review of ${name(of)} was due on ${dayOf(of, 'since')} and is still open.`,
    next: () => 'Vote if a seat of yours is empty, or ask whoever holds it to vote or to delegate.',
    path: reviewPath,
  },
  'decision.made': {
    to: ['owners', 'owners_of_imposed'],
    happened: (of) => `${name(of)} ${outcomes[member(of, 'outcome')] ?? 'was decided'}.`,
    next: () => 'Read the decision, and see to the conditions that are yours.',
    path: useCasePath,
  },
  'approval.lapsed': {
    to: ['owners'],
    happened: (of) => `The approval of ${name(of)} lapsed: ${lapses[member(of, 'reason')] ?? 'see why'}.`,
    next: () => 'The gate denies it from now on; cure what is named, or submit it for review again.',
    path: useCasePath,
  },
  'use_case.suspended': {
    to: ['owners'],
    happened: (of) => `${name(of)} was suspended.`,
    next: () =>
      'The gate denies it from now on; read the reason and agree what has to happen before it is lifted.',
    path: useCasePath,
  },
  'suspension.lifted': {
    to: ['owners'],
    happened: (of) => `The suspension of ${name(of)} was lifted.`,
    next: () => 'Check that it may run again: other suspensions and lapses go on counting.',
    path: useCasePath,
  },
  'incident.reported': {
    to: ['owners'],
    happened: (of) => `An incident of severity "${member(of, 'severity')}" was reported against ${name(of)}.`,
    next: () => 'Read it, and add to its timeline what you know.',
    path: useCasePath,
  },
  'break_glass.opened': {
    to: ['owners'],
    happened: (of) =>
      `${name(of)} was opened for "${member(of, 'environment')}" by break-glass until ${member(of, 'expiresAt')}.`,
    next: () => 'Find out why; whoever did not open it reviews whether it was justified.',
    path: useCasePath,
  },
  'tier.raised': {
    to: ['owners'],
    happened: (of) => `The tier of ${name(of)} was raised from ${member(of, 'from')} to ${member(of, 'to')}.`,
    next: () => 'Read why; an approval for a lower tier lapses, so plan its review.',
    path: useCasePath,
  },
  'condition.reassigned': {
    to: ['condition_owner'],
    happened: (of) => `A condition of ${name(of)} is yours from now on.`,
    next: () => 'Read what it asks for and by when.',
    path: conditionsPath,
  },
  'condition.due_soon': {
    to: ['condition_owner'],
    happened: (of) => `A condition of ${name(of)} that is yours falls due on ${dayOf(of, 'dueAt')}.`,
    next: () => 'Attach the evidence that satisfies it, and have somebody else accept it in time.',
    path: conditionsPath,
  },
  'condition.overdue': {
    to: ['condition_owner', 'risk_owner'],
    happened: (of) => `A condition of ${name(of)} has been overdue since ${dayOf(of, 'since')}.`,
    next: () =>
      'The approval has lapsed until it is met: attach the evidence and have somebody else accept it.',
    path: conditionsPath,
  },
  'webhook.disabled': {
    to: ['administrators'],
    happened: () => 'A webhook was disabled: its receiver is gone, or nothing has arrived there for days.',
    next: () => 'Ask whoever runs the receiver; enable it again and replay what it missed, or delete it.',
    path: ({ aggregateId }) => `/v1/webhooks/${aggregateId}`,
  },
}

export function audiencesOf(type: string): Audience[] {
  return isTold(type) ? (kinds[type]?.to ?? []) : []
}

export interface MailText {
  subject: string
  text: string
}

/** Plain text: what happened, what to do, and where. */
export function writeMail(type: string, of: Subject, publicUrl: string): MailText {
  const kind = isTold(type) ? kinds[type] : undefined
  if (!kind) throw new Error(`no mail tells of ${type}`)
  const lines = [
    ...[kind.happened(of), kind.next(of), '', `${publicUrl}${kind.path(of)}`, ''],
    ...['--', 'Assent sends this because of what you own or the seat you hold.'],
    `To get no more mail: PUT ${publicUrl}/v1/me/notices`,
  ]
  const subject = of.key === '' ? kind.happened(of) : `[${of.key}] ${oneLine(kind.happened(of))}`
  return { subject, text: lines.map(oneLine).join('\n') }
}

/** A title cannot break out of its line, be it of a header or of the text. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
