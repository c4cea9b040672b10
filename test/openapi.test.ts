import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../src/app.js'
import { projectRoot, readConfig } from '../src/config.js'
import { openDatabase } from '../src/db/database.js'
import { openStore } from '../src/evidence/stores/open.js'
import { tags } from '../src/http/operations.js'
import { Problem } from '../src/http/problem.js'
import { ImportProfile } from '../src/imports/profile.js'
import { toInstant } from '../src/instant.js'
import { loadPolicies } from '../src/policy/load.js'
import { createDatabase } from './helper.js'

interface Operation {
  operationId?: string
  tags?: string[]
  summary?: string
  description?: string
  security?: unknown[]
  parameters: { $ref?: string; name?: string; in?: string; description?: string }[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}

/** By media type. */
type Content = Record<string, Media>
interface Media {
  schema: { properties?: Record<string, unknown>; required?: string[] }
  examples?: Record<string, { $ref?: string; value?: unknown }>
}

const path = join(projectRoot, 'openapi', 'openapi.json')

/** The document needs the routes and nothing behind them; the service just will not open without a database. */
async function describeApi() {
  const config = readConfig({ ASSENT_LOG_LEVEL: 'silent', ASSENT_DATA_DIR: t.testdir() })
  const clock = { now: () => toInstant(new Date()) }
  const limits = { poolSize: 1, exportPoolSize: 1, statementTimeoutMs: 1000 }
  const { appConnection: connection } = await createDatabase(t)
  const database = await openDatabase({ connection, clock, ...limits })
  const app = await buildApp({
    config,
    database,
    policies: loadPolicies(config.policiesDir, ImportProfile),
    blobs: await openStore(config),
  })
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger()))
  const { operations: spoken } = app
  await app.close()
  await database.close()
  return { document, spoken }
}

const { document, spoken } = await describeApi()
const text = `${JSON.stringify(document, null, 2)}\n`
if (process.env.TAP_SNAPSHOT === '1') writeFileSync(path, text)

