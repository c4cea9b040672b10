import { authorize } from '../auth/decision-rights.js'
import type { Database } from '../db/database.js'
import type { ReadTx, Request, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import type { PageOf, PageRequest } from '../page.js'
import type { Policies } from '../policy/load.js'
import { examineTiers, type Retiered, recomputeTiers } from '../use-cases/recomputing.js'
import { keyOf, numberOf } from '../use-cases/use-case.js'
import type { Application, NewApplication, TierChange } from './policy-change.js'
import * as store from './store.js'

/** What a process says of the policy that it has just loaded. */
export interface Loading {
  digest: string
  /** By their names in the policy folder; kept, so that old decisions can be understood. */
  files: ReadonlyMap<string, Buffer>
  /** Of Assent. */
  version: string
  /** Who brought it here, as whoever starts the process says. */
  deployedBy: string | undefined
}

/**
 * Records `policy.loaded`, unless the policy on record is this one. Of several processes that start at once, one does.
 */
export async function recordLoading(database: Database, request: Request, loading: Loading): Promise<void> {
  const isOnRecord = async () => await database.read(request, (tx) => isKept(tx, loading.digest))
  if (await isOnRecord()) return
  try {
    await database.write(request, async (tx) => await load(tx, loading))
  } catch (error) {
    if (!(await isOnRecord())) throw error
  }
}

async function isKept(tx: ReadTx, digest: string): Promise<boolean> {
  const policy = await store.getPolicyRow(tx)
  return policy.digest === digest && (await store.hasPolicyFiles(tx, digest))
}

async function load(tx: WriteTx, { digest, files, version, deployedBy }: Loading): Promise<void> {
  const policy = await store.lockPolicy(tx)
  if (await isKept(tx, digest))
    throw new RegistryError('conflict', 'another process has recorded this policy')
  await store.insertPolicyFiles(tx, digest, files)
  await store.updatePolicy(tx, { digest, loadedAt: tx.now })
  tx.record(policy, { type: 'policy.loaded', digest, version, sealed: { deployedBy: deployedBy ?? null } })
}

/** When the policy was first loaded, of those loaded in a row; null when a process has loaded another one since. */
export async function findLoadedAt(tx: ReadTx, digest: string): Promise<Instant | null> {
  const policy = await store.getPolicyRow(tx)
  return policy.digest === digest ? policy.loadedAt : null
}

type Rules = Pick<Policies, 'riskTiers' | 'digest'>

/** Read in one go; what is between two that change may be long. */
const EXAMINED = 2000
/** Looked at for one page, or one step of an application. */
const EXAMINED_AT_MOST = 10_000
/** Changed in one transaction, and locked meanwhile. */
const CHANGED_AT_MOST = 400

/**
 * Which use cases would change if the policy in force were applied to them; nothing is changed.
 * @throws RegistryError `forbidden`
 */
export async function listTierChanges(
  tx: ReadTx,
  policies: Rules,
  { after, limit }: PageRequest,
): Promise<PageOf<TierChange> & { policy: string; examined: number }> {
  authorize(tx.ability, 'preview', 'Policy', {})
  const [start = 0] = (after ?? []) as [start?: number]
  const { found, examined, last } = await examine(tx, policies, start, limit)
  return {
    ...{ items: found.map(present), last: last === null ? null : [last] },
    ...{ policy: policies.digest, examined },
  }
}

/**
 * Gives the next use cases the tiers of the policy in force. Whoever repeats a step, or begins again, finds nothing
 * left to change; of two at once the second one waits for the first.
 * @throws RegistryError `forbidden`; `conflict` when another policy is in force than the one whose changes were seen
 */
export async function applyPolicy(
  tx: WriteTx,
  policies: Rules,
  { policy, after }: NewApplication,
): Promise<Application> {
  const right = authorize(tx.ability, 'apply', 'Policy', {})
  const row = await store.lockPolicy(tx)
  assertInForce(policies.digest, policy, row)
  const start = (after !== undefined && numberOf(after)) || 0
  const { found, examined, last } = await examine(tx, policies, start, CHANGED_AT_MOST)
  const ids = found.map(({ id }) => id)
  const changed = await recomputeTiers(tx, policies, ids, right)
  const through = last === null ? null : keyOf(last)
  const step = { policy, through, examined, finished: last === null }
  tx.record(row, { type: 'policy.applied', right, ...step, changed: changed.length, sealed: {} })
  return { ...step, changed: changed.map(present) }
}

function assertInForce(inForce: string, seen: string, { digest }: store.PolicyRow): void {
  if (inForce !== seen) {
    throw new RegistryError(
      'conflict',
      `the policy in force is ${inForce}, not the one whose changes you saw; look at its changes first`,
    )
  }
  if (digest === null || digest === inForce) return
  throw new RegistryError(
    'conflict',
    `another process has loaded ${digest} since; let all of them run with the same policy, then apply it`,
  )
}

/** Looks on until enough are found that change, or enough were looked at. */
async function examine(
  tx: ReadTx,
  policies: Rules,
  start: number,
  limit: number,
): Promise<{ found: Retiered[]; examined: number; last: number | null }> {
  let [found, examined, last]: [Retiered[], number, number | null] = [[], 0, start]
  while (last !== null && found.length < limit && examined < EXAMINED_AT_MOST) {
    const more = await examineTiers(tx, policies, last, EXAMINED)
    found = [...found, ...more.found]
    examined += more.examined
    last = more.last
  }
  const [extra] = found.slice(limit)
  if (!extra) return { found, examined, last }
  const kept = found.slice(0, limit)
  return { found: kept, examined, last: numberOf(kept.at(-1)?.key ?? '') ?? start }
}

function present({
  id,
  key,
  title,
  orgUnitId,
  from,
  to,
  fired,
  lapsesNow,
  loweringEnds,
}: Retiered): TierChange {
  return {
    ...{ id, key, title, orgUnitId, from, to },
    fired: fired.map((rule) => rule.id),
    ...{ lapses: lapsesNow, loweringEnds },
  }
}
