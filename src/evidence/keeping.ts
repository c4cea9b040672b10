import { insertFloor } from '../db/retention-floors.js'
import type { WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { addSeconds, type Instant } from '../instant.js'
import { listUnitKeys } from '../org-units/service.js'
import type { Policies } from '../policy/load.js'
import { type Asked, laterOf, retentionOf } from '../policy/retention-file.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { effectiveTier } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import { EvidenceKind } from './evidence.js'
import * as store from './store.js'

/** The policy that says how long. */
export type KeepingPolicy = Pick<Policies, 'digest' | 'retention'>

/** from the moment it is there, a piece is kept as long as policy asks. */
export async function keepFromNow(
  tx: WriteTx,
  { digest: policyDigest, retention }: KeepingPolicy,
  useCase: UseCaseRow,
  { id: evidenceId, kind, attachedAt }: Pick<store.EvidenceRow, 'id' | 'kind' | 'attachedAt'>,
): Promise<Asked> {
  const facts = { ...factsOf(useCase), unitKeys: await listUnitKeys(tx, useCase.orgUnitId) }
  const piece = { kind: EvidenceKind.parse(kind), attachedAt, decidedAt: null }
  const asked = retentionOf(retention, piece, { tier: effectiveTier(useCase), facts })
  const by = { setBy: tx.principal.personId, setAt: tx.now, policyDigest }
  const floor = laterOf(asked.policy, asked.regulatory)
  await insertFloor(tx.client, { evidenceId, because: 'attached', floor, asked, ...by })
  return asked
}

/**
 * Ties a piece to the bytes of its file, so that nobody removes them.
 * @throws RegistryError `conflict` when the very same bytes were removed just now
 */
export async function claimBytes(
  tx: WriteTx,
  { form, digest, size }: Pick<store.EvidenceRow, 'form' | 'digest' | 'size'>,
): Promise<void> {
  if (form !== 'file') return
  const removedAt = await store.claimBytes(tx, { digest, size })
  if (removedAt === null) return
  assertNotRemoved(removedAt, tx.now)
  await store.bringBack(tx, digest)
}

/** Longer than an upload lasts: what had arrived before the removal is not taken for what came after it. */
const REMOVAL_SECONDS = 3600

/** bytes that are being removed, or just were, may be gone by the time a piece names them again. */
function assertNotRemoved(removedAt: Instant, now: Instant): void {
  if (addSeconds(removedAt, REMOVAL_SECONDS) <= now) return
  throw new RegistryError(
    'conflict',
    'a file with the very same bytes was disposed of within the last hour; send yours again an hour from now',
  )
}
