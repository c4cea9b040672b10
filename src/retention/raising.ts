import type { Database } from '../db/database.js'
import { askedIn, floorIn } from '../db/retention-floors.js'
import type { ReadTx, Request, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { EvidenceKind } from '../evidence/evidence.js'
import { listUnitKeys } from '../org-units/service.js'
import type { Policies } from '../policy/load.js'
import { type Asked, laterOf, retentionOf } from '../policy/retention-file.js'
import { loadUseCases } from '../use-cases/reading.js'
import { lockUseCases, type UseCaseRow } from '../use-cases/service.js'
import { effectiveTier } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import { raise, type Standing } from './retention.js'
import * as store from './store.js'

type RetentionPolicies = Pick<Policies, 'digest' | 'retention'>

interface Rise {
  useCase: UseCaseRow
  evidenceId: string
  earlier: store.FloorRow | undefined
  standing: Standing
}

/**
 * writes down what policy asks for by now of the evidence of locked use cases, where that is more than before.
 * @returns how many floors rose
 */
export async function raiseFloors(
  tx: WriteTx,
  { digest: policyDigest, retention }: RetentionPolicies,
  useCases: UseCaseRow[],
): Promise<number> {
  const rises = await findRises(tx, retention, useCases)
  for (const { useCase, evidenceId, earlier, standing } of rises) {
    const because = earlier ? ('policy' as const) : ('before' as const)
    const by = { setBy: tx.principal.personId, setAt: tx.now, policyDigest, classes: standing.asked.classes }
    const row = await store.addFloor(tx, { evidenceId, because, ...standing, ...by }, earlier)
    const { ordinal, retainUntil, daysAfterRetirement, classes } = row
    const kept = { ordinal, retainUntil, daysAfterRetirement, classes, policy: policyDigest }
    tx.record(useCase, { type: 'retention.raised', evidenceId, ...kept, sealed: {} })
  }
  return rises.length
}

async function findRises(
  tx: ReadTx,
  retention: RetentionPolicies['retention'],
  useCases: UseCaseRow[],
): Promise<Rise[]> {
  const ids = useCases.map(({ id }) => id)
  const [kept, decidedAt] = await Promise.all([store.listKept(tx, ids), store.findDecidedAt(tx, ids)])
  const units = await unitKeysOf(tx, useCases)
  const rises: Rise[] = []
  for (const useCase of useCases) {
    const facts = { ...factsOf(useCase), unitKeys: units.get(useCase.orgUnitId) ?? [] }
    const scope = { tier: effectiveTier(useCase), facts }
    for (const { id: evidenceId, attachedAt, floor, ...row } of kept.filter(isOf(useCase))) {
      const piece = {
        kind: EvidenceKind.parse(row.kind),
        attachedAt,
        decidedAt: decidedAt.get(evidenceId) ?? null,
      }
      const standing = riseOf(floor, retentionOf(retention, piece, scope))
      if (standing) rises.push({ useCase, evidenceId, earlier: floor ?? undefined, standing })
    }
  }
  return rises
}

/** By the id of the unit: many use cases lie in few units. */
async function unitKeysOf(tx: ReadTx, useCases: UseCaseRow[]): Promise<Map<string, string[]>> {
  const ids = [...new Set(useCases.map(({ orgUnitId }) => orgUnitId))]
  return new Map(await Promise.all(ids.map(async (id) => [id, await listUnitKeys(tx, id)] as const)))
}

const isOf =
  ({ id }: UseCaseRow) =>
  ({ useCaseId }: store.KeptRow): boolean =>
    useCaseId === id

function riseOf(row: store.FloorRow | null, asked: Asked): Standing | undefined {
  if (row === null) return { floor: laterOf(asked.policy, asked.regulatory), asked }
  return raise({ floor: floorIn(row), asked: askedIn(row) }, asked)
}

const BATCH = 200

/**
 * The same for all evidence, some use cases at a time, as Assent itself: facts, tiers, policy and decisions may have
 * changed since. A use case is locked only where something rises.
 * @returns how many floors rose
 */
export async function raiseAll(
  database: Database,
  policies: RetentionPolicies,
  assent: () => Request,
  signal?: AbortSignal,
): Promise<number> {
  let raised = 0
  for (let after = '00000000-0000-0000-0000-000000000000'; !signal?.aborted; ) {
    const ids = await store.listUseCasesWithEvidence(database.pool, after, BATCH)
    const rises = await database.read(assent(), async (tx) =>
      findRises(tx, policies.retention, await loadUseCases(tx, ids)),
    )
    raised += await raiseThese(database, policies, assent, [
      ...new Set(rises.map(({ useCase }) => useCase.id)),
    ])
    const last = ids.at(-1)
    if (last === undefined || ids.length < BATCH) return raised
    after = last
  }
  return raised
}

async function raiseThese(
  database: Database,
  policies: RetentionPolicies,
  assent: () => Request,
  useCaseIds: string[],
): Promise<number> {
  if (useCaseIds.length === 0) return 0
  try {
    const { value } = await database.write(assent(), async (tx) => {
      const raised = await raiseFloors(tx, policies, await lockUseCases(tx, useCaseIds))
      if (raised === 0) throw new RegistryError('conflict', 'others raised them; nothing to do')
      return raised
    })
    return value
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'conflict') return 0
    throw error
  }
}
