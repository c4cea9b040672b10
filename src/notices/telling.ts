import type { Registry } from 'prom-client'
import { assentItself } from '../auth/assent.js'
import { buildAbility, readRights } from '../auth/decision-rights.js'
import type { Config } from '../config.js'
import { openPool } from '../db/client.js'
import type { Database } from '../db/database.js'
import type { Request } from '../db/transaction.js'
import { newId } from '../ids.js'
import { Outgoing, type OutgoingOptions } from '../net/outgoing.js'
import type { Policies } from '../policy/load.js'
import { Dispatcher, type DispatcherDeps } from './dispatcher.js'
import { openMailer } from './mailing.js'
import { noticeMetrics } from './metrics.js'
import { openVault } from './vault.js'

interface TellingDeps {
  config: Config
  policies: Policies
  database: Database
  registry: Registry
  log: DispatcherDeps['log']
  /** In tests: how names become addresses, and what to trust. */
  reaching?: Partial<OutgoingOptions>
}

export interface Telling {
  dispatcher: Dispatcher
  /** Ends what it started and lets go of its connections. */
  stop(): Promise<void>
}

/** What it takes to tell others, ready to be started; every process does. */
export async function prepareTelling(deps: TellingDeps): Promise<Telling> {
  const { config, policies, database, registry, log, reaching } = deps
  const vault = await openVault(config)
  const mailer = config.mail && openMailer(config.mail)
  const pool = openPool({
    connection: database.connection,
    name: 'notices',
    max: 2,
    statementTimeoutMs: config.statementTimeoutMs,
  })
  const dispatcher = new Dispatcher({
    ...{ database, pool, vault, mailer, log },
    assent: asAssent(policies),
    outgoing: new Outgoing({ allowPrivate: config.webhooks.allowPrivate, ...reaching }),
    metrics: noticeMetrics(registry),
    keptDays: config.noticesKeptDays,
  })
  return {
    dispatcher,
    async stop() {
      await dispatcher.stop()
      mailer?.close()
      await pool.end()
    },
  }
}

/** Assent itself, with no right but to say what happened. */
function asAssent({ decisionRights }: Policies): () => Request {
  const ability = buildAbility(readRights(decisionRights), assentItself)
  return () => ({ principal: assentItself, ability, requestId: newId() })
}
