import { Counter, Gauge, type Registry } from 'prom-client'
import type { Backlog } from './delivery-store.js'

export interface NoticeMetrics {
  /** By channel (`webhook`, `mail`) and by how an attempt ended (`delivered`, `pending` again, `given_up`). */
  attempts: Counter<'channel' | 'result'>
  /** Keeps what was counted last, so that metrics can be read while the database is down. */
  keep(backlog: Backlog, now: string): void
}

export function noticeMetrics(registry: Registry): NoticeMetrics {
  const registers = [registry]
  const attempts = new Counter({
    name: 'assent_notice_attempts_total',
    help: 'Attempts to deliver a notice, by channel and by how they ended',
    labelNames: ['channel', 'result'],
    registers,
  })
  const events = new Gauge({
    name: 'assent_outbox_pending_events',
    help: 'Events of which nobody was told yet',
    registers,
  })
  const deliveries = new Gauge({
    name: 'assent_outbox_pending_deliveries',
    help: 'Deliveries that did not arrive yet',
    registers,
  })
  const age = new Gauge({
    name: 'assent_outbox_oldest_seconds',
    help: 'Age of the oldest event or delivery that waits',
    registers,
  })
  return {
    attempts,
    keep(backlog, now) {
      events.set(backlog.events)
      deliveries.set(backlog.deliveries)
      age.set(backlog.since === null ? 0 : Math.max(0, (Date.parse(now) - Date.parse(backlog.since)) / 1000))
    },
  }
}
