import type pg from 'pg'
import { drizzleOn, type Sql } from './client.js'
import { copyWithin, prepare } from './copy.js'
import { linesQuery, type Selection } from './selection.js'

/** How much a selection comes to as lines: it is the same when they are read, for nothing changes in between. */
export interface Extent {
  rows: number
  /** Bytes. */
  size: number
}

/** The database as of one moment, for as long as it takes to read all of it, on a connection of its own. */
export class Snapshot {
  readonly sql: Sql
  readonly #client: pg.PoolClient

  private constructor(client: pg.PoolClient) {
    this.#client = client
    this.sql = drizzleOn(client)
  }

  /** Whoever reads slowly keeps it waiting between two statements; the limits of each statement stay. */
  static async open(pool: pg.Pool): Promise<Snapshot> {
    const client = await pool.connect()
    try {
      await client.query('begin isolation level repeatable read read only')
      await client.query(`set local idle_in_transaction_session_timeout = '10min'`)
    } catch (error) {
      client.release(error instanceof Error ? error : true)
      throw error
    }
    return new Snapshot(client)
  }

  async measure<R>(selection: Selection<R>): Promise<Extent> {
    const query = await prepare(this.#client, linesQuery(selection))
    const { rows } = await this.#client.query<{ rows: string; size: string }>(
      `select count(*) as rows, coalesce(sum(octet_length(line::text) + 1), 0) as size from (${query}) as l (line)`,
    )
    const [extent] = rows
    return { rows: Number(extent?.rows), size: Number(extent?.size) }
  }

  /** The records as NDJSON. Read to the end before anything else is asked. */
  async *lines<R>(selection: Selection<R>): AsyncGenerator<Buffer> {
    const query = await prepare(this.#client, linesQuery(selection))
    yield* copyWithin(this.#client, query, 'lines') as AsyncIterable<Buffer>
  }

  /** Gives the connection back; after a failure it is closed, whatever it was busy with. */
  async close(failure?: unknown): Promise<void> {
    if (failure !== undefined) return this.#client.release(failure instanceof Error ? failure : true)
    await this.#client.query('commit').then(
      () => this.#client.release(),
      (broken) => this.#client.release(broken),
    )
  }
}
