import { authorize, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { askedIn, floorIn } from '../db/retention-floors.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import type { Evidence } from '../evidence/evidence.js'
import { getEvidence } from '../evidence/reading.js'
import { newId } from '../ids.js'
import { holdsOver } from '../legal-holds/service.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { endOf } from '../policy/retention-file.js'
import { loadUseCase } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { raiseFloors } from './raising.js'
import {
  assertThere,
  assertUndecided,
  extend,
  type NewExtension,
  type NewProposalVerdict,
  type NewShortening,
  type Retention,
  type Shortening,
  type ShorteningFilters,
  type Standing,
  shorten,
} from './retention.js'
import * as store from './store.js'

export type RetentionPolicies = Pick<Policies, 'digest' | 'retention'>

export async function getRetention(tx: ReadTx, evidenceId: string): Promise<Retention> {
  const evidence = await getEvidence(tx, evidenceId)
  const [useCase, history, holds] = await Promise.all([
    loadUseCase(tx, evidence.useCaseId),
    store.listFloors(tx, evidenceId),
    holdsOver(tx, [evidenceId]),
  ])
  return present(evidence, { useCase, history, holds: holds.get(evidenceId) ?? [] })
}

/** One person has a piece kept longer. @throws RegistryError `invalid` unless it is later than now */
export async function extendRetention(
  tx: WriteTx,
  policies: RetentionPolicies,
  evidenceId: string,
  { retainUntil, reason }: NewExtension,
): Promise<Retention> {
  const { evidence, useCase } = await lockPiece(tx, evidenceId)
  const right = authorize(tx.ability, 'retain', 'Evidence', subjectOf(evidence, useCase))
  assertThere(evidence.state === 'disposed')
  const earlier = await currentFloor(tx, policies, useCase, evidenceId)
  const floor = extend(standingOf(earlier), retainUntil)
  const by = { setBy: tx.principal.personId, setAt: tx.now, reason }
  const row = await store.addFloor(tx, { evidenceId, because: 'extended', floor, ...by }, earlier)
  saveUseCase(tx, useCase, {})
  tx.record(useCase, { type: 'retention.extended', right, evidenceId, ...told(row), sealed: { reason } })
  return await getRetention(tx, evidenceId)
}

/**
 * Proposes to keep a piece shorter; nothing changes before somebody else confirms it.
 * @throws RegistryError `invalid` when that is below what a regulation asks for, or no shorter than now
 */
export async function proposeShortening(
  tx: WriteTx,
  policies: RetentionPolicies,
  evidenceId: string,
  { retainUntil, reason }: NewShortening,
): Promise<Shortening> {
  const { evidence, useCase } = await lockPiece(tx, evidenceId)
  const right = authorize(tx.ability, 'shorten', 'Evidence', subjectOf(evidence, useCase))
  assertThere(evidence.state === 'disposed')
  shorten(standingOf(await currentFloor(tx, policies, useCase, evidenceId)), retainUntil)
  const proposed = { proposedBy: tx.principal.personId, proposedAt: tx.now }
  const shortening = { id: newId(), evidenceId, useCaseId: useCase.id, retainUntil, reason, ...proposed }
  await store.insertShortening(tx, shortening)
  saveUseCase(tx, useCase, {})
  const of = { shorteningId: shortening.id, evidenceId, retainUntil }
  tx.record(useCase, { type: 'retention.shortening_proposed', right, ...of, sealed: { reason } })
  return presentShortening({ shortening, verdict: null })
}

/**
 * Confirms or rejects what somebody else proposed. What it would be shorter than is looked at again.
 * @throws RegistryError `forbidden` to the proposer, `conflict` when it was decided already
 */
export async function judgeShortening(
  tx: WriteTx,
  policies: RetentionPolicies,
  id: string,
  { verdict, reason }: NewProposalVerdict,
): Promise<Shortening> {
  const { shortening, useCase: whose } = await store.getShownRow(tx, id)
  authorize(tx.ability, 'read', 'Shortening', { ...shortening, ...rightsOf(whose) })
  const { evidence, useCase } = await lockPiece(tx, shortening.evidenceId)
  const { verdict: earlier } = await store.getShownRow(tx, id)
  const right = authorize(tx.ability, 'judge', 'Shortening', { ...shortening, ...rightsOf(useCase) })
  assertUndecided(earlier)
  assertThere(evidence.state === 'disposed')
  const { proposedBy, evidenceId } = shortening
  const given = {
    shorteningId: id,
    proposedBy,
    givenBy: tx.principal.personId,
    givenAt: tx.now,
    verdict,
    reason,
  }
  if (!(await store.insertVerdict(tx, given))) assertUndecided(given)
  saveUseCase(tx, useCase, {})
  const of = { right, shorteningId: id, evidenceId, sealed: { reason } }
  if (verdict === 'rejected') tx.record(useCase, { type: 'retention.shortening_rejected', ...of })
  else {
    const row = await carryOut(tx, policies, useCase, shortening)
    tx.record(useCase, { type: 'retention.shortened', ...of, ...told(row), proposedBy })
  }
  return presentShortening({ shortening, verdict: given })
}

async function carryOut(
  tx: WriteTx,
  policies: RetentionPolicies,
  useCase: UseCaseRow,
  { id: shorteningId, evidenceId, retainUntil, reason, proposedBy: setBy }: store.ShorteningRow,
): Promise<store.FloorRow> {
  const earlier = await currentFloor(tx, policies, useCase, evidenceId)
  const floor = shorten(standingOf(earlier), retainUntil)
  const by = { setBy, setAt: tx.now, approvedBy: tx.principal.personId, shorteningId, reason }
  return await store.addFloor(tx, { evidenceId, because: 'shortened', floor, ...by }, earlier)
}

export async function getShortening(tx: ReadTx, id: string): Promise<Shortening> {
  const shown = await store.getShownRow(tx, id)
  authorize(tx.ability, 'read', 'Shortening', { ...shown.shortening, ...rightsOf(shown.useCase) })
  return presentShortening(shown)
}

/** Those that the caller may see, the last one first. */
export async function listShortenings(
  tx: ReadTx,
  filters: ShorteningFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<Shortening>> {
  const where = visibleWhere(tx.ability, 'read', 'Shortening', store.rightsColumns)
  const [proposedAt, id] = after ?? []
  const from = after && { proposedAt: String(proposedAt), id: String(id) }
  const rows = await store.listShownRows(tx, { where, filters, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, ({ shortening }) => [shortening.proposedAt, shortening.id])
  return { items: items.map(presentShortening), last }
}

/** Reads the piece before and after its use case is locked: what is said of it then is so until the end. */
async function lockPiece(tx: WriteTx, id: string): Promise<{ evidence: Evidence; useCase: UseCaseRow }> {
  const { useCaseId } = await getEvidence(tx, id)
  const useCase = await lockUseCase(tx, useCaseId)
  return { evidence: await getEvidence(tx, id), useCase }
}

/** The last word on how long, after policy was asked once more. */
async function currentFloor(
  tx: WriteTx,
  policies: RetentionPolicies,
  useCase: UseCaseRow,
  evidenceId: string,
): Promise<store.FloorRow> {
  await raiseFloors(tx, policies, [useCase])
  const row = await store.getLastFloor(tx, evidenceId)
  if (!row) throw new Error('a piece has no retention')
  return row
}

function standingOf(row: store.FloorRow): Standing {
  return { floor: floorIn(row), asked: askedIn(row) }
}

function told({ ordinal, retainUntil, daysAfterRetirement, classes }: store.FloorRow) {
  return { ordinal, retainUntil, daysAfterRetirement, classes }
}

function rightsOf({ orgUnitId, businessOwnerId, riskOwnerId }: UseCaseRow | store.ShownRow['useCase']) {
  return { orgUnitId, businessOwnerId, riskOwnerId }
}

function subjectOf(
  { id, useCaseId, attachedBy }: Evidence,
  useCase: UseCaseRow,
): RowOf<'Evidence'> & { id: string } {
  return { id, useCaseId, attachedBy, ...rightsOf(useCase) }
}

function present(
  { id: evidenceId, useCaseId, disposalId }: Evidence,
  { useCase, history, holds }: Pick<Retention, 'holds'> & { useCase: UseCaseRow; history: store.FloorRow[] },
): Retention {
  const last = history.at(-1)
  if (!last) throw new Error('a piece has no retention')
  const { retainUntil, daysAfterRetirement, regulatoryUntil, regulatoryDays, classes } = last
  return {
    ...{ evidenceId, useCaseId, disposalId, holds, classes, retainUntil, daysAfterRetirement },
    endsAt: endOf(floorIn(last), useCase.retiredAt),
    regulatory: { retainUntil: regulatoryUntil, daysAfterRetirement: regulatoryDays },
    history: history.map((row) => {
      const { because, reason, setBy, setAt, approvedBy } = row
      return { ...told(row), because, reason, setBy, setAt, approvedBy }
    }),
  }
}

function presentShortening({
  shortening,
  verdict,
}: Pick<store.ShownRow, 'shortening' | 'verdict'>): Shortening {
  const { id, evidenceId, useCaseId, retainUntil, reason, proposedBy, proposedAt } = shortening
  const given = verdict && {
    ...{ verdict: verdict.verdict, givenBy: verdict.givenBy },
    ...{ givenAt: verdict.givenAt, reason: verdict.reason },
  }
  return { id, evidenceId, useCaseId, retainUntil, reason, proposedBy, proposedAt, verdict: given }
}
