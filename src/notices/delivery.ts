import { z } from 'zod'
import * as examples from './examples.js'

export const DeliveryState = z.enum(['pending', 'delivered', 'given_up', 'dropped']).meta({
  id: 'DeliveryState',
  description: '`dropped` when its receiver was disabled, or left, before it arrived',
})
export type DeliveryState = z.infer<typeof DeliveryState>

const DeliveryAttempt = z.strictObject({
  attemptedAt: z.iso.datetime(),
  tookMs: z.int().describe('Milliseconds'),
  status: z.int().nullable().describe('What the receiver answered; null when it did not'),
  problem: z.string().nullable().describe('Why it did not count, such as timed_out or address_refused'),
})

/** One event on its way to one webhook. */
export const Delivery = z
  .strictObject({
    id: z.uuid(),
    messageId: z.string().describe('The `webhook-id`: the same however often it is sent'),
    eventId: z.uuid(),
    type: z.string(),
    state: DeliveryState,
    nextAt: z.iso.datetime().nullable().describe('When it is tried next; null when it is not'),
    createdAt: z.iso.datetime(),
    doneAt: z.iso.datetime().nullable(),
    attempts: z.array(DeliveryAttempt),
  })
  .meta({ id: 'Delivery', examples: [examples.delivery] })
export type Delivery = z.infer<typeof Delivery>

/** Seconds from one try to the next, by the example of the Standard Webhooks rules: ten tries in three days. */
export const RETRY_AFTER_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] as const

const LONGEST_WAIT_SECONDS = 86_400

/** How an attempt ended: a status of HTTP, or why there was none. */
export interface Ending {
  status: number | null
  problem: string | null
  /** What the receiver asked for. */
  retryAfterSeconds?: number | undefined
}

export type Verdict =
  | { state: 'delivered' | 'given_up' }
  /** Seconds from now. */
  | { state: 'pending'; afterSeconds: number }

/** Any 2xx is an acknowledgement. `410 Gone` says that nothing will ever arrive. */
export function judgeWebhook(ending: Ending, tries: number, dice: number): Verdict {
  const { status } = ending
  if (status !== null && status >= 200 && status < 300) return { state: 'delivered' }
  return isGone(ending) ? { state: 'given_up' } : wait(ending, tries, dice)
}

export function isGone({ status }: Pick<Ending, 'status'>): boolean {
  return status === 410
}

/** In SMTP a status of 500 and more is final: for this mail, to this person (RFC 5321 section 4.2.1). */
export function judgeMail(ending: Ending, tries: number, dice: number): Verdict {
  if (ending.problem === null) return { state: 'delivered' }
  return (ending.status ?? 0) >= 500 ? { state: 'given_up' } : wait(ending, tries, dice)
}

/**
 * @param tries how often it was tried by now, at least once
 * @param dice from 0 to 1: up to a fifth is added, so that what failed together is not tried again together
 */
function wait({ retryAfterSeconds = 0 }: Ending, tries: number, dice: number): Verdict {
  const planned = RETRY_AFTER_SECONDS[tries - 1]
  if (planned === undefined) return { state: 'given_up' }
  const asked = Math.min(Math.max(retryAfterSeconds, 0), LONGEST_WAIT_SECONDS)
  return { state: 'pending', afterSeconds: Math.max(planned * (1 + dice / 5), asked) }
}

/** `Retry-After` in seconds (RFC 9110 section 10.2.3); a date is left aside, for clocks differ. */
export function retryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined
}

export function messageIdOf(eventId: string): string {
  return `msg_${eventId}`
}
