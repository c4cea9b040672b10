import { Gauge, type Registry } from 'prom-client'
import type { Instant } from '../instant.js'
import type { Counts } from './store.js'

export interface CustodyMetrics {
  /** Keeps what was counted last, so that metrics can be read while the database is down. */
  keep(counts: Counts, now: Instant): void
}

export function custodyMetrics(registry: Registry): CustodyMetrics {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  const files = gauge('assent_evidence_files', 'Files of evidence in the store')
  const damaged = gauge(
    'assent_evidence_damaged_files',
    'Files that were missing or altered when last checked',
  )
  const quarantined = gauge('assent_evidence_quarantined_files', 'Files that wait for the virus scanner')
  const waiting = gauge('assent_evidence_removals_pending', 'Files that were disposed of and are still there')
  const age = gauge('assent_evidence_oldest_check_seconds', 'Age of the check of the file that waits longest')
  return {
    keep(counts, now) {
      const { oldestCheckAt } = counts
      files.set(counts.files)
      damaged.set(counts.damaged)
      quarantined.set(counts.quarantined)
      waiting.set(counts.waitingForRemoval)
      age.set(oldestCheckAt === null ? 0 : Math.max(0, (Date.parse(now) - Date.parse(oldestCheckAt)) / 1000))
    },
  }
}
