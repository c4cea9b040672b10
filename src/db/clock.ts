import type pg from 'pg'
import { type Instant, toInstant } from '../instant.js'

export interface Clock {
  now(): Instant
}

const SYNC_EVERY_MS = 30_000

/**
 * The database's clock, kept as an offset to ours: every process judges time alike, also on a machine whose own
 * clock is off, and reading it costs no round trip.
 */
export class DatabaseClock implements Clock {
  readonly #pool: pg.Pool
  #offsetMs = 0
  #ms = Number.NaN
  #now: Instant = ''
  #timer: NodeJS.Timeout | undefined

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  async start(): Promise<void> {
    await this.sync()
    this.#timer = setInterval(() => void this.sync().catch(() => {}), SYNC_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Many ask within one millisecond, and writing an instant costs more than comparing two numbers. */
  now(): Instant {
    const ms = Date.now() + this.#offsetMs
    if (ms !== this.#ms) {
      this.#ms = ms
      this.#now = toInstant(new Date(ms))
    }
    return this.#now
  }

  /** Takes the reading with the shortest round trip of three: it is the least uncertain. */
  async sync(): Promise<void> {
    const readings: { took: number; offset: number }[] = []
    for (let i = 0; i < 3; i += 1) readings.push(await this.#read())
    readings.sort((a, b) => a.took - b.took)
    this.#offsetMs = readings[0]?.offset ?? this.#offsetMs
  }

  async #read(): Promise<{ took: number; offset: number }> {
    const sent = Date.now()
    const { rows } = await this.#pool.query<{ ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    )
    const took = Date.now() - sent
    return { took, offset: Math.round((rows[0]?.ms ?? sent) - sent - took / 2) }
  }
}
