import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { Delegation, NewDelegation, states } from './delegation.js'
import { delegate, endDelegation, getDelegation, listDelegations } from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the delegation') })
const tag = 'People'

/** Who votes for whom, and until when. */
export async function delegationRoutes(app: App): Promise<void> {
  app.get(
    '/v1/delegations',
    operation({
      id: 'listDelegations',
      tag,
      summary: 'Who votes for whom',
      description: 'Yours, or all of them if you administer or audit the whole organisation; the last first.',
      right: { action: 'read', subject: 'Delegation' },
      query: z.strictObject({
        ...pageQuery,
        personId: z.uuid().optional().describe('Only from or to this person'),
        state: z.enum(states).optional().describe('Only those that have come as far as this'),
      }),
      answers: { 200: page(Delegation) },
    }),
    async (request) => {
      const { personId, state } = request.query
      return await app.page(request, (tx, pageRequest) =>
        listDelegations(tx, { personId, state }, pageRequest),
      )
    },
  )

  app.post(
    '/v1/delegations',
    operation({
      id: 'delegateSeats',
      tag,
      summary: 'Let somebody vote for you',
      description:
        'They vote through the seats you were granted, from a start to an end. Both of you count: whoever may not decide because of one of the two does not decide. It is never passed on, and you delegate to one person at a time.',
      right: { action: 'delegate', subject: 'Delegation' },
      body: NewDelegation,
      location: '/v1/delegations/{id}',
      answers: { 201: Delegation },
    }),
    async (request) => await app.write(request, (tx) => delegate(tx, request.body)),
  )

  app.get(
    '/v1/delegations/:id',
    operation({
      id: 'getDelegation',
      tag,
      summary: 'One delegation',
      description: 'Planned, in force or over.',
      right: { action: 'read', subject: 'Delegation' },
      params,
      answers: { 200: Delegation },
    }),
    async (request) => await app.read(request, (tx) => getDelegation(tx, request.params.id)),
  )

  app.post(
    '/v1/delegations/:id/ending',
    operation({
      id: 'endDelegation',
      tag,
      summary: 'End a delegation before its time',
      description:
        'By whose seats they are, by the delegate who declines, or by an administrator. Votes that were cast stand.',
      right: { action: 'end', subject: 'Delegation' },
      params,
      answers: { 200: Delegation },
    }),
    async (request) => await app.write(request, (tx) => endDelegation(tx, request.params.id)),
  )
}
