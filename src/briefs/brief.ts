import { z } from 'zod'
import { Condition } from '../conditions/condition.js'
import { Verdict } from '../evidence/evidence.js'
import { Exception } from '../exceptions/exception.js'
import { ChangeClass, LaneStage, Outcome, Seat } from '../policy/lanes.js'
import { Choice, Review } from '../reviews/review.js'
import { Facts, FiredRule, Tier } from '../use-cases/use-case.js'
import { Version } from '../use-cases/version.js'
import * as examples from './examples.js'

export const Named = z.strictObject({ id: z.uuid(), name: z.string() }).meta({ id: 'NamedPerson' })
export type Named = z.infer<typeof Named>

const CanDecide = z
  .strictObject({
    seat: Seat,
    stage: z.string(),
    people: z
      .array(
        z.strictObject({
          ...Named.shape,
          onBehalfOf: Named.nullable().describe('The holder of the seat, for a delegate'),
          cannot: z.string().nullable().describe('Why this person may not vote here; null for who may'),
        }),
      )
      .describe('Everybody who holds the seat for this unit, and who votes for them at this time'),
  })
  .meta({ id: 'BriefSeat', description: 'A seat that has not decided, and who could' })

const Outlook = z
  .strictObject({
    seat: Seat.nullable().describe('Null for all seats that have not decided, if they voted alike'),
    choice: Choice,
    effect: z.string().describe('What happens, in a sentence'),
  })
  .meta({ id: 'BriefOutlook' })
export type Outlook = z.infer<typeof Outlook>

export const Brief = z
  .strictObject({
    review: Review.pick({
      ...{ id: true, round: true, version: true, route: true, asks: true, overlays: true, note: true },
      ...{ openedAt: true, dueAt: true, isOverdue: true, closedAt: true, outcome: true, stages: true },
      ...{ policyDigest: true, missing: true },
    } as const).meta({ id: 'BriefReview', examples: [] }),
    useCase: Facts.pick({
      ...{ title: true, purpose: true, benefits: true, outputs: true, stage: true, technique: true },
      ...{ jurisdictions: true, channels: true },
    } as const)
      .extend({ id: z.uuid(), key: z.string(), orgUnit: z.string().describe('Name of its unit') })
      .meta({ id: 'BriefUseCase', examples: [] }),
    owners: z.strictObject({
      business: Named.nullable(),
      risk: Named.nullable(),
      submittedBy: Named,
    }),
    tier: z.strictObject({
      decidedAs: Tier.describe('The tier that the round decides for'),
      fired: z.array(FiredRule).describe('The rules of policy that gave it, the most severe first'),
    }),
    lane: z.strictObject({
      ...{ id: z.string(), title: z.string() },
      stages: z.array(LaneStage).describe('Who has to approve, with what overlays add'),
    }),
    since: z
      .strictObject({
        version: z.int().describe('The version that the last decision was about'),
        decision: z
          .strictObject({ id: z.uuid(), outcome: Outcome, decidedAt: z.iso.datetime(), reason: z.string() })
          .describe('The last decision'),
        changeClass: ChangeClass.describe('By policy, the weightiest of what changed'),
        changes: Version.shape.changes,
      })
      .nullable()
      .describe('What changed since the last decision; null when this is the first'),
    evidence: z.array(
      z.strictObject({
        id: z.uuid(),
        kind: z.string(),
        title: z.string(),
        freshUntil: z.iso.datetime().nullable(),
        verdict: Verdict.nullable().describe('Null until somebody else judged it'),
      }),
    ),
    conditions: z.array(Condition).describe('In force from earlier decisions'),
    exceptions: z.array(Exception).describe('From requirements of policy, in force from earlier decisions'),
    votes: z.array(
      z.strictObject({
        seat: Seat,
        person: Named,
        onBehalfOf: Named.nullable(),
        choice: Choice,
        counts: z.boolean().describe('False for a vote that was changed, or whose seat was given up'),
        rationale: z.string(),
        conditions: Review.shape.votes.element.shape.conditions,
        castAt: z.iso.datetime(),
      }),
    ),
    canDecide: z.array(CanDecide).describe('Seats that have not decided, and who could'),
    outlook: z.array(Outlook).describe('What would happen at each choice'),
  })
  .meta({
    id: 'Brief',
    description: 'One page for the committee: all that a decision needs',
    examples: [examples.brief],
  })
export type Brief = z.infer<typeof Brief>
