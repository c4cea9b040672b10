import { z } from 'zod'
import { Named } from '../briefs/brief.js'
import { ChangeClass, Seat } from '../policy/lanes.js'
import { Choice, Review, ReviewStage, Route } from '../reviews/review.js'
import { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'

const OpenStage = ReviewStage.pick({ id: true, approvals: true, quorum: true, dueAt: true, isOverdue: true })
  .extend({ missing: z.array(Seat).describe('Seats that have not voted') })
  .meta({ id: 'AgendaStage', description: 'A stage that takes votes now' })

export const AgendaItem = z
  .strictObject({
    reviewId: z.uuid(),
    useCase: z.strictObject({
      id: z.uuid(),
      key: z.string(),
      title: z.string(),
      orgUnit: z.string().describe('Name of its unit'),
    }),
    urgency: z
      .enum(['overdue', 'due', 'later'])
      .describe('Overdue already, due by the end of the day of the meeting, or not yet'),
    round: z.int(),
    tier: Tier,
    lane: z.strictObject({ id: z.string(), title: z.string() }),
    route: Route,
    changeClass: ChangeClass.nullable().describe(
      'What changed since the last decision, by policy; null when this is the first',
    ),
    asks: Review.shape.asks,
    openedAt: z.iso.datetime(),
    dueAt: z.iso.datetime().describe('When the first of its open stages is due'),
    stages: z.array(OpenStage).describe('Those that take votes now'),
    votes: z
      .array(z.strictObject({ seat: Seat, person: Named, onBehalfOf: Named.nullable(), choice: Choice }))
      .describe('Those that count, of all stages'),
    brief: z.string().describe('Where its brief is, below this API'),
  })
  .meta({ id: 'AgendaItem', description: 'One review as whoever chairs a meeting needs it' })
export type AgendaItem = z.infer<typeof AgendaItem>

export const Agenda = z
  .strictObject({
    day: z.iso.date().describe('The day of the meeting, in UTC'),
    at: z.iso.datetime().describe('When this was read'),
    items: z.array(AgendaItem).describe('What is due first comes first'),
    hasMore: z.boolean().describe('True when more reviews are open than these'),
  })
  .meta({ id: 'Agenda', description: 'Open reviews for a day of meeting', examples: [examples.agenda] })
export type Agenda = z.infer<typeof Agenda>
