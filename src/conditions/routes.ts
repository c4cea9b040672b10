import { z } from 'zod'
import { operation } from '../http/operations.js'
import { list, page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { Condition, ConditionQuery, ConditionState, Fulfilment, NewConditionOwner } from './condition.js'
import { metCondition, reassignedCondition } from './examples.js'
import { getCondition, listConditions, listConditionsOf } from './reading.js'
import { meet, reassign } from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the condition') })
const tag = 'Conditions'

/** Obligations and limits that approvals carry. */
export async function conditionRoutes(app: App): Promise<void> {
  app.get(
    '/v1/use-cases/:id/conditions',
    operation({
      id: 'listConditionsOfUseCase',
      tag,
      summary: 'Every condition of a use case, in the order in which they were imposed',
      description: 'Those that were met, waived or ended are among them; `state` picks.',
      right: { action: 'read', subject: 'Condition' },
      params: z.strictObject({ id: UseCaseRef }),
      query: z.strictObject({ state: ConditionState.optional().describe('Only those in this state') }),
      answers: { 200: list(Condition) },
    }),
    async (request) => {
      const { params, query } = request
      return { items: await app.read(request, (tx) => listConditionsOf(tx, params.id, query.state)) }
    },
  )

  app.get(
    '/v1/conditions',
    operation({
      id: 'listConditions',
      tag,
      summary: 'Conditions across use cases, what is due first before the rest',
      description:
        'What is due before a deploy, and limits, come after whatever has a date. Those of retired use cases are left out.',
      right: { action: 'read', subject: 'Condition' },
      query: z.strictObject({ ...pageQuery, ...ConditionQuery.shape }),
      answers: { 200: page(Condition) },
    }),
    async (request) => await app.page(request, (tx, page) => listConditions(tx, request.query, page)),
  )

  app.get(
    '/v1/conditions/:id',
    operation({
      id: 'getCondition',
      tag,
      summary: 'One condition, with how it ended if it did',
      description: 'What it asks for never changes; its owner may.',
      right: { action: 'read', subject: 'Condition' },
      params,
      answers: { 200: Condition },
    }),
    async (request) => await app.read(request, (tx) => getCondition(tx, request.params.id)),
  )

  app.post(
    '/v1/conditions/:id/fulfilment',
    operation({
      id: 'meetCondition',
      tag,
      summary: 'Say that an obligation is met, and by which evidence',
      description:
        'The evidence is of this use case and of the kind that the condition names, fresh, and accepted by somebody else than its giver. An approval that lapsed because this was overdue stands again at once.',
      right: { action: 'meet', subject: 'Condition' },
      params,
      body: Fulfilment,
      answers: { 200: Condition.meta({ examples: [metCondition] }) },
    }),
    async (request) => await app.write(request, (tx) => meet(tx, request.params.id, request.body)),
  )

  app.post(
    '/v1/conditions/:id/owner',
    operation({
      id: 'reassignCondition',
      tag,
      summary: 'Give an obligation to another person',
      description: 'Who has left cannot own one. When it is due stays as the decision said.',
      right: { action: 'reassign', subject: 'Condition' },
      params,
      body: NewConditionOwner,
      answers: { 200: Condition.meta({ examples: [reassignedCondition] }) },
    }),
    async (request) => await app.write(request, (tx) => reassign(tx, request.params.id, request.body)),
  )
}
