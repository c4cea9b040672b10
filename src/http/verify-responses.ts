import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { Problem } from './problem.js'
import type { App } from './types.js'
import { file, noContent } from './zod.js'

/** Tests only: an answer that lost something on its way out, or that its schema does not allow. */
export class ResponseMismatch extends Error {
  override readonly name = 'ResponseMismatch'
}

/**
 * Compares each answer with plain `JSON.stringify` of what the handler returned and parses it by its schema:
 * a serializer compiled from a schema drops what the schema does not name, silently.
 */
export function registerVerification(app: App): void {
  const returned = new WeakMap<object, string>()
  app.addHook('preSerialization', async (request, _reply, payload) => {
    returned.set(request, JSON.stringify(payload))
    return payload
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const { operation } = request.routeOptions.config
    const plain = returned.get(request)
    returned.delete(request)
    if (typeof payload !== 'string' || !isJson(reply.getHeader('content-type'))) return payload
    const sent: unknown = JSON.parse(payload)
    if (plain !== undefined && !isDeepStrictEqual(sent, JSON.parse(plain))) {
      throw new ResponseMismatch(`${request.url} returned ${plain} but sent ${payload}`)
    }
    const declared = operation?.answers[reply.statusCode]
    if (reply.statusCode >= 400)
      assertAllowed(declared ? z.union([declared, Problem]) : Problem, sent, request.url)
    else if (declared) assertAllowed(declared, sent, request.url)
    return payload
  })
}

function isJson(contentType: unknown): boolean {
  return /^application\/(\w+\+)?json/.test(String(contentType))
}

function assertAllowed(schema: z.ZodType, sent: unknown, url: string): void {
  if (schema === noContent || schema === file) return
  const { error } = schema.safeParse(sent)
  if (error) throw new ResponseMismatch(`${url} sent what its schema refuses: ${z.prettifyError(error)}`)
}
