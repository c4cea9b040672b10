// What the design says of the life of a use case, without a database: the other side of `model.test.ts`.
import { addDays, addSeconds } from '../../src/instant.js'
import type { Committee } from '../committee.js'

export type Seat = keyof Committee['seats']
export type Choice = 'approve' | 'approve_with_conditions' | 'block' | 'request_changes' | 'abstain'
export type Tier = 'limited' | 'high'

export interface Lane {
  seats: readonly Seat[]
  required: readonly Seat[]
  vetoes: readonly Seat[]
  quorum: number
  days: number
}

export const lanes = {
  limited: {
    seats: ['risk', 'business', 'legal', 'compliance'],
    required: ['risk'],
    vetoes: [],
    quorum: 2,
    days: 548,
  },
  high: {
    seats: ['risk', 'business', 'legal', 'security', 'compliance'],
    required: ['risk'],
    vetoes: ['legal', 'compliance'],
    quorum: 3,
    days: 365,
  },
  'limited-minor': { seats: ['risk', 'legal'], required: [], vetoes: [], quorum: 1, days: 365 },
  'high-minor': {
    seats: ['risk', 'compliance', 'legal'],
    required: ['risk'],
    vetoes: ['compliance', 'legal'],
    quorum: 2,
    days: 180,
  },
} as const satisfies Record<string, Lane>

/** Whoever fills a seat; the deputy holds the one for risk as well. */
export type Voter = Seat | 'deputy'

export interface Round {
  isOpen: boolean
  tier: Tier
  lane: Lane
  isShort: boolean
  votes: Map<Seat, { choice: Choice; by: Voter; due: string | null }>
  gaveUp: Set<Voter>
  excludesWriter: boolean
  asks: { lowers: boolean; waives: boolean; supersedes: boolean }
  /** Until when it asks to be excepted from what policy requires. */
  exceptedUntil: string | null
}

/** What policy requires of what it asks anything of: one piece of evidence, fresh for so many days. */
export const FRESH_DAYS = 60

/** A piece of that kind; `after` is the place of the older one that it supersedes. */
export interface Piece {
  givenAt: string
  verdict: 'accepted' | 'refused' | null
  after: number | null
}

export interface Model {
  revision: number
  version: number
  purpose: number
  raised: Tier | null
  lowered: Tier | null
  rounds: Round[]
  decisions: number
  approval: {
    until: string
    tier: Tier
    purpose: number
    lapses: Set<string>
    hasConditions: boolean
    /** Until when what policy requires need not be there. */
    exceptedUntil: string | null
  } | null
  /** Policy requires evidence of it. */
  isAsked: boolean
  pieces: Piece[]
  /** Places of those that were accepted, in the order in which they were. */
  accepted: number[]
  /** The purpose that the last full review looked at. */
  basis: number
  /** Open obligations, by when they are due. */
  obligations: string[]
  isBlocked: boolean
  lastOutcome: string | null
  isRetired: boolean
  /** The writer wrote since the last approval. */
  hasWritten: boolean
  /** Suspensions in force, the first ordered first: by the risk owner, or by an incident that is open or not. */
  suspensions: ('order' | 'incident' | 'closed incident')[]
  brokenUntil: string | null
}

export const newModel = (isAsked = false): Model => ({
  ...{ isAsked, pieces: [], accepted: [] },
  ...{ revision: 1, version: 1, purpose: 0, basis: 0, raised: null, lowered: null, rounds: [], decisions: 0 },
  ...{ approval: null, obligations: [], isBlocked: false, lastOutcome: null, isRetired: false },
  ...{ hasWritten: false, suspensions: [], brokenUntil: null },
})

export const tierOf = ({ lowered, raised }: Model): Tier => lowered ?? raised ?? 'limited'
export const isOpen = ({ rounds }: Model): boolean => rounds.at(-1)?.isOpen === true

export function standingOf(model: Model, now: string): { standing: string; reasons: string[] } {
  const { approval, isBlocked, isRetired, suspensions, obligations, lastOutcome } = model
  if (isRetired) return { standing: 'retired', reasons: [] }
  if (isBlocked) return { standing: 'blocked', reasons: [] }
  const found = ((): { standing: string; reasons: string[] } => {
    if (approval) {
      const reasons = [...approval.lapses]
      if (approval.until <= now) reasons.push('expired')
      if (obligations.some((due) => due <= now)) reasons.push('condition_overdue')
      reasons.push(...wantsOf(model, approval, now))
      if (reasons.length > 0) return { standing: 'lapsed', reasons: reasons.sort() }
      return { standing: approval.hasConditions ? 'cleared_with_conditions' : 'cleared', reasons }
    }
    if (isOpen(model)) return { standing: 'in_review', reasons: [] }
    const reasons = lastOutcome === 'changes_requested' ? ['changes_requested'] : []
    return { standing: 'unreviewed', reasons }
  })()
  return suspensions.length > 0 ? { ...found, standing: 'suspended' } : found
}

