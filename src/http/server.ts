import { randomUUID } from 'node:crypto'
import fastify, { LogController } from 'fastify'
import { refuse, refuseBytes, registerErrors } from './errors.js'
import { registerHealth } from './health.js'
import { registerKernel } from './kernel.js'
import { loggerOptions, registerAccessLog } from './log.js'
import { registerMetrics } from './metrics.js'
import { registerOperations } from './operations.js'
import { loadCursorSecret } from './paging.js'
import {
  registerAuthentication,
  registerGuard,
  registerHeaders,
  registerRateLimits,
  secure,
} from './security.js'
import { registerSpec } from './spec.js'
import type { App, HttpDeps } from './types.js'
import { registerVerification } from './verify-responses.js'
import { compileSerializer, compileValidator, type ZodTypes } from './zod.js'

const TRANSFER_LIMIT_MS = 600_000

/**
 * A server with everything but features. The order below is the order in which a request meets each part: headers,
 * who asks, how often, then the operation's own preconditions, its input, its work, and the answer.
 */
export async function createServer(deps: HttpDeps): Promise<App> {
  const app = openFastify(deps)
  app.setValidatorCompiler(compileValidator)
  app.setSerializerCompiler(compileSerializer)
  app.removeContentTypeParser('text/plain')

  registerGuard(app)
  registerHeaders(app)
  registerAccessLog(app)
  await registerRateLimits(app, deps.config)
  registerAuthentication(app, deps)
  registerErrors(app)
  registerOperations(app, deps.config)
  registerKernel(app, deps, await loadCursorSecret(deps.config))
  if (deps.verifyResponses) registerVerification(app)
  await registerSpec(app)
  registerMetrics(app, deps.config)
  registerHealth(app, deps.readiness)
  return app
}

function openFastify({ config, log }: HttpDeps): App {
  const app = fastify({
    logger: loggerOptions(config, log),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    trustProxy: config.trustProxy.length > 0 ? config.trustProxy : false,
    bodyLimit: config.bodyLimit,
    // A large upload over a slow line; what other operations may take, body included, each of them says itself.
    requestTimeout: TRANSFER_LIMIT_MS,
    routerOptions: { maxParamLength: 100 },
    // What is already on its way is served until the drain ends, not refused.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void refuse(error, request, secure(request, reply)),
    clientErrorHandler: refuseBytes,
  })
  return app.withTypeProvider<ZodTypes>()
}

/** The caller's own id, so that one name follows a request through several systems. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{8,100}$/.test(given) ? given : randomUUID()
}
