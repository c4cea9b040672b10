import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { type AnyOperation, hasRevision, isPage, isRepeatable, successOf } from './operations.js'
import { Problem, problemType } from './problem.js'
import { file, type JsonSchema, jsonSchemaOf, noContent } from './zod.js'

/** Schemas with an id, by the name they have in the document. */
export type Components = Record<string, JsonSchema>

interface Described {
  words: AnyOperation
  method: string
  url: string
}

/** One operation as OpenAPI 3.1 has it; named schemas go to `components`. */
export function describeOperation({ words, method, url }: Described, components: Components): JsonSchema {
  const { params, query, body, consumes } = words
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
    ...((body || consumes) && { requestBody: describeBody(words, components) }),
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

function describeBody(
  { body, consumes = ['application/json'] }: AnyOperation,
  components: Components,
): JsonSchema {
  const schema = body ? referTo(body, 'input', components) : { type: 'string', format: 'binary' }
  return { required: true, content: Object.fromEntries(consumes.map((type) => [type, { schema }])) }
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
  { produces }: AnyOperation,
  schema: z.ZodType,
  status: number,
  components: Components,
): JsonSchema | undefined {
  if (schema === noContent) return undefined
  const isProblem = status >= 400 && schema instanceof z.ZodObject && 'detail' in schema.shape
  const types = isProblem
    ? [problemType]
    : (produces ?? [schema === file ? 'application/octet-stream' : 'application/json'])
  const json = referTo(schema, 'output', components)
  return Object.fromEntries(types.map((type) => [type, { schema: json }]))
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
  const { right, body, consumes, ifMatch, bucket, answers } = words
  const changes = method !== 'GET'
  const statuses = [
    400,
    ...(right === 'public' && bucket !== 'sign_in' ? [] : [401]),
    ...(typeof right === 'object' ? [403] : []),
    ...(url.includes(':') ? [404] : []),
    ...(changes ? [409] : []),
    ...(ifMatch ? [412, 428] : []),
    ...(body || consumes ? [413, 415] : []),
    422,
    429,
    500,
    503,
  ].filter((status) => !(status in answers))
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${status}` }]))
}

const refusals: Record<number, string> = {
  400: 'Malformed: not JSON, or a header that cannot be read',
  401: 'Nobody is signed in, or the token does not count (any more)',
  403: 'The decision right named in `rule` does not allow it',
  404: 'There is no such thing, or none that you may see',
  409: 'What was asked does not fit the present state, or the Idempotency-Key was used for another request',
  412: 'Somebody changed it since the revision named in If-Match',
  413: 'The body is too large',
  415: 'The body has another media type',
  422: 'Valid JSON with wrong contents; `issues` says where',
  428: 'If-Match is missing',
  429: 'Too many requests',
  500: 'A bug',
  503: 'The service cannot tell right now',
}

/** The parts that all operations share, for `components` of the document. */
export function describeShared(components: Components): JsonSchema {
  const schema = referTo(Problem, 'output', components)
  const text = { type: 'string' }
  const retry = { 'Retry-After': { $ref: '#/components/headers/Retry-After' } }
  const responses = Object.entries(refusals).map(([status, description]) => {
    const headers = status === '429' || status === '503' ? { headers: retry } : {}
    return [status, { description, ...headers, content: { [problemType]: { schema } } }]
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

/**
 * JSON Schema of a zod schema with references to `components`. Of a schema that differs between what is sent and
 * what is answered (defaults), the sent form is named `…Input`.
 */
function referTo(
  schema: z.ZodType,
  io: 'input' | 'output',
  components: Components,
  { inline = false } = {},
): JsonSchema {
  const json = jsonSchemaOf(schema, { io, target: 'draft-2020-12' })
  const { root, defs } = splitDefs(io === 'output' ? open(json) : json, inline)
  const names = io === 'input' ? namesOfInputs(schema, defs) : new Map<string, string>()
  const nameOf = (id: string) => names.get(id) ?? id
  for (const [id, def] of Object.entries(defs)) addComponent(components, nameOf(id), rename(def, nameOf))
  return rename(root, nameOf)
}

function addComponent(components: Components, name: string, schema: JsonSchema): void {
  if (name.startsWith('__')) throw new Error('a recursive schema needs an id of its own: .meta({ id })')
  const known = components[name]
  if (known && JSON.stringify(known) !== JSON.stringify(schema))
    throw new Error(`two schemas are called ${name}`)
  components[name] = schema
}

function splitDefs(json: JsonSchema, inline: boolean): { root: JsonSchema; defs: Components } {
  const { $defs = {}, $schema: _draft, ...root } = json
  const defs = Object.fromEntries(
    Object.entries($defs as Components).map(([id, { id: _id, ...def }]) => [id, def]),
  )
  const { id, ...rest } = root
  if (typeof id !== 'string' || inline) return { root: rest, defs }
  return { root: { $ref: `#/$defs/${id}` }, defs: { ...defs, [id]: rest } }
}

/** A definition needs a name of its own when it, or one it refers to, differs from the answered form. */
function namesOfInputs(schema: z.ZodType, inputs: Components): Map<string, string> {
  const { defs: outputs } = splitDefs(answeredForm(schema), false)
  const names = new Map<string, string>()
  const differs = (id: string) => JSON.stringify(inputs[id]) !== JSON.stringify(outputs[id])
  const refersToNamed = (id: string) =>
    [...names.keys()].some((other) => JSON.stringify(inputs[id]).includes(`"#/$defs/${other}"`))
  for (let before = -1; before < names.size; ) {
    before = names.size
    for (const id of Object.keys(inputs)) if (differs(id) || refersToNamed(id)) names.set(id, `${id}Input`)
  }
  return names
}

/** Without it (a transform has no answered form) every definition counts as different. */
function answeredForm(schema: z.ZodType): JsonSchema {
  try {
    return open(jsonSchemaOf(schema, { io: 'output', target: 'draft-2020-12' }))
  } catch {
    return {}
  }
}

/** Answers may grow: a client that refused fields it does not know would break. */
function open(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_key, value) => {
    if (value?.additionalProperties !== false) return value
    const { additionalProperties: _closed, ...rest } = value
    return rest
  })
}

function rename(schema: JsonSchema, nameOf: (id: string) => string): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === '$ref'
      ? value.replace(/^#\/\$defs\/(.+)$/, (_: string, id: string) => `#/components/schemas/${nameOf(id)}`)
      : value,
  )
}
