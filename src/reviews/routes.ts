import { z } from 'zod'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { list, page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { CastVote, Decision } from './decision.js'
import { withdrawn } from './examples.js'
import { getDecision, getReview, listDecisions, listOpenReviews, listReviews } from './reading.js'
import { Ballot, Review, Withdrawal } from './review.js'
import { submit, withdraw } from './service.js'
import { Submission } from './submission.js'
import { vote } from './voting.js'

const params = z.strictObject({ id: z.uuid().describe('Of the review, or of the decision') })
const useCaseParams = z.strictObject({ id: UseCaseRef })
const tag = 'Reviews'

/** Submission, votes and the decision. */
export async function reviewRoutes(app: App, { policies }: { policies: Policies }): Promise<void> {
  app.post(
    '/v1/use-cases/:id/reviews',
    operation({
      id: 'submitUseCase',
      tag,
      summary: 'Submit a use case to the committee',
      description:
        'Freezes the current version and opens a round in the lane that policy chooses by tier and facts; a re-review with a small difference, or a cited precedent, may take a shorter one. Where policy asks for an attestation instead of a vote, the answer is the round as it closed with it.',
      right: { action: 'submit', subject: 'UseCase' },
      params: useCaseParams,
      body: Submission,
      ifMatch: true,
      location: '/v1/reviews/{id}',
      answers: { 201: Review },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) => submit(tx, policies, params.id, requireRevision(request), body))
    },
  )

  app.get(
    '/v1/use-cases/:id/reviews',
    operation({
      id: 'listReviewsOfUseCase',
      tag,
      summary: 'Every round of a use case, the last first',
      description: 'With the votes of each, also of rounds that were withdrawn.',
      right: { action: 'read', subject: 'Review' },
      params: useCaseParams,
      answers: { 200: list(Review) },
    }),
    async (request) => ({ items: await app.read(request, (tx) => listReviews(tx, request.params.id)) }),
  )

  app.get(
    '/v1/reviews',
    operation({
      id: 'listOpenReviews',
      tag,
      summary: 'Open reviews, the most urgent first',
      description: 'The one that is due first comes first; `openSeats` tells whose votes are missing.',
      right: { action: 'read', subject: 'Review' },
      query: z.strictObject(pageQuery),
      answers: { 200: page(Review) },
    }),
    async (request) => await app.page(request, listOpenReviews),
  )

  app.get(
    '/v1/reviews/:id',
    operation({
      id: 'getReview',
      tag,
      summary: 'One round with its votes, open seats and who may not vote',
      description:
        '`openSeats` are yet to vote; `excluded` may not, each with the reason. `missing` says what stands in the way of an approval.',
      right: { action: 'read', subject: 'Review' },
      params,
      answers: { 200: Review },
    }),
    async (request) => await app.read(request, (tx) => getReview(tx, policies, request.params.id)),
  )

  app.post(
    '/v1/reviews/:id/votes',
    operation({
      id: 'castVote',
      tag,
      summary: 'Vote for the seat you hold, or change its vote',
      description:
        'A stage closes with the vote that passes it, and the round with the vote that decides it; the answer then holds the decision. A recusal leaves the seat to another holder.',
      right: { action: 'vote', subject: 'Review' },
      params,
      body: Ballot,
      answers: { 201: CastVote },
    }),
    async (request) => await app.write(request, (tx) => vote(tx, policies, request.params.id, request.body)),
  )

  app.post(
    '/v1/reviews/:id/withdrawal',
    operation({
      id: 'withdrawReview',
      tag,
      summary: 'Take a use case out of review',
      description: 'The use case can be changed again, and submitted anew. The votes stay on record.',
      right: { action: 'withdraw', subject: 'Review' },
      params,
      body: Withdrawal,
      answers: { 200: Review.meta({ examples: [withdrawn] }) },
    }),
    async (request) => await app.write(request, (tx) => withdraw(tx, request.params.id, request.body.reason)),
  )

  app.get(
    '/v1/use-cases/:id/decisions',
    operation({
      id: 'listDecisionsOfUseCase',
      tag,
      summary: 'Every decision about a use case, the last first',
      description: 'Those that lapsed since are among them; standing says which one counts.',
      right: { action: 'read', subject: 'Decision' },
      params: useCaseParams,
      answers: { 200: list(Decision) },
    }),
    async (request) => ({ items: await app.read(request, (tx) => listDecisions(tx, request.params.id)) }),
  )

  app.get(
    '/v1/decisions/:id',
    operation({
      id: 'getDecision',
      tag,
      summary: 'One decision: outcome, votes, evidence and what it rests on',
      description:
        'It never changes. Whether it still stands is told by the use case: see `GET /v1/use-cases/{id}`.',
      right: { action: 'read', subject: 'Decision' },
      params,
      answers: { 200: Decision },
    }),
    async (request) => await app.read(request, (tx) => getDecision(tx, request.params.id)),
  )
}
