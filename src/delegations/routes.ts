import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { Delegation, MOST_OPEN, NewDelegation, states } from './delegation.js'
import { acceptDelegation, delegate, endDelegation, getDelegation, listDelegations } from './service.js'

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
      summary: 'Ask somebody to vote for you',
      description: `Once they accept, they vote through the seats you were granted, from a start to an end. Both of you count: whoever may not decide because of one of the two does not decide. It is never passed on, and one person at a time votes for you; you may ask several, and have at most ${MOST_OPEN} that are not over.`,
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
      description: 'Proposed, planned, in force, ended before its time, or over.',
      right: { action: 'read', subject: 'Delegation' },
      params,
      answers: { 200: Delegation },
    }),
    async (request) => await app.read(request, (tx) => getDelegation(tx, request.params.id)),
  )

  app.post(
    '/v1/delegations/:id/acceptance',
    operation({
      id: 'acceptDelegation',
      tag,
      summary: 'Agree to vote for somebody',
      description:
        'By the delegate, and only then does it count. From the rounds that the other may not decide you are excluded as well, from open ones also when it ends before they close. To decline, end it.',
      right: { action: 'accept', subject: 'Delegation' },
      params,
      answers: { 200: Delegation },
    }),
    async (request) => await app.write(request, (tx) => acceptDelegation(tx, request.params.id)),
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
