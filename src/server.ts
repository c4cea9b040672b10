import { buildApp } from './app.js'
import { assentItself } from './auth/assent.js'
import { buildAbility, readRights } from './auth/decision-rights.js'
import { shippedVersion } from './cli/version.js'
import type { Config } from './config.js'
import { Keeper } from './custody/keeper.js'
import { custodyMetrics } from './custody/metrics.js'
import { type Database, openDatabase } from './db/database.js'
import { dropOldKeys } from './db/idempotency.js'
import { asOwner, type DatabaseLocation, findDatabase } from './db/location.js'
import { migrate } from './db/migrate.js'
import type { Request } from './db/transaction.js'
import { RegistryError } from './errors.js'
import type { BlobStore } from './evidence/blobs.js'
import { clamdScan } from './evidence/clamd.js'
import { scanMetrics } from './evidence/metrics.js'
import { Scanning } from './evidence/scanning.js'
import { openStore } from './evidence/stores/open.js'
import type { App } from './http/types.js'
import { newId } from './ids.js'
import { ImportProfile } from './imports/profile.js'
import { prepareTelling } from './notices/telling.js'
import { loadPolicies, type Policies, readPolicyFiles } from './policy/load.js'
import { recordLoading } from './policy-changes/service.js'
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

/** Starts everything in order; whatever fails stops what was started before it, the last first. */
export async function startServer(config: Config): Promise<Server> {
  const policies = loadPolicies(config.policiesDir, ImportProfile)
  const started: (() => Promise<void>)[] = []
  const stop = async () => {
    for (let end = started.pop(); end; end = started.pop()) await end()
  }
  try {
    const location = await findDatabase(config)
    started.push(location.stop)
    await asOwner(location, migrate)
    const database = await open(config, location)
    started.push(database.close)
    const blobs = await openStore(config)
    const app = await buildApp({ config, policies, database, blobs })
    await recordPolicy(database, policies, config)
    started.push(async () => await app.close())
    const url = await listen(app, config)
    const firstSignIn = await prepareFirstSignIn(database)
    const cleaning = keepClean(database, app)
    started.push(async () => clearInterval(cleaning))
    started.push(scanEvidence({ config, policies, database, blobs, app }))
    started.push(keepEvidence({ policies, database, blobs, app }))
    const { registry } = app.metrics
    const telling = await prepareTelling({ config, policies, database, registry, log: app.log })
    telling.dispatcher.start()
    started.push(telling.stop)
    return { url, database: location.name, firstSignIn, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Before the first request is answered under it, it is on record which policy is in force. */
async function recordPolicy(
  database: Database,
  policies: Policies,
  { deployedBy, policiesDir }: Config,
): Promise<void> {
  const { digest, files } = readPolicyFiles(policiesDir)
  if (digest !== policies.digest) {
    throw new RegistryError('unavailable', 'the policy folder changed while Assent started; start it again')
  }
  const loading = { digest, files, version: shippedVersion(), deployedBy }
  await recordLoading(database, asAssent(policies), loading)
}

function asAssent({ decisionRights }: Policies): Request {
  const ability = buildAbility(readRights(decisionRights), assentItself)
  return { principal: assentItself, ability, requestId: newId() }
}

interface Running {
  config: Config
  policies: Policies
  database: Database
  blobs: BlobStore
  app: App
}

/** Where a scanner is configured, its files are looked through. Answers what ends that. */
function scanEvidence({ config, policies, database, blobs, app }: Running): () => Promise<void> {
  if (!config.clamav) return async () => {}
  const scan = clamdScan(config.clamav)
  const scanning = new Scanning({
    ...{ database, blobs, scan, log: app.log },
    assent: () => asAssent(policies),
    metrics: scanMetrics(app.metrics.registry),
  })
  scanning.start()
  return async () => await scanning.stop()
}

/** What was disposed of is removed, stores are told what holds, and files are checked. Answers what ends that. */
function keepEvidence({ policies, database, blobs, app }: Omit<Running, 'config'>): () => Promise<void> {
  const metrics = custodyMetrics(app.metrics.registry)
  const assent = () => asAssent(policies)
  const keeper = new Keeper({ database, blobs, policies, metrics, assent, log: app.log })
  keeper.start()
  return async () => await keeper.stop()
}

/** @throws RegistryError `unavailable` when something else listens there */
async function listen(app: App, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    const message = `${host}:${port} is in use: stop what uses it, or set ASSENT_PORT`
    throw new RegistryError('unavailable', message, { cause })
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
