import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { type Components, describeMedia, referTo, withExamples } from './components.js'
import { type AnyOperation, hasRevision, isPage, isRepeatable, successOf } from './operations.js'
import { describeProblem, Problem, problemType } from './problem.js'
import { refusals } from './refusals.js'
import { file, type JsonSchema, noContent } from './zod.js'

/** An operation where it stands. */
export interface Described {
  words: AnyOperation
  method: string
  url: string
}

/** One operation as OpenAPI 3.1 has it; named schemas go to `components`. */
export function describeOperation({ words, method, url }: Described, components: Components): JsonSchema {
  const { params, query, body, form } = words
  return {
    operationId: words.id,
    tags: [words.tag],
    summary: words.summary,
    ...(words.description && { description: words.description }),
    ...(words.right === 'public' && { security: [] }),
    parameters: [
      ...describeParameters('path', params, components),
      ...describeParameters('query', query, components),
      ...describeHeaders(words, method),
    ],
    ...((body || form) && { requestBody: describeBody(words, components) }),
    responses: { ...describeAnswers(words, method, components), ...describeRefusals(words, method, url) },
  }
}

function describeParameters(place: 'path' | 'query', schema: z.ZodType | undefined, components: Components) {
  if (!schema) return []
  const { properties = {}, required = [] } = referTo(schema, 'input', components, { inline: true })
  return Object.entries(properties as Record<string, JsonSchema>).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || (required as string[]).includes(name),
    ...(description ? { description } : {}),
    schema: rest,
  }))
}

function describeHeaders(words: AnyOperation, method: string): JsonSchema[] {
  const headers: JsonSchema[] = []
  if (words.ifMatch) headers.push({ $ref: '#/components/parameters/IfMatch' })
  if (isRepeatable(words, method)) headers.push({ $ref: '#/components/parameters/IdempotencyKey' })
  return headers
}

function describeBody({ body, form }: AnyOperation, components: Components): JsonSchema {
  const content = {
    ...(body && { 'application/json': describeMedia(body, 'input', components) }),
    ...(form && { 'multipart/form-data': describeForm(form, components) }),
  }
  return { required: true, content }
}

/** A form as `receiveUpload` reads it. */
function describeForm(form: z.ZodType, components: Components): JsonSchema {
  const fields = referTo(form, 'input', components, { inline: true })
  const { properties, required = [], examples = [], ...rest } = fields
  const bytes = { type: 'string', format: 'binary', description: 'The file, as the last part of the form' }
  const withFile = (examples as object[]).map((example) => ({ ...example, file: 'the bytes of the file' }))
  return {
    schema: {
      ...rest,
      properties: { ...(properties as JsonSchema), file: bytes },
      required: [...(required as string[]), 'file'],
    },
    ...withExamples(withFile),
  }
}

function describeAnswers(words: AnyOperation, method: string, components: Components): JsonSchema {
  const success = successOf(words).status
  const answers = Object.entries(words.answers).map(([status, schema]) => {
    const isSuccess = Number(status) === success
    const headers = isSuccess ? describeAnswerHeaders(words, method) : {}
    const description = schema.description ?? STATUS_CODES[status] ?? 'An answer'
    const content = describeContent(words, schema, Number(status), components)
    return [
      status,
      { description, ...(Object.keys(headers).length > 0 && { headers }), ...(content && { content }) },
    ]
  })
  return Object.fromEntries(answers)
}

function describeContent(
  { produces, samples = {} }: AnyOperation,
  schema: z.ZodType,
  status: number,
  components: Components,
): JsonSchema | undefined {
  if (schema === noContent) return undefined
  if (schema === Problem) return describeRefusal(status, components)
  const isProblem = status >= 400 && schema instanceof z.ZodObject && 'detail' in schema.shape
  const types = isProblem
    ? [problemType]
    : (produces ?? [schema === file ? 'application/octet-stream' : 'application/json'])
  const media = describeMedia(schema, 'output', components)
  const describeText = (type: string) => ({
    schema: { type: 'string' },
    ...withExamples(type in samples ? [samples[type]] : undefined),
  })
  return Object.fromEntries(
    types.map((type) => [type, isJson(type) || schema === file ? media : describeText(type)]),
  )
}

function isJson(type: string): boolean {
  return /^application\/(\w+\+)?json$/.test(type)
}

function describeAnswerHeaders(words: AnyOperation, method: string): JsonSchema {
  const { schema } = successOf(words)
  const names = [
    hasRevision(schema) && 'ETag',
    isPage(schema) && 'Link',
    words.location && 'Location',
    isRepeatable(words, method) && 'Idempotency-Replayed',
  ].filter((name) => typeof name === 'string')
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

/** What can go wrong follows from the words; the operation's own answers take precedence. */
function describeRefusals(words: AnyOperation, method: string, url: string): JsonSchema {
  const { right, body, form, ifMatch, bucket, answers } = words
  const changes = method !== 'GET'
  const statuses = [
    400,
    ...(right === 'public' && bucket !== 'sign_in' ? [] : [401]),
    ...(typeof right === 'object' ? [403] : []),
    ...(url.includes(':') ? [404] : []),
    ...(changes ? [409] : []),
    ...(ifMatch ? [412, 428] : []),
    ...(body || form ? [413, 415] : []),
    422,
    429,
    500,
    503,
  ].filter((status) => !(status in answers))
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${status}` }]))
}

function describeRefusal(status: number, components: Components): JsonSchema {
  const media = describeMedia(Problem, 'output', components)
  const refusal = refusals[status]
  const examples = refusal && [describeProblem({ status, ...refusal }, asked)]
  return { [problemType]: { ...media, ...withExamples(examples) } }
}

const asked = { url: '/v1/use-cases/UC-1042', id: '6f1c52a0-7c0e-4c55-9d0e-3f0a5f0f8a11' }

/** The parts that all operations share, for `components` of the document. */
export function describeShared(components: Components): JsonSchema {
  const text = { type: 'string' }
  const retry = { 'Retry-After': { $ref: '#/components/headers/Retry-After' } }
  const responses = Object.entries(refusals).map(([status, { meaning }]) => {
    const headers = status === '429' || status === '503' ? { headers: retry } : {}
    const content = describeRefusal(Number(status), components)
    return [status, { description: meaning, ...headers, content }]
  })
  return {
    responses: Object.fromEntries(responses),
    parameters: {
      IfMatch: {
        name: 'If-Match',
        in: 'header',
        required: true,
        description: 'The ETag of the revision you change',
        schema: { ...text, examples: ['"3"'] },
      },
      IdempotencyKey: {
        name: 'Idempotency-Key',
        in: 'header',
        description:
          'Your name for this request: sent again with it, it gets the first answer and has no second effect',
        schema: { ...text, minLength: 1, maxLength: 200, pattern: '^[!-~]+$' },
      },
    },
    headers: {
      ETag: { description: 'The revision', schema: { ...text, examples: ['"3"'] } },
      Link: { description: 'The next page, as rel="next"', schema: text },
      Location: { description: 'Where the created thing is', schema: text },
      'Idempotency-Replayed': { description: '`true` when this is the first answer again', schema: text },
      'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } },
    },
  }
}
