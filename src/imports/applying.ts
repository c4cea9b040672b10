import { authorize } from '../auth/decision-rights.js'
import { attempt, type ReadTx, type WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { Policies } from '../policy/load.js'
import { registerUseCases, retire, revise } from '../use-cases/service.js'
import { type Decided, decideLocked } from './deciding.js'
import { assertApplicable, assertPreviewSeen, type Import } from './import.js'
import { leaveForAPerson, type Plan } from './outcome.js'
import { countRows, type Steps } from './previewing.js'
import * as store from './store.js'
import { present } from './view.js'

/** Rows in one transaction. */
const BATCH = 500

type Row = Decided<store.MappedRowOf>

/** A row whose fate is settled, with the use case that it is about. */
interface Settled {
  ordinal: number
  plan: Plan
  useCaseId: string | null
  isNew: boolean
}

/** Another process, asked the same, was faster with the last rows. */
class Overtaken extends Error {}

/**
 * Writes the rows of a preview, batch by batch. What becomes of each is decided again, under lock, because the
 * register may have moved on. Asked again after a crash or a lost answer, it goes on where it stopped.
 * @param revision the one that was previewed
 * @param last the transaction that ends it; under an Idempotency-Key it answers with the first one again
 */
export async function applyImport(
  steps: Steps,
  last: (work: (tx: WriteTx) => Promise<Import>) => Promise<Import>,
  policies: Policies,
  id: string,
  revision: number,
): Promise<Import> {
  for (;;) {
    const run = await steps.read((tx) => getAppliable(tx, id, revision))
    if (run.state === 'applied') return present(run)
    try {
      if (run.doneThrough >= run.rowCount && run.state === 'applying') return await last((tx) => end(tx, id))
      await steps.write((tx) => applyBatch(tx, policies, id, revision))
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error
    }
  }
}

async function getAppliable(tx: ReadTx, id: string, revision: number): Promise<store.RunRow> {
  const run = await store.getRunRow(tx, id)
  authorize(tx.ability, 'read', 'Import', run)
  authorize(tx.ability, 'import', 'Import', run)
  assertPreviewSeen(run, revision)
  assertApplicable(run)
  return run
}

async function applyBatch(tx: WriteTx, policies: Policies, id: string, revision: number): Promise<void> {
  const run = await store.lockRun(tx, id)
  const right = authorize(tx.ability, 'import', 'Import', run)
  assertPreviewSeen(run, revision)
  assertApplicable(run)
  await store.lockRegister(tx, run.register)
  const editions = await editionsOf(tx, run)
  const rows = await store.listMappedRows(tx, id, { ordinal: run.doneThrough, limit: BATCH })
  const doneThrough = rows.at(-1)?.ordinal
  if (run.state === 'applied' || doneThrough === undefined) throw new Overtaken()
  const { decided, names } = await decideLocked(tx, run, policies.riskTiers.questions, rows)
  const settled = [
    ...(await registerNew(tx, policies, run, right, decided)),
    ...(await changeKnown(tx, policies, run, right, decided)),
  ]
  await keepSources(tx, run, settled)
  await store.settleRows(
    tx,
    id,
    settled.map(({ ordinal, plan: { outcome, reasons }, useCaseId }) => ({
      ordinal,
      outcome,
      reasons,
      useCaseId,
    })),
  )
  const added = { newUnits: names.newUnits.length, newSystems: names.newSystems.length }
  await keepProgress(tx, run, { doneThrough, editions }, added)
  tx.record(run, { type: 'import.advanced', right, state: 'applying', through: doneThrough, sealed: {} })
}

type Added = { newUnits: number; newSystems: number }

/** Fixed by the first batch: from then on this import is itself the one that carried its rows last. */
async function editionsOf(tx: WriteTx, run: store.RunRow): Promise<string[]> {
  return run.state === 'previewed' ? await store.findEditions(tx, run) : run.editions
}

async function keepProgress(
  tx: WriteTx,
  run: store.RunRow,
  progress: { doneThrough: number; editions: string[] },
  added: Added,
): Promise<void> {
  const isFirst = run.state === 'previewed'
  const before = isFirst ? {} : run.counts
  const counts = {
    ...run.counts,
    newUnits: (before?.newUnits ?? 0) + added.newUnits,
    newSystems: (before?.newSystems ?? 0) + added.newSystems,
  }
  const begun = isFirst ? { state: 'applying' as const, revision: run.revision + 1 } : {}
  await store.updateRun(tx, run, { ...progress, counts, ...begun })
}

async function registerNew(
  tx: WriteTx,
  policies: Policies,
  run: store.RunRow,
  right: string,
  decided: Row[],
): Promise<Settled[]> {
  const fresh = decided.flatMap(({ row, plan, head }) =>
    head === undefined && plan.facts ? [{ row, plan, facts: plan.facts }] : [],
  )
  if (fresh.length === 0) return []
  const candidates = fresh.map(({ row, plan, facts }) => ({
    facts,
    origin: 'imported' as const,
    ...becauseOf(run, right, row),
    retiredBecause: plan.retires ? retirement(run, row) : undefined,
  }))
  const registered = await registerUseCases(tx, policies, candidates)
  return fresh.map(({ row: { ordinal }, plan }, index) => ({
    ordinal,
    plan,
    useCaseId: registered[index]?.id ?? null,
    isNew: true,
  }))
}

/** The other rows: those that change a use case, those that leave it alone, and those that are refused. */
async function changeKnown(
  tx: WriteTx,
  policies: Policies,
  run: store.RunRow,
  right: string,
  decided: Row[],
): Promise<Settled[]> {
  const settled: Settled[] = []
  for (const decision of decided) {
    const { row, plan, head } = decision
    if (head === undefined && plan.facts) continue
    const useCaseId = plan.outcome === 'refused' ? null : (head?.id ?? null)
    const done = await change(tx, policies, run, right, decision)
    settled.push({ ordinal: row.ordinal, plan: done, useCaseId, isNew: false })
  }
  return settled
}

/** What a review that is open does not allow leaves the row for a person, and the others go on. */
async function change(
  tx: WriteTx,
  policies: Policies,
  run: store.RunRow,
  right: string,
  { row, plan, head }: Row,
): Promise<Plan> {
  const { facts, retires } = plan
  if (head === undefined || (facts === null && !retires)) return plan
  const work = async () => {
    const revised = facts ? await revise(tx, policies, head, facts, becauseOf(run, right, row)) : head
    if (retires) await retire(tx, revised, { ...becauseOf(run, right, row), reason: retirement(run, row) })
  }
  if (head.openReviewId === null) {
    await work()
    return plan
  }
  const refused = await attempt(tx, work)
  return refused instanceof RegistryError ? leaveForAPerson(refused.message) : plan
}

async function keepSources(tx: WriteTx, run: store.RunRow, settled: Settled[]): Promise<void> {
  const applied = settled.flatMap(({ ordinal, plan: { base }, useCaseId, isNew }) =>
    useCaseId !== null && base !== null ? [{ ordinal, useCaseId, base, isNew }] : [],
  )
  await store.insertSources(
    tx,
    run,
    applied.filter(({ isNew }) => isNew),
  )
  await store.updateSources(
    tx,
    run,
    applied.filter(({ isNew }) => !isNew),
  )
}

async function end(tx: WriteTx, id: string): Promise<Import> {
  const run = await store.lockRun(tx, id)
  const right = authorize(tx.ability, 'import', 'Import', run)
  if (run.state !== 'applying') throw new Overtaken()
  const { newUnits = 0, newSystems = 0 } = run.counts ?? {}
  const counts = await countRows(tx, run, run.editions, { newUnits, newSystems })
  const by = { appliedBy: tx.principal.personId, appliedAt: tx.now }
  const revision = run.revision + 1
  const applied = await store.updateRun(tx, run, { state: 'applied', counts, revision, ...by })
  const { created, updated, unchanged, needsAttention, refused, gone } = counts
  const ended = { created, updated, unchanged, needsAttention, refused, gone }
  tx.record(run, { type: 'import.applied', right, ...ended, sealed: {} })
  return present(applied)
}

function becauseOf({ id, register }: store.RunRow, right: string, { rowNumber }: store.MappedRowOf) {
  return { reason: `imported from ${register}, row ${rowNumber}`, right, importId: id }
}

function retirement({ register }: store.RunRow, { rowNumber }: store.MappedRowOf): string {
  return `${register} calls it retired in row ${rowNumber}`
}
