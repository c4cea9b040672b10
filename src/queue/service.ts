import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { addDays } from '../instant.js'
import { byUrgency, type Queue, type QueueItem, type QueueKind } from './queue.js'
import { sentences } from './sentences.js'
import * as store from './store.js'

/** For so many days before an approval ends, its owners are reminded. */
const ENDING_DAYS = 30

/** What waits for the caller, the most urgent first: exactly what they may do, and no more once they did it. */
export async function getQueue(tx: ReadTx): Promise<Queue> {
  const { ability, now } = tx
  const kinds = [
    await listVotes(tx),
    present(
      tx,
      'condition',
      await store.listConditions(tx, visibleWhere(ability, 'meet', 'Condition', heads.Condition)),
      {
        path: 'conditions',
        todo: ({ detail }) => sentences.condition(detail.satisfiedBy, detail.text),
      },
    ),
    present(
      tx,
      'evidence',
      await store.listEvidence(tx, visibleWhere(ability, 'judge', 'Evidence', heads.Evidence)),
      {
        path: 'evidence',
        todo: ({ detail }) => sentences.evidence(detail.kind, detail.title),
      },
    ),
    await listUseCases(tx),
    present(
      tx,
      'incident',
      await store.listIncidents(tx, visibleWhere(ability, 'close', 'Incident', heads.Incident)),
      {
        path: 'incidents',
        todo: ({ detail }) => sentences.incident(detail.severity, detail.title),
      },
    ),
    present(
      tx,
      'break_glass',
      await store.listBreakGlass(tx, visibleWhere(ability, 'review', 'BreakGlass', heads.BreakGlass)),
      { path: 'break-glass', todo: ({ detail }) => sentences.breakGlass(detail.environment, detail.reason) },
    ),
    present(
      tx,
      'suspension',
      await store.listSuspensions(tx, visibleWhere(ability, 'lift', 'Suspension', heads.Suspension)),
      { path: 'suspensions', todo: ({ detail }) => sentences.suspension(detail.reason) },
    ),
  ]
  return {
    at: now,
    items: byUrgency(
      kinds.flatMap(({ items }) => items),
      now,
    ),
    more: kinds.flatMap(({ kind, hasMore }) => (hasMore ? [kind] : [])),
  }
}

const { heads } = store

async function listVotes(tx: ReadTx): Promise<Shown> {
  const held = tx.principal.grants.flatMap(({ kind, name, units, for: holderId = null }) =>
    kind === 'seat' ? [{ seat: name, units: units === 'all' ? null : units, holderId }] : [],
  )
  const may = visibleWhere(tx.ability, 'vote', 'Review', heads.Review)
  return present(tx, 'vote', await store.listVotes(tx, may, held), {
    path: 'reviews',
    below: '/brief',
    todo: ({ detail }) => sentences.vote(detail.seats),
  })
}

async function listUseCases(tx: ReadTx): Promise<Shown> {
  const may = visibleWhere(tx.ability, 'submit', 'UseCase', heads.UseCase)
  const rows = await store.listUseCases(tx, may, addDays(tx.now, ENDING_DAYS))
  return present(tx, 'use_case', rows, {
    path: 'use-cases',
    todo: ({ detail, dueAt }) => sentences.useCase({ ...detail, validUntil: dueAt }),
  })
}

interface Shown {
  kind: QueueKind
  items: QueueItem[]
  hasMore: boolean
}

interface Told<D> {
  path: string
  below?: string
  todo(row: store.WaitingRow<D>): string
}

function present<D>(
  { now }: ReadTx,
  kind: QueueKind,
  rows: readonly store.WaitingRow<D>[],
  { path, below = '', todo }: Told<D>,
): Shown {
  const items = rows.slice(0, store.LIMIT).map((row): QueueItem => {
    const { id, useCaseId, key, title, tier, dueAt, since } = row
    return {
      ...{ kind, id, useCase: { id: useCaseId, key, title, tier }, todo: todo(row) },
      ...{ dueAt, isOverdue: dueAt !== null && dueAt <= now, since, link: `/v1/${path}/${id}${below}` },
    }
  })
  return { kind, items, hasMore: rows.length > store.LIMIT }
}
