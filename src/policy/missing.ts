import { z } from 'zod'
import type { EvidenceKind } from '../evidence/evidence.js'
import { addDays, day, type Instant } from '../instant.js'
import * as examples from './examples.js'
import { Ask, type Asked, type ControlAsk, type ControlState, type EvidenceAsk } from './requirements.js'

/** A piece of evidence as requirements look at it: available, not disposed, and without an accepted newer one. */
export interface Piece {
  id: string
  kind: EvidenceKind
  /** When its bytes were first attached, there or where it was shared from. */
  givenAt: Instant
  freshUntil: Instant | null
  verdict: 'accepted' | 'refused' | null
  /** The seats that whoever judged it held. */
  seats: readonly string[]
}

/** What was last said of a control. */
export interface Assessed {
  catalog: string
  version: string
  control: string
  state: ControlState
  evidenceIds: readonly string[]
}

/** What a use case has to show. */
export interface Holdings {
  pieces: readonly Piece[]
  controls: readonly Assessed[]
}

/** One thing that an approval required, as it was taken. Decisions keep it; it never changes. */
export const Required = z
  .strictObject({
    requirement: z.string().describe('Id of the requirement in policy, as RQ-nn'),
    because: z.string(),
    ask: Ask,
    taken: z
      .enum(['met', 'condition', 'excepted'])
      .describe('Whether it was there, became a condition of the approval, or was excepted'),
    exceptionId: z.uuid().nullable(),
    exceptedUntil: z.iso.datetime().nullable().describe('When the exception ends'),
  })
  .meta({ id: 'Required', examples: [examples.required] })
export type Required = z.infer<typeof Required>

export const Want = z.enum([
  'not_there',
  'not_accepted',
  'not_accepted_by_seat',
  'stale',
  'not_in_state',
  'without_evidence',
])
export type Want = z.infer<typeof Want>

/** One thing that is not there, and why. */
export interface Gap {
  asked: Asked
  want: Want
  /** For a person: what is so, and what to do next. */
  sentence: string
}

/** From when on an ask is not met any more; null for never. Undefined while it is not met at all. */
type Cover = { until: Instant | null } | undefined

/** Instants of which standing is made; null where nothing is, or will be, amiss. */
export interface RequiredHead {
  evidenceStaleAt: Instant | null
  evidenceMissingAt: Instant | null
  controlMissingAt: Instant | null
}

/**
 * What is asked for and not there at this instant, with a sentence for each. Pure. An exception is not looked at: see
 * {@link isExcepted}.
 */
export function missing(asks: readonly Asked[], holdings: Holdings, at: Instant): Gap[] {
  return asks.flatMap((asked) => {
    if (isMet(asked.ask, holdings, at)) return []
    const want = wantOf(asked.ask, holdings)
    return [{ asked, want, sentence: sentenceOf(asked, want, holdings) }]
  })
}

export function isMet(ask: Ask, holdings: Holdings, at: Instant): boolean {
  const cover = coverOf(ask, holdings)
  return cover !== undefined && isBefore(at, cover.until)
}

/** R-104: whether an exception for this ask, granted by the approval in force, still holds. */
export function isExcepted(
  { requirement, ask }: Asked,
  required: readonly Required[],
  at: Instant,
): Required | undefined {
  return required.find(
    (one) =>
      one.taken === 'excepted' &&
      one.requirement === requirement.id &&
      subjectOf(one.ask) === subjectOf(ask) &&
      one.exceptedUntil !== null &&
      at < one.exceptedUntil,
  )
}

/** What an ask is about: the kind of evidence, or the control. */
export function subjectOf(ask: Ask): string {
  return ask.type === 'evidence' ? ask.kind : `${ask.catalog}@${ask.version} ${ask.control}`
}

/** R-101: from when on an ask is not met any more by what is there. */
export function coverOf(ask: Ask, holdings: Holdings): Cover {
  return ask.type === 'evidence' ? evidenceCover(ask, holdings.pieces) : controlCover(ask, holdings)
}

/**
 * R-103: when what an approval required goes stale, and since when it is not there. What became a condition is the
 * condition's business until it was there once; what is excepted is missing from the end of the exception on.
 * @param before what the head says now: what was missing stays missing since then
 */
export function headOf(
  required: readonly Required[],
  holdings: Holdings,
  before: RequiredHead,
  now: Instant,
): RequiredHead {
  const head: RequiredHead = { evidenceStaleAt: null, evidenceMissingAt: null, controlMissingAt: null }
  for (const one of required) {
    const cover = coverOf(one.ask, holdings)
    const excepted = one.exceptedUntil
    if (cover !== undefined) {
      if (cover.until === null) continue
      head.evidenceStaleAt = earliest(head.evidenceStaleAt, later(cover.until, excepted))
    } else if (one.taken !== 'condition') {
      const name = one.ask.type === 'evidence' ? 'evidenceMissingAt' : 'controlMissingAt'
      const since = excepted !== null && excepted > now ? excepted : sinceOf(before[name], now)
      head[name] = earliest(head[name], since)
    }
  }
  return head
}

