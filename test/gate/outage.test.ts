import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type pg from 'pg'
import pino from 'pino'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config.js'
import { openDatabase } from '../../src/db/database.js'
import { openStore } from '../../src/evidence/stores/open.js'
import { startApp } from '../app.js'
import { approved, registered } from './register.js'

/** A database that can be made to hang or to go away: everything passes through here. */
class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  state: 'up' | 'silent' | 'gone' = 'up'
  /** Pieces that were lost while silent. */
  swallowed = 0

  constructor({ host = '', port = 0 }: pg.ClientConfig) {
    this.#server = createServer((near) => {
      if (this.state === 'gone') return near.destroy()
      const far = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.on('data', (bytes) => (this.state === 'up' ? to.write(bytes) : this.#swallow()))
        from.on('error', () => {})
        from.on('close', () => this.#sockets.delete(from) && to.destroy())
      }
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  #swallow(): void {
    this.swallowed += 1
  }

  break(state: 'silent' | 'gone'): void {
    this.state = state
    this.swallowed = 0
    if (state === 'gone') this.#cut()
  }

  repair(): void {
    this.state = 'up'
    this.#cut()
  }

  close(): void {
    this.#cut()
    this.#server.close()
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

const app = await startApp(t, { env: { ASSENT_SIGN_IN_TIMEOUT_MS: '2000' } })
const { person, policies, connections } = app
const risk = await person('Rita', { rights: ['risk_owner'] })
const cleared = await registered(app, { ...approved, valid_until: '2100-01-01T00:00:00.000Z' })
const wire = new Wire(connections.appConnection)
const port = await wire.listen()
const database = await openDatabase({
  connection: { ...connections.appConnection, host: '127.0.0.1', port },
  poolSize: 4,
  exportPoolSize: 1,
  statementTimeoutMs: 5000,
})
const config = readConfig({ ASSENT_DATA_DIR: t.testdir(), ASSENT_LOG_LEVEL: 'silent' })
const shaky = await buildApp({
  config,
  policies,
  database,
  blobs: await openStore(config),
  log: pino.destination('/dev/null'),
})
await shaky.ready()
t.teardown(async () => {
  wire.close()
  await shaky.close()
  await database.close()
})

const asking = (token: string) => {
  const headers = { authorization: `Bearer ${token}` }
  const asked = { useCase: cleared.key, environment: 'production' }
  return {
    look: async () => await shaky.inject({ url: `/v1/gate?${new URLSearchParams(asked)}`, headers }),
    ask: async () => await shaky.inject({ method: 'POST', url: '/v1/gate/answers', headers, payload: asked }),
  }
}

async function newPipeline() {
  const account = await person('Deploy', { kind: 'service', rights: ['pipeline'] })
  await risk.post(`/v1/use-cases/${cleared.id}/pipelines`, { personId: account.id })
  return asking(account.token)
}

for (const state of ['silent', 'gone'] as const) {
  for (const remembered of [true, false]) {
    const who = remembered ? 'a caller who was just here' : 'a new caller'
    t.test(`database ${state}: ${who} hears 503 within 3 s, then an answer without a restart`, async (t) => {
      const { look, ask } = await newPipeline()
      if (remembered) t.equal((await look()).statusCode, 200)
      wire.break(state)
      const began = performance.now()
      const answers = await Promise.all([look(), look(), look(), ask(), look()])
      t.ok(performance.now() - began < 3000, `after ${Math.round(performance.now() - began)} ms`)
      for (const { statusCode, headers, body } of answers) {
        t.equal(statusCode, 503)
        t.ok(Number(headers['retry-after']) > 0)
        t.notOk('gate-decision' in headers)
        t.notMatch(body, /allow/)
      }
      wire.repair()
      const back = performance.now()
      while ((await look()).statusCode !== 200) if (performance.now() - back > 10_000) break
      t.equal((await look()).statusCode, 200)
      t.ok(performance.now() - back < 10_000, `after ${Math.round(performance.now() - back)} ms`)
      t.equal((await ask()).statusCode, 200)
    })
  }
}

t.test("a connection that breaks under a question is not the asker's trouble", async (t) => {
  const { look } = await newPipeline()
  t.equal((await look()).statusCode, 200)
  wire.break('silent')
  const answers = Promise.all(Array.from({ length: 20 }, look))
  while (wire.swallowed === 0) await new Promise(setImmediate)
  wire.repair()
  t.same(new Set((await answers).map(({ statusCode }) => statusCode)), new Set([200]))
})