const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${url}`,
    url,
    method,
    operation,
  })),
)

t.test('the committed document is the one the routes give', async (t) => {
  t.equal(readFileSync(path, 'utf8'), text, 'npm run openapi writes it anew')
})

t.test('the document is valid OpenAPI 3.1', async (t) => {
  const result = await new Validator().validate(structuredClone(document))
  t.same(result.errors ?? [], [])
  t.equal(result.valid, true)
  t.equal(document.openapi, '3.1.0')
})

t.test('every reference leads to something', async (t) => {
  for (const [, pointer = ''] of text.matchAll(/"\$ref": "#\/([^"]+)"/g)) {
    const target = pointer.split('/').reduce((node, step) => node?.[step], document)
    t.ok(target, pointer)
  }
})

t.test('every operation has a name, a chapter, a summary and its refusals', async (t) => {
  t.ok(operations.length > 3)
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'names are unique')
  for (const { name, url, method, operation } of operations) {
    const { operationId = '', summary = '', security, parameters, responses } = operation
    t.match(operationId, /^[a-z]+[A-Z]\w+$/, `${name}: verb and noun`)
    t.match(summary, /^[A-Z].{3,79}$/, `${name}: summary`)
    t.ok(operation.tags?.every((tag) => tag in tags) && operation.tags.length === 1, `${name}: tag`)
    const isPublic = security?.length === 0
    const expected = ['400', '422', '429', '500', '503', ...(isPublic ? [] : ['401'])]
    if (url.includes('{')) expected.push('404')
    if (method !== 'get') expected.push('409')
    for (const status of expected) t.ok(responses[status], `${name}: ${status}`)
    t.ok(
      Object.keys(responses).some((status) => status < '400'),
      `${name}: success`,
    )
    const named = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name)
    t.same(
      named.sort(),
      [...url.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort(),
      `${name}: parameters`,
    )
  }
})

t.test('every operation and every parameter says more than its name', async (t) => {
  for (const { name, operation } of operations) {
    t.match(operation.description, /^[A-Z0-9`].{12}/s, `${name}: description`)
    for (const parameter of operation.parameters) {
      const { name: of = '', description } = resolve<Operation['parameters'][number]>(parameter)
      t.match(description, /^[A-Z`].{5}/s, `${name}: ${of}`)
    }
  }
})

t.test('every answer as text has an example', async (t) => {
  for (const { name, operation } of operations) {
    for (const { content = {} } of Object.values(operation.responses)) {
      for (const [type, media] of Object.entries(content).filter(([type]) => /^text|ndjson/.test(type))) {
        t.match(valuesOf(media), [/\n$/], `${name}: ${type}`)
      }
    }
  }
})

t.test('every JSON body and answer has examples, and each is what its own schema allows', async (t) => {
  for (const { words } of spoken) {
    const { requestBody, responses } = operationOf(words.id)
    if (words.body)
      assertExamples(t, requestBody?.content['application/json'], words.body, `${words.id}: body`)
    for (const [status, schema] of Object.entries(words.answers)) {
      const { content = {} } = responses[status] ?? {}
      const types = Object.keys(content).filter((type) => type === 'application/json')
      // What Assent answers is whole: nothing is left for a schema to fill in or to take away.
      for (const type of types) {
        const values = assertExamples(t, content[type], schema, `${words.id}: ${status}`)
        for (const value of values) t.same(schema.parse(value), value, `${words.id}: ${status} is whole`)
      }
    }
  }
})

t.test('every refusal has examples, and each is a problem of that status', async (t) => {
  for (const { words } of spoken) {
    for (const [status, response] of Object.entries(operationOf(words.id).responses)) {
      const { content = {} } = resolve<{ content?: Content }>(response)
      const media = content['application/problem+json']
      if (!media) continue
      const declared = words.answers[Number(status)] ?? Problem
      for (const value of assertExamples(t, media, declared, `${words.id}: ${status}`)) {
        t.equal(Problem.parse(value).status, Number(status), `${words.id}: ${status}`)
      }
    }
  }
})

t.test('a form names its fields, and the file as the last of them', async (t) => {
  const forms = spoken.filter(({ words }) => words.form)
  t.same(forms.map(({ words }) => words.id).sort(), ['attachFile', 'importCatalog', 'uploadImport'])
  for (const { words } of forms) {
    const media = operationOf(words.id).requestBody?.content['multipart/form-data']
    const { properties = {}, required = [] } = media?.schema ?? {}
    t.equal(Object.keys(properties).at(-1), 'file')
    t.match(properties.file, { type: 'string', format: 'binary' })
    t.ok(required.includes('file'))
    t.not(Object.keys(properties).length, 1, 'the fields of the form are there')
    for (const { file, ...fields } of valuesOf(media) as { file: unknown }[]) {
      t.type(file, 'string')
      t.ok(words.form?.safeParse(fields).success, `${words.id}: ${JSON.stringify(fields)}`)
    }
    t.not(valuesOf(media).length, 0, `${words.id} has examples`)
  }
})

t.test('what has a name is described once, and referred to', async (t) => {
  for (const { name, operation } of operations) {
    const json = operation.requestBody?.content['application/json']
    if (json) t.match(json.schema, { $ref: /^#\/components\/schemas\// }, `${name}: body`)
    for (const [status, { content }] of Object.entries(operation.responses)) {
      const schema = content?.['application/json']?.schema
      if (schema) t.match(schema, { $ref: /^#\/components\/schemas\// }, `${name}: ${status}`)
    }
  }
})

function operationOf(id: string): Operation {
  const found = operations.find(({ operation }) => operation.operationId === id)
  if (!found) throw new Error(`${id} is not in the document`)
  return found.operation
}

function resolve<T>(node: object): T {
  if (!('$ref' in node)) return node as T
  const steps = String(node.$ref).slice(2).split('/')
  return steps.reduce((found, step) => found?.[step], document)
}

function valuesOf(media: Media | undefined): unknown[] {
  return Object.values(media?.examples ?? {}).map((example) => resolve<{ value: unknown }>(example).value)
}

function assertExamples(t: Test, media: Media | undefined, schema: z.ZodType, name: string): unknown[] {
  const values = valuesOf(media)
  t.not(values.length, 0, `${name} has an example`)
  for (const value of values) {
    const { error } = schema.safeParse(value)
    t.notOk(error && z.prettifyError(error), `${name}: ${JSON.stringify(value).slice(0, 80)}`)
  }
  return values
}
