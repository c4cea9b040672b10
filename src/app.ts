import type { DestinationStream } from 'pino'
import { eventRoutes } from './audit/routes.js'
import { buildAuthenticator, type Caller, type Directory } from './auth/authenticate.js'
import { type Ability, buildAbility, readRights } from './auth/decision-rights.js'
import { type Identity, trustIssuer } from './auth/issuer.js'
import type { Principal } from './auth/principal.js'
import { breakGlassRoutes } from './break-glass/routes.js'
import { briefRoutes } from './briefs/routes.js'
import { catalogRoutes } from './catalogs/routes.js'
import { conditionRoutes } from './conditions/routes.js'
import type { Config } from './config.js'
import { custodyRoutes } from './custody/routes.js'
import { drizzleOn } from './db/client.js'
import type { Database } from './db/database.js'
import { isMigrated } from './db/migrate.js'
import { delegationRoutes } from './delegations/routes.js'
import { disposalRoutes } from './disposals/routes.js'
import type { BlobStore } from './evidence/blobs.js'
import { evidenceRoutes } from './evidence/routes.js'
import { exceptionRoutes } from './exceptions/routes.js'
import { gateRoutes } from './gate/routes.js'
import { handoverRoutes } from './handover/routes.js'
import { createServer } from './http/server.js'
import type { App, Readiness } from './http/types.js'
import { newId } from './ids.js'
import type { ImportProfile } from './imports/profile.js'
import { importRoutes } from './imports/routes.js'
import { Spool } from './imports/spool.js'
import { incidentRoutes } from './incidents/routes.js'
import { insightRoutes } from './insights/routes.js'
import { legalHoldRoutes } from './legal-holds/routes.js'
import { meRoutes } from './me/routes.js'
import { meetingRoutes } from './meetings/routes.js'
import { noticeRoutes } from './notices/routes.js'
import { orgUnitRoutes } from './org-units/routes.js'
import { packageRoutes } from './packages/routes.js'
import { findInvited, join } from './people/membership.js'
import { peopleRoutes } from './people/routes.js'
import { findPersonByIdentity, findPrincipal } from './people/service.js'
import type { Policies } from './policy/load.js'
import { policyRoutes } from './policy/routes.js'
import { policyChangeRoutes } from './policy-changes/routes.js'
import { findLoadedAt } from './policy-changes/service.js'
import { profileRoutes } from './profiles/routes.js'
import { queueRoutes } from './queue/routes.js'
import { registerRoutes } from './registers/routes.js'
import { requirementRoutes } from './requirements/routes.js'
import { retentionRoutes } from './retention/routes.js'
import { reviewRoutes } from './reviews/routes.js'
import { standingRoutes } from './standing/routes.js'
import { suspensionRoutes } from './suspensions/routes.js'
import { systemRoutes } from './systems/routes.js'
import { tokenRoutes } from './tokens/routes.js'
import { findByToken } from './tokens/service.js'
import { useCaseRoutes } from './use-cases/routes.js'

export interface AppDeps {
  config: Config
  policies: Policies<ImportProfile>
  database: Database
  /** Where the bytes of evidence lie. */
  blobs: BlobStore
  log?: DestinationStream
  /** In tests: an answer that differs from what the handler returned, or from its schema, becomes a 500. */
  verifyResponses?: boolean
}

/** What features are built from. */
export interface FeatureDeps extends AppDeps {
  /** A caller for somebody who is not signed in yet, such as a person who accepts an invitation. */
  callerOf(principal: Principal): Caller
}

/** The whole service, ready to listen or to be asked in a test. */
export async function buildApp(deps: AppDeps): Promise<App> {
  const { config, policies, database } = deps
  const rights = readRights(policies.decisionRights)
  const abilityOf = (principal: Principal): Ability => buildAbility(rights, principal)
  const callerOf = (principal: Principal): Caller => ({ principal, ability: abilityOf(principal) })
  const authenticator = buildAuthenticator({
    directory: directoryOf(database, callerOf),
    issuers: config.oidc.issuers.map((issuer) =>
      trustIssuer({ issuer, audience: config.oidc.audience ?? '' }),
    ),
    abilityOf,
    now: () => database.clock.now(),
    limitMs: config.signInTimeoutMs,
  })
  const app = await createServer({
    ...deps,
    database: forgetting(database, () => authenticator.forget()),
    authenticate: async ({ headers }) => await authenticator.authenticate(headers.authorization),
    renew: async ({ authorization }) => await authenticator.renew(authorization),
    readiness: readinessOf(deps),
  })
  await registerFeatures(app, { ...deps, callerOf })
  return app
}

