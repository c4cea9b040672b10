import { setTimeout as wait } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import type { AggregateKind, DomainEvent } from '../audit/events.js'
import { type Aggregate, Journal } from '../audit/log.js'
import type { Ability } from '../auth/decision-rights.js'
import type { Principal } from '../auth/principal.js'
import { notFound, RegistryError } from '../errors.js'
import { type Instant, latest } from '../instant.js'
import { drizzleOn, type Sql } from './client.js'
import type { Clock } from './clock.js'
import { claimKey, type Idempotency, keepResponse } from './idempotency.js'
import { isRetryable } from './pg-error.js'
import { assertRightsInForce, RightsMoved } from './rights-in-force.js'
import { people, refusals } from './schema.js'
import { findWholeRow } from './whole-row.js'

/** Who asks, with what they may do, and under which request id it is logged. */
export interface Request {
  principal: Principal
  ability: Ability
  requestId: string
}

export interface ReadTx {
  sql: Sql
  client: pg.Pool | pg.PoolClient
  principal: Principal
  ability: Ability
  now: Instant
}

/** What a deed gets: the connection of its transaction, who acts, when, and where to record what happened. */
export interface WriteTx extends ReadTx {
  client: pg.PoolClient
  /** Fixed by the last {@link lock}: never before the previous event of a locked row. */
  readonly now: Instant
  record(aggregate: Aggregate, event: DomainEvent): void
  /** For a statement whose answer nothing else rests on: it is waited for before the commit, and fails the deed. */
  alongside(statement: Promise<unknown>): void
  /** Moves `now` past an instant that is already on record. */
  notBefore(instant: Instant | null): void
}

export interface WriteRequest extends Request {
  /** Asks anew who this is and what they may do, when their rights moved since they were read. */
  renew?: (() => Promise<Pick<Request, 'principal' | 'ability'>>) | undefined
  idempotency?: Idempotency | undefined
}

export interface Written<T> {
  value: T
  /** True when this Idempotency-Key was answered before; `value` is then the first answer, read back from JSON. */
  replayed: boolean
  /** The kinds of aggregate it changed. */
  touched: ReadonlySet<AggregateKind>
}

interface Source {
  pool: pg.Pool
  clock: Clock
}

/** A write transaction ends within this time, so that a register as of a minute ago can no longer change. */
const WRITE_LIMIT_MS = 30_000
const ATTEMPTS = 5
/** A server that no longer answers gets no second long wait; closing the connection rolls back as well. */
const rollback = { text: 'rollback', query_timeout: 1000 }

/** Single statements on the pool; no transaction, no `record`. A refusal here is recorded like any other. */
export async function read<T>(
  source: Source,
  request: Request,
  work: (tx: ReadTx) => Promise<T>,
): Promise<T> {
  const { principal, ability } = request
  const { pool } = source
  const tx = { sql: drizzleOn(pool), client: pool, principal, ability, now: source.clock.now() }
  return await refusing(source, request, async () => await work(tx))
}

/**
 * One READ COMMITTED transaction. It claims the Idempotency-Key first, so that a second request with the same key
 * waits and then gets the first one's answer; it appends the recorded events last; and without an event it cannot
 * commit. `work` may run again after a serialization failure, so it must touch nothing outside the database.
 */
export async function write<T>(
  source: Source,
  request: WriteRequest,
  work: (tx: WriteTx) => Promise<T>,
): Promise<Written<T>> {
  let asked = request
  return await refusing(source, request, async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await attemptWrite(source, asked, work)
      } catch (error) {
        const isMoved = error instanceof RightsMoved && asked.renew !== undefined
        if (attempt === ATTEMPTS || !(isMoved || isRetryable(error))) throw error
        if (isMoved) asked = { ...asked, ...(await asked.renew?.()) }
        else await wait(Math.random() * 20 * attempt)
      }
    }
  })
}

async function attemptWrite<T>(
  { pool, clock }: Source,
  request: WriteRequest,
  work: (tx: WriteTx) => Promise<T>,
): Promise<Written<T>> {
  const started = performance.now()
  return await transact(
    pool,
    async (client) => await inTransaction(client, { clock, started }, request, work),
  )
}

/** A transaction on a connection of its own. `work` ends it; whatever it throws rolls it back. */
async function transact<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    // Not waited for: the connection pipelines, so what follows is on its way before the answer to this.
    const begun = client.query('begin')
    begun.catch(() => {})
    const value = await work(client)
    await begun
    client.release()
    return value
  } catch (error) {
    // A connection that cannot roll back is not given to anybody else.
    await client.query(rollback).then(
      () => client.release(),
      (broken) => client.release(broken),
    )
    throw error
  }
}

