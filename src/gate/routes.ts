import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Config } from '../config.js'
import type { Database } from '../db/database.js'
import { Pipelined } from '../db/pipelined.js'
import { readIdempotencyKey } from '../http/idempotency.js'
import type { Metrics } from '../http/metrics.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import { describeProblem, Problem, problemType } from '../http/problem.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { Binding, NewBinding } from './binding.js'
import * as examples from './examples.js'
import { Answer, AnswerOnRecord, LoggedAnswer, Look, Question, toQuestion, UseCaseRef } from './gate.js'
import { ask, bindPipeline, type Gate, getAnswer, listPipelines, look, unbindPipeline } from './service.js'

interface Deps {
  config: Pick<Config, 'poolSizes'>
  policies: Policies
  database: Pick<Database, 'connection' | 'read' | 'write'>
}

/** No pipeline waits longer than this: an answer, or 503. */
const ANSWER_WITHIN_MS = 2500

const Denial = z
  .object({ ...Problem.shape, ...Answer.shape })
  .meta({ id: 'GateDenial', description: 'A denial, told as a problem' })
const LoggedDenial = z
  .object({ ...Problem.shape, ...LoggedAnswer.shape })
  .meta({ id: 'GateLoggedDenial', description: 'A denial that is kept, told as a problem' })

const id = '6f1c52a0-7c0e-4c55-9d0e-3f0a5f0f8a11'
const asLook = { url: '/v1/gate', id }
const asQuestion = { url: '/v1/gate/answers', id }

const inWords = `Only an allow is a 2xx. A denial is 409 with \`decision: "deny"\` and every reason, and 404 when no such
use case is registered or you may not see it. What is open in an emergency only is denied with the reason
\`break_glass\`, unless the question accepts that. Allow and 409-denials carry the header \`Gate-Decision\`; an answer without
it is none: 503 says that the gate cannot tell.`

/** May this go to production? */
export async function gateRoutes(app: App, { config, policies, database }: Deps): Promise<void> {
  const lines = new Pipelined({
    connection: database.connection,
    name: 'gate',
    size: config.poolSizes.gate,
  })
  app.addHook('onClose', async () => await lines.close())
  const gate: Gate = { policies, lines }
  const count = counterOf(app.metrics)
  looking(app, gate, count)
  asking(app, gate, count, database)
  pipelines(app)
  unbinding(app)
}

type Count = (answer: Answer) => void

function looking(app: App, gate: Gate, count: Count): void {
  app.get(
    '/v1/gate',
    operation({
      id: 'lookAtGate',
      tag: 'Gate',
      summary: 'Ask without leaving a trace',
      description: inWords,
      right: { action: 'ask', subject: 'UseCase' },
      query: Look,
      bucket: 'gate',
      timeoutMs: ANSWER_WITHIN_MS,
      answers: {
        200: Answer,
        404: Denial.meta({ examples: [describeDenial(examples.unregistered, asLook)] }),
        409: Denial.meta({ examples: [describeDenial(examples.denied, asLook)] }),
      },
    }),
    async (request, reply) => {
      const question = toQuestion(request.query)
      const answer = await app.read(request, (tx) => look(tx, gate, question))
      count(answer)
      return await send(reply, answer)
    },
  )
}

function asking(app: App, gate: Gate, count: Count, database: Deps['database']): void {
  app.post(
    '/v1/gate/answers',
    operation({
      id: 'askGate',
      tag: 'Gate',
      summary: 'Ask before a deploy; the answer is kept',
      description: `${inWords} The same Idempotency-Key within 60 seconds gets the same answer again, while it still holds.`,
      right: { action: 'ask', subject: 'UseCase' },
      body: Question,
      bucket: 'gate',
      timeoutMs: ANSWER_WITHIN_MS,
      location: '/v1/gate/answers/{id}',
      answers: {
        200: LoggedAnswer,
        404: LoggedDenial.meta({ examples: [describeDenial(examples.loggedUnregistered, asQuestion)] }),
        409: LoggedDenial.meta({ examples: [describeDenial(examples.loggedDenied, asQuestion)] }),
      },
    }),
    async (request, reply) => {
      const asked = app.asked(request)
      const { answer, replayed } = await ask(database, asked, gate, request.body, readIdempotencyKey(request))
      request.replayed = replayed
      count(answer)
      return await send(reply, answer)
    },
  )

  app.get(
    '/v1/gate/answers/:id',
    operation({
      id: 'getGateAnswer',
      tag: 'Gate',
      summary: 'An answer that was given',
      description: 'A record of the past, not an answer: ask again before you deploy.',
      right: { action: 'read', subject: 'GateAnswer' },
      params: z.strictObject({ id: z.uuid().describe('Of the answer') }),
      answers: { 200: AnswerOnRecord },
    }),
    async (request) => await app.read(request, (tx) => getAnswer(tx, gate, request.params.id)),
  )
}

