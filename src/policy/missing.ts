import { z } from 'zod'
import type { EvidenceKind } from '../evidence/evidence.js'
import { addDays, type Instant } from '../instant.js'
import * as examples from './examples.js'
import { type Want, type Wanting, wantWords } from './requirement-words.js'
import { Ask, type Asked, type ControlAsk, type ControlState, type EvidenceAsk } from './requirements.js'

/** A piece of evidence as requirements look at it: not rejected, not disposed, and without an accepted newer one. */
export interface Piece {
  id: string
  kind: EvidenceKind
  /** A virus scanner has not let it go yet. */
  isHeld: boolean
  /** Ids of all the older pieces in whose place it came, or is to come. */
  replaces: readonly string[]
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

/** An ask, and which requirement it is of. */
interface Of {
  requirement: { id: string }
  ask: Ask
}

/** One thing that is not there, and why. */
export interface Gap<A extends Of = Asked> {
  asked: A
  want: Want
  /** For a person, after the id of the requirement: what is so, and what to do next. */
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
export function missing<A extends Of>(asks: readonly A[], holdings: Holdings, at: Instant): Gap<A>[] {
  return asks.flatMap((asked) => {
    if (isMet(asked.ask, holdings, at)) return []
    return [{ asked, ...whyNot(asked, holdings, at) }]
  })
}

export function isMet(ask: Ask, holdings: Holdings, at: Instant): boolean {
  const cover = coverOf(ask, holdings)
  return cover !== undefined && isBefore(at, cover.until)
}

/**
 * whether an exception for this ask, granted by the approval in force, still holds, and policy would grant one for
 * as long: what it excepts nobody from any more is not carried over.
 */
export function isExcepted(
  { requirement, ask }: Asked,
  required: readonly Required[],
  at: Instant,
): Required | undefined {
  if (!requirement.exception) return undefined
  const last = addDays(at, requirement.exception.longestDays)
  return required.find(
    (one) =>
      one.taken === 'excepted' &&
      one.requirement === requirement.id &&
      subjectOf(one.ask) === subjectOf(ask) &&
      one.exceptedUntil !== null &&
      at < one.exceptedUntil &&
      one.exceptedUntil <= last,
  )
}

/** What an ask is about: the kind of evidence, or the control. */
export function subjectOf(ask: Ask): string {
  return ask.type === 'evidence' ? ask.kind : `${ask.catalog}@${ask.version} ${ask.control}`
}

/** from when on an ask is not met any more by what is there. */
export function coverOf(ask: Ask, holdings: Holdings): Cover {
  return ask.type === 'evidence' ? evidenceCover(ask, holdings.pieces) : controlCover(ask, holdings)
}

/**
 * when what an approval required goes stale, and since when it is not there. What became a condition is the
 * condition's business until that is met; what is excepted is missing from the end of the exception on.
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
    if (one.taken === 'condition') continue
    const cover = coverOf(one.ask, holdings)
    const excepted = one.exceptedUntil
    if (cover !== undefined) {
      if (cover.until === null) continue
      head.evidenceStaleAt = earliest(head.evidenceStaleAt, later(cover.until, excepted))
    } else {
      const name = one.ask.type === 'evidence' ? 'evidenceMissingAt' : 'controlMissingAt'
      head[name] = earliest(head[name], later(sinceOf(before[name], now), excepted))
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
  const named = pieces.filter((piece) => piece.verdict === 'accepted' && isNamed(assessed, piece))
  return longest(named.map(({ freshUntil }) => freshUntil))
}

/** A piece serves in the place of those that it came for, so that a newer one need not be named anew. */
const isNamed = ({ evidenceIds }: Assessed, { id, replaces }: Piece): boolean =>
  [id, ...replaces].some((one) => evidenceIds.includes(one))

function find(
  { catalog, version, control }: Pick<ControlAsk, 'catalog' | 'version' | 'control'>,
  controls: readonly Assessed[],
): Assessed | undefined {
  return controls.find((one) => one.control === control && one.catalog === catalog && one.version === version)
}

/** Pieces that serve an ask now, or would if somebody accepted them: those that count first. */
export function servingPieces(
  ask: Ask,
  holdings: Holdings,
  at: Instant,
): { piece: Piece; counts: boolean }[] {
  const assessed = ask.type === 'control' ? find(ask, holdings.controls) : undefined
  const serving = holdings.pieces.flatMap((piece) => {
    const isMeant = ask.type === 'evidence' ? piece.kind === ask.kind : assessed && isNamed(assessed, piece)
    const end = ask.type === 'evidence' ? endOf(ask, piece) : piece.freshUntil
    if (!isMeant || piece.verdict === 'refused' || !isBefore(at, end)) return []
    const counts = ask.type === 'evidence' ? fits(ask, piece) : piece.verdict === 'accepted'
    return counts || piece.verdict === null ? [{ piece, counts }] : []
  })
  return serving.sort((a, b) => Number(b.counts) - Number(a.counts))
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

function whyNot(
  { requirement: { id }, ask }: Of,
  holdings: Holdings,
  at: Instant,
): Pick<Gap, 'want' | 'sentence'> {
  const wanting =
    ask.type === 'control' ? wantingOfControl(ask, holdings) : wantingOfEvidence(ask, holdings.pieces, at)
  return { want: wanting.want, sentence: `${id}: ${wantWords(ask, wanting)}` }
}

function wantingOfControl(ask: ControlAsk, holdings: Holdings): Wanting {
  const assessed = find(ask, holdings.controls)
  const cover = controlCover(ask, holdings)
  const wanting = { state: assessed?.state, staleSince: cover?.until ?? null }
  if (!assessed || !ask.states.includes(assessed.state)) return { want: 'not_in_state', ...wanting }
  if (holdings.pieces.some((piece) => piece.verdict === null && isNamed(assessed, piece))) {
    return { want: 'not_accepted', ...wanting }
  }
  return { want: cover ? 'stale' : 'without_evidence', ...wanting }
}

/** Of several pieces the one that is nearest to counting says what is wanted. */
function wantingOfEvidence(ask: EvidenceAsk, pieces: readonly Piece[], at: Instant): Wanting {
  const ofKind = pieces.filter(({ kind, verdict }) => kind === ask.kind && verdict !== 'refused')
  const fitting = ofKind.filter((piece) => fits(ask, piece))
  const staleSince = longest((fitting.length > 0 ? fitting : ofKind).map((piece) => endOf(ask, piece)))
  const wanting = { state: undefined, staleSince: staleSince?.until ?? null }
  const fresh = ofKind.filter((piece) => isBefore(at, endOf(ask, piece)))
  const open = fresh.filter(({ verdict }) => verdict === null)
  if (open.some(({ isHeld }) => !isHeld)) return { want: 'not_accepted', ...wanting }
  if (open.length > 0) return { want: 'held_back', ...wanting }
  if (fresh.length > 0) return { want: 'not_accepted_by_seat', ...wanting }
  return { want: ofKind.length > 0 ? 'stale' : 'not_there', ...wanting }
}
