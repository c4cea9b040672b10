import { isAllowed } from '../auth/decision-rights.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { newId } from '../ids.js'
import { createOrgUnits, listOrgUnits, lockTree } from '../org-units/service.js'
import { listPeopleCalled } from '../people/service.js'
import type { Question } from '../policy/risk-tiers-file.js'
import { listSystemsCalled, registerSystems } from '../systems/service.js'
import { loadUseCases } from '../use-cases/reading.js'
import { lockUseCases, type UseCaseRow } from '../use-cases/service.js'
import { factsOf } from '../use-cases/view.js'
import type { MappedRow } from './map.js'
import { Names, systemKey } from './names.js'
import { type Plan, planRow, type Registered } from './outcome.js'
import * as store from './store.js'

/** A row of an import, as understood. */
export interface Understood {
  ordinal: number
  rowNumber: number
  identity: string
  mapped: MappedRow
}

/** A row, what is to become of it, and the use case that it updates. */
export interface Decided<R extends Understood> {
  row: R
  plan: Plan
  head: UseCaseRow | undefined
}

/** Decides what rows come to against the register as it is now, without writing anything. */
export async function decide<R extends Understood>(
  tx: ReadTx,
  run: store.RunRow,
  questions: readonly Question[],
  names: Names,
  rows: R[],
): Promise<Decided<R>[]> {
  const known = await loadKnown(tx, run, rows, async (ids) => await loadUseCases(tx, ids))
  await learn(tx, names, rows)
  return plan(run, questions, rows, known, names)
}

/**
 * Decides again with every use case of these rows locked, and adds the units and systems that they name. The
 * register is locked already.
 */
export async function decideLocked<R extends Understood>(
  tx: WriteTx,
  run: store.RunRow,
  questions: readonly Question[],
  rows: R[],
): Promise<{ decided: Decided<R>[]; names: Names }> {
  const known = await loadKnown(tx, run, rows, async (ids) => await lockUseCases(tx, ids))
  const decideBy = async (names: Names) => {
    await learn(tx, names, rows)
    return { decided: plan(run, questions, rows, known, names), names }
  }
  let decision = await decideBy(await loadNames(tx, run))
  if (decision.names.newUnits.length > 0) {
    await lockTree(tx)
    decision = await decideBy(await loadNames(tx, run))
  }
  await createOrgUnits(tx, decision.names.newUnits.map(withParent))
  await registerSystems(tx, decision.names.newSystems)
  return decision
}

function withParent<U extends { parentId: string | null }>(unit: U): U & { parentId: string } {
  if (unit.parentId === null) throw new Error('an import adds no root to the tree')
  return { ...unit, parentId: unit.parentId }
}

type Known = Map<string, { head: UseCaseRow; registered: Registered }>

/** By identity. */
async function loadKnown(
  tx: ReadTx,
  run: store.RunRow,
  rows: Understood[],
  load: (ids: string[]) => Promise<UseCaseRow[]>,
): Promise<Known> {
  const identities = rows.map(({ identity }) => identity)
  const sources = await store.listSources(tx, run.register, identities)
  const heads = new Map(
    (await load(sources.map(({ useCaseId }) => useCaseId))).map((head) => [head.id, head]),
  )
  const { createdBy } = run
  return new Map(
    sources.flatMap(({ useCaseId, identity, mapped, base }) => {
      const head = heads.get(useCaseId)
      if (!head) return []
      const { number, retiredAt, openReviewId, openMaterialFacts, orgUnitId } = head
      const isWithinReach = isAllowed(tx.ability, 'import', 'Import', { createdBy, orgUnitId })
      const life = { number, retiredAt, openReviewId, openMaterialFacts, isWithinReach }
      return [[identity, { head, registered: { ...life, mapped, base, facts: factsOf(head) } }]]
    }),
  )
}

/** The units as they are, and what the importer may add. */
export async function loadNames(tx: ReadTx, { orgUnitId: unitId }: store.RunRow): Promise<Names> {
  return new Names({
    unitId,
    units: await listOrgUnits(tx),
    mayAddUnits: isAllowed(tx.ability, 'manage', 'OrgUnit', { id: unitId }),
    mayAddSystems: isAllowed(tx.ability, 'register', 'System', { id: null }),
    newId,
  })
}

async function learn(tx: ReadTx, names: Names, rows: Understood[]): Promise<void> {
  const facts = rows.map(({ mapped }) => mapped.facts)
  const owners = facts.flatMap(({ businessOwner, riskOwner }) => [businessOwner, riskOwner])
  const systems = distinct(facts.flatMap((fact) => fact.systems ?? []))
  names.learn(
    await listSystemsCalled(tx, { names: systems, keys: systems.map(systemKey) }),
    await listPeopleCalled(tx, distinct(owners.flatMap((name) => name ?? []))),
  )
}

function plan<R extends Understood>(
  { orgUnitId: unitId }: store.RunRow,
  questions: readonly Question[],
  rows: R[],
  known: Known,
  names: Names,
): Decided<R>[] {
  return rows.map((row) => {
    const { head, registered } = known.get(row.identity) ?? {}
    return { row, head, plan: planRow(row.mapped, registered, { names, questions, unitId }) }
  })
}

function distinct(words: string[]): string[] {
  return [...new Set(words)]
}
