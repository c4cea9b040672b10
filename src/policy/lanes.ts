import { z } from 'zod'
import { seats } from '../auth/principal.js'
import { Facts, type Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'
import { matchScope, ScopeConditions, type ScopedFacts } from './fact-conditions.js'
import { addIssues } from './flaws.js'
import { flawsOfLanes } from './lane-flaws.js'

export const Seat = z.enum(seats).meta({ id: 'Seat', description: 'A place on the committee' })
export type Seat = z.infer<typeof Seat>

export const Outcome = z
  .enum(['approved', 'approved_with_conditions', 'blocked', 'changes_requested'])
  .meta({ id: 'DecisionOutcome' })
export type Outcome = z.infer<typeof Outcome>

export const Slug = z.string().regex(/^[a-z][a-z0-9_-]*$/, 'use lower-case letters, digits, - and _')

/** A place at the table. Its approval may be `required`; its `veto` closes the review as blocked at once. */
export const LaneSeat = z
  .strictObject({
    seat: Seat,
    required: z.boolean().describe('Nothing is approved without its approval'),
    veto: z.boolean().describe('Its block closes the review at once'),
  })
  .meta({ id: 'LaneSeat' })
export type LaneSeat = z.infer<typeof LaneSeat>

/** One round of votes. `dueInDays` from its opening it is due; time never decides. */
export const LaneStage = z
  .strictObject({
    id: Slug,
    seats: z.array(LaneSeat).min(1, 'name at least one seat'),
    quorum: z.int().min(1, 'ask for at least one vote').describe('Approvals that are needed'),
    dueInDays: z
      .int()
      .min(1)
      .max(365)
      .describe('From the opening of the stage; then it is overdue, and time never decides'),
  })
  .meta({ id: 'LaneStage', description: 'One round of votes' })
export type LaneStage = z.infer<typeof LaneStage>

/** The name of a fact, or `answers.<question id>` for one answer. */
export const MaterialFact = z.union(
  [Facts.keyof(), z.templateLiteral(['answers.', z.string().regex(/^[a-z][a-z0-9_]*$/)])],
  'name a fact, such as purpose, or one answer, such as answers.decision_role',
)

export const Attestation = z
  .strictObject({
    statement: z.string().trim().min(1, 'write what the owner declares').describe('What the owner declares'),
    sampleShare: z.number().min(0).max(1).describe('The share of them that is drawn for a review: 0 to 1'),
    sampleLane: Slug.describe('Id of the lane that reviews those drawn'),
  })
  .meta({ id: 'Attestation', description: 'The owner declares it and it is cleared at once; nobody votes' })

const ReReview = z
  .strictObject({ minor: Slug.optional(), adaptive: Slug.optional() })
  .describe('Ids of shorter lanes, by the class of what changed since the last full decision')

const Precedent = z
  .strictObject({
    lane: Slug.describe('Id of the shorter lane'),
    sameFacts: z.array(MaterialFact).min(1, 'name at least one fact that both must share'),
    withinDays: z.int().min(1).max(3650).describe('How old the decision may be that is cited'),
  })
  .describe('What it saves to cite an approved case of the same pattern')

export const Lane = z
  .strictObject({
    id: Slug,
    title: z.string().trim().min(1),
    when: ScopeConditions.optional().describe(
      'All of these; a fact that nobody stated meets any condition on it. Left out, other lanes refer to it',
    ),
    order: z
      .enum(['in_order', 'at_once'])
      .default('in_order')
      .describe('Whether stages open one after the other, or all from the start'),
    stages: z.array(LaneStage).max(6).default([]).describe('At least one, or none where the owner attests'),
    attestation: Attestation.optional(),
    outcomes: z.array(Outcome).min(1).describe('How a review can end'),
    validForDays: z.int().min(1).max(3650).describe('How long an approval stands'),
    materialFacts: z
      .array(MaterialFact)
      .min(1, 'name at least one fact whose change ends an approval')
      .describe('Facts whose change ends an approval'),
    environments: z
      .array(Slug)
      .optional()
      .describe('Where an approval holds; everywhere if not given, and nowhere if overlays left none'),
    reReview: ReReview.optional(),
    precedent: Precedent.optional(),
  })
  .meta({
    id: 'Lane',
    description: 'Who decides, and for how long an approval stands',
    examples: [examples.lane],
  })
export type Lane = z.infer<typeof Lane>

export const ChangeClasses = z
  .strictObject({
    minor: z.array(MaterialFact).describe('Facts whose change is minor'),
    adaptive: z.array(MaterialFact).describe('Facts whose change is an adaptation'),
  })
  .meta({
    id: 'ChangeClasses',
    description: 'How much a change of facts weighs; any other is transformative',
  })
export type ChangeClasses = z.infer<typeof ChangeClasses>

export const LanesFile = z
  .strictObject({ version: z.literal(2), changeClasses: ChangeClasses, lanes: z.array(Lane).min(1) })
  .superRefine((file, ctx) => addIssues(ctx, flawsOfLanes(file)))
export type LanesFile = z.infer<typeof LanesFile>

/** the first lane whose conditions the tier and facts meet. A fact nobody stated meets any condition on it. */
export function chooseLane(file: Pick<LanesFile, 'lanes'>, tier: Tier, facts: ScopedFacts): Lane {
  const lane = file.lanes.find(({ when }) => when && matchScope(when, tier, facts) !== 'not_met')
  if (!lane) throw new Error(`no lane for tier ${tier}: the file was not validated`)
  return lane
}

/** The lane with this id. Policy that was loaded refers to no other. */
export function laneById(file: Pick<LanesFile, 'lanes'>, id: string): Lane {
  const lane = file.lanes.find((candidate) => candidate.id === id)
  if (!lane) throw new Error(`no lane ${id}: the file was not validated`)
  return lane
}

export const ChangeClass = z
  .enum(['minor', 'adaptive', 'transformative'])
  .meta({ id: 'ChangeClass', description: 'How much a change of facts weighs, the least first' })
export type ChangeClass = z.infer<typeof ChangeClass>

/**
 * the class of a change, which is that of its weightiest fact; of no change, `minor`.
 * @param changed names of facts, answers as `answers.<question id>`
 */
export function classOf(
  { changeClasses }: Pick<LanesFile, 'changeClasses'>,
  changed: readonly string[],
): ChangeClass {
  const isOneOf = (facts: readonly string[]) => (fact: string) =>
    facts.includes(fact) || (fact.startsWith('answers.') && facts.includes('answers'))
  const rest = changed.filter((fact) => !isOneOf(changeClasses.minor)(fact))
  if (rest.length === 0) return 'minor'
  return rest.every(isOneOf(changeClasses.adaptive)) ? 'adaptive' : 'transformative'
}
