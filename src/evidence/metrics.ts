import { Counter, Gauge, type Registry } from 'prom-client'
import type { Instant } from '../instant.js'

export interface ScanMetrics {
  /** By how a look at a file ended: `released`, `rejected`, or `failed` and to be done again. */
  scans: Counter<'result'>
  /** Keeps since when the longest waits, so that metrics can be read while the database is down. */
  keep(since: Instant | null, now: Instant): void
}

/** What the scanner of this process does, and how long files wait; how many do, custody counts. */
export function scanMetrics(registry: Registry): ScanMetrics {
  const registers = [registry]
  const scans = new Counter({
    name: 'assent_evidence_scans_total',
    help: 'Files that this process had scanned, by how that ended',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['released', 'rejected', 'failed']) scans.inc({ result }, 0)
  const age = new Gauge({
    name: 'assent_evidence_quarantined_oldest_seconds',
    help: 'How long the file has waited for the virus scanner that waits longest',
    registers,
  })
  return {
    scans,
    keep(since, now) {
      age.set(since === null ? 0 : Math.max(0, (Date.parse(now) - Date.parse(since)) / 1000))
    },
  }
}
