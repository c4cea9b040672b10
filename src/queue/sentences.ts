import { day, type Instant } from '../instant.js'
import { words } from '../markdown.js'
import type { StandingReason } from '../use-cases/standing.js'

/** A seat that the reader may fill, for themselves or for its holder. */
export interface Fillable {
  seat: string
  holder: string | null
}

/** What to do about each kind of thing that waits. Pure. */
export const sentences = {
  vote: ({ seats }: { seats: readonly Fillable[] }): string =>
    `Read the brief and vote for ${seats.map(seatOf).join(', or ')}`,

  /** @param accepted title of the last piece that may meet it; only a person can say whether it does */
  condition: ({
    satisfiedBy,
    text,
    accepted,
  }: {
    satisfiedBy: string
    text: string
    accepted: string | null
  }): string =>
    accepted === null
      ? `See to it, and name an accepted ${words(satisfiedBy)} that shows it: ${text}`
      : `The ${words(satisfiedBy)} “${accepted}” is accepted; confirm that it meets this, or name another: ${text}`,

  /** @param gaps what holds the review up, a sentence each */
  missing: ([first = '', ...more]: readonly string[]): string => {
    const others = more.length === 0 ? '' : `, and ${more.length} more`
    return `Nobody can approve it yet. ${first}${others}`
  },

  /** @param things what the approval rests on and will not be there from that day on */
  ending: (things: readonly string[], at: Instant): string =>
    `See to it before ${day(at)}, or its approval lapses then: ${things.join('; ')}`,

  /** @param seats of the reader, where one of certain seats has to accept it */
  evidence: ({
    kind,
    title,
    seats = [],
  }: {
    kind: string
    title: string
    seats?: readonly string[]
  }): string =>
    `Accept or refuse the ${words(kind)} “${title}”${seats.length > 0 ? ` for the ${seats.join(' or ')} seat` : ''}`,

  useCase({ reasons, validUntil, isLapsed }: Owned): string {
    if (isLapsed) return `${lapsed(reasons)}; it may not be deployed until then`
    if (reasons.includes('changes_requested'))
      return 'Change what the committee asked for, and submit it again'
    if (validUntil !== null) return `Its approval ends on ${day(validUntil)}: submit it for a new one`
    return 'It is deployed, and nobody has reviewed it: submit it'
  },

  incident: ({ severity, title }: { severity: string; title: string }): string =>
    `Carry on the ${severity} incident “${title}”, and close it with what was learned`,

  breakGlass: ({ environment, reason }: { environment: string; reason: string }): string =>
    `Say whether it was justified to open ${environment} in an emergency: ${reason}`,

  suspension: ({ reason }: { reason: string }): string =>
    `Lift its suspension once the ground for it is gone: ${reason}`,
}

/** How a use case of the reader stands. */
export interface Owned {
  reasons: readonly StandingReason[]
  validUntil: Instant | null
  isLapsed: boolean
}

function seatOf({ seat, holder }: Fillable): string {
  return holder === null ? `the ${seat} seat` : `the ${seat} seat in place of ${holder}`
}

const CAUSES: Record<StandingReason, string> = {
  expired: 'it has come to its end',
  material_change: 'what it rested on has changed',
  tier_raised: 'the tier is higher now',
  condition_overdue: 'a condition is overdue',
  evidence_stale: 'evidence that it rests on went stale',
  evidence_missing: 'evidence that it rests on is not there',
  control_missing: 'a control that it rests on is not in place',
  changes_requested: 'changes were requested',
}

/** What does away with a reason; only another decision does with the others. */
const CURES: Partial<Record<StandingReason, string>> = {
  condition_overdue: 'see that the overdue condition is met',
  evidence_stale: 'have newer evidence accepted',
  evidence_missing: 'have the missing evidence accepted',
  control_missing: 'bring the control back into place',
}

function lapsed(reasons: readonly StandingReason[]): string {
  const causes = reasons.map((reason) => CAUSES[reason]).join(', and ')
  const cures = [...new Set(reasons.map((reason) => CURES[reason] ?? 'submit it again'))]
  const cure = cures.toSorted((a, b) => Number(a === 'submit it again') - Number(b === 'submit it again'))
  return `Its approval lapsed, as ${causes}: ${cure.join(', and ')}`
}
