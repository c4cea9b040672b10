import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { givenInstant } from '../instant.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { getStanding, listUseCases } from './service.js'
import { StandingAt } from './standing-at.js'
import { UseCaseEntry, UseCaseFilters, UseCaseSort } from './use-case-list.js'

/** Lists, search and filters over use cases as they stand. */
export async function standingRoutes(app: App): Promise<void> {
  app.get(
    '/v1/use-cases',
    operation({
      id: 'listUseCases',
      tag: 'Use cases',
      summary: 'The use cases that you may see, filtered and sorted',
      description:
        'A filter may be given several times: any of its values counts. Standing is that of this moment, or of `at`: of a past instant with the facts of then, of a later one as the clock will have it.',
      right: { action: 'read', subject: 'UseCase' },
      query: z.strictObject({
        ...UseCaseFilters.shape,
        at: givenInstant
          .optional()
          .describe(
            'As they stood then; or, of a later instant, as they will if nobody does anything. Now if not given',
          ),
        sort: UseCaseSort.default('-updatedAt').describe('The order; a minus sign means descending'),
        ...pageQuery,
      }),
      answers: { 200: page(UseCaseEntry) },
    }),
    async (request) => {
      const { sort, limit: _limit, cursor: _cursor, ...filters } = request.query
      return await app.page(request, (tx, page) => listUseCases(tx, filters, sort, page))
    },
  )

  app.get(
    '/v1/use-cases/:id/standing',
    operation({
      id: 'getStanding',
      tag: 'Use cases',
      summary: 'How a use case stands, stood, or will stand',
      description:
        'With every reason. Of a past instant as it was then; of a later one as it will be if nobody does anything, such as when an approval expires or a condition falls due.',
      right: { action: 'read', subject: 'UseCase' },
      params: z.strictObject({ id: UseCaseRef }),
      query: z.strictObject({ at: givenInstant.optional().describe('The instant; now if not given') }),
      answers: { 200: StandingAt },
    }),
    async (request) => {
      const { at } = request.query
      return await app.read(request, (tx) => getStanding(tx, request.params.id, at ?? tx.now))
    },
  )
}
