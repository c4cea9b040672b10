import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { projectRoot } from '../config.js'
import { newComponents } from './components.js'
import { type Described, describeOperation, describeShared } from './describe.js'
import { tags } from './operations.js'
import { Problem } from './problem.js'
import type { App } from './types.js'

/** The API document at `/docs/json` and its page at `/docs`, from the same zod schemas that validate. */
export async function registerSpec(app: App): Promise<void> {
  const listed = listOperations(app)
  app.decorate('operations', listed)
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: describeInfo() },
    // The plugin finds the routes and serves the document; what a route says is described from its zod schemas.
    transform: ({ url }) => ({ schema: { hide: true }, url }),
    transformObject: () => describeApi(listed),
  })
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, right: 'public' }
    })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { docExpansion: 'list', tryItOutEnabled: false },
      theme: { title: 'Assent API' },
    })
  })
}

/** @throws Error when two routes share an operation id. */
function listOperations(app: App): Described[] {
  const listed: Described[] = []
  app.addHook('onRoute', ({ url, method, config }) => {
    const words = config?.operation
    if (!words || typeof method !== 'string' || method === 'HEAD') return
    const isTaken = listed.some((other) => other.words.id === words.id)
    if (isTaken) throw new Error(`two operations are called ${words.id}`)
    listed.push({ words, method, url })
  })
  return listed
}

function describeApi(listed: Described[]) {
  const answers = listed.flatMap(({ words }) => Object.values(words.answers))
  const components = newComponents([...answers, Problem])
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of listed.toSorted((a, b) => (a.url < b.url ? -1 : 1))) {
    const path = operation.url.replace(/:(\w+)/g, '{$1}')
    paths[path] = {
      ...paths[path],
      [operation.method.toLowerCase()]: describeOperation(operation, components),
    }
  }
  const shared = describeShared(components)
  return {
    openapi: '3.1.0',
    info: describeInfo(),
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer },
      schemas: sorted(components.schemas),
      examples: sorted(components.examples),
      ...shared,
    },
  }
}

const bearer = {
  type: 'http',
  scheme: 'bearer',
  description: 'An access token of the identity provider, or a service token (`assent_sk_…`)',
}

function describeInfo() {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  return {
    title: 'Assent',
    version: String(version),
    description:
      'A register of AI use cases with decisions that count, and a gate. Conventions: openapi/README.md.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  }
}

function sorted<T>(named: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)))
}
