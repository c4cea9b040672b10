import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../db/database.js'
import type { Request } from '../db/transaction.js'
import { addSeconds, type Instant } from '../instant.js'
import type { Outgoing } from '../net/outgoing.js'
import { type Ending, isGone, judgeMail, judgeWebhook, type Verdict } from './delivery.js'
import {
  type Claim,
  type Claimed,
  claimForPeople,
  claimForWebhooks,
  type ForPerson,
  type ForWebhook,
  hasArrivedSince,
  keepAttempt,
  readBacklog,
} from './delivery-store.js'
import { claimWatch } from './due-store.js'
import { expand } from './expanding.js'
import type { Mailer } from './mailing.js'
import type { NoticeMetrics } from './metrics.js'
import type { Pool } from './outbox-store.js'
import { pruneDeliveries, pruneOutbox } from './pruning-store.js'
import { sendToWebhook } from './sending.js'
import { disableUnreached } from './service.js'
import type { Vault } from './vault.js'
import { giveNotice } from './watching.js'

interface Log {
  warn(about: object, message: string): void
}

export interface DispatcherDeps {
  database: Database
  /** Connections of its own, so that what waits here never keeps a request waiting. */
  pool: Pool
  /** Assent itself, who acts when time does. */
  assent: () => Request
  outgoing: Outgoing
  vault: Vault
  /** Undefined where no mail is sent. */
  mailer: Mailer | undefined
  metrics: NoticeMetrics
  /** For so many days after it arrived, a delivery is kept; the rest for three times as many. */
  keptDays: number
  log: Log
}

const DAY_SECONDS = 86_400
/** Longer than any attempt takes: what is still ours then was lost with its process, and is sent again. */
const LEASE_SECONDS = 60
const WATCH_EVERY_SECONDS = 60
const COUNT_EVERY_SECONDS = 10
const POLL_MS = 1000
const STOP_MS = 8000
const AT_ONCE = 16

