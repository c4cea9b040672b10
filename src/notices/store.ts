import { and, asc, desc, eq, gt, isNotNull, isNull, lt, lte, or, type SQL, sql } from 'drizzle-orm'
import {
  deliveries,
  deliveryAttempts,
  noticeChoices,
  outbox,
  webhookSecrets,
  webhooks,
} from '../db/schema.js'
import { lock, type ReadTx, type WriteTx } from '../db/transaction.js'
import { notFound } from '../errors.js'
import type { Instant } from '../instant.js'
import type { DeliveryState } from './delivery.js'

export type WebhookRow = typeof webhooks.$inferSelect
export type SecretRow = typeof webhookSecrets.$inferSelect
type AttemptRow = typeof deliveryAttempts.$inferSelect

/** Where the fields that rights look at come from. */
export const rightsColumns = { id: webhooks.id, orgUnitId: webhooks.orgUnitId }

export async function lockWebhook(tx: WriteTx, id: string): Promise<WebhookRow> {
  return await lock(tx, webhooks, id, 'webhook')
}

export async function getWebhookRow(tx: ReadTx, id: string): Promise<WebhookRow> {
  const [row] = await tx.sql.select().from(webhooks).where(eq(webhooks.id, id))
  if (!row) throw notFound('webhook')
  return row
}

interface Page<A> {
  after: A | undefined
  limit: number
}

/** Those that were not deleted, the first made first. */
export async function listWebhookRows(
  tx: ReadTx,
  where: SQL,
  { after, limit }: Page<{ createdAt: Instant; id: string }>,
): Promise<WebhookRow[]> {
  const { createdAt, id } = webhooks
  const beyond =
    after && or(gt(createdAt, after.createdAt), and(eq(createdAt, after.createdAt), gt(id, after.id)))
  return await tx.sql
    .select()
    .from(webhooks)
    .where(and(isNull(webhooks.endedAt), where, beyond))
    .orderBy(asc(createdAt), asc(id))
    .limit(limit)
}

export async function insertWebhook(tx: WriteTx, webhook: typeof webhooks.$inferInsert): Promise<WebhookRow> {
  const [row] = await tx.sql.insert(webhooks).values(webhook).returning()
  if (!row) throw new Error('an inserted webhook came back empty')
  return row
}

export async function updateWebhook(
  tx: WriteTx,
  id: string,
  change: Partial<Pick<WebhookRow, 'disabledAt' | 'disabledBecause' | 'endedAt' | 'endedBy'>>,
): Promise<void> {
  await tx.sql.update(webhooks).set(change).where(eq(webhooks.id, id))
}

const isLive = (now: Instant) =>
  and(
    isNotNull(webhookSecrets.sealed),
    or(isNull(webhookSecrets.expiresAt), gt(webhookSecrets.expiresAt, now)),
  )

/** Those that sign, the newest first. */
export async function listLiveSecrets(tx: ReadTx, webhookIds: string[]): Promise<SecretRow[]> {
  if (webhookIds.length === 0) return []
  const amongThem = sql`${webhookSecrets.webhookId} = any(${sql.param(webhookIds)}::uuid[])`
  return await tx.sql
    .select()
    .from(webhookSecrets)
    .where(and(amongThem, isLive(tx.now)))
    .orderBy(desc(webhookSecrets.createdAt), desc(webhookSecrets.id))
}

export async function insertSecret(tx: WriteTx, secret: typeof webhookSecrets.$inferInsert): Promise<void> {
  await tx.sql.insert(webhookSecrets).values(secret)
}

/** Those that sign now sign until then, and what is over is forgotten. */
export async function endSecrets(tx: WriteTx, webhookId: string, expiresAt: Instant): Promise<void> {
  const { webhookId: of, expiresAt: ends } = webhookSecrets
  await tx.sql
    .update(webhookSecrets)
    .set({ expiresAt })
    .where(and(eq(of, webhookId), or(isNull(ends), gt(ends, expiresAt))))
  await tx.sql
    .update(webhookSecrets)
    .set({ sealed: null })
    .where(and(eq(of, webhookId), lte(ends, tx.now)))
}

export interface DeliveryRow {
  id: string
  eventId: string
  type: string
  state: DeliveryState
  nextAt: Instant
  createdAt: Instant
  doneAt: Instant | null
}

const delivery = {
  ...{ id: deliveries.id, eventId: deliveries.eventId, type: outbox.type, state: deliveries.state },
  ...{ nextAt: deliveries.nextAt, createdAt: deliveries.createdAt, doneAt: deliveries.doneAt },
}

/** The newest first. */
export async function listDeliveryRows(
  tx: ReadTx,
  webhookId: string,
  { state, after, limit }: Page<{ createdAt: Instant; id: string }> & { state: DeliveryState | undefined },
): Promise<DeliveryRow[]> {
  const { createdAt, id } = deliveries
  const beyond =
    after && or(lt(createdAt, after.createdAt), and(eq(createdAt, after.createdAt), lt(id, after.id)))
  const inState = state === undefined ? undefined : eq(deliveries.state, state)
  return await tx.sql
    .select(delivery)
    .from(deliveries)
    .innerJoin(outbox, eq(outbox.eventId, deliveries.eventId))
    .where(and(eq(deliveries.webhookId, webhookId), inState, beyond))
    .orderBy(desc(createdAt), desc(id))
    .limit(limit)
}

export async function listAttemptRows(tx: ReadTx, deliveryIds: string[]): Promise<AttemptRow[]> {
  if (deliveryIds.length === 0) return []
  return await tx.sql
    .select()
    .from(deliveryAttempts)
    .where(sql`${deliveryAttempts.deliveryId} = any(${sql.param(deliveryIds)}::uuid[])`)
    .orderBy(asc(deliveryAttempts.deliveryId), asc(deliveryAttempts.ordinal))
}

/** What waits is not sent any more. */
export async function dropPending(tx: WriteTx, webhookId: string): Promise<void> {
  await tx.sql
    .update(deliveries)
    .set({ state: 'dropped', doneAt: tx.now })
    .where(and(eq(deliveries.webhookId, webhookId), eq(deliveries.state, 'pending')))
}

/** Answers how many: none when it is no delivery of this webhook. */
export async function sendAgain(tx: WriteTx, webhookId: string, deliveryId: string): Promise<number> {
  const again = await tx.sql
    .update(deliveries)
    .set({ state: 'pending', doneAt: null, tries: 0, nextAt: tx.now })
    .where(and(eq(deliveries.id, deliveryId), eq(deliveries.webhookId, webhookId)))
  return again.rowCount ?? 0
}

export async function findMailChoice(tx: ReadTx, personId: string): Promise<boolean | undefined> {
  const [row] = await tx.sql.select().from(noticeChoices).where(eq(noticeChoices.personId, personId))
  return row?.mail
}

export async function keepMailChoice(tx: WriteTx, personId: string, mail: boolean): Promise<void> {
  await tx.sql
    .insert(noticeChoices)
    .values({ personId, mail, chosenAt: tx.now })
    .onConflictDoUpdate({ target: noticeChoices.personId, set: { mail, chosenAt: tx.now } })
}
