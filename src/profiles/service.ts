import { authorize, type RowOf } from '../auth/decision-rights.js'
import { loadOutlines } from '../catalogs/service.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { assertRevision, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import type { Policies } from '../policy/load.js'
import { settle } from '../requirements/service.js'
import { loadUseCase } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { standingOf } from '../use-cases/standing.js'
import { assertNotRetired, keyOf as keyOfUseCase } from '../use-cases/use-case.js'
import {
  type Assessed,
  inEvents,
  keyOf,
  type NewAssessments,
  plan,
  type Saying,
  statesWith,
} from './assessment.js'
import { copies, type NewCopy, type ProfileCopy } from './copying.js'
import type { KnownCatalogs } from './coverage.js'
import { type ControlAssessment, nameOf } from './profile.js'
import { readProfile } from './reading.js'
import * as store from './store.js'

type ProfilePolicies = Pick<Policies, 'requirements' | 'catalogs' | 'digest'>

/** Which use case, and which revision of it the caller has seen. */
interface Seen {
  useCaseRef: string
  revision: number
}

/**
 * says how far controls are, of many at once. What was said before stays. A control that an approval rests on may
 * thereby fall out of place, which lapses it, or come back into it, which cures that.
 * @throws RegistryError `invalid` with an issue for each line that cannot be taken
 */
export async function assess(
  tx: WriteTx,
  policies: ProfilePolicies,
  seen: Seen,
  given: NewAssessments,
): Promise<Assessed> {
  const { useCase, right } = await lockAssessable(tx, seen)
  const said = await store.listSaid(tx, useCase.id)
  const named = new Set(given.assessments.flatMap(({ evidenceIds = [] }) => evidenceIds))
  const catalogs = await catalogsOf(tx, policies, given.assessments)
  const pieces = await store.listNameable(tx, useCase.id, [...named])
  const { sayings, unchanged } = plan(given, { said, catalogs, pieces })
  const after = await append(tx, useCase, { said, sayings, right })
  const { coverage } = await readProfile(tx, policies, after, tx.now)
  const { withEvidence: _shown, beyond: _more, functions: _each, ...total } = coverage
  const { standing, reasons } = standingOf(after, tx.now)
  const { id: useCaseId, revision } = after
  return { useCaseId, revision, assessed: sayings.length, unchanged, standing, reasons, coverage: total }
}

/**
 * Copies what was said of the controls of another use case that the caller may read. A copy never counts: what would
 * count there arrives here as a proposal, until somebody here assesses it.
 * @throws RegistryError `conflict` when there is nothing to copy
 */
export async function copyProfile(
  tx: WriteTx,
  policies: ProfilePolicies,
  seen: Seen,
  asked: NewCopy,
): Promise<ProfileCopy> {
  const { useCase, right } = await lockAssessable(tx, seen)
  const other = await loadUseCase(tx, asked.fromUseCaseId)
  authorize(tx.ability, 'read', 'Profile', subjectOf(other))
  if (other.id === useCase.id)
    throw new RegistryError('invalid', 'this is the use case itself; name another one to copy from')
  const there = await store.listSaid(tx, other.id)
  const here = await store.listSaid(tx, useCase.id)
  const catalogs = await catalogsOf(tx, policies, there)
  const from = keyOfUseCase(other.number)
  const { sayings, kept, skipped } = copies({ from, there, here, catalogs, asked })
  if (sayings.length === 0) {
    const message = `nothing of ${from} can be copied: ${kept.length} of its controls were assessed here, and ${skipped.length} have nothing to copy; assess them here`
    throw new RegistryError('conflict', message)
  }
  const after = await append(tx, useCase, { said: here, sayings, right, copiedFrom: other.id })
  const copied = sayings.map(({ catalog, version, control, state }) => ({ catalog, version, control, state }))
  const { id: useCaseId, revision } = after
  return { useCaseId, fromUseCaseId: other.id, revision, copied, kept, skipped }
}

/** What rights look at in a profile. */
export function subjectOf({
  id: useCaseId,
  orgUnitId,
  businessOwnerId,
  riskOwnerId,
}: UseCaseRow): RowOf<'Profile'> & { id: string } {
  return { id: useCaseId, useCaseId, orgUnitId, businessOwnerId, riskOwnerId }
}

/** Also while a review is open: to have controls in place is what the committee waits for. */
async function lockAssessable(
  tx: WriteTx,
  { useCaseRef, revision }: Seen,
): Promise<{ useCase: UseCaseRow; right: string }> {
  const useCase = await lockUseCase(tx, useCaseRef)
  const right = authorize(tx.ability, 'assess', 'Profile', subjectOf(useCase))
  assertRevision(useCase, revision)
  assertNotRetired(useCase)
  return { useCase, right }
}

async function catalogsOf(
  tx: ReadTx,
  policies: ProfilePolicies,
  named: readonly { catalog: string; version: string }[],
): Promise<KnownCatalogs> {
  return await loadOutlines(tx, policies, new Set(named.map(nameOf)))
}

interface Appending {
  /** What was last said of each control before. */
  said: readonly ControlAssessment[]
  sayings: readonly (Saying & { copiedFrom?: string })[]
  right: string
  copiedFrom?: string
}

/** Writes what is said, settles what the approval rests on, and records it. */
async function append(
  tx: WriteTx,
  useCase: UseCaseRow,
  { said, sayings, right, copiedFrom }: Appending,
): Promise<UseCaseRow> {
  const last = new Map(said.map((one) => [keyOf(one), one]))
  const by = { assessedBy: tx.principal.personId, assessedAt: tx.now }
  const rows = sayings.map((saying): ControlAssessment => {
    const ordinal = (last.get(keyOf(saying))?.ordinal ?? 0) + 1
    return { id: newId(), ...saying, ordinal, ...by, copiedFrom: saying.copiedFrom ?? null }
  })
  await store.insertAssessments(tx, useCase.id, rows, statesWith([...said, ...rows]))
  const after = saveUseCase(tx, useCase, await settle(tx, useCase))
  for (const part of inEvents(rows)) {
    const from = copiedFrom === undefined ? {} : { copiedFrom }
    tx.record(useCase, { type: 'control.assessed', right, ...part, ...from })
  }
  return after
}
