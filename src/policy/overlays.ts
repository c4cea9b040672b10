import { z } from 'zod'
import type { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'
import { matchScope, ScopeConditions, type ScopedFacts } from './fact-conditions.js'
import { addIssues, type Flaw, repeated } from './flaws.js'
import { type Lane, LaneSeat, type LaneStage, MaterialFact, Slug } from './lanes.js'

const AddedSeat = z
  .strictObject({
    stage: Slug.optional().describe(
      'Id of a stage; the last one if not given, or if the lane has no such stage',
    ),
    ...LaneSeat.shape,
  })
  .meta({ id: 'AddedSeat', description: 'A seat more, which raises the quorum of its stage by one' })
type AddedSeat = z.infer<typeof AddedSeat>

/** What an overlay asks for beside the lane. Nothing in it can ask for less. */
const Addition = z.strictObject({
  seats: z.array(AddedSeat).min(1).optional(),
  quorum: z
    .int()
    .min(1)
    .max(5)
    .optional()
    .describe('Approvals more in the last stage, at most as many as it has seats'),
  validForDays: z.int().min(1).max(3650).optional().describe('The longest that an approval stands'),
  environments: z.array(Slug).min(1).optional().describe('The only ones where an approval holds'),
  materialFacts: z
    .array(MaterialFact)
    .min(1)
    .optional()
    .describe('Further facts whose change ends an approval'),
  conditions: z.array(Slug).min(1).optional().describe('Ids of condition patterns that an approval carries'),
})

export const Overlay = z
  .strictObject({
    id: z.string().regex(/^OV-\d{2,3}$/, 'number overlays as OV-01'),
    when: ScopeConditions.describe('All of these; a fact that nobody stated meets any condition on it'),
    because: z.string().trim().min(1, 'write the sentence that explains this overlay'),
    add: Addition.describe('What it asks for beside the lane'),
  })
  .meta({
    id: 'Overlay',
    description: 'An exception for a line of business or a jurisdiction; it only ever makes a lane stricter',
    examples: [examples.overlay],
  })
export type Overlay = z.infer<typeof Overlay>

export const OverlaysFile = z
  .strictObject({ version: z.literal(1), overlays: z.array(Overlay) })
  .superRefine(({ overlays }, ctx) => addIssues(ctx, flawsOf(overlays)))
export type OverlaysFile = z.infer<typeof OverlaysFile>

export const AppliedOverlay = z
  .strictObject({ id: z.string(), because: z.string() })
  .meta({ id: 'AppliedOverlay', description: 'An overlay of policy that applies, with its reason' })
export type AppliedOverlay = z.infer<typeof AppliedOverlay>

export interface Overlaid {
  /** At least as strict as the one that was given. */
  lane: Lane
  /** In the order of the file. */
  overlays: AppliedOverlay[]
  /** Ids of the condition patterns that an approval carries, each once. */
  conditions: string[]
}

/**
 * the lane with what every overlay that applies asks for beside it. Whatever approves by the new lane would
 * have approved by the old one, for at least as long and in at least as many environments. An attestation stays one:
 * nobody votes there, so seats and quorum find no place.
 */
export function applyOverlays(
  file: Pick<OverlaysFile, 'overlays'>,
  lane: Lane,
  tier: Tier,
  facts: ScopedFacts,
): Overlaid {
  const applied = file.overlays.filter(({ when }) => matchScope(when, tier, facts) !== 'not_met')
  return {
    lane: applied.reduce((stricter, { add }) => tighten(stricter, add), lane),
    overlays: applied.map(({ id, because }) => ({ id, because })),
    conditions: [...new Set(applied.flatMap(({ add }) => add.conditions ?? []))],
  }
}

function tighten(lane: Lane, { seats = [], quorum = 0, ...add }: Overlay['add']): Lane {
  const environments = intersect(lane.environments, add.environments)
  return {
    ...lane,
    stages: raiseQuorum(seats.reduce(seat, lane.stages), quorum),
    validForDays: Math.min(lane.validForDays, add.validForDays ?? lane.validForDays),
    materialFacts: [...new Set([...lane.materialFacts, ...(add.materialFacts ?? [])])],
    ...(environments && { environments }),
  }
}

/** A seat that sits in the lane already keeps its place and what it had. */
function seat(stages: LaneStage[], { stage: wanted, ...place }: AddedSeat): LaneStage[] {
  const seated = stages.findIndex(({ seats }) => seats.some((old) => old.seat === place.seat))
  if (seated >= 0) return change(stages, seated, (stage) => strengthen(stage, place))
  const named = stages.findIndex(({ id }) => id === wanted)
  return change(stages, named < 0 ? stages.length - 1 : named, (stage) => ({
    ...stage,
    seats: [...stage.seats, place],
    quorum: stage.quorum + 1,
  }))
}

/** As many approvals as there are seats that must give theirs. */
function strengthen(stage: LaneStage, place: LaneSeat): LaneStage {
  const seats = stage.seats.map((old) =>
    old.seat === place.seat
      ? { ...old, required: old.required || place.required, veto: old.veto || place.veto }
      : old,
  )
  return { ...stage, seats, quorum: Math.max(stage.quorum, seats.filter(({ required }) => required).length) }
}

function raiseQuorum(stages: LaneStage[], by: number): LaneStage[] {
  return change(stages, stages.length - 1, (stage) => ({
    ...stage,
    quorum: Math.min(stage.quorum + by, stage.seats.length),
  }))
}

function change(stages: LaneStage[], index: number, to: (stage: LaneStage) => LaneStage): LaneStage[] {
  return stages.map((stage, at) => (at === index ? to(stage) : stage))
}

/** Undefined stands for everywhere; an empty list for nowhere. */
function intersect(few: string[] | undefined, many: string[] | undefined): string[] | undefined {
  return few && many ? few.filter((environment) => many.includes(environment)) : (few ?? many)
}

function flawsOf(overlays: Overlay[]): Flaw[] {
  const flaws: Flaw[] = repeated(overlays, ({ id }) => id).map((index) => ({
    path: ['overlays', index, 'id'],
    message: 'another overlay has this id; give each its own',
  }))
  return [...flaws, ...overlays.flatMap(flawsOfOverlay)]
}

function flawsOfOverlay({ when, add }: Overlay, index: number): Flaw[] {
  const path = ['overlays', index]
  const flaws: Flaw[] = repeated(add.seats ?? [], ({ seat }) => seat).map((at) => ({
    path: [...path, 'add', 'seats', at],
    message: 'this seat is there twice; remove one',
  }))
  if (Object.keys(when).length === 0) {
    flaws.push({
      path: [...path, 'when'],
      message: 'an overlay is an exception; name when it applies, or write it into the lanes',
    })
  }
  if (Object.keys(add).length === 0) {
    flaws.push({
      path: [...path, 'add'],
      message: 'this overlay asks for nothing; write what it adds, or remove it',
    })
  }
  return flaws
}
