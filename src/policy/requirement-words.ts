import { day, type Instant } from '../instant.js'
import type { Ask, ControlAsk, ControlState, EvidenceAsk, Requirement } from './requirements.js'

/** Why something that is asked for is not there. */
export type Want =
  | 'not_there'
  | 'held_back'
  | 'not_accepted'
  | 'not_accepted_by_seat'
  | 'stale'
  | 'not_in_state'
  | 'without_evidence'

/** A want, with what its sentence is made of. */
export interface Wanting {
  want: Want
  /** In which state a control is; undefined where nobody assessed it. */
  state: ControlState | undefined
  /** When what is there went stale. */
  staleSince: Instant | null
}

/** What is asked for, as the end of "asks for …". */
export function askWords(ask: Ask): string {
  return ask.type === 'evidence' ? evidenceAsked(ask) : controlAsked(ask)
}

/** What a requirement asks for, with all of its controls, and what becomes of an approval without it. */
export function requirementWords({ controls, evidence, ifMissing }: Requirement): string {
  const asked = evidence
    ? evidenceAsked({ freshForDays: null, acceptedBy: [], ...evidence })
    : controlAsked({ control: '', states: [], withEvidence: false, ...controls }, controls?.ids)
  return `${asked}; ${ifMissingWords(ifMissing)}`
}

/** What an approval makes of it when it is not there. */
export function ifMissingWords(ifMissing: Requirement['ifMissing']): string {
  if (ifMissing === 'refuse') return 'nothing is approved without it'
  const owner = words(ifMissing.owner)
  return 'dueInDays' in ifMissing
    ? `without it an approval has a condition for the ${owner}, due in ${ifMissing.dueInDays} days`
    : `without it an approval has a condition for the ${owner}, to be met before a deploy`
}

/** What is so, and what to do next. */
export function wantWords(ask: Ask, wanting: Wanting): string {
  return ask.type === 'evidence' ? evidenceWanted(ask, wanting) : controlWanted(ask, wanting)
}

function evidenceAsked({ kind, freshForDays, acceptedBy }: Omit<EvidenceAsk, 'type'>): string {
  const age = freshForDays === null ? '' : ` of the last ${freshForDays} days`
  return `${withArticle(words(kind))}${age}, accepted by ${byWhom(acceptedBy)}`
}

function controlAsked(
  { control, states, withEvidence }: Pick<ControlAsk, 'control' | 'states' | 'withEvidence'>,
  ids: readonly string[] = [control],
): string {
  const evidence = withEvidence ? ' with accepted evidence' : ''
  return `${ids.join(', ')} ${either(states)}${evidence}`
}

function evidenceWanted({ kind, acceptedBy }: EvidenceAsk, { want, staleSince }: Wanting): string {
  const piece = withArticle(words(kind))
  if (want === 'stale') return `the ${words(kind)} went stale on ${day(staleSince ?? '')}; attach a newer one`
  if (want === 'held_back') return `${piece} is there, and waits for the virus scanner; look again in a while`
  if (want === 'not_accepted') return `${piece} is there; ${byWhom(acceptedBy)} has to accept it`
  if (want === 'not_accepted_by_seat') {
    return `${piece} was accepted, but not by ${byWhom(acceptedBy)}; attach it once more for them`
  }
  return `${piece} is missing; attach one, which ${byWhom(acceptedBy)} has to accept`
}

function controlWanted({ control, states }: ControlAsk, { want, state, staleSince }: Wanting): string {
  if (want === 'not_accepted') {
    return `${control} is in place; somebody other than its giver has to accept its evidence`
  }
  if (want === 'without_evidence') return `${control} is in place without evidence that counts; name some`
  if (want === 'stale') {
    return `the evidence for ${control} went stale on ${day(staleSince ?? '')}; attach newer in its place`
  }
  return `${control} is ${words(state ?? 'not_assessed')}, and has to be ${either(states)}; assess it`
}

const byWhom = (seats: readonly string[]): string =>
  seats.length === 0 ? 'somebody other than its giver' : `the seat ${either(seats)}`

const either = (names: readonly string[]): string => names.map(words).join(' or ')

const words = (name: string): string => name.replaceAll('_', ' ')

const withArticle = (name: string): string => `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
