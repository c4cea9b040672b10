import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { buildApp } from '../src/app.js'
import { projectRoot, readConfig } from '../src/config.js'
import { openDatabase } from '../src/db/database.js'
import { tags } from '../src/http/operations.js'
import { ImportProfile } from '../src/imports/profile.js'
import { toInstant } from '../src/instant.js'
import { loadPolicies } from '../src/policy/load.js'

interface Operation {
  operationId?: string
  tags?: string[]
  summary?: string
  security?: unknown[]
  parameters: { $ref?: string; name?: string; in?: string }[]
  responses: Record<string, unknown>
}

const path = join(projectRoot, 'openapi', 'openapi.json')

/** The document needs the routes and nothing behind them: there is no database where this one is looked for. */
async function describeApi() {
  const config = readConfig({ ASSENT_LOG_LEVEL: 'silent', ASSENT_DATA_DIR: t.testdir() })
  const clock = { now: () => toInstant(new Date()) }
  const limits = { poolSize: 1, exportPoolSize: 1, statementTimeoutMs: 1000 }
  const database = await openDatabase({ connection: { host: '/nowhere' }, clock, ...limits })
  const app = await buildApp({ config, database, policies: loadPolicies(config.policiesDir, ImportProfile) })
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger()))
  await app.close()
  await database.close()
  return document
}

const document = await describeApi()
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
