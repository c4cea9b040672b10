import type { ReadTx, WriteTx } from '../db/transaction.js'
import type { Policies } from '../policy/load.js'
import { type Retiering, retier, type Tiered } from './retiering.js'
import * as store from './store.js'
import { keyOf, type Tier } from './use-case.js'

type Rules = Pick<Policies, 'riskTiers'>
type Examined = Tiered & Pick<store.UseCaseRow, 'id' | 'number' | 'title' | 'orgUnitId' | 'tierRaisedAt'>

/** A use case to which the policy in force gives another tier, or the same by other rules. */
export interface Retiered extends Retiering {
  id: string
  key: string
  title: string
  orgUnitId: string
  computedFrom: Tier
  /** Its approval has not lapsed for this reason before. */
  lapsesNow: boolean
}

/**
 * Looks at use cases that are not retired, by number, and locks none.
 * @returns those that would change, and the number of the last one looked at; null when there are no more
 */
export async function examineTiers(
  tx: ReadTx,
  policies: Rules,
  after: number,
  limit: number,
): Promise<{ found: Retiered[]; examined: number; last: number | null }> {
  const rows = await store.listTiered(tx, after, limit)
  const found = rows.flatMap((row) => retierRow(policies, row) ?? [])
  const last = rows.length === limit ? (rows.at(-1)?.number ?? null) : null
  return { found, examined: rows.length, last }
}

function retierRow(policies: Rules, row: Examined): Retiered | undefined {
  const { id, number, title, orgUnitId } = row
  const found = retier(policies.riskTiers, row)
  return (
    found && {
      ...{ ...found, id, key: keyOf(number), title, orgUnitId },
      computedFrom: row.computedTier,
      lapsesNow: found.lapses && row.tierRaisedAt === null,
    }
  )
}

/**
 * Gives these use cases the tiers of the policy in force, each with its event. Facts and versions stay, and so do
 * rounds that are open: whether they still suffice is asked when they close. An approval that was decided on a
 * lower tier lapses; any other stands.
 * @param ids of those that would change when nobody held them; what was revised meanwhile may not
 * @returns those that changed
 */
export async function recomputeTiers(
  tx: WriteTx,
  policies: Rules & Pick<Policies, 'digest'>,
  ids: string[],
  right: string,
): Promise<Retiered[]> {
  const rows = await store.lockUseCases(tx, ids)
  return rows.flatMap((row) => {
    const found = row.retiredAt === null ? retierRow(policies, row) : undefined
    if (found) save(tx, row, found, { policy: policies.digest, right })
    return found ?? []
  })
}

function save(
  tx: WriteTx,
  row: store.UseCaseRow,
  found: Retiered,
  { policy, right }: { policy: string; right: string },
): void {
  const { computedTier, fired, loweringEnds, lapses } = found
  const tiered = { computedTier, fired, policyDigest: policy }
  const lowered = loweringEnds && { loweredTier: null }
  const tierRaisedAt = row.tierRaisedAt ?? (lapses ? tx.now : null)
  const { revision, version } = store.saveUseCase(tx, row, { ...tiered, ...lowered, tierRaisedAt })
  store.insertRecomputation(tx, { useCaseId: row.id, version, revision, ...tiered })
  tx.record(row, {
    type: 'tier.recomputed',
    ...{ right, policy, from: row.computedTier, to: computedTier, fired: fired.map(({ id }) => id) },
    ...{ inForce: found.to, loweringEnded: loweringEnds, lapsed: found.lapsesNow },
    sealed: {},
  })
}
