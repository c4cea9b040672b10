import { z } from 'zod'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import { bounds, withinDays } from '../period.js'
import { DecisionInsights } from './insights.js'
import { getDecisionInsights } from './service.js'

/** Three years, one of them a leap year. */
const MOST_DAYS = 1096

/** How well the committee does. */
export async function insightRoutes(app: App): Promise<void> {
  app.get(
    '/v1/insights/decisions',
    operation({
      id: 'getDecisionInsights',
      tag: 'Reviews',
      summary: 'How long decisions take, and what comes of them',
      description:
        'Of a period of at most three years: hours from submission to decision by lane and route and by stage, outcomes, the share decided in time, what is open and overdue now, reuse of precedents, and what became of conditions, suspensions, incidents and emergency openings. Of nothing, shares and hours are null.',
      right: { action: 'read', subject: 'Review' },
      query: z
        .strictObject({
          ...bounds,
          orgUnit: z.uuid().optional().describe('Only use cases of this unit and of all below it'),
        })
        .superRefine(withinDays(MOST_DAYS)),
      answers: { 200: DecisionInsights },
    }),
    async (request) => await app.read(request, (tx) => getDecisionInsights(tx, request.query)),
  )
}
