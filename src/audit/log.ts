import { createHash, randomBytes } from 'node:crypto'
import type pg from 'pg'
import { putIntoOutbox, type Told } from '../db/outbox.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import type { Instant } from '../instant.js'
import { canonicalize } from './canonical.js'
import { type AggregateKind, catalogue, type DomainEvent } from './events.js'
import { isTold } from './told.js'

/** A locked (or just inserted) row that numbers its own events. */
export interface Aggregate {
  id: string
  lastEventNo: number
  /** For a row inserted together with the number of its first events: what it says already, so that it is written once. */
  storedEventNo?: number
}

interface Head {
  kind: AggregateKind
  id: string
  before: number
  last: number
}

interface Entry {
  id: string
  head: Head
  eventNo: number
  type: string
  leaf: Buffer
  sealed: Record<string, { salt: string; value: unknown }>
}

interface Context {
  actorId: string
  requestId: string
}

/** The events of one transaction, numbered as they are recorded and appended as its last statements. */
export class Journal {
  readonly #heads = new Map<string, Head>()
  readonly #entries: Entry[] = []
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  get touched(): ReadonlySet<AggregateKind> {
    return new Set([...this.#heads.values()].map((head) => head.kind))
  }

  record(aggregate: Aggregate, event: DomainEvent, at: Instant): void {
    const { type, sealed, ...rest } = event
    const entry = catalogue[type]
    const head = this.#headOf(entry.of, aggregate)
    head.last += 1
    const salted = salt(entry.sealed.parse(sealed))
    const id = newId()
    const leaf = canonicalize({
      v: 1,
      id,
      type,
      at,
      aggregate: { kind: entry.of, id: head.id, no: head.last },
      actor: this.#context.actorId,
      request: this.#context.requestId,
      ...entry.leaf.parse(rest),
      sealed: hashes(salted),
    })
    this.#entries.push({ id, head, eventNo: head.last, type, leaf: bounded(leaf), sealed: salted })
  }

  /**
   * Appends everything, and moves each aggregate's `last_event_no` from where it was read. All statements are sent
   * before the first is answered.
   * @throws RegistryError `conflict` when an aggregate moved although nobody held its lock.
   */
  async append(client: pg.ClientBase, at: Instant): Promise<void> {
    const heads = [...this.#heads.values()]
    const moves = [...this.touched].map((kind) =>
      moveHeads(
        client,
        kind,
        at,
        heads.filter((head) => head.kind === kind && head.last !== head.before),
      ),
    )
    const told = this.#entries.filter(({ type }) => isTold(type)).map(toldOf)
    await Promise.all([
      ...moves,
      insertEntries(client, this.#entries, this.#context.actorId, at),
      putIntoOutbox(client, told, at),
    ])
  }

  #headOf(kind: AggregateKind, { id, lastEventNo, storedEventNo }: Aggregate): Head {
    const known = this.#heads.get(id)
    if (known) return known
    const head = { kind, id, before: storedEventNo ?? lastEventNo, last: lastEventNo }
    this.#heads.set(id, head)
    return head
  }
}

/** A leaf is at most 65,535 bytes, so that the log's entry bundles can carry its length in two (C2SP tlog-tiles). */
function bounded(leaf: string): Buffer {
  const bytes = Buffer.from(leaf)
  if (bytes.length > 65_535)
    throw new RegistryError('invalid', 'this change touches too much at once; split it')
  return bytes
}

function salt(sealed: Record<string, unknown>): Entry['sealed'] {
  return Object.fromEntries(
    Object.entries(sealed).map(([name, value]) => [
      name,
      { salt: randomBytes(16).toString('base64url'), value },
    ]),
  )
}

/** SHA-256 over the salt's 16 bytes and the canonical JSON of the value, base64url. */
function hashes(sealed: Entry['sealed']): Record<string, string> {
  const hash = (text: string, value: unknown) =>
    createHash('sha256')
      .update(Buffer.from(text, 'base64url'))
      .update(canonicalize(value))
      .digest('base64url')
  return Object.fromEntries(
    Object.entries(sealed).map(([name, { salt: text, value }]) => [name, hash(text, value)]),
  )
}

async function moveHeads(
  client: pg.ClientBase,
  kind: AggregateKind,
  at: Instant,
  heads: Head[],
): Promise<void> {
  if (heads.length === 0) return
  if (heads.some(({ before, last }) => last < before)) throw new Error('a row counts events nobody recorded')
  const moved = await client.query({
    name: `move_${kind}`,
    text: `update ${kind} as a set last_event_no = h.last, last_event_at = $1
      from unnest($2::uuid[], $3::int[], $4::int[]) as h (id, before, last)
      where a.id = h.id and a.last_event_no = h.before`,
    values: [
      at,
      heads.map((head) => head.id),
      heads.map((head) => head.before),
      heads.map((head) => head.last),
    ],
  })
  if (moved.rowCount !== heads.length) {
    throw new RegistryError(
      'conflict',
      'someone else changed this at the same moment; read it again and retry',
    )
  }
}

async function insertEntries(
  client: pg.ClientBase,
  entries: Entry[],
  actorId: string,
  at: Instant,
): Promise<void> {
  await client.query({
    name: 'append_events',
    text: `with events as (
        insert into audit_event (id, aggregate_kind, aggregate_id, event_no, type, actor_id, recorded_at, leaf)
        select id, kind, aggregate, no, type, $6, $7, leaf
          from unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::text[], $8::bytea[])
            as e (id, kind, aggregate, no, type, leaf))
      insert into audit_payload (event_id, sealed)
      select * from unnest($9::uuid[], $10::jsonb[])`,
    values: [
      entries.map((entry) => entry.id),
      entries.map((entry) => entry.head.kind),
      entries.map((entry) => entry.head.id),
      entries.map((entry) => entry.eventNo),
      entries.map((entry) => entry.type),
      actorId,
      at,
      entries.map((entry) => entry.leaf),
      entries.filter(isSealed).map((entry) => entry.id),
      entries.filter(isSealed).map((entry) => JSON.stringify(entry.sealed)),
    ],
  })
}

function toldOf({ id, type, head }: Entry): Told {
  return { id, type, aggregateKind: head.kind, aggregateId: head.id }
}

function isSealed(entry: Entry): boolean {
  return Object.keys(entry.sealed).length > 0
}
