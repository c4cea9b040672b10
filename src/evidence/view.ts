import { canonicalize } from '../audit/canonical.js'
import type { RowOf } from '../auth/decision-rights.js'
import type { Instant } from '../instant.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { Evidence } from './evidence.js'
import type { AttachedRow, EvidenceRow } from './store.js'

type Presented = Omit<AttachedRow, 'useCase'>

/** What rights look at in a piece of evidence. */
export function subjectOf(
  { id, useCaseId, attachedBy }: EvidenceRow,
  { orgUnitId, businessOwnerId, riskOwnerId }: AttachedRow['useCase'] | UseCaseRow,
): RowOf<'Evidence'> & { id: string } {
  return { id, useCaseId, attachedBy, orgUnitId, businessOwnerId, riskOwnerId }
}

export function stateOf({ evidence, scan }: Pick<Presented, 'evidence' | 'scan'>): Evidence['state'] {
  return evidence.disposedAt === null ? (scan?.state ?? 'available') : 'disposed'
}

/** The bytes of a link. */
export function contentOfLink({ url, statement }: { url: string; statement: string }): string {
  return canonicalize({ statement, url })
}

/** A piece of evidence as its API shows it. */
export function present(attached: Presented, now: Instant): Evidence {
  const { verdict: given, supersededById, newerId, disposal, blob } = attached
  const { disposedAt: _disposed, attempt: _attempt, ...evidence } = attached.evidence
  const verdict = given && {
    ...{ verdict: given.verdict, givenBy: given.givenBy },
    ...{ givenAt: given.givenAt, note: given.note, seats: given.seats },
  }
  const state = stateOf(attached)
  const isFresh = evidence.freshUntil === null || evidence.freshUntil > now
  const isSound = state === 'available' && isFresh && supersededById === null
  const counts = isSound && verdict?.verdict === 'accepted'
  const givenAt = evidence.givenAt ?? evidence.attachedAt
  const disposalId = disposal?.id ?? null
  const damagedAt = state === 'disposed' ? null : (blob?.damagedAt ?? null)
  return Evidence.parse({
    ...{ ...evidence, givenAt, verdict, state, isFresh, counts, supersededById, newerId },
    ...{ disposalId, damagedAt },
  })
}
