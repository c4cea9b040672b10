import { z } from 'zod'
import type { Config } from '../config.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { NoticeChoices } from './choice.js'
import { Delivery, DeliveryState } from './delivery.js'
import * as service from './service.js'
import { openVault } from './vault.js'
import { IssuedWebhook, NewWebhook, Replay, Replayed, Rotation, Webhook } from './webhook.js'

const params = z.strictObject({ id: z.uuid().describe('Of the webhook') })
const tag = 'Notices'
const manage = { action: 'manage', subject: 'Webhook' } as const
const read = { action: 'read', subject: 'Webhook' } as const

/** Who is told what happens, and whether it arrived. */
export async function noticeRoutes(app: App, { config }: { config: Config }): Promise<void> {
  const sealing = { vault: await openVault(config), allowPrivate: config.webhooks.allowPrivate }
  readingRoutes(app)
  makingRoutes(app, sealing)
  stateRoutes(app)
  deliveryRoutes(app)
  testRoutes(app)
  choiceRoutes(app)
}

function readingRoutes(app: App): void {
  app.get(
    '/v1/webhooks',
    operation({
      id: 'listWebhooks',
      tag,
      summary: 'Where other systems are told what happens',
      description: 'Those that were not deleted, the first made first.',
      right: read,
      query: z.strictObject(pageQuery),
      answers: { 200: page(Webhook) },
    }),
    async (request) => await app.page(request, service.listWebhooks),
  )

  app.get(
    '/v1/webhooks/:id',
    operation({
      id: 'getWebhook',
      tag,
      summary: 'One webhook',
      description: 'Also after it was deleted, for its deliveries stay on record.',
      right: read,
      params,
      answers: { 200: Webhook },
    }),
    async (request) => await app.read(request, (tx) => service.getWebhook(tx, request.params.id)),
  )
}

function makingRoutes(app: App, sealing: service.Sealing): void {
  app.post(
    '/v1/webhooks',
    operation({
      id: 'createWebhook',
      tag,
      summary: 'Tell another system what happens',
      description:
        'By the Standard Webhooks rules, with ids, names and digests alone. The secret is shown once. ' +
        'Private addresses are never called, and redirects are not followed.',
      right: { action: 'create', subject: 'Webhook' },
      body: NewWebhook,
      secret: true,
      answers: { 201: IssuedWebhook },
    }),
    async (request) => await app.write(request, (tx) => service.createWebhook(tx, sealing, request.body)),
  )

  app.post(
    '/v1/webhooks/:id/secrets',
    operation({
      id: 'rotateWebhookSecret',
      tag,
      summary: 'Give a webhook a new secret',
      description:
        'Shown once. Until the overlap ends each request carries two signatures, one by each secret.',
      right: manage,
      params,
      body: Rotation,
      secret: true,
      answers: { 201: IssuedWebhook },
    }),
    async (request) =>
      await app.write(request, (tx) =>
        service.rotateSecret(tx, sealing.vault, request.params.id, request.body),
      ),
  )
}

function stateRoutes(app: App): void {
  app.delete(
    '/v1/webhooks/:id',
    operation({
      id: 'deleteWebhook',
      tag,
      summary: 'Delete a webhook',
      description: 'Nothing is sent any more, and its secrets are forgotten. What was sent stays on record.',
      right: manage,
      params,
      answers: { 200: Webhook },
    }),
    async (request) => await app.write(request, (tx) => service.endWebhook(tx, request.params.id)),
  )

  app.post(
    '/v1/webhooks/:id/disabling',
    operation({
      id: 'disableWebhook',
      tag,
      summary: 'Send nothing to a webhook for now',
      description: 'What waits is dropped; replay it when the receiver is back.',
      right: manage,
      params,
      answers: { 200: Webhook },
    }),
    async (request) => await app.write(request, (tx) => service.disableWebhook(tx, request.params.id)),
  )

  app.post(
    '/v1/webhooks/:id/enabling',
    operation({
      id: 'enableWebhook',
      tag,
      summary: 'Send to a webhook again',
      description: 'From now on. What happened meanwhile comes with a replay.',
      right: manage,
      params,
      answers: { 200: Webhook },
    }),
    async (request) => await app.write(request, (tx) => service.enableWebhook(tx, request.params.id)),
  )
}

function deliveryRoutes(app: App): void {
  app.get(
    '/v1/webhooks/:id/deliveries',
    operation({
      id: 'listDeliveries',
      tag,
      summary: 'What was sent to a webhook, and how it ended',
      description: 'Each attempt with the status that was answered, or why there was none; the newest first.',
      right: read,
      params,
      query: z.strictObject({
        ...pageQuery,
        state: DeliveryState.optional().describe('Only those that are so'),
      }),
      answers: { 200: page(Delivery) },
    }),
    async (request) => {
      const { params, query } = request
      return await app.page(request, (tx, page) => service.listDeliveries(tx, params.id, query.state, page))
    },
  )

  app.post(
    '/v1/webhooks/:id/replays',
    operation({
      id: 'replayWebhook',
      tag,
      summary: 'Send again',
      description:
        'One delivery, or all that this webhook listens to and that happened since an instant, also while it was ' +
        'disabled or before it was made. Under the same `webhook-id`, so that a receiver knows what it has already.',
      right: manage,
      params,
      body: Replay,
      answers: { 202: Replayed },
    }),
    async (request) => await app.write(request, (tx) => service.replay(tx, request.params.id, request.body)),
  )
}

function testRoutes(app: App): void {
  app.post(
    '/v1/webhooks/:id/tests',
    operation({
      id: 'testWebhook',
      tag,
      summary: 'Send a test to a webhook',
      description:
        'An event `webhook.tested`, whatever types it asked for; see what became of it in its deliveries.',
      right: manage,
      params,
      answers: { 202: Webhook },
    }),
    async (request) => await app.write(request, (tx) => service.testWebhook(tx, request.params.id)),
  )
}

function choiceRoutes(app: App): void {
  app.get(
    '/v1/me/notices',
    operation({
      id: 'getMyNotices',
      tag,
      summary: 'What you are told',
      description: 'Mail goes to whoever owns what it is about, or holds a seat that is waited for.',
      right: 'authenticated',
      answers: { 200: NoticeChoices },
    }),
    async (request) => await app.read(request, service.getChoices),
  )

  app.put(
    '/v1/me/notices',
    operation({
      id: 'chooseMyNotices',
      tag,
      summary: 'Choose what you are told',
      description: 'What is on its way already, and was not sent yet, follows the choice as well.',
      right: 'authenticated',
      body: NoticeChoices,
      answers: { 200: NoticeChoices },
    }),
    async (request) => await app.write(request, (tx) => service.choose(tx, request.body)),
  )
}
