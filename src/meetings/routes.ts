import { z } from 'zod'
import { format, jsonOrMarkdown, sendMarkdown, wantsMarkdown } from '../http/markdown.js'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import { bounds, Day, withinDays } from '../period.js'
import type { Policies } from '../policy/load.js'
import { Agenda } from './agenda.js'
import * as examples from './examples.js'
import { agendaToMarkdown, minutesToMarkdown } from './markdown.js'
import { Minutes } from './minutes.js'
import { getAgenda, getMinutes } from './service.js'

const MINUTES_DAYS = 92
const right = { action: 'read', subject: 'Review' } as const
const orgUnit = z.uuid().optional().describe('Only use cases of this unit and of all below it')
const asMarkdown =
  'As Markdown for a meeting with `format=markdown`, or if `Accept` asks for `text/markdown`.'

/** What a committee meets for, and what it decided. */
export async function meetingRoutes(app: App, { policies }: { policies: Policies }): Promise<void> {
  app.get(
    '/v1/reviews/agenda',
    operation({
      id: 'getAgenda',
      tag: 'Reviews',
      summary: 'Open reviews for a day of meeting',
      description: `What is overdue first, then what is due by that day, then the rest: at most 200, each with its tier, lane, open stages, votes so far, missing seats, and how much changed since the last decision. ${asMarkdown}`,
      right,
      query: z.strictObject({
        day: Day.optional().describe('The day of the meeting, in UTC; today if not given'),
        ...{ orgUnit, format },
      }),
      produces: jsonOrMarkdown,
      answers: { 200: Agenda },
      samples: { 'text/markdown': agendaToMarkdown(Agenda.parse(examples.agenda)) },
    }),
    async (request, reply) => {
      const agenda = await app.read(request, (tx) => getAgenda(tx, policies, request.query))
      if (!wantsMarkdown(request)) return agenda
      return await sendMarkdown(reply, agendaToMarkdown(agenda))
    },
  )

  app.get(
    '/v1/reviews/minutes',
    operation({
      id: 'getMinutes',
      tag: 'Reviews',
      summary: 'What was decided in a period',
      description: `Of at most ${MINUTES_DAYS} days: each decision with its votes, dissent, and the conditions that it imposed or waived; how many attested; rounds that were withdrawn; suspensions that were ordered and lifted; and incidents that were closed. ${asMarkdown}`,
      right,
      query: z.strictObject({ ...bounds, orgUnit, format }).superRefine(withinDays(MINUTES_DAYS)),
      produces: jsonOrMarkdown,
      answers: { 200: Minutes },
      samples: { 'text/markdown': minutesToMarkdown(Minutes.parse(examples.minutes)) },
    }),
    async (request, reply) => {
      const minutes = await app.read(request, (tx) => getMinutes(tx, request.query))
      if (!wantsMarkdown(request)) return minutes
      return await sendMarkdown(reply, minutesToMarkdown(minutes))
    },
  )
}