/** Since when what is required goes without: stale, or not there once its exception is over. */
function wantsOf(model: Model, { exceptedUntil }: NonNullable<Model['approval']>, now: string): string[] {
  if (!model.isAsked || (exceptedUntil !== null && now < exceptedUntil)) return []
  const stale = staleAt(model)
  if (stale === null) return ['evidence_missing']
  return stale <= now ? ['evidence_stale'] : []
}

/** When the freshest of what counts goes stale: accepted, and nothing accepted in its place. */
export function staleAt({ pieces }: Model): string | null {
  const counting = pieces.filter(
    ({ verdict }, place) =>
      verdict === 'accepted' &&
      !pieces.some((newer) => newer.after === place && newer.verdict === 'accepted'),
  )
  const ends = counting.map(({ givenAt }) => addDays(givenAt, FRESH_DAYS)).toSorted()
  return ends.at(-1) ?? null
}

/** nothing is approved while what is required is neither there nor excepted. */
export function whatStopsApproval(model: Model, round: Round, now: string): 'refused' | 'sent back' | null {
  if (!model.isAsked) return null
  if (round.exceptedUntil !== null) return round.exceptedUntil <= now ? 'sent back' : null
  const stale = staleAt(model)
  const isThere = stale !== null && now < stale
  const excepted = round.asks.supersedes ? null : (model.approval?.exceptedUntil ?? null)
  return isThere || (excepted !== null && now < excepted) ? null : 'refused'
}

/** What the votes of a round come to, as design says it; undefined while it stays open. */
export function outcomeOf({ lane, votes }: Round): 'approved' | 'blocked' | 'changes_requested' | undefined {
  const { required, vetoes, quorum, seats } = lane
  const choices = [...votes].map(([seat, { choice }]) => ({ seat, choice }))
  const approves = (choice: Choice | undefined) =>
    choice === 'approve' || choice === 'approve_with_conditions'
  if (choices.some(({ seat, choice }) => choice === 'block' && vetoes.includes(seat))) return 'blocked'
  const approvals = choices.filter(({ choice }) => approves(choice)).length
  const missing = required.filter((seat) => !approves(votes.get(seat)?.choice))
  if (approvals >= quorum && missing.length === 0) return 'approved'
  const isLost = missing.some((seat) => votes.has(seat))
  if (!isLost && approvals + seats.length - votes.size >= quorum) return undefined
  return choices.some(({ choice }) => choice === 'block') ? 'blocked' : 'changes_requested'
}

/** what one decision does to all that the use case stands on. */
export function close(model: Model, round: Round, outcome: string, now: string): void {
  const { asks, tier, lane, isShort } = round
  round.isOpen = false
  model.decisions += 1
  const isSentBack = outcome === 'approved' && whatStopsApproval(model, round, now) === 'sent back'
  if (isSentBack) {
    model.lastOutcome = 'changes_requested'
    return
  }
  const replaces = asks.supersedes
  if (outcome === 'blocked' || replaces) model.obligations = []
  if (outcome === 'approved') {
    if (asks.waives) model.obligations = []
    for (const { due, choice } of round.votes.values()) {
      if (choice === 'approve_with_conditions' && due) model.obligations.push(addDays(now, 30))
    }
    const hasConditions = model.obligations.length > 0
    const { purpose } = model
    const until = addDays(now, lane.days)
    const kept = replaces ? null : (model.approval?.exceptedUntil ?? null)
    const exceptedUntil = round.exceptedUntil ?? (kept !== null && now < kept ? kept : null)
    Object.assign(model, {
      approval: { until, tier, purpose, lapses: new Set(), hasConditions, exceptedUntil },
    })
    Object.assign(model, { isBlocked: false, hasWritten: false })
    if (!isShort) model.basis = purpose
    if (asks.lowers) model.lowered = 'limited'
    model.lastOutcome = hasConditions ? 'approved_with_conditions' : 'approved'
    return
  }
  model.lastOutcome = outcome
  if (outcome === 'blocked') Object.assign(model, { approval: null, isBlocked: true })
  else if (replaces) Object.assign(model, { approval: null, isBlocked: false })
}

/** Whether the gate lets it go to production for whoever accepts an emergency. */
export function gateOf(model: Model, now: string): { look: boolean; emergency: boolean } {
  const { standing } = standingOf(model, now)
  const look = standing.startsWith('cleared')
  const isOpened = model.brokenUntil !== null && model.brokenUntil > now
  const canOpen = ['unreviewed', 'in_review', 'lapsed'].includes(standing)
  return { look, emergency: look || (isOpened && canOpen) }
}

export const HOURS = 8
export const emergencyUntil = (now: string): string => addSeconds(now, HOURS * 3600)
