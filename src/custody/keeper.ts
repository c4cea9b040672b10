import { setTimeout as sleep } from 'node:timers/promises'
import { collectOrphans } from '../evidence/service.js'
import { addSeconds } from '../instant.js'
import type { Policies } from '../policy/load.js'
import { raiseAll } from '../retention/raising.js'
import { type Checking, checkSome, LEASE_SECONDS } from './checking.js'
import { removeDisposed, tellStore } from './keeping.js'
import type { CustodyMetrics } from './metrics.js'
import * as store from './store.js'

export interface KeeperDeps extends Omit<Checking, 'policy'> {
  policies: Pick<Policies, 'digest' | 'retention'>
  metrics: CustodyMetrics
}

const POLL_MS = 5000
const COUNT_EVERY_MS = 60_000
const STOP_MS = 5000
const KEEP_EVERY_SECONDS = 60
const RAISE_EVERY_SECONDS = 3600
const COLLECT_EVERY_SECONDS = 86_400
const COLLECT_AGAIN_SECONDS = 3600

/**
 * Keeps the bytes of evidence, in every process: of several at once each thing is done by one. What a process that died
 * left undone is done by the next whose turn it is.
 */
export class Keeper {
  readonly #deps: KeeperDeps
  #stopping = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#stopping = new AbortController()
    this.#running = Promise.all([
      this.#repeat(POLL_MS, () => this.#keep()),
      this.#repeat(POLL_MS, () => this.#check()),
      this.#repeat(POLL_MS, () => this.#collect()),
      this.#repeat(COUNT_EVERY_MS, () => this.#count()),
    ])
  }

  /** Takes up nothing more, and does not wait long for a file that is being read: it is read again. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.race([this.#running, sleep(STOP_MS, undefined, { ref: false })])
  }

  /** Everything whose turn it is, to its end. */
  async pass(): Promise<void> {
    await this.#keep()
    await this.#check()
    await this.#collect()
    await this.#count()
  }

  async #keep(): Promise<void> {
    const { database, policies, assent } = this.#deps
    if (await this.#claim('keep', KEEP_EVERY_SECONDS)) {
      await store.adoptFiles(database.pool)
      await tellStore(this.#deps)
      await removeDisposed(this.#deps)
    }
    if (await this.#claim('raise', RAISE_EVERY_SECONDS)) {
      await raiseAll(database, policies, assent, this.#stopping.signal)
    }
  }

  /** A round may take hours, so nothing else waits for it. */
  async #check(): Promise<void> {
    if (!(await this.#claim('check', LEASE_SECONDS))) return
    const { reconciliation: policy } = this.#deps.policies.retention
    await checkSome({ ...this.#deps, policy }, this.#stopping.signal)
  }

  /** Soon after the first start, and then once a day; sooner where it did not come to its end. */
  async #collect(): Promise<void> {
    if (!(await this.#claim('collect', COLLECT_AGAIN_SECONDS))) return
    const { database, blobs } = this.#deps
    const nextAt = addSeconds(database.clock.now(), COLLECT_EVERY_SECONDS)
    await collectOrphans(database, blobs)
    await store.keepTurn(database.pool, 'collect', nextAt)
  }

  async #count(): Promise<void> {
    const { database, metrics } = this.#deps
    metrics.keep(await store.readCounts(database.pool), database.clock.now())
  }

  async #claim(name: store.Turn, seconds: number): Promise<boolean> {
    if (this.#stopping.signal.aborted) return false
    const { clock, pool } = this.#deps.database
    const now = clock.now()
    return await store.claimTurn(pool, name, { now, nextAt: addSeconds(now, seconds) })
  }

  async #repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await work().catch((err) => this.#deps.log.warn({ err }, 'the evidence store waits to be looked after'))
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }
}
