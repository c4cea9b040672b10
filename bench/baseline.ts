// The limits that the service is measured against: bare Fastify routes over the same database, with the same
// statements and nothing else. `node baseline.js <socket folder> <database>`
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { AbilityBuilder, createMongoAbility, type MongoAbility, subject } from '@casl/ability'
import fastify from 'fastify'
import { LRUCache } from 'lru-cache'
import pg from 'pg'
import type { Ready } from './children.js'
import { pageStatement, pointStatement, wholeStatement } from './statements.js'

const [host, database] = process.argv.slice(2)
const connection = { host, database, user: 'assent_app', options: '-c timezone=UTC -c datestyle=ISO' }

/** As many connections as the service has for the same work. */
const pool = new pg.Pool({ ...connection, max: 4 })
pool.on('error', () => {}) // the server may stop first
const lines = [await openLine(), await openLine()]
let turn = 0

const app = fastify({ bodyLimit: 2 ** 40 })
const summary = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    title: { type: 'string' },
    stage: { type: 'string' },
    version: { type: 'integer' },
  },
}
const answer = { schema: { response: { 200: summary } } }

app.get('/bare', answer, async () => ({ id: 'x', title: 'Claims triage', stage: 'idea', version: 1 }))

app.get<{ Params: { number: string } }>('/point/:number', answer, async ({ headers, params }) => {
  const ability = abilityOf(headers.authorization ?? '')
  turn += 1
  const line = lines[turn % lines.length]
  const { rows } = (await line?.query({ ...pointStatement, values: [params.number] })) ?? { rows: [] }
  if (!ability.can('read', subject('UseCase', { ...rows[0] }))) throw new Error('not yours')
  return rows[0]
})

app.get<{ Params: { id: string } }>('/use-cases/:id', async ({ params }) => {
  const { rows } = await pool.query({ ...wholeStatement, values: [params.id] })
  return rows[0]
})

app.get<{ Querystring: { updatedAt: string; id: string } }>('/page', async ({ query }) => {
  const { rows } = await pool.query({ ...pageStatement, values: [new Date(), query.updatedAt, query.id, 51] })
  return rows
})

/** What any upload has to do at least: its bytes, from the socket to the disk. */
app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
app.post<{ Body: Readable }>('/disk', async ({ body }) => {
  const path = join(mkdtempSync(join(tmpdir(), 'assent-bench-')), 'upload')
  const file = await open(path, 'wx')
  try {
    for await (const chunk of body) await file.writeFile(chunk)
    await file.sync()
  } finally {
    await file.close()
    rmSync(dirname(path), { recursive: true })
  }
  return {}
})

const origin = await app.listen({ host: '127.0.0.1', port: 0 })
process.once('disconnect', () => process.exit(0))
process.send?.({ origin } satisfies Ready)

async function openLine(): Promise<pg.Client> {
  const client = new pg.Client({ ...connection, pipeline: true })
  await client.connect()
  return client
}

const known = new LRUCache<string, MongoAbility>({ max: 5000, ttl: 60_000 })

/** A token is believed here; what counts is what it costs to look it up. */
function abilityOf(authorization: string): MongoAbility {
  const digest = createHash('sha256').update(authorization.slice('Bearer '.length)).digest('hex')
  const cached = known.get(digest)
  if (cached) return cached
  const { can, rules } = new AbilityBuilder(createMongoAbility)
  can('read', 'UseCase', { stage: { $in: ['idea', 'pre_deployment', 'pilot', 'deployed'] } })
  const ability = createMongoAbility(rules)
  known.set(digest, ability)
  return ability
}
