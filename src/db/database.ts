import type pg from 'pg'
import { RegistryError } from '../errors.js'
import { openPool } from './client.js'
import { type Clock, DatabaseClock } from './clock.js'
import {
  type ReadTx,
  type Request,
  read,
  type WriteRequest,
  type WriteTx,
  type Written,
  write,
} from './transaction.js'

export interface DatabaseOptions {
  /** As `assent_app`, or a role that may act as it. */
  connection: pg.ClientConfig
  poolSize: number
  exportPoolSize: number
  statementTimeoutMs: number
  /** Tests bring their own; otherwise it is the database's. */
  clock?: Clock | undefined
}

/** The process's way to the database: pools that cannot starve each other, one clock, and the two kernels. */
export interface Database {
  connection: pg.ClientConfig
  pool: pg.Pool
  exports: pg.Pool
  clock: Clock
  read<T>(request: Request, work: (tx: ReadTx) => Promise<T>): Promise<T>
  write<T>(request: WriteRequest, work: (tx: WriteTx) => Promise<T>): Promise<Written<T>>
  /** @throws when the database does not answer */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Who owns the tables could rewrite the log, so the service never acts as them. */
async function assertServes(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>('select current_user as name')
  if (rows[0]?.name === 'assent_app') return
  throw new RegistryError(
    'unavailable',
    `the service must act as assent_app, not ${rows[0]?.name}; check DATABASE_URL`,
  )
}

const EXPORT_LIMIT_MS = 600_000

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { connection, statementTimeoutMs } = options
  const pool = openPool({
    connection,
    name: 'api',
    max: options.poolSize,
    statementTimeoutMs,
    pipeline: true,
  })
  const exports = openPool({
    connection,
    name: 'exports',
    max: options.exportPoolSize,
    statementTimeoutMs: EXPORT_LIMIT_MS,
  })
  try {
    await assertServes(pool)
  } catch (error) {
    await Promise.all([pool.end(), exports.end()])
    throw error
  }
  const databaseClock = new DatabaseClock(pool)
  if (!options.clock) await databaseClock.start()
  const clock = options.clock ?? databaseClock
  return {
    ...{ connection, pool, exports, clock },
    read: async (request, work) => await read({ pool, clock }, request, work),
    write: async (request, work) => await write({ pool, clock }, request, work),
    ping: async () => void (await pool.query('select 1')),
    async close() {
      databaseClock.stop()
      await Promise.all([pool.end(), exports.end()])
    },
  }
}
