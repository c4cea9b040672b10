import { z } from 'zod'
import { format, jsonOrMarkdown, sendMarkdown, wantsMarkdown } from '../http/markdown.js'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { Brief } from './brief.js'
import { brief } from './examples.js'
import { toMarkdown } from './markdown.js'
import { Prospect } from './prospect.js'
import { getProspect } from './prospecting.js'
import { getBrief } from './service.js'

/** The committee's one page about a review. */
export async function briefRoutes(app: App, { policies }: { policies: Policies }): Promise<void> {
  app.get(
    '/v1/reviews/:id/brief',
    operation({
      id: 'getBrief',
      tag: 'Reviews',
      summary: 'One page for the committee: all that a decision needs',
      description:
        'Purpose, owners, tier and the rules that gave it, what changed since the last decision, evidence, conditions, votes so far, who can still decide, and what would happen at each choice. As Markdown for a meeting with `format=markdown`, or if `Accept` asks for `text/markdown`.',
      right: { action: 'read', subject: 'Review' },
      params: z.strictObject({ id: z.uuid().describe('Of the review') }),
      query: z.strictObject({ format }),
      produces: jsonOrMarkdown,
      answers: { 200: Brief },
      samples: { 'text/markdown': toMarkdown(Brief.parse(brief)) },
    }),
    async (request, reply) => {
      const answer = await app.read(request, (tx) => getBrief(tx, policies, request.params.id))
      if (!wantsMarkdown(request)) return answer
      return await sendMarkdown(reply, toMarkdown(answer))
    },
  )

  app.get(
    '/v1/use-cases/:id/next-review',
    operation({
      id: 'getNextReview',
      tag: 'Reviews',
      summary: 'What submitting a use case now would lead to',
      description:
        'The tier and lane by the policy in force, what changed since the last decision and how much that weighs, and the approvals that could be cited as a precedent. Nothing is saved.',
      right: { action: 'read', subject: 'UseCase' },
      params: z.strictObject({ id: UseCaseRef }),
      answers: { 200: Prospect },
    }),
    async (request) => await app.read(request, (tx) => getProspect(tx, policies, request.params.id)),
  )
}