/** In the order in which features may know each other. */
async function registerFeatures(app: App, deps: FeatureDeps): Promise<void> {
  await app.register(policyRoutes, { ...deps, findLoadedAt })
  await app.register(eventRoutes)
  await app.register(orgUnitRoutes, deps)
  await app.register(peopleRoutes, deps)
  await app.register(tokenRoutes, deps)
  await app.register(systemRoutes, deps)
  await app.register(useCaseRoutes, deps)
  await app.register(policyChangeRoutes, deps)
  const { blobs } = deps
  const { dataDir, uploadLimit } = deps.config
  await app.register(catalogRoutes, { policies: deps.policies, uploadLimit })
  await app.register(requirementRoutes, deps)
  await app.register(evidenceRoutes, {
    blobs,
    uploadLimit,
    policies: deps.policies,
    isScanned: deps.config.clamav !== undefined,
  })
  await app.register(legalHoldRoutes)
  await app.register(retentionRoutes, deps)
  await app.register(disposalRoutes, deps)
  await app.register(custodyRoutes, deps)
  await app.register(profileRoutes, deps)
  await app.register(delegationRoutes)
  await app.register(conditionRoutes)
  await app.register(exceptionRoutes)
  await app.register(reviewRoutes, deps)
  await app.register(suspensionRoutes)
  await app.register(incidentRoutes, deps)
  await app.register(breakGlassRoutes, deps)
  await app.register(handoverRoutes, deps)
  await app.register(briefRoutes, deps)
  await app.register(meRoutes, deps)
  await app.register(standingRoutes, deps)
  await app.register(queueRoutes, deps)
  await app.register(meetingRoutes, deps)
  await app.register(insightRoutes)
  await app.register(gateRoutes, deps)
  await app.register(importRoutes, {
    policies: deps.policies,
    spool: new Spool(dataDir),
    uploadLimit,
  })
  await app.register(registerRoutes, deps)
  await app.register(packageRoutes, deps)
  await app.register(noticeRoutes, deps)
}

/** Rights that changed count from the next request on, not when a cache has grown old. */
function forgetting(database: Database, forget: () => void): Database {
  return {
    ...database,
    async write(request, work) {
      const written = await database.write(request, work)
      if (written.touched.has('person') || written.touched.has('org_unit')) forget()
      return written
    },
  }
}

function directoryOf(database: Database, callerOf: (principal: Principal) => Caller): Directory {
  const sql = drizzleOn(database.pool)
  return {
    findByToken: async (digest) => await findByToken(sql, digest, database.clock.now()),
    async findByIdentity(identity) {
      const id =
        (await findPersonByIdentity(sql, identity.issuer, identity.subject)) ??
        (await acceptInvitation(database, callerOf, identity))
      return id === undefined ? undefined : await findPrincipal(sql, id, database.clock.now())
    },
  }
}

/** Whoever signs in as the identity that was invited has thereby accepted. */
async function acceptInvitation(
  database: Database,
  callerOf: (principal: Principal) => Caller,
  { issuer, subject }: Identity,
): Promise<string | undefined> {
  const sql = drizzleOn(database.pool)
  const personId = await findInvited(sql, { issuer, subject })
  // Nobody is invited any more: unless they have just joined, in another request of theirs.
  if (personId === undefined) return await findPersonByIdentity(sql, issuer, subject)
  const principal: Principal = { personId, kind: 'human', name: '', grants: [], boundUseCaseIds: [] }
  try {
    await database.write(
      { ...callerOf(principal), requestId: newId() },
      async (tx) => await join(tx, personId),
    )
  } catch (error) {
    // Of two first requests at once, one accepts; both are then somebody who is registered.
    const joined = await findPersonByIdentity(sql, issuer, subject)
    if (joined === undefined) throw error
  }
  return personId
}

/** The policy was loaded whole, or the process would not have started. */
function readinessOf({ database, blobs }: Pick<AppDeps, 'database' | 'blobs'>): Readiness {
  const migrations = async () => {
    if (!(await isMigrated(database.pool))) throw new Error('migrations are pending: run `assent migrate`')
  }
  return {
    needs: { policy: async () => undefined, database: database.ping, migrations },
    parts: { evidence: async () => await blobs.assertUsable() },
  }
}
