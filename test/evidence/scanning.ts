// The scanner's side of a test: what runs in every process, run by hand.
import { Registry } from 'prom-client'
import { assentItself } from '../../src/auth/assent.js'
import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import type { BlobStore } from '../../src/evidence/blobs.js'
import { clamdScan } from '../../src/evidence/clamd.js'
import { scanMetrics } from '../../src/evidence/metrics.js'
import { Scanning } from '../../src/evidence/scanning.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { newId } from '../../src/ids.js'
import type { World } from './world.js'

export function scanningOf(
  { database, policies, folder }: World,
  address: Parameters<typeof clamdScan>[0],
  blobs: BlobStore = new FolderStore(folder),
  registry = new Registry(),
): Scanning {
  const ability = buildAbility(readRights(policies.decisionRights), assentItself)
  return new Scanning({
    ...{ database, blobs },
    scan: clamdScan(address, { idleMs: 500 }),
    assent: () => ({ principal: assentItself, ability, requestId: newId() }),
    metrics: scanMetrics(registry),
    log: { warn: () => {} },
  })
}

/** As if the wait after a failure were over. */
export async function letTimePass({ owner }: World): Promise<void> {
  await owner.query(`update evidence_scan set next_at = '2020-01-01' where state = 'quarantined'`)
}
