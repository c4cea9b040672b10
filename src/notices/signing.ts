import { createHmac, randomBytes } from 'node:crypto'

const PREFIX = 'whsec_'

/** `whsec_` and 256 random bits in base64, as the libraries of the Standard Webhooks rules read it. */
export function mintWebhookSecret(): string {
  return `${PREFIX}${randomBytes(32).toString('base64')}`
}

export interface Message {
  id: string
  /** Of this attempt, in seconds since 1970. */
  timestamp: number
  body: string
}

/**
 * The three headers of the Standard Webhooks rules. Each secret that is live signs, so that the receiver may know the
 * newer one or the older one.
 */
export function signedHeaders(secrets: string[], { id, timestamp, body }: Message): Record<string, string> {
  const signatures = secrets.map((secret) => `v1,${sign(secret, `${id}.${timestamp}.${body}`)}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}

function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
  return createHmac('sha256', key).update(content).digest('base64')
}
