import type { Instant } from '../instant.js'
import { type Concern, type Concerned, listConcerned } from './audience-store.js'
import { type Audience, audiencesOf } from './mail.js'
import {
  type Client,
  claimOutbox,
  insertDeliveries,
  inTransaction,
  listListeners,
  listReachable,
  markExpanded,
  type Pending,
  type Pool,
} from './outbox-store.js'
import { membersOf, readLeaf } from './payload.js'

const BATCH = 200

/**
 * Turns events of the outbox into deliveries, in one transaction that touches nothing but the database: if it fails,
 * nobody was told, and the events are still there.
 * @returns how many events it took
 */
export async function expand(pool: Pool, now: () => Instant, mails: boolean): Promise<number> {
  return await inTransaction(pool, async (client) => {
    const pending = await claimOutbox(client, BATCH)
    if (pending.length > 0) await makeDeliveries(client, pending, now(), mails)
    return pending.length
  })
}

async function makeDeliveries(
  client: Client,
  pending: Pending[],
  now: Instant,
  mails: boolean,
): Promise<void> {
  const ids = pending.map(({ eventId }) => eventId)
  const listeners = await listListeners(client, ids)
  const pairs = listeners.map(({ eventId, webhookId }) => ({ eventId, receiverId: webhookId }))
  await insertDeliveries(client, 'webhook', pairs, now)
  if (mails) {
    const reachable = await listReachable(client, await findConcerned(client, pending, now))
    await insertDeliveries(client, 'person', reachable, now)
  }
  await markExpanded(client, ids, now)
}

async function findConcerned(client: Client, pending: Pending[], now: Instant): Promise<Concerned[]> {
  const byAudience = new Map<Audience, Concern[]>()
  for (const event of pending) {
    for (const audience of audiencesOf(event.type)) {
      byAudience.set(audience, [...(byAudience.get(audience) ?? []), concernOf(event)])
    }
  }
  const found: Concerned[] = []
  for (const [audience, concerns] of byAudience) {
    found.push(...(await listConcerned(client, audience, concerns, now)))
  }
  return found
}

function concernOf({ eventId, aggregateId, leaf }: Pending): Concern {
  const members = membersOf(readLeaf(leaf))
  const member = (name: string) => (typeof members[name] === 'string' ? String(members[name]) : null)
  return {
    ...{ eventId, aggregateId, reviewId: member('reviewId'), stage: member('stage') },
    ...{ decisionId: member('decisionId'), conditionId: member('conditionId') },
  }
}
