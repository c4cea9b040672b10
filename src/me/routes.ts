import { z } from 'zod'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { Me } from './me.js'
import { getMe } from './service.js'

/** What the caller is to Assent. */
export async function meRoutes(app: App): Promise<void> {
  app.get(
    '/v1/me',
    operation({
      id: 'getMe',
      tag: 'People',
      summary: 'Who you are and what you may do',
      description:
        'With `useCase`, also what you may do with that one and why not, in the right’s own words.',
      right: 'authenticated',
      query: z.strictObject({ useCase: UseCaseRef.optional() }),
      answers: { 200: Me },
    }),
    async (request) => await app.read(request, (tx) => getMe(tx, request.query.useCase)),
  )
}
