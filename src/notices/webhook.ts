import { z } from 'zod'
import { toldTypes } from '../audit/told.js'
import { RegistryError } from '../errors.js'
import { givenInstant, type Instant } from '../instant.js'
import { text } from '../text.js'
import * as examples from './examples.js'

const ToldType = z.enum(toldTypes)

const WebhookSecret = z.strictObject({
  id: z.uuid(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso
    .datetime()
    .nullable()
    .describe('Until then it signs beside its successor; null for the newest'),
})

/** Where another system wants to be told. Secrets are shown once, when they are made. */
export const Webhook = z
  .strictObject({
    id: z.uuid(),
    name: z.string().describe('Whose system it is'),
    url: z.string(),
    orgUnitId: z.uuid().describe('It is told what happens in this unit and below'),
    eventTypes: z.array(z.string()).nullable().describe('Null for all that are told'),
    createdBy: z.uuid().describe('Id of a person'),
    createdAt: z.iso.datetime(),
    disabledAt: z.iso.datetime().nullable().describe('Since when nothing is sent'),
    disabledBecause: z
      .enum(['asked', 'gone', 'gave_up'])
      .nullable()
      .describe('A person asked, the receiver answered 410, or nothing arrived for days'),
    endedAt: z.iso.datetime().nullable(),
    secrets: z.array(WebhookSecret).describe('Those that sign now, without their values'),
  })
  .meta({
    id: 'Webhook',
    description: 'Where another system is told what happens, by the Standard Webhooks rules',
    examples: [examples.webhook],
  })
export type Webhook = z.infer<typeof Webhook>

export const NewWebhook = z
  .strictObject({
    name: text(100).trim().min(1),
    url: z
      .url({ protocol: /^https?$/, error: 'must be a URL that begins with https://' })
      .max(2000)
      .describe('Of a public address; private ones are never called'),
    orgUnitId: z.uuid().describe('It is told what happens in this unit and below'),
    eventTypes: z
      .array(ToldType)
      .min(1)
      .max(toldTypes.length)
      .refine((types) => new Set(types).size === types.length, 'names a type twice; name each once')
      .nullable()
      .default(null)
      .describe('Null for all that are told'),
  })
  .meta({ id: 'NewWebhook', examples: [examples.newWebhook] })
export type NewWebhook = z.infer<typeof NewWebhook>

export const IssuedWebhook = z
  .strictObject({
    webhook: Webhook,
    secret: z.string().describe('Shown this once; requests are signed with it'),
  })
  .meta({
    id: 'IssuedWebhook',
    description: 'The one answer that holds the secret',
    examples: [examples.issuedWebhook],
  })
export type IssuedWebhook = z.infer<typeof IssuedWebhook>

export const Rotation = z
  .strictObject({
    overlapHours: z
      .int()
      .min(0)
      .max(168)
      .default(24)
      .describe('How long the secret before signs beside the new one; 0 ends it at once'),
  })
  .meta({ id: 'SecretRotation', examples: [examples.rotation] })
export type Rotation = z.infer<typeof Rotation>

export const Replay = z
  .strictObject({
    deliveryId: z.uuid().optional().describe('One of this webhook’s deliveries'),
    since: givenInstant.optional().describe('Everything that happened from this instant on'),
  })
  .refine(
    ({ deliveryId, since }) => (deliveryId === undefined) !== (since === undefined),
    'name one delivery, or the instant since which everything is sent again',
  )
  .meta({ id: 'Replay', examples: examples.replays })
export type Replay = z.infer<typeof Replay>

export const Replayed = z
  .strictObject({ deliveries: z.int().describe('How many will be sent again') })
  .meta({ id: 'Replayed', examples: [examples.replayed] })
export type Replayed = z.infer<typeof Replayed>

/** What one request may bring back. */
export const REPLAY_LIMIT = 10_000

interface State {
  disabledAt: Instant | null
  endedAt: Instant | null
}

export function assertNotEnded({ endedAt }: State): void {
  if (endedAt === null) return
  throw new RegistryError('conflict', 'this webhook was deleted; create another one')
}

export function assertEnabled(webhook: State): void {
  assertNotEnded(webhook)
  if (webhook.disabledAt === null) return
  throw new RegistryError('conflict', 'this webhook is disabled; enable it first')
}

export function assertDisabled(webhook: State): void {
  assertNotEnded(webhook)
  if (webhook.disabledAt !== null) return
  throw new RegistryError('conflict', 'this webhook is enabled; nothing to do')
}

/** Two live secrets let a receiver change over without a gap; more would be forgotten. */
export function assertRotatable(live: number, { overlapHours }: Rotation): void {
  if (live < 2 || overlapHours === 0) return
  throw new RegistryError(
    'conflict',
    'two secrets sign already; wait until the older one expires, or end both with overlapHours 0',
  )
}
