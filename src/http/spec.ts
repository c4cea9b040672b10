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

const icon = {
  filename: 'assent.svg',
  rel: 'icon',
  type: 'image/svg+xml',
  sizes: 'any',
  content:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="m2 9 4 4 8-10" fill="none" stroke="#1d7f54" stroke-width="2.5"/></svg>',
}

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
      uiConfig: { docExpansion: 'list', layout: 'BaseLayout', tryItOutEnabled: false },
      theme: { title: 'Assent API', favicon: [icon] },
      logo: { type: icon.type, content: icon.content },
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
  description:
    "A person's token (`assent_pt_…`), a pipeline's service token (`assent_sk_…`), or an access token of the identity provider that is configured. The word `Bearer` is put before it.",
}

const description = `
A register of AI use cases with decisions that count, and a gate that lets a pipeline deploy while they stand.

- **Signing in**: \`Authorization: Bearer …\` with a person's token (\`assent_pt_…\`), a pipeline's service token
  (\`assent_sk_…\`) or an access token of the identity provider. \`GET /v1/me\` says what you may do, and why.
- **Input** is JSON in UTF-8; a file is the last part of a form. Unknown fields are refused, in the body and in the query.
  Ids are UUIDs, instants RFC 3339 in UTC, and what is absent is \`null\`. A use case is named by its id or its key
  (\`UC-1042\`).
- **Changing**: send the \`ETag\` of what you read as \`If-Match\`. Without it the answer is 428; when somebody was
  faster it is 412, and you read again. With an \`Idempotency-Key\` a POST has its effect once, however often it is sent.
- **Lists** come by page: \`limit\` (1 to 200, else 50) and \`cursor\`, which is \`next\` of the page before; on the
  last page \`next\` is null.
- **Refusals** are \`application/problem+json\` (RFC 9457): \`detail\` is one sentence for a person, \`code\` is for
  programs, \`rule\` names the decision right that spoke, \`issues\` point into the input (RFC 6901), \`requestId\` finds
  the request in the log. After 429 and 503, \`Retry-After\` says how many seconds to wait.
- **The gate** denies with 409, and every reason. Take anything but a 2xx for a no.
- Answers may gain fields within \`/v1\`.
`.trim()

function describeInfo() {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  return {
    title: 'Assent',
    version: String(version),
    description,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  }
}

function sorted<T>(named: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)))
}
