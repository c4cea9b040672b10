import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import { type Outgoing, Unanswered } from '../net/outgoing.js'
import { keyOf } from '../use-cases/use-case.js'
import { type Ending, messageIdOf, retryAfter } from './delivery.js'
import type { ForWebhook } from './delivery-store.js'
import { payloadOf } from './payload.js'
import { signedHeaders } from './signing.js'
import type { Vault } from './vault.js'

interface Means {
  outgoing: Outgoing
  vault: Vault
}

/** Signs and sends one event to one webhook. Answers how it ended, and never throws for what the receiver does. */
export async function sendToWebhook(
  { outgoing, vault }: Means,
  delivery: ForWebhook,
  now: Instant,
): Promise<Ending> {
  try {
    const body = payloadOf({ ...delivery, useCase: delivery.number && keyOf(Number(delivery.number)) })
    const secrets = delivery.secrets.map(({ id, sealed }) => vault.open(Buffer.from(sealed, 'base64'), id))
    const timestamp = Math.floor(Date.parse(now) / 1000)
    const signed = signedHeaders(secrets, { id: messageIdOf(delivery.eventId), timestamp, body })
    const headers = { 'content-type': 'application/json', 'user-agent': 'Assent', ...signed }
    const { status, headers: replied } = await outgoing.post(delivery.url, headers, body)
    const isTaken = status >= 200 && status < 300
    return {
      status,
      problem: isTaken ? null : 'not_accepted',
      retryAfterSeconds: retryAfter(replied['retry-after']),
    }
  } catch (error) {
    if (error instanceof Unanswered) return { status: null, problem: error.problem }
    if (error instanceof RegistryError) return { status: null, problem: 'secret_unreadable' }
    throw error
  }
}
