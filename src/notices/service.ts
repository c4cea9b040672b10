import { authorize, authorizeSome } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Database } from '../db/database.js'
import type { ReadTx, Request, WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { addSeconds } from '../instant.js'
import { assertCallable } from '../net/outgoing.js'
import { assertOrgUnit } from '../org-units/service.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { lockPersonForToken } from '../people/service.js'
import type { NoticeChoices } from './choice.js'
import { type Delivery, type DeliveryState, messageIdOf } from './delivery.js'
import { insertDeliveries, listMissed } from './outbox-store.js'
import { mintWebhookSecret } from './signing.js'
import * as store from './store.js'
import type { Vault } from './vault.js'
import {
  assertDisabled,
  assertEnabled,
  assertNotEnded,
  assertRotatable,
  type IssuedWebhook,
  type NewWebhook,
  REPLAY_LIMIT,
  type Replay,
  type Replayed,
  type Rotation,
  type Webhook,
} from './webhook.js'

export interface Sealing {
  vault: Vault
  /** Whether receivers may lie in a network of one's own. */
  allowPrivate: boolean
}

export async function createWebhook(
  tx: WriteTx,
  { vault, allowPrivate }: Sealing,
  wanted: NewWebhook,
): Promise<IssuedWebhook> {
  const { name, url, orgUnitId, eventTypes } = wanted
  await assertOrgUnit(tx, orgUnitId)
  const right = authorize(tx.ability, 'create', 'Webhook', { id: null, orgUnitId })
  assertCallable(url, allowPrivate)
  const row = await store.insertWebhook(tx, {
    ...{ id: newId(), name, url, orgUnitId, eventTypes },
    ...{ createdBy: tx.principal.personId, createdAt: tx.now },
  })
  const { secret } = await addSecret(tx, vault, row.id)
  tx.record(row, { type: 'webhook.created', right, orgUnitId, eventTypes, sealed: { name, url } })
  return { webhook: await present(tx, row), secret }
}

export async function listWebhooks(tx: ReadTx, { limit, after }: PageRequest): Promise<PageOf<Webhook>> {
  authorizeSome(tx.ability, 'read', 'Webhook')
  const where = visibleWhere(tx.ability, 'read', 'Webhook', store.rightsColumns)
  const from = keyOfPage(after)
  const rows = await store.listWebhookRows(tx, where, { after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.createdAt, row.id])
  return { items: await presentAll(tx, items), last }
}

export async function getWebhook(tx: ReadTx, id: string): Promise<Webhook> {
  const row = await store.getWebhookRow(tx, id)
  authorize(tx.ability, 'read', 'Webhook', row)
  return await present(tx, row)
}

/** A new secret; the one before signs beside it for as long as it takes the receiver to change over. */
export async function rotateSecret(
  tx: WriteTx,
  vault: Vault,
  id: string,
  rotation: Rotation,
): Promise<IssuedWebhook> {
  const { row, right } = await lockToManage(tx, id)
  assertNotEnded(row)
  const { overlapHours } = rotation
  assertRotatable((await store.listLiveSecrets(tx, [id])).length, rotation)
  await store.endSecrets(tx, id, addSeconds(tx.now, overlapHours * 3600))
  const { secret, secretId } = await addSecret(tx, vault, id)
  tx.record(row, { type: 'webhook.rotated', right, secretId, overlapHours, sealed: {} })
  return { webhook: await present(tx, row), secret }
}

/** Nothing is sent from now on, and what waits is dropped: replay it when the receiver is back. */
export async function disableWebhook(tx: WriteTx, id: string): Promise<Webhook> {
  const { row, right } = await lockToManage(tx, id)
  assertEnabled(row)
  await disable(tx, id, 'asked')
  tx.record(row, { type: 'webhook.disabled', right, because: 'asked', sealed: {} })
  return await present(tx, await store.getWebhookRow(tx, id))
}

export async function enableWebhook(tx: WriteTx, id: string): Promise<Webhook> {
  const { row, right } = await lockToManage(tx, id)
  assertDisabled(row)
  await store.updateWebhook(tx, id, { disabledAt: null, disabledBecause: null })
  tx.record(row, { type: 'webhook.enabled', right, sealed: {} })
  return await present(tx, await store.getWebhookRow(tx, id))
}

/** It stays on record, without what it signed with. */
export async function endWebhook(tx: WriteTx, id: string): Promise<Webhook> {
  const { row, right } = await lockToManage(tx, id)
  assertNotEnded(row)
  if (row.disabledAt === null) await disable(tx, id, 'asked')
  await store.updateWebhook(tx, id, { endedAt: tx.now, endedBy: tx.principal.personId })
  await store.endSecrets(tx, id, tx.now)
  tx.record(row, { type: 'webhook.ended', right, sealed: {} })
  return await present(tx, await store.getWebhookRow(tx, id))
}

/** Sends `webhook.tested` to this webhook, whatever types it asked for. */
export async function testWebhook(tx: WriteTx, id: string): Promise<Webhook> {
  const { row, right } = await lockToManage(tx, id)
  assertEnabled(row)
  tx.record(row, { type: 'webhook.tested', right, sealed: {} })
  return await present(tx, row)
}

/** Sends again what arrived or did not, under the ids that it had; or everything since, also what was never sent. */
export async function replay(tx: WriteTx, id: string, { deliveryId, since }: Replay): Promise<Replayed> {
  const { row, right } = await lockToManage(tx, id)
  assertEnabled(row)
  const deliveries =
    deliveryId === undefined
      ? await replaySince(tx, id, since ?? tx.now)
      : await store.sendAgain(tx, id, deliveryId)
  if (deliveries === 0) throw nothingToReplay(deliveryId)
  tx.record(row, { type: 'webhook.replayed', right, deliveries, ...(since && { since }), sealed: {} })
  return { deliveries }
}

async function replaySince(tx: WriteTx, id: string, since: string): Promise<number> {
  const eventIds = await listMissed(tx.client, id, since, REPLAY_LIMIT + 1)
  if (eventIds.length > REPLAY_LIMIT) {
    const message = `more than ${REPLAY_LIMIT} events happened since; give a later instant, or read them at /v1/events`
    throw new RegistryError('conflict', message)
  }
  const pairs = eventIds.map((eventId) => ({ eventId, receiverId: id }))
  await insertDeliveries(tx.client, 'webhook', pairs, tx.now, true)
  return eventIds.length
}

function nothingToReplay(deliveryId: string | undefined): RegistryError {
  if (deliveryId !== undefined) return notFound('delivery')
  return new RegistryError('conflict', 'nothing that this webhook listens to happened since; nothing to do')
}

export async function listDeliveries(
  tx: ReadTx,
  id: string,
  state: DeliveryState | undefined,
  { limit, after }: PageRequest,
): Promise<PageOf<Delivery>> {
  authorize(tx.ability, 'read', 'Webhook', await store.getWebhookRow(tx, id))
  const from = keyOfPage(after)
  const rows = await store.listDeliveryRows(tx, id, { state, after: from, limit: limit + 1 })
  const { items, last } = cutPage(rows, limit, (row) => [row.createdAt, row.id])
  const attempts = await store.listAttemptRows(
    tx,
    items.map((row) => row.id),
  )
  return {
    items: items.map((row) => ({
      ...row,
      messageId: messageIdOf(row.eventId),
      nextAt: row.state === 'pending' ? row.nextAt : null,
      attempts: attempts
        .filter(({ deliveryId }) => deliveryId === row.id)
        .map(({ deliveryId: _deliveryId, ordinal: _ordinal, ...attempt }) => attempt),
    })),
    last,
  }
}

/** By Assent itself, when nothing arrives any more. */
export async function disableUnreached(
  database: Database,
  assent: Request,
  id: string,
  because: 'gone' | 'gave_up',
): Promise<void> {
  try {
    await database.write(assent, async (tx) => {
      const row = await store.lockWebhook(tx, id)
      assertEnabled(row)
      await disable(tx, id, because)
      tx.record(row, { type: 'webhook.disabled', because, sealed: {} })
    })
  } catch (error) {
    // Somebody else disabled it in the meantime.
    if (!(error instanceof RegistryError && error.code === 'conflict')) throw error
  }
}

export async function getChoices(tx: ReadTx): Promise<NoticeChoices> {
  return { mail: (await store.findMailChoice(tx, tx.principal.personId)) ?? true }
}

export async function choose(tx: WriteTx, { mail }: NoticeChoices): Promise<NoticeChoices> {
  const person = await lockPersonForToken(tx, tx.principal.personId)
  await store.keepMailChoice(tx, person.id, mail)
  tx.record(person, { type: 'notices.chosen', mail, sealed: {} })
  return { mail }
}

async function lockToManage(tx: WriteTx, id: string): Promise<{ row: store.WebhookRow; right: string }> {
  const row = await store.lockWebhook(tx, id)
  return { row, right: authorize(tx.ability, 'manage', 'Webhook', row) }
}

async function disable(
  tx: WriteTx,
  id: string,
  disabledBecause: NonNullable<Webhook['disabledBecause']>,
): Promise<void> {
  await store.updateWebhook(tx, id, { disabledAt: tx.now, disabledBecause })
  await store.dropPending(tx, id)
}

async function addSecret(
  tx: WriteTx,
  vault: Vault,
  webhookId: string,
): Promise<{ secret: string; secretId: string }> {
  const secret = mintWebhookSecret()
  const id = newId()
  const { personId: createdBy } = tx.principal
  const sealed = vault.seal(secret, id)
  await store.insertSecret(tx, { id, webhookId, sealed, createdBy, createdAt: tx.now })
  return { secret, secretId: id }
}

function keyOfPage(after: PageRequest['after']): { createdAt: string; id: string } | undefined {
  return after && { createdAt: String(after[0]), id: String(after[1]) }
}

async function present(tx: ReadTx, row: store.WebhookRow): Promise<Webhook> {
  const [webhook] = await presentAll(tx, [row])
  if (!webhook) throw new Error('a webhook was lost on the way')
  return webhook
}

async function presentAll(tx: ReadTx, rows: store.WebhookRow[]): Promise<Webhook[]> {
  const ids = rows.map(({ id }) => id)
  const secrets = await store.listLiveSecrets(tx, ids)
  return rows.map(({ lastEventNo: _no, lastEventAt: _at, endedBy: _by, ...row }) => ({
    ...row,
    secrets: secrets
      .filter(({ webhookId }) => webhookId === row.id)
      .map(({ id, createdAt, expiresAt }) => ({ id, createdAt, expiresAt })),
  }))
}
