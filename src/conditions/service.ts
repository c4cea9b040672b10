import { authorize } from '../auth/decision-rights.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { loadEvidenceOf } from '../evidence/reading.js'
import { newId } from '../ids.js'
import { assertOwners, listOwnersAmong } from '../people/service.js'
import { holdingsOf, settle } from '../requirements/service.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { assertNotRetired } from '../use-cases/use-case.js'
import {
  assertInForce,
  assertNotBlocked,
  assertObligation,
  type Condition,
  type Fulfilment,
  headOf,
  type NewConditionOwner,
  type ObligationTerm,
  type Proposal,
  type Term,
} from './condition.js'
import { asksLeft, assertAsksMet, assertSatisfies, requiredAfter } from './fulfilment.js'
import * as store from './store.js'
import {
  assertNone,
  type ConditionPolicies,
  covers,
  mergeTerms,
  type NewCondition,
  planLimit,
  planObligation,
  type RequiredTerm,
  termsOf,
} from './terms.js'
import { present, subjectOf } from './view.js'

export type { NewCondition, RequiredTerm } from './terms.js'

/**
 * The terms that a vote asks for, duplicates once.
 * @throws RegistryError `invalid` with one issue for each that cannot be imposed; paths begin with `/conditions`
 */
export async function resolveProposals(
  tx: ReadTx,
  policies: ConditionPolicies,
  useCase: Owners,
  proposals: readonly Proposal[],
): Promise<Term[]> {
  const terms = termsOf(policies, proposals, tx.now)
  const owners = terms.map((term) => (term.type === 'obligation' ? term.owner : undefined))
  const known = await listOwnersAmong(tx, peopleAmong(owners))
  assertNone(
    owners.flatMap((owner, index) => {
      if (owner === undefined || ownerNow(owner, useCase, known) !== null) return []
      const message = 'its owner must be a person who is registered here and has not left; choose another'
      return [{ path: `/conditions/${index}/ownerId`, message }]
    }),
  )
  return mergeTerms([terms])
}

type Owners = Pick<UseCaseRow, 'riskOwnerId' | 'businessOwnerId'>
type TermOwner = ObligationTerm['owner']

const peopleAmong = (owners: (TermOwner | undefined)[]): string[] =>
  owners.filter(
    (owner) => owner !== undefined && owner !== 'risk_owner' && owner !== 'business_owner',
  ) as string[]

/** Whom a term means now; null for nobody. */
function ownerNow(
  owner: TermOwner,
  { riskOwnerId, businessOwnerId }: Owners,
  known: string[],
): string | null {
  if (owner === 'risk_owner') return riskOwnerId
  if (owner === 'business_owner') return businessOwnerId
  return known.find((id) => id === owner) ?? null
}

/**
 * what terms come to if they are imposed now. Whoever was to own one and has left since falls back to the risk
 * owner.
 * @param kept conditions that stay in force: what they ask for already, in the same words and no later, is left out
 */
export async function planConditions(
  tx: ReadTx,
  useCase: Owners,
  terms: readonly (Term | RequiredTerm)[],
  kept: readonly Condition[] = [],
): Promise<NewCondition[]> {
  const owners = terms.flatMap((term) => (term.type === 'obligation' ? [term.owner] : []))
  const known = await listOwnersAmong(tx, peopleAmong(owners))
  return terms
    .map((term) => {
      if (term.type === 'limit') return planLimit(newId(), term)
      const ownerId = ownerNow(term.owner, useCase, known) ?? useCase.riskOwnerId
      if (ownerId !== null) return planObligation(newId(), term, ownerId, tx.now)
      throw new RegistryError(
        'conflict',
        'somebody has to answer for its conditions; name a risk owner first',
      )
    })
    .filter((planned) => !kept.some((old) => covers(old, planned)))
}

/** puts planned conditions in force, by a decision that is inserted already. */
export async function impose(
  tx: WriteTx,
  useCase: UseCaseRow,
  decisionId: string,
  planned: readonly NewCondition[],
): Promise<void> {
  const before = await store.countConditions(tx, useCase.id)
  const origin = { useCaseId: useCase.id, decisionId, imposedAt: tx.now }
  const rows = planned.map(({ limit, ...condition }, index) => ({
    ...{ ...condition, ...origin, ordinal: before + index + 1 },
    ...{ limitOn: limit?.on ?? null, limitValues: limit?.values ?? null },
  }))
  await store.insertConditions(tx, rows)
  for (const { id: conditionId, type: kind, pattern, dueAt, text } of rows) {
    const imposed = { conditionId, decisionId, kind, pattern: pattern ?? undefined, dueAt }
    tx.record(useCase, { type: 'condition.imposed', ...imposed, sealed: { text } })
  }
}

/** @throws RegistryError `invalid` unless all of them are conditions of this use case, and in force */
export async function assertWaivable(
  tx: ReadTx,
  useCase: Pick<UseCaseRow, 'id'>,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  const inForce = await listInForce(tx, useCase.id)
  const message = 'this use case has no such condition in force; name one that it has'
  assertNone(
    ids.flatMap((id, index) =>
      inForce.some((row) => row.id === id) ? [] : [{ path: `/waives/${index}`, message }],
    ),
  )
}

