import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Issue } from '../errors.js'

/** The six codes of `RegistryError`, and those of HTTP itself. */
export const ProblemCode = z.enum([
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'unavailable',
  'malformed',
  'method_not_allowed',
  'timeout',
  'stale',
  'too_large',
  'too_long',
  'unsupported_media_type',
  'range_not_satisfiable',
  'precondition_required',
  'rate_limited',
  'internal',
])
export type ProblemCode = z.infer<typeof ProblemCode>

/** Every refusal, as RFC 9457 asks. */
export const Problem = z
  .object({
    type: z.literal('about:blank').describe('The status says what kind of problem it is; `code` is finer'),
    title: z.string().describe('The phrase of the status'),
    status: z.number().int(),
    code: ProblemCode.describe('For programs; there may be new ones'),
    detail: z.string().describe('One sentence for a person: what is wrong and what to do next'),
    instance: z.string().describe('The path that was asked for'),
    rule: z.string().optional().describe('The decision right that spoke, as `DR-nn`'),
    requestId: z.string().describe('Names this request in the log'),
    issues: z
      .array(z.object({ path: z.string().describe('JSON pointer into the input'), message: z.string() }))
      .optional()
      .describe('What is wrong with which field'),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>

export const problemType = 'application/problem+json'

/** A refusal, before it is known which request it answers. */
export interface Refusal {
  status: number
  code: ProblemCode
  detail: string
  rule?: string | undefined
  issues?: Issue[] | undefined
}

export function describeProblem(refusal: Refusal, request: { url: string; id: string }): Problem {
  const { status, code, detail, rule, issues = [] } = refusal
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    instance: pathOf(request.url),
    ...(rule && { rule }),
    requestId: request.id,
    ...(issues.length > 0 && { issues }),
  }
}

/** Answers with a problem. It is sent as text, so that no response schema of the route can take anything from it. */
export function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const problem = describeProblem(refusal, reply.request)
  return reply.code(refusal.status).type(problemType).send(JSON.stringify(problem))
}

/** The path of a URL: a query may hold what does not belong into answers and logs. */
export function pathOf(url: string): string {
  const end = url.search(/[?#;]/)
  return end < 0 ? url : url.slice(0, end)
}

/** A refusal that HTTP itself makes, before any rule of the domain is asked. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal'
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.detail)
    this.refusal = refusal
  }
}