/** What was missing before stays missing since then; what was to end later is missing from now on. */
const sinceOf = (before: Instant | null, now: Instant) => (before !== null && before < now ? before : now)

function evidenceCover(ask: EvidenceAsk, pieces: readonly Piece[]): Cover {
  const ends = pieces.filter((piece) => fits(ask, piece)).map((piece) => endOf(ask, piece))
  return longest(ends)
}

function controlCover({ states, withEvidence, ...ask }: ControlAsk, { controls, pieces }: Holdings): Cover {
  const assessed = find(ask, controls)
  if (!assessed || !states.includes(assessed.state)) return undefined
  if (!withEvidence || assessed.state !== 'in_place') return { until: null }
  const named = pieces.filter(
    ({ id, verdict }) => verdict === 'accepted' && assessed.evidenceIds.includes(id),
  )
  return longest(named.map(({ freshUntil }) => freshUntil))
}

function find(
  { catalog, version, control }: Pick<ControlAsk, 'catalog' | 'version' | 'control'>,
  controls: readonly Assessed[],
): Assessed | undefined {
  return controls.find((one) => one.control === control && one.catalog === catalog && one.version === version)
}

function fits({ kind, acceptedBy }: EvidenceAsk, piece: Piece): boolean {
  return piece.kind === kind && piece.verdict === 'accepted' && isBySeat(acceptedBy, piece)
}

const isBySeat = (acceptedBy: readonly string[], { seats }: Piece): boolean =>
  acceptedBy.length === 0 || acceptedBy.some((seat) => seats.includes(seat))

/** Whichever comes first: its own end, or as many days after it was given as the requirement allows. */
function endOf({ freshForDays }: EvidenceAsk, { givenAt, freshUntil }: Piece): Instant | null {
  return freshForDays === null ? freshUntil : earliest(freshUntil, addDays(givenAt, freshForDays))
}

/** The latest end; null, for never, is later than any. */
function longest(ends: (Instant | null)[]): Cover {
  if (ends.length === 0) return undefined
  return { until: ends.reduce((a, b) => (a === null || b === null ? null : later(a, b))) }
}

/** Null stands for never. */
const isBefore = (at: Instant, until: Instant | null): boolean => until === null || at < until

/** Of two instants that may be absent, the one there is. */
function earliest(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}

const later = (a: Instant, b: Instant | null): Instant => (b !== null && b > a ? b : a)

function wantOf(ask: Ask, holdings: Holdings): Want {
  if (ask.type === 'control') {
    const state = find(ask, holdings.controls)?.state
    if (state === undefined || !ask.states.includes(state)) return 'not_in_state'
    return coverOf(ask, holdings) === undefined ? 'without_evidence' : 'stale'
  }
  const ofKind = holdings.pieces.filter(({ kind, verdict }) => kind === ask.kind && verdict !== 'refused')
  if (ofKind.some((piece) => fits(ask, piece))) return 'stale'
  if (ofKind.some(({ verdict }) => verdict === 'accepted')) return 'not_accepted_by_seat'
  return ofKind.length > 0 ? 'not_accepted' : 'not_there'
}

function sentenceOf({ requirement: { id }, ask }: Asked, want: Want, holdings: Holdings): string {
  return ask.type === 'evidence'
    ? `${id}: ${evidenceWords(ask, want, coverOf(ask, holdings))}`
    : `${id}: ${controlWords(ask, want, find(ask, holdings.controls)?.state)}`
}

function evidenceWords({ kind, acceptedBy }: EvidenceAsk, want: Want, cover: Cover): string {
  const name = kind.replaceAll('_', ' ')
  const seats = acceptedBy.join(' or ')
  if (want === 'stale') return `the ${name} went stale on ${day(cover?.until ?? '')}; attach a newer one`
  if (want === 'not_accepted') {
    return `a ${name} is there, and ${seats ? `the seat ${seats}` : 'somebody other than its giver'} has to accept it`
  }
  if (want === 'not_accepted_by_seat') {
    return `a ${name} was accepted, and has to be by the seat ${seats}; attach it again for them`
  }
  return `a ${name} is missing; attach one${seats ? `, for the seat ${seats} to accept` : ''}`
}

function controlWords({ control, states }: ControlAsk, want: Want, state?: ControlState): string {
  const words = (one: string) => one.replaceAll('_', ' ')
  if (want === 'without_evidence') return `${control} is in place without evidence; name accepted evidence`
  if (want === 'stale') return `the evidence for ${control} went stale; name a newer one`
  const wanted = states.map(words).join(' or ')
  return `${control} is ${words(state ?? 'not_assessed')}, and has to be ${wanted}; assess it`
}
