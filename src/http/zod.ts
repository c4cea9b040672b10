import type { Readable } from 'node:stream'
import fastJson from 'fast-json-stringify'
import type { FastifyTypeProvider } from 'fastify'
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify/types/schema.js'
import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { explain, issuesOf } from '../issues.js'

/** The answer of an operation that has nothing to say (204). */
export const noContent = z.void()

/** The answer of an operation that streams a file instead of JSON. */
export const file = z.custom<Readable>()

/** Types `request.params`, `query` and `body`, and what a handler may return, from the route's zod schemas. */
export interface ZodTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
}

export type JsonSchema = Record<string, unknown>

const partNames: Record<string, string> = {
  body: 'the body',
  querystring: 'the query',
  params: 'the path',
  headers: 'the headers',
}

export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart = 'body' }) => {
  return (data: unknown) => {
    const read = schema.safeParse(data, { error: explain })
    return read.success ? { value: read.data } : { error: invalidInput(read.error, httpPart) }
  }
}

/** No answer is many times as long as its request, whoever sent it. */
const ISSUES = 20

function invalidInput(error: z.ZodError, httpPart: string): RegistryError {
  const found = issuesOf(error)
  const issues = found.slice(0, ISSUES).map(({ path, message }) => ({ path: path.slice(0, 300), message }))
  const [first] = issues
  const where = first?.path ? ` at ${first.path}` : ''
  const more = found.length > 1 ? `, and ${found.length - 1} more` : ''
  const message = `correct ${partNames[httpPart] ?? httpPart}${where}: ${first?.message}${more}`
  return new RegistryError('invalid', message, { issues })
}

const serializers = new WeakMap<z.ZodType, (data: unknown) => string>()

/** The serializer of fast-json-stringify for a response schema, made once for each. */
export const compileSerializer: FastifySerializerCompiler<z.ZodType> = ({ schema }) => {
  const known = serializers.get(schema)
  if (known) return known
  const serialize = isPlainJson(schema)
    ? fastJson(serializerSchema(schema), { ajv: { strict: false } })
    : JSON.stringify
  serializers.set(schema, serialize)
  return serialize
}

const isPlainJson = (schema: z.ZodType): boolean => schema !== noContent && schema !== file

/**
 * JSON Schema of what clients send (`input`) or get (`output`).
 * @throws Error for what JSON cannot show, such as a transform in an answer: a boot must fail, not a request.
 */
export function jsonSchemaOf(
  schema: z.ZodType,
  params: Pick<z.core.ToJSONSchemaParams, 'io' | 'target' | 'metadata'>,
): JsonSchema {
  return z.toJSONSchema(schema, {
    ...params,
    unrepresentable: ({ zodSchema }) =>
      Object.is(zodSchema, file) ? { type: 'string', format: 'binary' } : 'throw',
    override: ({ zodSchema, jsonSchema }) => {
      dropNoise(jsonSchema)
      // Zod drops those of a body with a transform, as examples of what comes out. Ours are of what is sent.
      if (Object.is(zodSchema, schema) && params.io === 'input') Object.assign(jsonSchema, examplesOf(schema))
    },
  })
}

function examplesOf(schema: z.ZodType): { examples?: unknown[] } {
  const { examples } = schema.meta() ?? {}
  return Array.isArray(examples) ? { examples } : {}
}

/** A format says what its pattern repeats, and the bounds of safe integers go without saying. */
function dropNoise(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.format) delete schema.pattern
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
}

/** All that decides the shape of the output. What only validates (lengths, patterns, formats) would slow it down. */
const shaping = new Set(['$ref', 'type', 'const', 'enum', 'required', 'items', 'additionalItems'])
const unions = new Set(['anyOf', 'oneOf', 'allOf'])
const named = new Set(['properties', 'definitions'])

/** Ids are ignored, so that everything but recursion is inlined: a reference costs a function call. */
function serializerSchema(schema: z.ZodType): JsonSchema {
  return shapeOf(jsonSchemaOf(schema, { io: 'output', target: 'draft-07', metadata: z.registry() }))
}

function shapeOf(schema: unknown): JsonSchema {
  if (!isObject(schema)) return {}
  const shape: JsonSchema = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'items') shape[key] = Array.isArray(value) ? value.map(shapeOf) : shapeOf(value)
    else if (shaping.has(key)) shape[key] = value
    else if (unions.has(key) && Array.isArray(value)) shape[key] = value.map(shapeOf)
    else if (named.has(key) && isObject(value)) shape[key] = mapValues(value, shapeOf)
    else if (key === 'additionalProperties') shape[key] = isObject(value) ? shapeOf(value) : value
  }
  return collapseNullable(shape)
}

/** `anyOf: [X, null]` makes fast-json-stringify validate each value; a list of types makes it look once. */
function collapseNullable(shape: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = shape
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return shape
  const [branch, other] = anyOf
  if (other?.type !== 'null' || typeof branch?.type !== 'string' || 'const' in branch) return shape
  const { enum: _values, ...scalar } = branch
  return { ...rest, ...scalar, type: [branch.type, 'null'] }
}

function mapValues(object: Record<string, unknown>, change: (value: unknown) => JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
