import { z } from 'zod'
import { operation } from '../http/operations.js'
import { pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { Application, NewApplication, TierChangePage } from './policy-change.js'
import { applyPolicy, listTierChanges } from './service.js'

const tag = 'Policies'

/** A new policy, and the use cases that were there before it. */
export async function policyChangeRoutes(app: App, { policies }: { policies: Policies }): Promise<void> {
  app.get(
    '/v1/policies/changes',
    operation({
      id: 'listTierChanges',
      tag,
      summary: 'Use cases to which the policy in force gives another tier',
      description:
        'What `POST /v1/policies/applications` would change. A page may hold few, or none, and still have a next one.',
      right: { action: 'preview', subject: 'Policy' },
      query: z.strictObject(pageQuery),
      answers: { 200: TierChangePage },
    }),
    async (request) => await app.page(request, (tx, page) => listTierChanges(tx, policies, page)),
  )

  app.post(
    '/v1/policies/applications',
    operation({
      id: 'applyPolicy',
      tag,
      summary: 'Apply the policy in force to use cases that are there already',
      description:
        'In steps, each on record: go on `after` the key in `through` until it is `finished`. Approvals that were decided on a lower tier lapse; no other does. A step that is repeated finds nothing left to change.',
      right: { action: 'apply', subject: 'Policy' },
      body: NewApplication,
      answers: { 200: Application },
    }),
    async (request) => await app.write(request, (tx) => applyPolicy(tx, policies, request.body)),
  )
}
