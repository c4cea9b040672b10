import type { FastifyServerOptions } from 'fastify'
import type { DestinationStream } from 'pino'
import type { Config } from '../config.js'
import type { App } from './types.js'

const secretNames = ['authorization', 'cookie', 'set-cookie', 'token', 'secret', 'password', 'key']

/** Wherever a secret may stand in what is logged, down to the third level. */
const secretPaths = secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])

export function loggerOptions(
  { logLevel }: Pick<Config, 'logLevel'>,
  stream: DestinationStream | undefined,
): Exclude<FastifyServerOptions['logger'], boolean | undefined> {
  return {
    level: logLevel,
    ...(stream && { stream }),
    redact: { paths: secretPaths, censor: '[redacted]' },
    serializers: { err: describeError },
    hooks: {
      // Left without words of its own a line would repeat the error's message, values and all.
      logMethod(args, method) {
        const error = errorOf(args[0])
        if (error && args.length === 1)
          return method.apply(this, [args[0], withoutValues(error, error.message)])
        return method.apply(this, args)
      },
    },
  }
}

function errorOf(logged: unknown): Error | undefined {
  if (logged instanceof Error) return logged
  const isHolder = typeof logged === 'object' && logged !== null && 'err' in logged
  return isHolder && logged.err instanceof Error ? logged.err : undefined
}

interface ErrorLine {
  type: string
  message: string
  stack: string
  [detail: string]: unknown
}

/**
 * Errors of the database repeat parameters (in Drizzle's message) and values (in PostgreSQL's detail, and quoted
 * at the end of its message): those are people's data, so only names and codes are kept.
 */
function describeError(error: unknown): ErrorLine {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' }
  const { name, message, stack = '', cause } = error
  const { code, table, column, constraint } = error as Error & Record<string, unknown>
  return {
    type: name,
    message: withoutValues(error, message),
    stack: withoutValues(
      error,
      stack.replace(message, () => withoutValues(error, message)),
    ),
    code,
    table,
    column,
    constraint,
    ...(cause !== undefined && { cause: describeError(cause) }),
  }
}

function withoutValues(error: Error, text: string): string {
  // To the end, for a value may have lines of its own, even such as look like lines of a stack.
  const bare = text.replace(/\nparams:[\s\S]*$/, '')
  return 'severity' in error ? bare.replace(/: "[\s\S]*"/, '') : bare
}

/** One line for each answer: who, what, how it ended and how long it took. No bodies, no queries. */
export function registerAccessLog(app: App): void {
  app.addHook('onResponse', (request, reply, done) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url,
        params: request.routeOptions.url ? request.params : undefined,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        personId: request.caller?.principal.personId,
        recordedAs: request.recordedAs,
      },
      'answered',
    )
    done()
  })
}
