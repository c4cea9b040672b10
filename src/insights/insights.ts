import { z } from 'zod'
import { Outcome } from '../policy/lanes.js'
import { Route } from '../reviews/review.js'
import * as examples from './examples.js'

const count = z.int()
const share = z.number().min(0).max(1).nullable()
const hours = {
  p50Hours: z.number().nullable().describe('Half took no longer'),
  p90Hours: z.number().nullable().describe('Nine of ten took no longer'),
}
const laneId = z.string().describe('Id of a lane of policy')

const LeadTime = z
  .strictObject({ lane: laneId, route: Route, decisions: count, ...hours })
  .meta({ id: 'LeadTime', description: 'Hours from submission to decision, of one way through policy' })

const StageTime = z
  .strictObject({
    ...{ lane: laneId, stage: z.string(), closed: count.describe('How many of it ended'), ...hours },
    inTime: share.describe('Share of these that ended before they were due'),
  })
  .meta({ id: 'StageTime', description: 'Hours from the opening of a stage to its end' })

const Waiting = z
  .strictObject({
    ...{ lane: laneId, stage: z.string(), open: count },
    overdue: count.describe('How many of these are overdue'),
  })
  .meta({ id: 'OpenStages', description: 'Stages of one kind that take votes now' })

const outcomes = Object.fromEntries([...Outcome.options, 'withdrawn'].map((word) => [word, count])) as Record<
  z.infer<typeof Outcome> | 'withdrawn',
  typeof count
>

export const DecisionInsights = z
  .strictObject({
    from: z.iso.date().describe('The first day, in UTC'),
    to: z.iso.date().describe('The last day, in UTC'),
    at: z.iso.datetime().describe('When this was read: what is open or overdue is so then'),
    decisions: count.describe('Made in the period'),
    outcomes: z.strictObject(outcomes).describe('How many rounds of the period ended in each way'),
    ...hours,
    leadTimes: z.array(LeadTime),
    stages: z.array(StageTime).describe('Of rounds that were decided in the period'),
    open: z.array(Waiting).describe('At this moment, whatever the period'),
    inTime: share.describe(
      'Share of rounds by vote of which no stage was late; those that are open and have been overdue since the period or before count as late',
    ),
    reuse: z
      .strictObject({
        precedent: share.describe('Share of decisions that cited a precedent'),
        shorterReReview: share.describe('Share of decisions by the shorter lane for a small difference'),
        attestation: share.describe('Share of decisions by the attestation of an owner'),
        sampled: share.describe('Share of attestations that were drawn for a review afterwards'),
      })
      .describe('What was decided without the full way'),
    conditions: z.strictObject({
      imposed: count.describe('In the period: obligations and limits'),
      met: count.describe('Obligations that were met in the period'),
      metInTime: share.describe(
        'Of obligations with a date, the share that was met before it; those overdue since the period or before count as late',
      ),
      overdue: count.describe('At this moment'),
    }),
    suspensions: z.strictObject({
      ordered: count,
      lifted: count,
      inForce: count.describe('At this moment'),
      p50HoursToLift: hours.p50Hours,
      p90HoursToLift: hours.p90Hours,
    }),
    incidents: z.array(
      z.strictObject({
        severity: z.string().describe('As it is seen now'),
        ...{ reported: count, closed: count, open: count.describe('At this moment') },
      }),
    ),
    breakGlass: z.strictObject({
      opened: count.describe('Emergency openings in the period'),
      justified: count.describe('Of these, as somebody else found'),
      notJustified: count,
      unreviewed: count,
    }),
  })
  .meta({
    id: 'DecisionInsights',
    description: 'How long decisions take, and what comes of them; a share of nothing is null',
    examples: [examples.insights],
  })
export type DecisionInsights = z.infer<typeof DecisionInsights>
