// A committee whose service tells others: a receiver of webhooks on loopback, and a dispatcher that passes on demand.
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { addSeconds } from '../../src/instant.js'
import type { Dispatcher } from '../../src/notices/dispatcher.js'
import { prepareTelling } from '../../src/notices/telling.js'
import type { Answer } from '../app.js'
import { type Committee, startCommittee } from '../committee.js'
import { type Receiver, startReceiver, toLoopback } from '../net/receiver.js'

export const settings = {
  ASSENT_SECRET_KEY: 'a key of the test, and of no other test',
  ASSENT_WEBHOOK_ALLOW_PRIVATE: 'true',
}

export interface World extends Committee {
  admin: Awaited<ReturnType<Committee['person']>>
  receiver: Receiver
  dispatcher: Dispatcher
  registry: Registry
  warnings: string[]
  /** One more process that tells. */
  another(): Promise<Dispatcher>
  /** Moves the clock. */
  later(seconds: number): void
}

export async function startWorld(t: Test, env: Record<string, string> = {}): Promise<World> {
  const all = { ...settings, ...env }
  const committee = await startCommittee(t, all)
  const receiver = await startReceiver(t)
  const warnings: string[] = []
  const another = async (registry = new Registry()) => {
    const { database, policies } = committee
    const config = readConfig(all)
    const reaching = { resolve: toLoopback, ca: receiver.ca }
    const log = { warn: (_about: object, message: string) => void warnings.push(message) }
    const telling = await prepareTelling({ config, policies, database, registry, log, reaching })
    t.teardown(telling.stop)
    return telling.dispatcher
  }
  const registry = new Registry()
  return {
    ...committee,
    ...{ receiver, registry, warnings, another },
    admin: await committee.person('Ann', { rights: ['administrator'] }),
    dispatcher: await another(registry),
    later: (seconds) => {
      committee.clock.at = addSeconds(committee.clock.at, seconds)
    },
  }
}

export interface Hook {
  id: string
  secret: string
  deliveries(query?: string): Promise<Answer['body']>
}

/** A webhook of the whole committee's unit, at the receiver. */
export async function listen(world: World, wanted: object = {}): Promise<Hook> {
  const { admin, receiver, unitId } = world
  const body = { name: 'Risk system', url: receiver.url, orgUnitId: unitId, ...wanted }
  const made = await admin.post('/v1/webhooks', body)
  if (made.status !== 201) throw new Error(JSON.stringify(made.body))
  const { id } = made.body.webhook
  return {
    ...{ id, secret: made.body.secret },
    deliveries: async (query = '') => (await admin.get(`/v1/webhooks/${id}/deliveries${query}`)).body.items,
  }
}
