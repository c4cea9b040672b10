import { digestOfJson } from '../audit/digest.js'
import { authorize } from '../auth/decision-rights.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { assertRevision, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { assertOrgUnit } from '../org-units/service.js'
import { assertNotSeated, assertOwners } from '../people/service.js'
import type { Policies } from '../policy/load.js'
import { type ComputedTier, computeTier, validateAnswers } from '../policy/tiering.js'
import { assertSystems } from '../systems/service.js'
import { changedFacts, materialChanges, materialDigest } from './material.js'
import { listSimilar } from './reading.js'
import { isAnotherUse } from './retiering.js'
import * as store from './store.js'
import {
  applyChange,
  assertFrozen,
  assertNoOpenReview,
  assertNotRetired,
  effectiveTier,
  type Facts,
  type FactsChange,
  isAbove,
  type NewUseCase,
  type Similar,
  type Tier,
  type TierParts,
  type UseCase,
} from './use-case.js'
import { factsOf, present } from './view.js'

export { lockUseCases } from './store.js'

export type UseCaseRow = store.UseCaseRow

export async function registerUseCase(
  tx: WriteTx,
  policies: Policies,
  { origin, ...facts }: NewUseCase,
): Promise<{ useCase: UseCase; similar: Similar[] }> {
  const right = authorize(tx.ability, 'register', 'UseCase', { id: null, ...ownersOf(facts) })
  const similar = await listSimilar(tx, facts)
  await assertReferences(tx, facts)
  const [useCase] = await registerUseCases(tx, policies, [{ facts, origin, reason: 'registered', right }])
  if (!useCase) throw new Error('a registered use case came back empty')
  return { useCase: present(useCase, tx.now), similar }
}

export interface Candidate {
  facts: Facts
  origin: UseCase['origin']
  reason: string
  /** The decision right that whoever calls has asked for. */
  right: string
  importId?: string
  /** Why it is retired from the beginning, as the register it comes from says. */
  retiredBecause?: string | undefined
}

/** Registers many at once; whoever calls has authorized it and checked the references. */
export async function registerUseCases(
  tx: WriteTx,
  policies: Policies,
  candidates: Candidate[],
): Promise<UseCaseRow[]> {
  const drafts = candidates.map((candidate) => draft(tx, policies, candidate))
  const rows = await store.insertUseCases(
    tx,
    drafts.map(({ row }) => row),
    drafts.map(({ version }) => version),
  )
  const retired = drafts.flatMap(({ row: { id }, candidate: { retiredBecause: reason } }) =>
    reason === undefined ? [] : [{ useCaseId: id, reason }],
  )
  await store.insertRetirements(tx, retired)
  rows.forEach((row, index) => {
    const { tier, candidate } = drafts[index] as (typeof drafts)[number]
    recordRegistration(tx, row, tier, candidate)
  })
  return rows
}

function recordRegistration(tx: WriteTx, row: UseCaseRow, tier: ComputedTier, candidate: Candidate): void {
  const { facts, reason, right, importId, retiredBecause } = candidate
  const registered = { right, ...eventOf(row, tier, importId), origin: row.origin }
  const head = { id: row.id, lastEventNo: 0, storedEventNo: row.lastEventNo }
  tx.record(head, { type: 'use_case.registered', ...registered, sealed: { facts, reason } })
  if (retiredBecause === undefined) return
  tx.record(head, { type: 'use_case.retired', right, importId, sealed: { reason: retiredBecause } })
}

function draft(tx: WriteTx, policies: Policies, candidate: Candidate) {
  const { facts, origin, reason } = candidate
  validateAnswers(policies.riskTiers, facts.answers)
  const id = newId()
  const tier = computeTier(policies.riskTiers, facts.answers, facts)
  const at = { createdAt: tx.now, updatedAt: tx.now }
  const tiered = { computedTier: tier.tier, fired: tier.fired, policyDigest: policies.digest }
  const authorIds = authorsWith([], tx)
  const retiredAt = candidate.retiredBecause === undefined ? null : tx.now
  const numbered = { lastEventNo: retiredAt === null ? 1 : 2, lastEventAt: tx.now }
  const row = { id, origin, version: 1, ...facts, ...at, ...tiered, authorIds, retiredAt, ...numbered }
  const author = { authorId: tx.principal.personId, recordedAt: tx.now, reason }
  const version = { useCaseId: id, version: 1, facts, ...author, ...tiered }
  return { row, version, tier, candidate }
}

