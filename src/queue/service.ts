import { seatsIn } from '../auth/principal.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { addDays, type Instant } from '../instant.js'
import { type Holdings, isExcepted, missing, type Required, servingPieces } from '../policy/missing.js'
import { askWords, type Want } from '../policy/requirement-words.js'
import type { RequirementPolicies } from '../policy/requirements.js'
import { isWanted } from '../requirements/requirement.js'
import { type Asking, askingsOf } from '../requirements/service.js'
import { loadUseCases } from '../use-cases/reading.js'
import { byUrgency, type Queue, type QueueItem, type QueueKind } from './queue.js'
import { sentences } from './sentences.js'
import * as store from './store.js'

/** For so many days before an approval ends, its owners are reminded. */
const ENDING_DAYS = 30

const { heads } = store

/** What waits for the caller, the most urgent first: exactly what they may do, and no more once they did it. */
export async function getQueue(tx: ReadTx, policies: RequirementPolicies): Promise<Queue> {
  const kinds: Shown[] = []
  for (const list of lists) kinds.push(await list(tx, policies))
  const items = kinds.flatMap((kind) => kind.items)
  const more = kinds.flatMap(({ kind, hasMore }) => (hasMore ? [kind] : []))
  return { at: tx.now, items: byUrgency(items, tx.now), more }
}

const lists: ((tx: ReadTx, policies: RequirementPolicies) => Promise<Shown>)[] = [
  listVotes,
  listUseCases,
  listRequirements,
  listEvidence,
  async (tx) => {
    const may = visibleWhere(tx.ability, 'meet', 'Condition', heads.Condition)
    const todo = sentences.condition
    return present(tx, 'condition', await store.listConditions(tx, may), { path: 'conditions', todo })
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

/**
 * Evidence to judge. Where policy wants it accepted by certain seats, it waits for those alone: there is one verdict, and
 * that of anybody else would use it up.
 */
async function listEvidence(tx: ReadTx, policies: RequirementPolicies): Promise<Shown> {
  const may = visibleWhere(tx.ability, 'judge', 'Evidence', heads.Evidence)
  const rows = await store.listEvidence(tx, may)
  const askings = await askingsAbout(tx, policies, rows)
  const wanted = rows.flatMap((row) => {
    const asking = askings.get(row.useCaseId)
    const bySeats = asking ? seatsFor(asking, row.detail.kind) : []
    const seats = asking ? seatsIn(tx.principal, asking.useCase.orgUnitId) : []
    const own = bySeats.filter((seat) => seats.includes(seat))
    return bySeats.length > 0 && own.length === 0 ? [] : [{ ...row, detail: { ...row.detail, seats: own } }]
  })
  const shown = present(tx, 'evidence', wanted, { path: 'evidence', todo: sentences.evidence })
  return { ...shown, hasMore: rows.length > store.LIMIT }
}

/** Of which seats one has to accept evidence of this kind; empty where anybody may. */
function seatsFor({ asks }: Asking, kind: string): string[] {
  const asked = asks.flatMap(({ ask }) =>
    ask.type === 'evidence' && ask.kind === kind ? [ask.acceptedBy] : [],
  )
  return asked.some((seats) => seats.length === 0) ? [] : [...new Set(asked.flat())]
}

/** What holds reviews of the caller up, and what their approvals will lack soon, as far as they can see to it. */
async function listRequirements(tx: ReadTx, policies: RequirementPolicies): Promise<Shown> {
  const may = visibleWhere(tx.ability, 'attach', 'UseCase', heads.UseCase)
  const rows = await store.listAsking(tx, may, addDays(tx.now, ENDING_DAYS))
  const askings = await askingsAbout(tx, policies, rows)
  const waiting = rows.flatMap((row) => {
    const asking = askings.get(row.useCaseId)
    const todo = asking && todoFor(asking, row.detail, tx.now)
    return todo === undefined ? [] : [{ ...row, detail: todo }]
  })
  const told = { path: 'use-cases', below: '/requirements', todo: (todo: string) => todo }
  return { ...present(tx, 'requirement', waiting, told), hasMore: rows.length > store.LIMIT }
}

function todoFor(
  { useCase, asks, holdings }: Asking,
  { endsAt, wanted }: store.AskingDetail,
  now: Instant,
): string | undefined {
  if (endsAt !== null) return endingOf(useCase.required, holdings, endsAt)
  const refused = asks.filter(({ requirement }) => requirement.ifMissing === 'refuse')
  const gaps = missing(refused, holdings, now).filter(
    ({ asked, want }) =>
      !waits.includes(want) && !isWanted(wanted, asked) && !isExcepted(asked, useCase.required, now),
  )
  return gaps.length === 0 ? undefined : sentences.missing(gaps.map(({ sentence }) => sentence))
}

/** What will not be there at that instant, but for what a newer piece that waits for its verdict will serve. */
function endingOf(required: readonly Required[], holdings: Holdings, endsAt: Instant): string | undefined {
  const asked = required
    .filter(({ taken, exceptedUntil }) => taken !== 'condition' && (exceptedUntil ?? '') <= endsAt)
    .map(({ requirement, ask }) => ({ requirement: { id: requirement }, ask }))
  const lacking = missing(asked, holdings, endsAt).filter(
    (gap) => !servingPieces(gap.asked.ask, holdings, endsAt).some(({ counts }) => !counts),
  )
  const things = lacking.map((gap) => askWords(gap.asked.ask))
  return things.length === 0 ? undefined : sentences.ending(things, endsAt)
}

/** For these somebody else has to do something. */
const waits: readonly Want[] = ['not_accepted', 'held_back']

async function askingsAbout(
  tx: ReadTx,
  policies: RequirementPolicies,
  rows: readonly { useCaseId: string }[],
): Promise<ReadonlyMap<string, Asking>> {
  const ids = [...new Set(rows.map(({ useCaseId }) => useCaseId))]
  const askings = await askingsOf(tx, policies, await loadUseCases(tx, ids))
  return new Map(askings.map((asking) => [asking.useCase.id, asking]))
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
