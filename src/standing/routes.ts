import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { listUseCases } from './service.js'
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
        'A filter may be given several times: any of its values counts. Standing is that of this moment.',
      right: { action: 'read', subject: 'UseCase' },
      query: z.strictObject({
        ...UseCaseFilters.shape,
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
}