/**
 * Makes a new version of the facts. An approval lapses if they differ in what it rests on; while a review is open
 * such a change is refused.
 */
export async function reviseUseCase(
  tx: WriteTx,
  policies: Policies,
  id: string,
  revision: number,
  { facts: change, reason }: { facts: FactsChange; reason: string },
): Promise<UseCase> {
  const before = await store.lockUseCase(tx, id)
  const right = authorize(tx.ability, 'revise', 'UseCase', before)
  assertRevision(before, revision)
  const facts = applyChange(factsOf(before), change)
  await assertRevisable(tx, policies, before, facts)
  return present(await revise(tx, policies, before, facts, { reason, right }), tx.now)
}

/** @throws RegistryError unless these facts may replace the ones at hand */
async function assertRevisable(
  tx: WriteTx,
  policies: Policies,
  before: UseCaseRow,
  facts: Facts,
): Promise<void> {
  assertNotRetired(before)
  if (changedFacts(factsOf(before), facts).length === 0) {
    throw new RegistryError('invalid', 'nothing would change; send at least one fact that differs')
  }
  assertFrozen(before, materialChanges(factsOf(before), facts, before.openMaterialFacts ?? []))
  validateAnswers(policies.riskTiers, facts.answers, '/facts/answers')
  if (facts.orgUnitId !== before.orgUnitId) {
    authorize(tx.ability, 'register', 'UseCase', { id: before.id, ...ownersOf(facts) })
  }
  await assertReferences(tx, facts, ownerIds(factsOf(before)))
}

interface Because {
  reason: string
  right: string
  importId?: string
}

/** writes the next version of a use case that is locked and may be revised. */
export async function revise(
  tx: WriteTx,
  policies: Policies,
  before: UseCaseRow,
  facts: Facts,
  { reason, right, importId }: Because,
): Promise<UseCaseRow> {
  const version = before.version + 1
  const tier = computeTier(policies.riskTiers, facts.answers, facts)
  const tiered = { computedTier: tier.tier, fired: tier.fired, policyDigest: policies.digest }
  await store.excludeFromOpenReview(tx, before, partiesOf(tx, facts), 'wrote or owns the use case')
  const author = { authorId: tx.principal.personId, recordedAt: tx.now, reason }
  store.insertVersion(tx, { useCaseId: before.id, version, facts, ...author, ...tiered })
  const changed = changedFacts(factsOf(before), facts)
  const material = before.materialFacts ? materialChanges(factsOf(before), facts, before.materialFacts) : []
  const loweredTier = isAnotherUse(policies, before, tier.tier, changed) ? null : before.loweredTier
  const after = store.saveUseCase(tx, before, {
    ...facts,
    ...tiered,
    version,
    authorIds: authorsWith([...before.authorIds, ...ownerIds(factsOf(before))], tx),
    loweredTier,
    ...lapsesOf(tx, before, facts, { computedTier: tier.tier, raisedTier: before.raisedTier, loweredTier }),
  })
  const sealed = { facts, reason }
  tx.record(before, {
    type: 'use_case.revised',
    right,
    ...eventOf(after, tier, importId),
    changed,
    material,
    sealed,
  })
  return after
}

/** The instants at which the approval in force lost its ground; once set they stay, also if the fact is changed back. */
function lapsesOf(tx: WriteTx, before: UseCaseRow, facts: Facts, tier: TierParts) {
  const { approvalId, approvedTier, materialFacts, materialDigest: digest } = before
  if (approvalId === null || approvedTier === null || materialFacts === null) return {}
  const isMaterial = materialDigest(facts, materialFacts) !== digest
  const isRaised = isAbove(effectiveTier(tier), approvedTier)
  return {
    firstMaterialChangeAt: before.firstMaterialChangeAt ?? (isMaterial ? tx.now : null),
    tierRaisedAt: before.tierRaisedAt ?? (isRaised ? tx.now : null),
  }
}

