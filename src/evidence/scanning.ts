import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../db/database.js'
import type { Request } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { addSeconds } from '../instant.js'
import { settle } from '../requirements/service.js'
import { lockUseCases, saveUseCase } from '../use-cases/service.js'
import type { BlobStore } from './blobs.js'
import type { Scan } from './clamd.js'
import type { ScanMetrics } from './metrics.js'
import { claimScan, endScan, postponeScan, type QuarantinedFile, readQuarantinedSince } from './scan-store.js'

export interface ScanningDeps {
  database: Database
  blobs: BlobStore
  scan: Scan
  /** Assent itself, who says what the scanner said. */
  assent: () => Request
  metrics: ScanMetrics
  log: { warn(about: object, message: string): void }
}

/** Longer than a file of the usual limit takes: what is still ours then was lost with its process. */
const LEASE_SECONDS = 900
/** After a failure of the scanner, for as long as it takes: an error never lets a file go. */
const WAITS_SECONDS = [10, 60, 300, 900]
const POLL_MS = 1000
const MEASURE_MS = 10_000

/**
 * Has each file in quarantine looked through, one at a time in every process. Of several processes each file is in
 * the hands of one; if that dies, another takes it up when the lease is over.
 */
export class Scanning {
  readonly #deps: ScanningDeps
  #stopping = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(deps: ScanningDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#stopping = new AbortController()
    this.#running = Promise.all([
      this.#each(POLL_MS, () => this.pass()),
      this.#each(MEASURE_MS, () => this.measure()),
    ])
  }

  /** Takes up nothing more, and does not wait for the scanner: what is under way is looked at again. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** Looks at all that is due. @returns how many the scanner looked through */
  async pass(): Promise<number> {
    let ended = 0
    while (!this.#stopping.signal.aborted) {
      const now = this.#deps.database.clock.now()
      const { pool } = this.#deps.database
      const claimed = await claimScan(pool, { now, leasedUntil: addSeconds(now, LEASE_SECONDS) })
      if (claimed === undefined) return ended
      if (await this.#look(claimed)) ended += 1
    }
    return ended
  }

  /** Looks how long files wait, for whoever watches over it. */
  async measure(): Promise<void> {
    const { pool, clock } = this.#deps.database
    this.#deps.metrics.keep(await readQuarantinedSince(pool), clock.now())
  }

  async #each(ms: number, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const worked = work().catch((err) => this.#deps.log.warn({ err }, 'files wait in quarantine'))
      await Promise.race([worked, aborted(signal)])
      await sleep(ms, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #look(file: QuarantinedFile): Promise<boolean> {
    const { database, blobs, scan, metrics, log } = this.#deps
    const { evidenceId, digest, size, tries } = file
    try {
      const bytes = await blobs.open({ digest, size })
      // A scanner that is gone, or has heard enough, reads no further: the file is closed all the same.
      const finding = await scan(bytes).finally(() => bytes.destroy())
      const isEnded = await this.#end(file, finding)
      if (isEnded) metrics.scans.inc({ result: finding === null ? 'released' : 'rejected' })
      return isEnded
    } catch (err) {
      if (this.#stopping.signal.aborted) return false
      metrics.scans.inc({ result: 'failed' })
      log.warn({ err, evidenceId }, 'a file stays in quarantine; it is looked at again')
      const wait = WAITS_SECONDS[Math.min(tries, WAITS_SECONDS.length) - 1] ?? 0
      await postponeScan(database.pool, evidenceId, addSeconds(database.clock.now(), wait))
      return false
    }
  }

  async #end({ evidenceId, useCaseId, digest }: QuarantinedFile, finding: string | null): Promise<boolean> {
    try {
      await this.#deps.database.write(this.#deps.assent(), async (tx) => {
        const [useCase] = await lockUseCases(tx, [useCaseId])
        if (!useCase || !(await endScan(tx, evidenceId, finding))) {
          throw new RegistryError('conflict', 'another process was faster; nothing to do')
        }
        saveUseCase(tx, useCase, await settle(tx, useCase))
        const about = { evidenceId, digest }
        if (finding === null) tx.record(useCase, { type: 'evidence.released', ...about, sealed: {} })
        else tx.record(useCase, { type: 'evidence.rejected', ...about, sealed: { finding } })
      })
      return true
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'conflict') return false
      throw error
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
