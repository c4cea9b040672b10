import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { RegistryError } from '../errors.js'
import { GatheringSocket } from './gathering-socket.js'
import { pgErrorOf } from './pg-error.js'

export interface PipelinedOptions {
  connection: pg.ClientConfig
  name: string
  size: number
}

const STATEMENT_MS = 500
const QUERY_MS = 1000
/** How long after it was asked a query still waits for a connection that is being opened again. */
const PATIENCE_MS = 1500

/**
 * A few connections that send queries without waiting for the answers of earlier ones: for short single reads, and
 * nothing else. Each is opened again as soon as it breaks.
 *
 * When a query gets no answer in time, its connection is given up, and with it everything that was under way on it;
 * those others are asked again. So an answer, or a failure, comes within 3 s.
 */
export class Pipelined {
  readonly #options: PipelinedOptions
  readonly #stop = new AbortController()
  #open: pg.Client[] = []
  #turn = 0
  readonly #waiting = new Set<() => void>()

  constructor(options: PipelinedOptions) {
    this.#options = options
    for (let i = 0; i < options.size; i += 1) void this.#keepOpen()
  }

  /** @throws RegistryError `unavailable` while no connection can be had */
  async query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>> {
    const began = performance.now()
    for (;;) {
      const client = this.#next() ?? (await this.#nextOpened(began + PATIENCE_MS))
      try {
        return await client.query<R>(config)
      } catch (error) {
        if (!isLost(error) || performance.now() - began > QUERY_MS) throw error
        this.#drop(client)
      }
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const clients = this.#open
    this.#open = []
    await Promise.all(clients.map((client) => client.end()))
  }

  #next(): pg.Client | undefined {
    this.#turn = (this.#turn + 1) % Math.max(this.#open.length, 1)
    return this.#open[this.#turn]
  }

  async #nextOpened(deadline: number): Promise<pg.Client> {
    await new Promise<void>((resolve) => {
      const resume = () => {
        clearTimeout(timer)
        this.#waiting.delete(resume)
        resolve()
      }
      const timer = setTimeout(resume, deadline - performance.now())
      this.#waiting.add(resume)
    })
    const client = this.#next()
    if (client) return client
    throw new RegistryError('unavailable', 'the database does not answer; try again in a few seconds')
  }

  async #keepOpen(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      const began = performance.now()
      await this.#serve(this.#newClient())
      // One that served for a while is replaced at once; one that fails again and again, less and less often.
      failures = performance.now() - began > 2 * QUERY_MS ? 0 : failures + 1
      if (failures > 0) await this.#pause(Math.min(25 * 2 ** failures, 1000))
    }
  }

  /** Ends when the connection does. */
  async #serve(client: pg.Client): Promise<void> {
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    client.on('error', () => this.#drop(client))
    try {
      await client.connect()
    } catch {
      return
    }
    if (this.#stop.signal.aborted) return await client.end()
    this.#open.push(client)
    for (const resume of this.#waiting) resume()
    await ended
    this.#drop(client)
  }

  #newClient(): pg.Client {
    const { connection, name } = this.#options
    return new pg.Client({
      ...connection,
      application_name: `assent ${name}`,
      pipeline: true,
      stream: () => new GatheringSocket(setImmediate),
      keepAlive: true,
      statement_timeout: STATEMENT_MS,
      query_timeout: QUERY_MS,
      connectionTimeoutMillis: QUERY_MS,
      options: `${connection.options ?? ''} -c timezone=UTC -c datestyle=ISO`.trim(),
    })
  }

  #drop(client: pg.Client): void {
    if (!this.#open.includes(client)) return
    this.#open = this.#open.filter((other) => other !== client)
    void client.end()
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
  }
}

/** True when the connection failed and not the query: PostgreSQL said that it goes (57P), or said nothing. */
function isLost(error: unknown): boolean {
  const code = pgErrorOf(error)?.code
  if (code !== undefined) return code.startsWith('57P') || code.startsWith('08')
  return error instanceof Error && error.message !== 'Query read timeout'
}
