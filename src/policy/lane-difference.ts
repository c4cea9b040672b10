import { isDeepStrictEqual } from 'node:util'
import { isStricter } from '../reviews/stricter.js'
import type { ConditionPattern } from './conditions-file.js'
import type { Lane, LaneSeat } from './lanes.js'

/** What a use case has to pass: its lane with every overlay, and the conditions that an approval carries. */
export interface Asked {
  lane: Lane
  /** Ids of the overlays that apply. */
  overlays: string[]
  conditions: ConditionPattern[]
}

/** One thing that policy asks for, before and after, in words. */
export interface RequirementChange {
  requirement: Requirement
  from: string
  to: string
}

export interface LaneDifference {
  changes: RequirementChange[]
  /** More is asked, or the same for less; both can be true of one difference. */
  stricter: boolean
  looser: boolean
}

interface Described {
  /** What is compared. */
  value: unknown
  words: string
}

const describers = {
  seats: ({ lane }) => ({
    value: lane.stages.map(({ id, seats }) => [id, seats]),
    words: lane.stages.length === 0 ? 'nobody votes' : lane.stages.map(stageWords).join('; '),
  }),
  quorum: ({ lane }) =>
    ofList(
      lane.stages.map(({ quorum }) => String(quorum)),
      ' + ',
      'none',
    ),
  order: ({ lane }) => {
    const order = lane.stages.length > 1 ? lane.order : 'in_order'
    return { value: order, words: order === 'at_once' ? 'all stages at once' : 'one stage after the other' }
  },
  due: ({ lane }) =>
    ofList(
      lane.stages.map(({ dueInDays }) => `${dueInDays} days`),
      ', ',
      'never',
    ),
  validity: ({ lane }) => ({ value: lane.validForDays, words: `${lane.validForDays} days` }),
  material_facts: ({ lane }) => ofList(lane.materialFacts.toSorted(), ', ', 'none'),
  environments: ({ lane }) => ofList(lane.environments?.toSorted() ?? ['everywhere'], ', ', 'nowhere'),
  outcomes: ({ lane }) => ofList(lane.outcomes.toSorted(), ', ', 'none'),
  attestation: ({ lane: { attestation } }) => ({
    value: attestation,
    words: attestation ? `by the owner; ${attestation.sampleShare * 100} % of them reviewed` : 'none',
  }),
  shorter_lanes: ({ lane: { reReview = {}, precedent } }) => ({
    value: [reReview, precedent],
    words: shorterWords(reReview, precedent),
  }),
  conditions: ({ conditions }) => ({
    value: conditions,
    words: conditions.map(({ id }) => id).join(', ') || 'none',
  }),
} satisfies Record<string, (asked: Asked) => Described>

export type Requirement = keyof typeof describers
export const requirements = Object.keys(describers) as Requirement[]

/** Compares what two policies, or two lanes of one, ask for. Titles and reasons play no part. */
export function compareLanes(before: Asked, after: Asked): LaneDifference {
  const changes = requirements.flatMap((requirement) => {
    const [from, to] = [describers[requirement](before), describers[requirement](after)]
    if (isDeepStrictEqual(from.value, to.value)) return []
    return [{ requirement, from: from.words, to: to.words }]
  })
  return { changes, stricter: asksMore(after, before), looser: asksMore(before, after) }
}

function asksMore(one: Asked, other: Asked): boolean {
  const known = new Set(other.conditions.map(({ id }) => id))
  const hasToBeVoted = one.lane.attestation === undefined && other.lane.attestation !== undefined
  return isStricter(one.lane, other.lane) || hasToBeVoted || one.conditions.some(({ id }) => !known.has(id))
}

function ofList(values: string[], separator: string, none: string): Described {
  return { value: values, words: values.join(separator) || none }
}

function stageWords({ id, seats }: Lane['stages'][number]): string {
  return `${id}: ${seats.map(seatWords).join(', ')}`
}

function seatWords({ seat, required, veto }: LaneSeat): string {
  const marks = [...(required ? ['required'] : []), ...(veto ? ['veto'] : [])]
  return marks.length > 0 ? `${seat} (${marks.join(', ')})` : seat
}

function shorterWords(reReview: NonNullable<Lane['reReview']>, precedent: Lane['precedent']): string {
  const ways = Object.entries(reReview).map(([change, lane]) => `${change} change: ${lane}`)
  const cited = precedent ? [`precedent within ${precedent.withinDays} days: ${precedent.lane}`] : []
  return [...ways, ...cited].join('; ') || 'none'
}
