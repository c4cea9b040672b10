import { z } from 'zod'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { UseCaseRequirements } from './requirement.js'
import { getRequirements, type RequirementsPolicy } from './service.js'

/** What policy asks for, and how far it is. */
export async function requirementRoutes(
  app: App,
  { policies }: { policies: RequirementsPolicy },
): Promise<void> {
  app.get(
    '/v1/use-cases/:id/requirements',
    operation({
      id: 'getRequirements',
      tag: 'Controls',
      summary: 'What policy asks of a use case, how far each thing is, and what to do next',
      description:
        'Of a draft as of any other: every kind of evidence and every control that policy in force asks of its tier and facts, whether it is there, who has to accept it, and what an approval made now would do without it. A control that is not there is offered what serves a like control of another catalog. Beside it, what the approval in force rests on, and when that goes stale.',
      right: { action: 'read', subject: 'Profile' },
      params: z.strictObject({ id: UseCaseRef }),
      answers: { 200: UseCaseRequirements },
    }),
    async (request) => await app.read(request, (tx) => getRequirements(tx, policies, request.params.id)),
  )
}
