import { z } from 'zod'
import { seats } from '../auth/principal.js'
import { Facts, Technique, Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'
import { FactConditions, matchFacts, type StatedFacts } from './fact-conditions.js'
import { addIssues, type Flaw, repeated } from './flaws.js'

export const Seat = z.enum(seats).meta({ id: 'Seat', description: 'A place on the committee' })
export type Seat = z.infer<typeof Seat>

export const Outcome = z.enum(['approved', 'blocked', 'changes_requested']).meta({ id: 'DecisionOutcome' })
export type Outcome = z.infer<typeof Outcome>

const Slug = z.string().regex(/^[a-z][a-z0-9_-]*$/, 'use lower-case letters, digits, - and _')

/** A place at the table. Its approval may be `required`; its `veto` closes the review as blocked at once. */
export const LaneSeat = z
  .strictObject({
    seat: Seat,
    required: z.boolean().describe('Nothing is approved without its approval'),
    veto: z.boolean().describe('Its block closes the review at once'),
  })
  .meta({ id: 'LaneSeat' })
export type LaneSeat = z.infer<typeof LaneSeat>

/** One round of votes. `dueInDays` from submission it is due; time never decides. */
export const LaneStage = z
  .strictObject({
    id: Slug,
    seats: z.array(LaneSeat).min(1, 'name at least one seat'),
    quorum: z.int().min(1, 'ask for at least one vote').describe('Approvals that are needed'),
    dueInDays: z
      .int()
      .min(1)
      .max(365)
      .describe('From submission; then it is overdue, and time never decides'),
  })
  .meta({ id: 'LaneStage', description: 'One round of votes' })
export type LaneStage = z.infer<typeof LaneStage>

/** The name of a fact, or `answers.<question id>` for one answer. */
const MaterialFact = z.union(
  [Facts.keyof(), z.templateLiteral(['answers.', z.string().regex(/^[a-z][a-z0-9_]*$/)])],
  'name a fact, such as purpose, or one answer, such as answers.decision_role',
)

export const Lane = z
  .strictObject({
    id: Slug,
    title: z.string().trim().min(1),
    when: z
      .strictObject({
        tiers: z.array(Tier).min(1, 'name at least one tier'),
        techniques: z.array(Technique).min(1).optional(),
        channels: FactConditions.shape.channels,
        jurisdictions: FactConditions.shape.jurisdictions,
      })
      .describe('All of these; a fact that nobody stated meets any condition on it'),
    stages: z
      .array(LaneStage)
      .length(1, 'write exactly one stage; several in a row are not supported yet')
      .describe('Exactly one, as yet'),
    outcomes: z.array(Outcome).min(1).describe('How a review can end'),
    validForDays: z.int().min(1).max(3650).describe('How long an approval stands'),
    materialFacts: z
      .array(MaterialFact)
      .min(1, 'name at least one fact whose change ends an approval')
      .describe('Facts whose change ends an approval'),
    environments: z
      .array(Slug)
      .min(1)
      .optional()
      .describe('Where an approval holds; everywhere if not given'),
  })
  .meta({
    id: 'Lane',
    description: 'Who decides, and for how long an approval stands',
    examples: [examples.lane],
  })
export type Lane = z.infer<typeof Lane>

export const LanesFile = z
  .strictObject({ version: z.literal(1), lanes: z.array(Lane).min(1) })
  .superRefine(({ lanes }, ctx) => addIssues(ctx, flawsOf(lanes)))
export type LanesFile = z.infer<typeof LanesFile>

/** The first lane whose conditions the tier and facts meet. A fact nobody stated meets any condition on it. */
export function chooseLane(file: Pick<LanesFile, 'lanes'>, tier: Tier, facts: StatedFacts): Lane {
  const lane = file.lanes.find(({ when }) => when.tiers.includes(tier) && matches(when, facts))
  if (!lane) throw new Error(`no lane for tier ${tier}: the file was not validated`)
  return lane
}

function matches({ techniques, channels, jurisdictions }: Lane['when'], facts: StatedFacts): boolean {
  return matchFacts({ technique: techniques, channels, jurisdictions }, facts) !== 'not_met'
}

function flawsOf(lanes: Lane[]): Flaw[] {
  const flaws: Flaw[] = repeated(lanes, ({ id }) => id).map((index) => ({
    path: ['lanes', index, 'id'],
    message: 'another lane has this id; give each its own',
  }))
  return [
    ...flaws,
    ...Tier.options.flatMap((tier) => flawsOfTier(tier, lanes)),
    ...lanes.flatMap((lane, index) => [...flawsOfOutcomes(lane, index), ...flawsOfStages(lane, index)]),
  ]
}

/**
 * Each tier ends in a lane without further conditions, so nothing falls through; and because a fact left blank
 * takes the first lane that might fit, no lane may stand above one that asks for more votes.
 */
function flawsOfTier(tier: Tier, lanes: Lane[]): Flaw[] {
  const ofTier = lanes.flatMap((lane, index) => (lane.when.tiers.includes(tier) ? [{ lane, index }] : []))
  if (!ofTier.some(({ lane }) => isUnconditional(lane))) {
    return [{ path: ['lanes'], message: `add a lane for every use case of tier ${tier}` }]
  }
  return ofTier.flatMap(({ lane, index }, at) =>
    ofTier.slice(at + 1).some((below) => quorumOf(below.lane) > quorumOf(lane))
      ? [{ path: ['lanes', index], message: `a stricter lane of tier ${tier} stands below; move it above` }]
      : [],
  )
}

function isUnconditional({ when }: Lane): boolean {
  return Object.keys(when).length === 1
}

function quorumOf({ stages }: Lane): number {
  return stages.reduce((sum, { quorum }) => sum + quorum, 0)
}

function flawsOfOutcomes({ when, outcomes }: Lane, index: number): Flaw[] {
  const path = ['lanes', index, 'outcomes']
  const missing = (['blocked', 'changes_requested'] as const).filter((outcome) => !outcomes.includes(outcome))
  const flaws: Flaw[] = missing.map((outcome) => ({
    path,
    message: `add ${outcome}: every review must be able to end so`,
  }))
  if (when.tiers.includes('prohibited') && outcomes.includes('approved')) {
    flaws.push({ path, message: 'a prohibited use cannot be approved; remove approved' })
  }
  return flaws
}

function flawsOfStages({ stages }: Lane, index: number): Flaw[] {
  return stages.flatMap((stage, at) => flawsOfStage(stage, ['lanes', index, 'stages', at]))
}

function flawsOfStage({ seats, quorum }: LaneStage, path: Flaw['path']): Flaw[] {
  const flaws: Flaw[] = repeated(seats, ({ seat }) => seat).map((index) => ({
    path: [...path, 'seats', index],
    message: 'this seat is there twice; remove one',
  }))
  const required = seats.filter((seat) => seat.required).length
  if (quorum > seats.length) {
    flaws.push({ path: [...path, 'quorum'], message: `${seats.length} seats cannot give ${quorum} votes` })
  }
  if (quorum < required) {
    flaws.push({
      path: [...path, 'quorum'],
      message: `${required} seats are required; ask for as many votes`,
    })
  }
  return flaws
}