function pipelines(app: App): void {
  const params = z.strictObject({ id: UseCaseRef })

  app.get(
    '/v1/use-cases/:id/pipelines',
    operation({
      id: 'listPipelines',
      tag: 'Gate',
      summary: 'Pipelines that may ask for this use case',
      description: 'With who bound each, and when.',
      right: { action: 'read', subject: 'UseCase' },
      params,
      query: z.strictObject(pageQuery),
      answers: { 200: page(Binding) },
    }),
    async (request) => await app.page(request, (tx, page) => listPipelines(tx, request.params.id, page)),
  )

  app.post(
    '/v1/use-cases/:id/pipelines',
    operation({
      id: 'bindPipeline',
      tag: 'Gate',
      summary: 'Let a pipeline ask for this use case',
      description: 'The account needs the role `pipeline` first: `POST /v1/people/{id}/grants`.',
      right: { action: 'bind', subject: 'UseCase' },
      params,
      body: NewBinding,
      answers: { 201: Binding },
    }),
    async (request) =>
      await app.write(request, (tx) => bindPipeline(tx, request.params.id, request.body.personId)),
  )
}

function unbinding(app: App): void {
  app.delete(
    '/v1/use-cases/:id/pipelines/:personId',
    operation({
      id: 'unbindPipeline',
      tag: 'Gate',
      summary: 'Take a pipeline off this use case',
      description: 'From now on it gets no clearance for this use case. Answers that it got stay on record.',
      right: { action: 'bind', subject: 'UseCase' },
      params: z.strictObject({
        id: UseCaseRef,
        personId: z.uuid().describe('The service account of the pipeline'),
      }),
      answers: { 200: Binding },
    }),
    async (request) =>
      await app.write(request, (tx) => unbindPipeline(tx, request.params.id, request.params.personId)),
  )
}

/** An allow is 200; a denial is a problem, so that `curl --fail` fails. */
async function send<A extends Answer>(reply: FastifyReply, answer: A): Promise<A> {
  if (answer.decision === 'allow') {
    reply.header('gate-decision', 'allow')
    return answer
  }
  const denial = describeDenial(answer, reply.request)
  if (answer.useCaseId !== null) reply.header('gate-decision', 'deny')
  return await reply.type(problemType).code(denial.status).send(denial)
}

type Denied = Pick<Answer, 'useCaseId'> & { reasons: { sentence: string }[] }

/** A denial as a problem: what is not registered is not found, everything else does not fit the present state. */
function describeDenial<A extends Denied>(answer: A, request: { url: string; id: string }): A & Problem {
  const detail = answer.reasons.map(({ sentence }) => sentence).join('; ')
  const refusal =
    answer.useCaseId === null
      ? ({ status: 404, code: 'not_found', detail } as const)
      : ({ status: 409, code: 'conflict', detail } as const)
  return { ...describeProblem(refusal, request), ...answer }
}

/** Counts an answer once for each of its reasons. */
function counterOf({ gateAnswers }: Metrics): (answer: Answer) => void {
  const counters = new Map<string, { inc(): void }>()
  return ({ decision, reasons }) => {
    for (const { code: reason } of reasons) {
      const name = `${decision} ${reason}`
      const counter = counters.get(name) ?? gateAnswers.labels({ decision, reason })
      counters.set(name, counter)
      counter.inc()
    }
  }
}
