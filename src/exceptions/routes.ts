import { z } from 'zod'
import { operation } from '../http/operations.js'
import { list } from '../http/paging.js'
import type { App } from '../http/types.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { Exception, ExceptionState } from './exception.js'
import { getException, listExceptionsOf } from './reading.js'

const tag = 'Reviews'

/** What approvals except from the requirements of policy. They are asked for by a submission, and granted by its decision. */
export async function exceptionRoutes(app: App): Promise<void> {
  app.get(
    '/v1/use-cases/:id/exceptions',
    operation({
      id: 'listExceptionsOfUseCase',
      tag,
      summary: 'Every exception of a use case, in the order in which they were granted',
      description: 'Those that expired, or that a later decision ended, are among them; `state` picks.',
      right: { action: 'read', subject: 'Exception' },
      params: z.strictObject({ id: UseCaseRef }),
      query: z.strictObject({ state: ExceptionState.optional().describe('Only those in this state') }),
      answers: { 200: list(Exception) },
    }),
    async (request) => {
      const { params, query } = request
      return { items: await app.read(request, (tx) => listExceptionsOf(tx, params.id, query.state)) }
    },
  )

  app.get(
    '/v1/exceptions/:id',
    operation({
      id: 'getException',
      tag,
      summary: 'One exception, with what stands in place of the requirement',
      description: 'It never changes. To have it last longer, submit the use case and ask for another one.',
      right: { action: 'read', subject: 'Exception' },
      params: z.strictObject({ id: z.uuid().describe('Of the exception') }),
      answers: { 200: Exception },
    }),
    async (request) => await app.read(request, (tx) => getException(tx, request.params.id)),
  )
}
