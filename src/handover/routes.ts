import { z } from 'zod'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { Duties, HandedOver, Handover } from './handover.js'
import { getDuties } from './reading.js'
import { handOver } from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the person') })
const tag = 'People'

/** What somebody who leaves answers for, and who takes it. */
export async function handoverRoutes(app: App, { policies }: { policies: Policies }): Promise<void> {
  app.get(
    '/v1/people/:id/duties',
    operation({
      id: 'getDuties',
      tag,
      summary: 'What a person answers for',
      description:
        'Use cases, conditions, seats, votes in open rounds, and whatever else would be missed if they left. Your own, or anybody’s if you administer the whole organisation.',
      right: { action: 'read', subject: 'Person' },
      params,
      answers: { 200: Duties },
    }),
    async (request) => await app.read(request, (tx) => getDuties(tx, request.params.id)),
  )

  app.post(
    '/v1/people/:id/handover',
    operation({
      id: 'handOver',
      tag,
      summary: 'Hand over what a person answers for',
      description:
        'Each use case gets a new version with its new owner, and each condition a new owner. What cannot change hands now is named with the reason, such as a use case in whose open review the new owner has voted.',
      right: { action: 'hand_over', subject: 'Person' },
      params,
      body: Handover,
      answers: { 200: HandedOver },
    }),
    async (request) =>
      await app.write(request, (tx) => handOver(tx, policies, request.params.id, request.body)),
  )
}
