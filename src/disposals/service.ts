import { authorize, type RowOf } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { settle } from '../requirements/service.js'
import { raiseFloors } from '../retention/raising.js'
import type { NewProposalVerdict } from '../retention/retention.js'
import { getReadable } from '../use-cases/reading.js'
import { lockUseCase, saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { keyOf } from '../use-cases/use-case.js'
import {
  assertDisposable,
  assertUndecided,
  type Disposal,
  type DisposalCandidate,
  type DisposalFilters,
  type NewDisposal,
} from './disposal.js'
import * as store from './store.js'

export type DisposalPolicies = Pick<Policies, 'digest' | 'retention'>

/** What the caller may propose to dispose of now, the longest there first. */
export async function listCandidates(
  tx: ReadTx,
  useCaseRef: string | undefined,
  { limit, after }: PageRequest,
): Promise<PageOf<DisposalCandidate>> {
  const useCaseId = useCaseRef === undefined ? undefined : (await getReadable(tx, useCaseRef)).id
  const where = visibleWhere(tx.ability, 'dispose', 'UseCase', store.candidateColumns)
  const [attachedAt, id] = after ?? []
  const from = after && { attachedAt: String(attachedAt), id: String(id) }
  const rows = await store.listCandidates(tx, { where, useCaseId, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.attachedAt, row.id])
  return { items: items.map(presentCandidate), last }
}

/**
 * Proposes to dispose of pieces of one use case; nothing goes before somebody else confirms it.
 * @throws RegistryError `conflict` for a piece that has to be kept, with the reason
 */
export async function proposeDisposal(
  tx: WriteTx,
  policies: DisposalPolicies,
  useCaseRef: string,
  { evidenceIds: given, reason }: NewDisposal,
): Promise<Disposal> {
  const useCase = await lockUseCase(tx, useCaseRef)
  const right = authorize(tx.ability, 'dispose', 'UseCase', useCase)
  const evidenceIds = [...new Set(given)]
  const weighed = await weighAnew(tx, policies, useCase, evidenceIds)
  const { id: useCaseId } = useCase
  const by = { proposedBy: tx.principal.personId, proposedAt: tx.now }
  const disposal = { id: newId(), useCaseId, reason, policyDigest: policies.digest, ...by }
  const pieces = weighed.map((row) => {
    const { evidenceId, ...shown } = shownOf(row)
    return { disposalId: disposal.id, useCaseId, evidenceId, shown }
  })
  await store.insertDisposal(tx, disposal, pieces)
  saveUseCase(tx, useCase, {})
  const of = { disposalId: disposal.id, evidenceIds, policy: policies.digest }
  tx.record(useCase, { type: 'disposal.proposed', right, ...of, sealed: { reason } })
  return present({ disposal, verdict: null, useCase }, pieces)
}

/**
 * Confirms or rejects what somebody else proposed. Whoever confirms disposes: each piece is weighed again under the lock
 * of its use case, loses what it said in its row and in the log, and keeps its digest. Its bytes go after the commit.
 * @throws RegistryError `forbidden` to the proposer, `conflict` when it was decided already or a piece has to be kept
 */
export async function judgeDisposal(
  tx: WriteTx,
  policies: DisposalPolicies,
  id: string,
  { verdict, reason }: NewProposalVerdict,
): Promise<Disposal> {
  const { disposal } = await store.getShownRow(tx, id)
  const useCase = await lockUseCase(tx, disposal.useCaseId)
  const { verdict: earlier } = await store.getShownRow(tx, id)
  const right = authorize(tx.ability, 'judge', 'Disposal', subjectOf(disposal, useCase))
  assertUndecided(earlier)
  const pieces = await store.listPieceRows(tx, [id])
  const { proposedBy } = disposal
  const given = {
    disposalId: id,
    proposedBy,
    givenBy: tx.principal.personId,
    verdict,
    reason,
    givenAt: tx.now,
  }
  const of = { right, disposalId: id, proposedBy, sealed: { reason } }
  if (verdict === 'rejected') {
    if (!(await store.insertVerdict(tx, given))) assertUndecided(given)
    saveUseCase(tx, useCase, {})
    tx.record(useCase, { type: 'disposal.rejected', ...of })
  } else {
    await weighAnew(
      tx,
      policies,
      useCase,
      pieces.map(({ evidenceId }) => evidenceId),
    )
    if (!(await store.insertVerdict(tx, given))) assertUndecided(given)
    tx.record(useCase, { type: 'disposal.confirmed', ...of, pieces: pieces.length })
    await dispose(tx, useCase, disposal, pieces)
    saveUseCase(tx, useCase, await settle(tx, useCase))
  }
  return present({ disposal, verdict: given, useCase }, pieces)
}

async function dispose(
  tx: WriteTx,
  useCase: UseCaseRow,
  { id: disposalId, useCaseId, proposedBy, policyDigest: policy }: store.DisposalRow,
  pieces: store.PieceRow[],
): Promise<void> {
  const evidenceIds = pieces.map(({ evidenceId }) => evidenceId)
  if (!(await store.erase(tx, { useCaseId, disposalId, evidenceIds }))) {
    throw new RegistryError(
      'conflict',
      'the database still keeps one of these pieces, by its own clock and rows; confirm again in a minute',
    )
  }
  for (const { evidenceId, shown } of pieces) {
    const { digest, size, classes, retainedUntil } = shown
    const of = { disposalId, evidenceId, digest, size, proposedBy, policy, classes, retainedUntil }
    tx.record(useCase, { type: 'evidence.disposed', ...of, sealed: {} })
  }
}

/** Asks policy once more, then whether each of these may go. */
async function weighAnew(
  tx: WriteTx,
  policies: DisposalPolicies,
  useCase: UseCaseRow,
  evidenceIds: string[],
): Promise<store.WeighedRow[]> {
  await raiseFloors(tx, policies, [useCase])
  const weighed = await store.weigh(tx, useCase.id, evidenceIds)
  if (weighed.length < evidenceIds.length) throw notFound('evidence')
  assertDisposable(weighed, tx.now)
  return weighed
}

export async function getDisposal(tx: ReadTx, id: string): Promise<Disposal> {
  const shown = await store.getShownRow(tx, id)
  authorize(tx.ability, 'read', 'Disposal', subjectOf(shown.disposal, shown.useCase))
  return present(shown, await store.listPieceRows(tx, [id]))
}

/** Those that the caller may see, the last one first. */
export async function listDisposals(
  tx: ReadTx,
  filters: DisposalFilters,
  { limit, after }: PageRequest,
): Promise<PageOf<Disposal>> {
  const where = visibleWhere(tx.ability, 'read', 'Disposal', store.rightsColumns)
  const [proposedAt, id] = after ?? []
  const from = after && { proposedAt: String(proposedAt), id: String(id) }
  const rows = await store.listShownRows(tx, { where, filters, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, ({ disposal }) => [disposal.proposedAt, disposal.id])
  const pieces = await store.listPieceRows(
    tx,
    items.map(({ disposal }) => disposal.id),
  )
  return { items: items.map((shown) => present(shown, pieces)), last }
}

function subjectOf(
  { id, useCaseId, proposedBy }: store.DisposalRow,
  {
    orgUnitId,
    businessOwnerId,
    riskOwnerId,
  }: Pick<UseCaseRow, 'orgUnitId' | 'businessOwnerId' | 'riskOwnerId'>,
): RowOf<'Disposal'> & { id: string } {
  return { id, useCaseId, proposedBy, orgUnitId, businessOwnerId, riskOwnerId }
}

function shownOf(row: store.WeighedRow): Disposal['pieces'][number] {
  const { id: evidenceId, kind, form, digest, size, attachedAt, endsAt, classes, decisionIds } = row
  if (endsAt === null) throw new Error('a piece without an end was let go')
  return { evidenceId, kind, form, digest, size, attachedAt, retainedUntil: endsAt, classes, decisionIds }
}

function presentCandidate(row: store.WeighedRow): DisposalCandidate {
  const { useCaseId: id, useCaseNumber, useCaseTitle, title } = row
  return { ...shownOf(row), title, useCase: { id, key: keyOf(useCaseNumber), title: useCaseTitle } }
}

function present(
  {
    disposal,
    verdict,
    useCase,
  }: Pick<store.ShownRow, 'disposal' | 'verdict'> & Pick<store.ShownRow, 'useCase'>,
  pieces: store.PieceRow[],
): Disposal {
  const { id, useCaseId, reason, policyDigest: policy, proposedBy, proposedAt } = disposal
  const given = verdict && {
    ...{ verdict: verdict.verdict, givenBy: verdict.givenBy },
    ...{ givenAt: verdict.givenAt, reason: verdict.reason },
  }
  return {
    ...{ id, useCaseId, useCase: { key: keyOf(useCase.number), title: useCase.title } },
    ...{ reason, policy, proposedBy, proposedAt, verdict: given },
    pieces: pieces
      .filter(({ disposalId }) => disposalId === id)
      .map(({ evidenceId, shown }) => ({ evidenceId, ...shown })),
  }
}
