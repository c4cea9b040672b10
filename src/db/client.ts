import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { GatheringSocket } from './gathering-socket.js'
import * as schema from './schema.js'

/** Drizzle over a pool or over the one connection of a transaction; queries look the same on both. */
export type Sql = NodePgDatabase<typeof schema> & {
  /** What it runs on, for rows that need no mapping. */
  $client: pg.Pool | pg.PoolClient
}

export interface PoolOptions {
  connection: pg.ClientConfig
  name: string
  max: number
  statementTimeoutMs: number
  /** Send statements without waiting for the answers of earlier ones; rules out COPY and cursors. */
  pipeline?: boolean
}

/** A pool whose sessions speak UTC and give up on statements that take too long. */
export function openPool({
  connection,
  name,
  max,
  statementTimeoutMs,
  pipeline = false,
}: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    ...connection,
    application_name: `assent ${name}`,
    max,
    pipeline,
    ...(pipeline && { stream: () => new GatheringSocket(process.nextTick) }),
    statement_timeout: statementTimeoutMs,
    // Later than the server's own: this one is for a server that says nothing any more, and ends the connection.
    query_timeout: statementTimeoutMs + 1000,
    idle_in_transaction_session_timeout: 30_000,
    connectionTimeoutMillis: 5000,
    options: `${connection.options ?? ''} -c timezone=UTC -c datestyle=ISO`.trim(),
  })
  pool.on('error', () => {}) // an idle connection that broke is replaced at its next use
  // One that breaks in the middle of a transaction fails its query; unheard, it would end the process as well.
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

const statements = new WeakMap<Sql, Map<string, unknown>>()

/**
 * The statement of this name, built at its first use on this pool or connection, and planned once by PostgreSQL:
 * building one anew takes longer than running it. Not for a statement whose best plan depends on its values.
 */
export function prepareOnce<S>(on: Sql, name: string, build: (name: string) => S): S {
  const known = statements.get(on) ?? new Map<string, unknown>()
  statements.set(on, known)
  const statement = known.get(name) ?? build(name)
  known.set(name, statement)
  return statement as S
}

const sqlOf = new WeakMap<object, Sql>()

/** Drizzle on this pool or connection, made once for each. */
export function drizzleOn(client: pg.Pool | pg.PoolClient): Sql {
  const known = sqlOf.get(client)
  if (known) return known
  const sql = drizzle(client, { schema, casing: 'snake_case' })
  sqlOf.set(client, sql)
  return sql
}
