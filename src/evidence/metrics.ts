import { Counter, Gauge, type Registry } from 'prom-client'
import type { Instant } from '../instant.js'
import type { Quarantine } from './scan-store.js'

export interface ScanMetrics {
  /** By how a look at a file ended: `released`, `rejected`, or `failed` and to be done again. */
  scans: Counter<'result'>
  /** Keeps what was counted last, so that metrics can be read while the database is down. */
  keep(quarantine: Quarantine, now: Instant): void
}

/** What the scanner of this process does, and what waits for one. */
export function scanMetrics(registry: Registry): ScanMetrics {
  const registers = [registry]
  const scans = new Counter({
    name: 'assent_evidence_scans_total',
    help: 'Files that this process had scanned, by how that ended',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['released', 'rejected', 'failed']) scans.inc({ result }, 0)
  const files = new Gauge({
    name: 'assent_evidence_quarantined_files',
    help: 'Files that wait for the virus scanner',
    registers,
  })
  const age = new Gauge({
    name: 'assent_evidence_quarantined_oldest_seconds',
    help: 'How long the longest of them has waited',
    registers,
  })
  return {
    scans,
    keep({ files: count, since }, now) {
      files.set(count)
      age.set(since === null ? 0 : Math.max(0, (Date.parse(now) - Date.parse(since)) / 1000))
    },
  }
}