async function inTransaction<T>(
  client: pg.PoolClient,
  { clock, started }: { clock: Clock; started: number },
  request: WriteRequest,
  work: (tx: WriteTx) => Promise<T>,
): Promise<Written<T>> {
  const { principal, requestId, idempotency } = request
  if (idempotency) {
    const earlier = await claimKey(client, principal.personId, idempotency, clock.now())
    if (earlier) {
      await commit(client)
      return { value: earlier.response as T, replayed: true, touched: new Set() }
    }
  }
  const journal = new Journal({ actorId: principal.personId, requestId })
  const alongside: Promise<unknown>[] = []
  const tx = openTx(client, clock, request, { journal, alongside })
  const value = await orEarlierFailure(work(tx), alongside)
  if (journal.isEmpty) throw new Error('a write recorded no event')
  if (performance.now() - started > WRITE_LIMIT_MS) {
    throw new RegistryError('unavailable', 'this took longer than 30 seconds and was undone; try again later')
  }
  // Sent first: what is appended next may be an event of this very person.
  const inForce = assertRightsInForce(client, principal, tx.now)
  const appended = journal.append(client, tx.now)
  const kept = idempotency && keepResponse(client, principal.personId, idempotency, value)
  await Promise.all([...alongside, inForce, appended, kept])
  await commit(client)
  return { value, replayed: false, touched: journal.touched }
}

/** PostgreSQL refuses all that follows a statement that failed, so what failed first is the cause. */
async function orEarlierFailure<T>(deed: Promise<T>, alongside: Promise<unknown>[]): Promise<T> {
  try {
    return await deed
  } catch (error) {
    await Promise.all(alongside)
    throw error
  }
}

/** PostgreSQL answers `commit` with a rollback, and no error, when a statement before it has failed. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit')
  if (command !== 'COMMIT') throw new Error('a statement of the transaction failed and nobody minded')
}

function openTx(
  client: pg.PoolClient,
  clock: Clock,
  { principal, ability }: Request,
  { journal, alongside }: { journal: Journal; alongside: Promise<unknown>[] },
): WriteTx {
  let now = clock.now()
  return {
    sql: drizzleOn(client),
    client,
    principal,
    ability,
    get now() {
      return now
    },
    record(aggregate, event) {
      journal.record(aggregate, event, now)
    },
    alongside(statement) {
      statement.catch(() => {}) // looked at when the deed is done
      alongside.push(statement)
    },
    notBefore(instant) {
      now = latest(latest(clock.now(), now), instant)
    },
  }
}

/**
 * Locks one row until the transaction ends and fixes `now`. Every deed on an aggregate starts with this.
 * @throws RegistryError `not_found` when there is no such row.
 */
export async function lock<T extends PgTable & { id: unknown }>(
  tx: WriteTx,
  table: T,
  id: string,
  noun: string,
): Promise<T['$inferSelect']> {
  const found = await findWholeRow(tx.client, table, 'id = $1 for update', id)
  const row = found as (T['$inferSelect'] & { lastEventAt: Instant | null }) | undefined
  if (!row) throw notFound(noun)
  tx.notBefore(row.lastEventAt)
  return row
}

/** Locks the rows that there are, in the order of their ids, so that two transactions never wait in a circle. */
export async function lockAll<T extends PgTable & { id: unknown }>(
  tx: WriteTx,
  table: T,
  ids: string[],
): Promise<T['$inferSelect'][]> {
  if (ids.length === 0) return []
  const rows = await tx.sql
    .select()
    .from(table as PgTable)
    .where(sql`${table.id as SQL} = any(${sql.param(ids)}::uuid[])`)
    .orderBy(table.id as SQL)
    .for('update')
  for (const { lastEventAt } of rows as { lastEventAt: Instant | null }[]) tx.notBefore(lastEventAt)
  return rows
}

/** Tries what rules or rights may refuse, and undoes all of it if they do; the transaction goes on. */
export async function attempt<T>(tx: WriteTx, work: () => Promise<T>): Promise<T | RegistryError> {
  await tx.client.query('savepoint attempt')
  try {
    const value = await work()
    await tx.client.query('release savepoint attempt')
    return value
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    await tx.client.query('rollback to savepoint attempt')
    return error
  }
}

async function refusing<T>(source: Source, request: Request, deed: () => Promise<T>): Promise<T> {
  try {
    return await deed()
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'forbidden' && error.denied) {
      // Refused it stays, whether or not the refusal could be recorded.
      await recordRefusal(source, request, error).catch(() => {})
    }
    throw error
  }
}

/**
 * Records `access.denied` in a transaction of its own, once per person, right and row per minute: of several at once
 * the first writes the row of the minute, and the others find it and undo nothing but themselves. It counts whatever
 * became of the person's rights meanwhile.
 */
async function recordRefusal(source: Source, request: Request, error: RegistryError): Promise<void> {
  const { denied, rule = 'none' } = error
  if (!denied) return
  const { personId } = request.principal
  const { id: subjectId, action, kind } = denied
  const minute = `${source.clock.now().slice(0, 16)}:00.000Z`
  await transact(source.pool, async (client) => {
    const journal = new Journal({ actorId: personId, requestId: request.requestId })
    const tx = openTx(client, source.clock, request, { journal, alongside: [] })
    const noted = await tx.sql
      .insert(refusals)
      .values({ personId, rule, subjectId, minute })
      .onConflictDoNothing()
    if (noted.rowCount === 0) return void (await client.query(rollback))
    const person = await lock(tx, people, personId, 'person')
    tx.record(person, { type: 'access.denied', rule, action, kind, subjectId, sealed: {} })
    await journal.append(client, tx.now)
    await commit(client)
  })
}
