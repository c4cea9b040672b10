import { authorize } from '../auth/decision-rights.js'
import { attempt, type WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { assertNotSeated, assertOwners, countOwned, getPerson, lockPeople } from '../people/service.js'
import type { Policies } from '../policy/load.js'
import { materialChanges } from '../use-cases/material.js'
import { lockUseCases, revise, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { assertFrozen, keyOf } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import {
  assertSomeMoved,
  assertTakers,
  assertTwoOwners,
  type HandedOver,
  type Handover,
  handOverFacts,
  MOVED,
  type Refused,
  takersOf,
} from './handover.js'
import * as store from './store.js'

/** One handover, as it goes on. */
interface Deed {
  personId: string
  to: Handover
  right: string
  policies: Policies
}

/**
 * gives what somebody answers for to others: each use case gets a new version with its new owner. One that
 * cannot change hands now stays as it is and is named with the reason; the others go through.
 * @throws RegistryError `conflict` when nothing could be handed over
 */
export async function handOver(
  tx: WriteTx,
  policies: Policies,
  personId: string,
  to: Handover,
): Promise<HandedOver> {
  const { kind } = await getPerson(tx, personId)
  const right = authorize(tx.ability, 'hand_over', 'Person', { id: personId, kind })
  const takers = takersOf(to)
  assertTakers(takers, personId)
  const { locked, owned, conditions } = await lockOwned(tx, personId, to)
  await assertOwners(tx, takers)
  if (personId === tx.principal.personId) await assertWilling(tx, takers, owned)
  const [person] = await lockPeople(tx, [personId])
  if (!person) throw new Error('a person who was read is gone')
  const deed = { personId, to, right, policies }
  const { useCases, refused } = await giveUseCases(tx, deed, owned)
  const given = await giveConditions(tx, deed, { locked, conditions, revised: useCases })
  const moved = { useCases: useCases.map(presentUseCase), conditions: given, refused }
  assertSomeMoved(moved)
  tx.record(person, {
    ...{ type: 'person.handed_over', right, toId: takers.length === 1 ? (takers[0] ?? null) : null },
    ...{ useCases: useCases.length, conditions: given.length, sealed: { reason: to.reason } },
  })
  return { personId, ...moved, left: await countOwned(tx, personId) }
}

/** who hands over their own names nobody out of the committee; an administrator, who decides nothing, may. */
async function assertWilling(tx: WriteTx, takers: string[], owned: UseCaseRow[]): Promise<void> {
  const units = new Set(owned.map(({ orgUnitId }) => orgUnitId))
  for (const unitId of units) await assertNotSeated(tx, takers, unitId)
}

interface Owned {
  /** Every use case that the handover touches. */
  locked: UseCaseRow[]
  /** Those of them that change hands. */
  owned: UseCaseRow[]
  conditions: store.OpenCondition[]
}

/** What the handover is about, under the locks of all use cases it touches: use cases before people. */
async function lockOwned(tx: WriteTx, personId: string, to: Handover): Promise<Owned> {
  const scope = {
    ...{ personId, useCaseIds: to.useCaseIds, limit: MOVED },
    business: to.toBusinessOwnerId !== undefined,
    risk: to.toRiskOwnerId !== undefined,
    conditions: to.toConditionOwnerId !== undefined,
  }
  const ids = await store.listIdsOwned(tx, scope)
  const found = await store.listConditionsOwned(tx, scope)
  const locked = await lockUseCases(tx, [...new Set([...ids, ...found.map(({ useCaseId }) => useCaseId)])])
  const owned = locked.filter((row) => row.retiredAt === null && changesHands(row, personId, to))
  const lockedIds = new Set(locked.map(({ id }) => id))
  const open = await store.listConditionsOwned(tx, scope)
  return { locked, owned, conditions: open.filter(({ useCaseId }) => lockedIds.has(useCaseId)) }
}

function changesHands(row: UseCaseRow, personId: string, to: Handover): boolean {
  const { businessOwnerId, riskOwnerId } = handOverFacts(factsOf(row), personId, to)
  return businessOwnerId !== row.businessOwnerId || riskOwnerId !== row.riskOwnerId
}

async function giveUseCases(
  tx: WriteTx,
  deed: Deed,
  owned: UseCaseRow[],
): Promise<{ useCases: UseCaseRow[]; refused: Refused[] }> {
  const useCases: UseCaseRow[] = []
  const refused: Refused[] = []
  for (const before of owned) {
    const given = await attempt(tx, async () => await giveUseCase(tx, deed, before))
    if (given instanceof RegistryError) refused.push({ ...ofUseCase(before), reason: given.message })
    else useCases.push(given)
  }
  return { useCases, refused }
}

async function giveUseCase(
  tx: WriteTx,
  { personId, to, right, policies }: Deed,
  before: UseCaseRow,
): Promise<UseCaseRow> {
  const facts = handOverFacts(factsOf(before), personId, to)
  assertTwoOwners(facts)
  assertFrozen(before, materialChanges(factsOf(before), facts, before.openMaterialFacts ?? []))
  return await revise(tx, policies, before, facts, { reason: to.reason, right })
}

/** The conditions of a use case that changed hands count as the same deed on it: its revision rose already. */
async function giveConditions(
  tx: WriteTx,
  { personId, to, right }: Deed,
  { locked, conditions, revised }: Pick<Owned, 'locked' | 'conditions'> & { revised: UseCaseRow[] },
): Promise<HandedOver['conditions']> {
  const ownerId = to.toConditionOwnerId
  if (ownerId === undefined) return []
  await store.giveConditions(
    tx,
    conditions.map(({ id }) => id),
    ownerId,
  )
  const isRevised = new Set(revised.map(({ id }) => id))
  return locked.flatMap((useCase) => {
    const given = conditions.filter(({ useCaseId }) => useCaseId === useCase.id)
    if (given.length > 0 && !isRevised.has(useCase.id)) saveUseCase(tx, useCase, {})
    return given.map(({ id }) => {
      const event = { right, conditionId: id, from: personId, to: ownerId, sealed: { reason: to.reason } }
      tx.record(useCase, { type: 'condition.reassigned', ...event })
      return { id, ...ofUseCase(useCase), ownerId }
    })
  })
}

function ofUseCase({ id, number }: UseCaseRow): { useCaseId: string; key: string } {
  return { useCaseId: id, key: keyOf(number) }
}

function presentUseCase(row: UseCaseRow): HandedOver['useCases'][number] {
  const { version, businessOwnerId, riskOwnerId } = row
  return { ...ofUseCase(row), version, businessOwnerId, riskOwnerId }
}
