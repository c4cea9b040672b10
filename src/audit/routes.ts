import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { EventFilters, EventForm, EventView } from './event-view.js'
import { getEvent, listEvents } from './service.js'

const right = { action: 'read', subject: 'Event' } as const
const tag = 'Events'

/** Everything that happened, for those who look after it. */
export async function eventRoutes(app: App): Promise<void> {
  app.get(
    '/v1/events',
    operation({
      id: 'listEvents',
      tag,
      summary: 'Everything that happened, the newest first',
      description: 'Refusals are among them, as `access.denied`. All filters that are given must fit.',
      right,
      query: z.strictObject({ ...EventFilters.shape, form: EventForm, ...pageQuery }),
      answers: { 200: page(EventView) },
    }),
    async (request) => {
      const { limit: _limit, cursor: _cursor, ...question } = request.query
      return await app.page(request, (tx, asked) => listEvents(tx, question, asked))
    },
  )

  app.get(
    '/v1/events/:id',
    operation({
      id: 'getEvent',
      tag,
      summary: 'One event',
      description:
        'With `form=exact` it comes with the bytes of the log, from which its digest can be computed again.',
      right,
      params: z.strictObject({ id: z.uuid().describe('Of the event') }),
      query: z.strictObject({ form: EventForm }),
      answers: { 200: EventView },
    }),
    async (request) => await app.read(request, (tx) => getEvent(tx, request.params.id, request.query.form)),
  )
}
