import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { addDays } from '../instant.js'
import { byUrgency, type Queue, type QueueItem, type QueueKind } from './queue.js'
import { sentences } from './sentences.js'
import * as store from './store.js'

/** For so many days before an approval ends, its owners are reminded. */
const ENDING_DAYS = 30

const { heads } = store

/** What waits for the caller, the most urgent first: exactly what they may do, and no more once they did it. */
export async function getQueue(tx: ReadTx): Promise<Queue> {
  const kinds: Shown[] = []
  for (const list of lists) kinds.push(await list(tx))
  const items = kinds.flatMap((kind) => kind.items)
  const more = kinds.flatMap(({ kind, hasMore }) => (hasMore ? [kind] : []))
  return { at: tx.now, items: byUrgency(items, tx.now), more }
}

const lists: ((tx: ReadTx) => Promise<Shown>)[] = [
  listVotes,
  listUseCases,
  async (tx) => {
    const may = visibleWhere(tx.ability, 'meet', 'Condition', heads.Condition)
    const todo = sentences.condition
    return present(tx, 'condition', await store.listConditions(tx, may), { path: 'conditions', todo })
  },
  async (tx) => {
    const may = visibleWhere(tx.ability, 'judge', 'Evidence', heads.Evidence)
    return present(tx, 'evidence', await store.listEvidence(tx, may), {
      path: 'evidence',
      todo: sentences.evidence,
    })
  },
  async (tx) => {
    const may = visibleWhere(tx.ability, 'close', 'Incident', heads.Incident)
    const todo = sentences.incident
    return present(tx, 'incident', await store.listIncidents(tx, may), { path: 'incidents', todo })
  },
  async (tx) => {
    const may = visibleWhere(tx.ability, 'review', 'BreakGlass', heads.BreakGlass)
    const todo = sentences.breakGlass
    return present(tx, 'break_glass', await store.listBreakGlass(tx, may), { path: 'break-glass', todo })
  },
  async (tx) => {
    const may = visibleWhere(tx.ability, 'lift', 'Suspension', heads.Suspension)
    const todo = sentences.suspension
    return present(tx, 'suspension', await store.listSuspensions(tx, may), { path: 'suspensions', todo })
  },
]

async function listVotes(tx: ReadTx): Promise<Shown> {
  const held = tx.principal.grants.flatMap(({ kind, name, units, for: holderId = null }) =>
    kind === 'seat' ? [{ seat: name, units: units === 'all' ? null : units, holderId }] : [],
  )
  const may = visibleWhere(tx.ability, 'vote', 'Review', heads.Review)
  return present(tx, 'vote', await store.listVotes(tx, may, held), {
    path: 'reviews',
    below: '/brief',
    todo: sentences.vote,
  })
}

async function listUseCases(tx: ReadTx): Promise<Shown> {
  const may = visibleWhere(tx.ability, 'submit', 'UseCase', heads.UseCase)
  const rows = await store.listUseCases(tx, may, addDays(tx.now, ENDING_DAYS))
  return present(tx, 'use_case', rows, {
    path: 'use-cases',
    todo: sentences.useCase,
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
  todo(detail: D): string
}

function present<D>(
  { now }: ReadTx,
  kind: QueueKind,
  rows: readonly store.WaitingRow<D>[],
  { path, below = '', todo }: Told<D>,
): Shown {
  const items = rows.slice(0, store.LIMIT).map((row): QueueItem => {
    const { id, useCaseId, key, title, tier, dueAt, since, detail } = row
    return {
      ...{ kind, id, useCase: { id: useCaseId, key, title, tier }, todo: todo(detail) },
      ...{ dueAt, isOverdue: dueAt !== null && dueAt <= now, since, link: `/v1/${path}/${id}${below}` },
    }
  })
  return { kind, items, hasMore: rows.length > store.LIMIT }
}
