import { buildApp } from './app.js'
import type { Config } from './config.js'
import { type Database, openDatabase } from './db/database.js'
import { dropOldKeys } from './db/idempotency.js'
import { asOwner, type DatabaseLocation, findDatabase } from './db/location.js'
import { migrate } from './db/migrate.js'
import type { App } from './http/types.js'
import { ImportProfile } from './imports/profile.js'
import { loadPolicies } from './policy/load.js'
import { prepareFirstSignIn } from './tokens/first-sign-in.js'

/** A running Assent. */
export interface Server {
  url: string
  /** Where the data lies, for people. */
  database: string
  /** The one-time code of the first administrator, while there is none. */
  firstSignIn: string | undefined
  /** Stops taking requests, finishes those under way, then lets go of the database. */
  stop(): Promise<void>
}

const HOUR_MS = 3_600_000

/** Starts everything in order; whatever fails stops what was started before it. */
export async function startServer(config: Config): Promise<Server> {
  const policies = loadPolicies(config.policiesDir, ImportProfile)
  const location = await findDatabase(config)
  try {
    await asOwner(location, migrate)
    const database = await open(config, location)
    const app = await buildApp({ config, policies, database })
    const url = await app.listen({ host: config.host, port: config.port })
    const firstSignIn = await prepareFirstSignIn(database)
    const cleaning = keepClean(database, app)
    const stop = async () => {
      clearInterval(cleaning)
      await app.close()
      await database.close()
      await location.stop()
    }
    return { url, database: location.name, firstSignIn, stop }
  } catch (error) {
    await location.stop()
    throw error
  }
}

async function open(config: Config, location: DatabaseLocation): Promise<Database> {
  return await openDatabase({
    connection: location.app,
    poolSize: config.poolSizes.api,
    exportPoolSize: config.poolSizes.exports,
    statementTimeoutMs: config.statementTimeoutMs,
  })
}

/** An Idempotency-Key is answered again for a day; every process may drop the older ones. */
function keepClean(database: Database, app: App): NodeJS.Timeout {
  const clean = () =>
    dropOldKeys(database.pool, database.clock.now()).catch((err) => app.log.warn({ err }, 'old keys stay'))
  return setInterval(clean, HOUR_MS).unref()
}
