import type { z } from 'zod'
import { type JsonSchema, jsonSchemaOf, noContent } from './zod.js'

type Schemas = Record<string, JsonSchema>

/** What the document names: schemas and examples, by id. */
export interface Components {
  schemas: Schemas
  examples: Record<string, { value: unknown }>
  /** Named schemas in the form in which they are answered. */
  answered: Schemas
}

/** @param answers of all operations: a schema that is sent has a name of its own where its answered form differs */
export function newComponents(answers: z.ZodType[]): Components {
  const told = answers.filter((schema) => schema !== noContent)
  const answered = told.map((schema) => splitDefs(answeredForm(schema)).defs)
  return { schemas: {}, examples: {}, answered: Object.assign({}, ...answered) }
}

/** A media type object: the schema, by name where it has one, with its examples. */
export function describeMedia(
  schema: z.ZodType,
  io: 'input' | 'output',
  components: Components,
): JsonSchema & { schema: JsonSchema } {
  const { examples, ...json } = referTo(schema, io, components)
  const [, name] = /^#\/components\/schemas\/(.+)$/.exec(String(json.$ref)) ?? []
  if (!name || examples) return { schema: json, ...withExamples(examples) }
  const named = Object.keys(components.examples).filter((key) => key.replace(/\d+$/, '') === name)
  const refs = named.map((key) => [key, { $ref: `#/components/examples/${key}` }])
  return { schema: json, ...(refs.length > 0 && { examples: Object.fromEntries(refs) }) }
}

/** What `.meta({ examples })` of a schema without a name says. */
export function withExamples(examples: unknown): { examples?: Components['examples'] } {
  return Array.isArray(examples) ? { examples: nameExamples('example', examples) } : {}
}

function nameExamples(name: string, examples: unknown[]): Components['examples'] {
  return Object.fromEntries(examples.map((value, n) => [n === 0 ? name : `${name}${n + 1}`, { value }]))
}

/**
 * JSON Schema of a zod schema with references to `components`. Of a schema that differs between what is sent and
 * what is answered (defaults), the sent form is named `…Input`.
 */
export function referTo(
  schema: z.ZodType,
  io: 'input' | 'output',
  components: Components,
  { inline = false } = {},
): JsonSchema {
  const json = io === 'output' ? answeredForm(schema) : jsonSchemaOf(schema, { io, target })
  const { root, defs } = splitDefs(json, inline)
  const sent = io === 'input' ? namesOfInputs(defs, components.answered) : new Map<string, string>()
  const nameOf = (id: string) => sent.get(id) ?? id
  for (const [id, def] of Object.entries(defs)) addComponent(components, nameOf(id), rename(def, nameOf))
  return rename(root, nameOf)
}

const target = 'draft-2020-12'

function answeredForm(schema: z.ZodType): JsonSchema {
  return open(jsonSchemaOf(schema, { io: 'output', target }))
}

/** A schema's examples stand beside it, under its name. */
function addComponent(components: Components, name: string, { examples, ...schema }: JsonSchema): void {
  if (name.startsWith('__')) throw new Error('a recursive schema needs an id of its own: .meta({ id })')
  const known = components.schemas[name]
  if (known && JSON.stringify(known) !== JSON.stringify(schema))
    throw new Error(`two schemas are called ${name}`)
  components.schemas[name] = schema
  if (Array.isArray(examples)) Object.assign(components.examples, nameExamples(name, examples))
}

function splitDefs(json: JsonSchema, inline = false): { root: JsonSchema; defs: Schemas } {
  const { $defs = {}, $schema: _draft, ...root } = json
  const defs = Object.fromEntries(
    Object.entries($defs as Schemas).map(([id, { id: _id, ...def }]) => [id, def]),
  )
  const { id, ...rest } = root
  if (typeof id !== 'string' || inline) return { root: rest, defs }
  return { root: { $ref: `#/$defs/${id}` }, defs: { ...defs, [id]: rest } }
}

/** What is sent needs a name of its own when it is answered too, and it or what it refers to looks different then. */
function namesOfInputs(inputs: Schemas, answered: Schemas): Map<string, string> {
  const names = new Map<string, string>()
  const shared = Object.keys(inputs).filter((id) => id in answered)
  const differs = (id: string) => JSON.stringify(inputs[id]) !== JSON.stringify(answered[id])
  const refersToNamed = (id: string) =>
    [...names.keys()].some((other) => JSON.stringify(inputs[id]).includes(`"#/$defs/${other}"`))
  for (let before = -1; before < names.size; ) {
    before = names.size
    for (const id of shared) if (differs(id) || refersToNamed(id)) names.set(id, `${id}Input`)
  }
  return names
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