/**
 * ends conditions of this use case by a decision. One that ended while the round was open, as when it was met, stays
 * as it is.
 * @throws RegistryError `invalid` for one of another use case
 */
export async function waive(
  tx: WriteTx,
  useCase: UseCaseRow,
  decisionId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  const all = await store.listImposedOn(tx, useCase.id)
  const named = all.filter(({ condition }) => ids.includes(condition.id))
  if (named.length < new Set(ids).size) {
    throw new RegistryError('invalid', 'a condition of another use case cannot be waived here; name its own')
  }
  await end(tx, useCase, decisionId, 'waived', named)
}

/** a block or a supersession ends whatever is in force. */
export async function endAll(tx: WriteTx, useCase: UseCaseRow, decisionId: string): Promise<void> {
  await end(tx, useCase, decisionId, 'ended', await store.listImposedOn(tx, useCase.id))
}

async function end(
  tx: WriteTx,
  useCase: UseCaseRow,
  decisionId: string,
  state: 'waived' | 'ended',
  rows: readonly store.ImposedRow[],
): Promise<void> {
  const ids = rows.filter(({ ending }) => ending === null).map(({ condition }) => condition.id)
  const by = { endedBy: tx.principal.personId, endedAt: tx.now, note: `${state} by a decision` }
  const endings = ids.map((conditionId) => ({
    ...{ conditionId, state, ...by, decisionId, evidenceId: null, verdict: null },
  }))
  await store.insertEndings(tx, endings)
  for (const conditionId of ids) {
    tx.record(useCase, { type: `condition.${state}`, conditionId, decisionId, sealed: {} })
  }
}

/** Open obligations and limits, in the order in which they were imposed. Whoever calls has authorized it. */
export async function listInForce(tx: ReadTx, useCaseId: string): Promise<Condition[]> {
  const rows = await store.listInForceOn(tx, useCaseId)
  return rows.map((row) => present(row, tx.now))
}

/**
 * says that an obligation is met, and by which evidence. What was overdue is cured at once, and what was due before a
 * deploy denies no longer. What policy required has to be there from then on.
 * @throws RegistryError `conflict` for a condition that has ended, for evidence that nobody accepted, and while what
 * policy requires is not there
 */
export async function meet(tx: WriteTx, id: string, { evidenceId, note }: Fulfilment): Promise<Condition> {
  const { useCase, condition, right } = await lockCondition(tx, id, 'meet')
  assertNotBlocked(useCase)
  const evidence = await loadEvidenceOf(tx, useCase.id, evidenceId)
  assertSatisfies(evidence, condition, tx.now)
  const asks = asksLeft(condition, useCase.required, tx.now)
  if (asks.length > 0) {
    assertAsksMet({ ...condition, asks }, evidenceId, await holdingsOf(tx, useCase.id), tx.now)
  }
  const met = { conditionId: id, state: 'met' as const, evidenceId, verdict: 'accepted' as const, note }
  const by = { endedBy: tx.principal.personId, endedAt: tx.now, decisionId: null }
  await store.insertEndings(tx, [{ ...met, ...by }])
  const required = requiredAfter(useCase.required, condition)
  const settled = await settle(tx, { ...useCase, required })
  saveUseCase(tx, useCase, { required, ...settled, ...headOf(await listInForce(tx, useCase.id)) })
  const { digest: evidenceDigest } = evidence
  const event = { right, conditionId: id, evidenceId, evidenceDigest }
  tx.record(useCase, { type: 'condition.met', ...event, sealed: { note } })
  return await showCondition(tx, id)
}

/** gives an obligation to another person. */
export async function reassign(
  tx: WriteTx,
  id: string,
  { ownerId, reason }: NewConditionOwner,
): Promise<Condition> {
  const { useCase, condition, right } = await lockCondition(tx, id, 'reassign')
  if (condition.ownerId === ownerId) {
    throw new RegistryError('invalid', 'this person owns it already; name another, or leave it as it is')
  }
  await assertOwners(tx, [ownerId])
  await store.updateOwner(tx, id, ownerId)
  saveUseCase(tx, useCase, {})
  const event = { right, conditionId: id, from: condition.ownerId ?? ownerId, to: ownerId }
  tx.record(useCase, { type: 'condition.reassigned', ...event, sealed: { reason } })
  return await showCondition(tx, id)
}

/** An obligation in force of a use case that is locked and not retired, for whoever may do this to it. */
async function lockCondition(tx: WriteTx, id: string, action: 'meet' | 'reassign') {
  const { useCaseId } = (await store.getImposedRow(tx, id)).condition
  const useCase = await lockUseCase(tx, useCaseId)
  const { condition, ending } = await store.getImposedRow(tx, id)
  const right = authorize(tx.ability, action, 'Condition', subjectOf(condition, useCase))
  assertNotRetired(useCase)
  assertObligation(condition)
  assertInForce(ending)
  return { useCase, condition, right }
}

async function showCondition(tx: ReadTx, id: string): Promise<Condition> {
  return present(await store.getImposedRow(tx, id), tx.now)
}