/** @throws RegistryError `conflict` unless the tier is above the one in force */
export async function raiseTier(
  tx: WriteTx,
  id: string,
  revision: number,
  tier: Tier,
  reason: string,
): Promise<UseCase> {
  const before = await store.lockUseCase(tx, id)
  const right = authorize(tx.ability, 'raise_tier', 'UseCase', before)
  assertRevision(before, revision)
  assertNotRetired(before)
  assertNoOpenReview(before)
  const from = effectiveTier(before)
  if (!isAbove(tier, from)) {
    throw new RegistryError('conflict', `the tier is ${from}; only a committee decision can lower it`)
  }
  const isLapse = before.approvedTier !== null && isAbove(tier, before.approvedTier)
  const tierRaisedAt = before.tierRaisedAt ?? (isLapse ? tx.now : null)
  const after = store.saveUseCase(tx, before, { raisedTier: tier, loweredTier: null, tierRaisedAt })
  tx.record(before, { type: 'tier.raised', right, from, to: tier, sealed: { reason } })
  return present(after, tx.now)
}

export async function retireUseCase(
  tx: WriteTx,
  id: string,
  revision: number,
  reason: string,
): Promise<UseCase> {
  const before = await store.lockUseCase(tx, id)
  const right = authorize(tx.ability, 'retire', 'UseCase', before)
  assertRevision(before, revision)
  return present(await retire(tx, before, { reason, right }), tx.now)
}

/** ends a use case that is locked and not under review; nothing of it is deleted. */
export async function retire(
  tx: WriteTx,
  before: UseCaseRow,
  { reason, right, importId }: Because,
): Promise<UseCaseRow> {
  assertNotRetired(before)
  assertNoOpenReview(before)
  await store.insertRetirements(tx, [{ useCaseId: before.id, reason }])
  const after = store.saveUseCase(tx, before, { retiredAt: tx.now })
  tx.record(before, { type: 'use_case.retired', right, importId, sealed: { reason } })
  return after
}

/** Locks a use case for a deed of a later feature, which authorizes it. */
export async function lockUseCase(tx: WriteTx, id: string): Promise<UseCaseRow> {
  return await store.lockUseCase(tx, id)
}

/** Saves what a later feature decided about a locked use case; `change` never touches its facts. */
export function saveUseCase(
  tx: WriteTx,
  before: UseCaseRow,
  change: Partial<Omit<UseCaseRow, keyof Facts | 'id' | 'number' | 'revision' | 'version'>>,
): UseCaseRow {
  return store.saveUseCase(tx, before, change)
}

async function assertReferences(tx: ReadTx, facts: Facts, known: string[] = []): Promise<void> {
  const named = ownerIds(facts).filter((id) => !known.includes(id))
  await assertNotSeated(tx, named, facts.orgUnitId)
  await Promise.all([
    assertOrgUnit(tx, facts.orgUnitId),
    assertSystems(tx, facts.systemIds),
    assertOwners(tx, ownerIds(facts)),
  ])
}

function ownerIds({ businessOwnerId, riskOwnerId }: Facts): string[] {
  return [...new Set([businessOwnerId, riskOwnerId])].filter((id) => id !== null)
}

function ownersOf({ orgUnitId, businessOwnerId, riskOwnerId }: Facts) {
  return { orgUnitId, businessOwnerId, riskOwnerId }
}

/**
 * Whoever wrote it since the last approval. With an owner who may be replaced: they do not vote on what they answered
 * for. Service accounts never vote, so they need no mention.
 */
function authorsWith(authorIds: string[], { principal }: WriteTx): string[] {
  return [...new Set(principal.kind === 'human' ? [...authorIds, principal.personId] : authorIds)]
}

function partiesOf(tx: WriteTx, facts: Facts): string[] {
  return [...new Set([...ownerIds(facts), ...authorsWith([], tx)])]
}

function eventOf(row: UseCaseRow, { tier, fired }: ComputedTier, importId: string | undefined) {
  const { version, orgUnitId, policyDigest: policy } = row
  const ids = fired.map(({ id }) => id)
  return { version, orgUnitId, tier, fired: ids, policy, factsDigest: digestOfJson(factsOf(row)), importId }
}
