import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import type { RequirementPolicies } from '../policy/requirements.js'
import { Queue } from './queue.js'
import { getQueue } from './service.js'

/** What waits for whoever asks. */
export async function queueRoutes(app: App, { policies }: { policies: RequirementPolicies }): Promise<void> {
  app.get(
    '/v1/me/queue',
    operation({
      id: 'getMyQueue',
      tag: 'People',
      summary: 'What waits for you, the most urgent first',
      description:
        'Votes for a seat that you hold or fill for somebody, conditions that you see to, what is missing for your reviews and what your approvals will lack soon, evidence that you may judge, your use cases that need you, incidents of those whose risk you own, emergency openings to review, and suspensions that you could lift. At most 50 of a kind; what you have done is gone.',
      right: 'authenticated',
      answers: { 200: Queue },
    }),
    async (request) => await app.read(request, (tx) => getQueue(tx, policies)),
  )
}