/**
 * Tells others, in every process: of several at once each event is expanded by one, and each delivery is in the
 * hands of one. What a receiver gets may come twice, if a process dies between sending and writing down that it did;
 * then it carries the same `webhook-id`.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #busy = new Map<string, Promise<void>>()
  #running: Promise<void> | undefined
  #stop = new AbortController()
  #wake = () => {}
  #watchedAt: Instant = ''
  #countedAt: Instant = ''
  /** Once a minute, in one process, and when there is nothing better to do. */
  #mayPrune = false

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#stop = new AbortController()
    this.#running = this.#run(this.#stop.signal)
  }

  /** Takes up nothing more, and waits for what is under way; what takes too long is sent again by somebody else. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
    await Promise.race([Promise.all(this.#busy.values()), sleep(STOP_MS, undefined, { ref: false })])
  }

  /** Everything that there is to do now, to its end. */
  async pass(): Promise<void> {
    for (;;) {
      const found = await this.#step()
      await Promise.all(this.#busy.values())
      if (found === 0 && this.#busy.size === 0) return
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const found = await this.#step().catch((err) => {
        this.#deps.log.warn({ err }, 'notices wait')
        return 0
      })
      if (found === 0 && !signal.aborted) await this.#rest()
    }
  }

  async #rest(): Promise<void> {
    const timer = new AbortController()
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    const rested = sleep(POLL_MS, undefined, { signal: timer.signal, ref: false }).catch(() => {})
    await Promise.race([woken, rested])
    timer.abort()
  }

  /** One look at each thing to do; what is sent goes on by itself. Answers how much there was. */
  async #step(): Promise<number> {
    const { pool, database, mailer } = this.#deps
    const now = () => database.clock.now()
    await this.#watch(now())
    const expanded = await expand(pool, now, mailer !== undefined)
    const claim: Claim = { now: now(), leasedUntil: addSeconds(now(), LEASE_SECONDS), limit: AT_ONCE }
    const claimed = await claimForWebhooks(pool, claim, [...this.#busy.keys()])
    for (const [webhookId, deliveries] of groupByWebhook(claimed)) {
      this.#go(webhookId, async () => await Promise.all(deliveries.map((one) => this.#sendToWebhook(one))))
    }
    const mails = mailer && !this.#busy.has('mail') ? await claimForPeople(pool, claim) : []
    if (mailer && mails.length > 0) {
      this.#go('mail', async () => await Promise.all(mails.map((one) => this.#sendMail(mailer, one))))
    }
    const found = expanded + claimed.length + mails.length
    if (found === 0 && this.#mayPrune) await this.#prune(now())
    return found
  }

  async #watch(now: Instant): Promise<void> {
    const { database, assent, pool, metrics } = this.#deps
    if (now >= addSeconds(this.#watchedAt || '1970-01-01T00:00:00.000Z', WATCH_EVERY_SECONDS)) {
      this.#watchedAt = now
      if (await claimWatch(pool, now, addSeconds(now, -WATCH_EVERY_SECONDS))) {
        await giveNotice(database, assent())
        this.#mayPrune = true
      }
    }
    if (now >= addSeconds(this.#countedAt || '1970-01-01T00:00:00.000Z', COUNT_EVERY_SECONDS)) {
      this.#countedAt = now
      metrics.keep(await readBacklog(pool), now)
    }
  }

  async #prune(now: Instant): Promise<void> {
    this.#mayPrune = false
    const { pool, keptDays } = this.#deps
    const before = (days: number) => addSeconds(now, -days * DAY_SECONDS)
    const age = { delivered: before(keptDays), rest: before(3 * keptDays) }
    await pruneDeliveries(pool, age)
    await pruneOutbox(pool, age)
  }

  /** What is lost here is found again when its lease is over. */
  #go(name: string, work: () => Promise<unknown>): void {
    const done = work()
      .catch((err) => this.#deps.log.warn({ err }, 'what became of a notice is not known; it is sent again'))
      .then(() => {
        this.#busy.delete(name)
        this.#wake()
      })
    this.#busy.set(name, done)
  }

  async #sendToWebhook(delivery: ForWebhook): Promise<void> {
    const { pool, database } = this.#deps
    const judge = (ending: Ending) => judgeWebhook(ending, delivery.tries, Math.random())
    const { ending, verdict } = await this.#attempt(delivery, 'webhook', judge, async (at) =>
      sendToWebhook(this.#deps, delivery, at),
    )
    if (verdict.state !== 'given_up') return
    const { webhookId, createdAt } = delivery
    if (!isGone(ending) && (await hasArrivedSince(pool, webhookId, createdAt))) return
    await disableUnreached(database, this.#deps.assent(), webhookId, isGone(ending) ? 'gone' : 'gave_up')
  }

  async #sendMail(mailer: Mailer, delivery: ForPerson): Promise<void> {
    const judge = (ending: Ending) => judgeMail(ending, delivery.tries, Math.random())
    await this.#attempt(delivery, 'mail', judge, async () => await mailer.send(delivery))
  }

  /** Sends outside of any transaction, then writes down what became of it. */
  async #attempt(
    { id: deliveryId, attempts: ordinal }: Claimed,
    channel: string,
    judge: (ending: Ending) => Verdict,
    send: (at: Instant) => Promise<Ending>,
  ): Promise<{ ending: Ending; verdict: Verdict }> {
    const { pool, database, metrics } = this.#deps
    const at = database.clock.now()
    const began = performance.now()
    const ending = await send(at).catch((err): Ending => {
      this.#deps.log.warn({ err, deliveryId }, 'a notice cannot be sent')
      return { status: null, problem: 'failed' }
    })
    const tookMs = Math.round(performance.now() - began)
    const verdict = judge(ending)
    const now = database.clock.now()
    const nextAt = verdict.state === 'pending' ? addSeconds(now, verdict.afterSeconds) : now
    await keepAttempt(pool, { deliveryId, ordinal, at, tookMs, ...ending }, verdict, { at: nextAt, now })
    metrics.attempts.inc({ channel, result: verdict.state })
    return { ending, verdict }
  }
}

function groupByWebhook(claimed: ForWebhook[]): Map<string, ForWebhook[]> {
  const groups = new Map<string, ForWebhook[]>()
  for (const delivery of claimed) {
    groups.set(delivery.webhookId, [...(groups.get(delivery.webhookId) ?? []), delivery])
  }
  return groups
}
