import { randomUUID } from 'node:crypto'
import type { Caller } from '../auth/authenticate.js'
import type { ReadTx, Request, WriteRequest, WriteTx } from '../db/transaction.js'
import type { PageOf, PageRequest } from '../page.js'
import { readIdempotencyKey } from './idempotency.js'
import { Cursors } from './paging.js'
import { pathOf } from './problem.js'
import type { App, HttpDeps } from './types.js'

/** What the kernel needs of a request. */
interface Asked {
  recordedAs: string
  method: string
  url: string
  headers: Record<string, string | string[] | undefined>
  query: unknown
  body: unknown
  readonly principal: Caller['principal']
  readonly ability: Caller['ability']
  replayed: boolean
}

interface WriteOptions {
  /** Digest of what the body streamed, so that an Idempotency-Key cannot be used again for another file. */
  content?: string
  /** Who acts on a public route, where nobody is signed in. */
  as?: Caller
  /** One of several transactions of a deed; another of them claims the Idempotency-Key. */
  step?: boolean
}

export interface Kernel {
  /** Who asks, for a service that opens its transactions itself. */
  asked(request: Asked): WriteRequest
  read<T>(request: Asked, work: (tx: ReadTx) => Promise<T>): Promise<T>
  /** One page of a list whose query has the fields of `pageQuery`; what else `work` returns stays beside it. */
  page<P extends PageOf<unknown>>(
    request: Asked & { query: { limit: number; cursor?: string | undefined } },
    work: (tx: ReadTx, page: PageRequest) => Promise<P>,
  ): Promise<Omit<P, 'last'> & { next: string | null }>
  /** One transaction; under an Idempotency-Key the first answer is given again. */
  write<T>(request: Asked, work: (tx: WriteTx) => Promise<T>, options?: WriteOptions): Promise<T>
}

/** Gives routes the transaction kernel: `app.read`, `app.page` and `app.write`. */
export function registerKernel(
  app: App,
  { database, renew }: Pick<HttpDeps, 'database' | 'renew'>,
  cursorSecret: Buffer,
): void {
  app.decorateRequest('replayed', false)
  app.decorateRequest('recordedAs', '')
  app.addHook('onRequest', (request, _reply, done) => {
    request.recordedAs = randomUUID()
    done()
  })
  app.decorate('asked', (request) => ({
    ...askedBy(request),
    renew: async () => await renew(request.headers as { authorization?: string }),
  }))
  app.decorate('read', async (request, work) => await database.read(askedBy(request), work))
  app.decorate('page', pagesOf(database, new Cursors(cursorSecret)))
  app.decorate('write', async (request, work, { content, as = request, step = false } = {}) => {
    const idempotency = step ? undefined : readIdempotencyKey(request, content)
    const { principal, ability } = as
    const asked = as === request ? app.asked(request) : { principal, ability, requestId: request.recordedAs }
    const written = await database.write({ ...asked, idempotency }, work)
    request.replayed ||= written.replayed
    return written.value
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.replayed) reply.header('idempotency-replayed', 'true')
    done(null, payload)
  })
}

function pagesOf(database: HttpDeps['database'], cursors: Cursors): Kernel['page'] {
  return async (request, work) => {
    const { limit, cursor } = request.query
    const scope = { personId: request.principal.personId, path: pathOf(request.url), query: request.query }
    const after = cursor === undefined ? undefined : cursors.open(cursor, scope)
    const { last, ...found } = await database.read(
      askedBy(request),
      async (tx) => await work(tx, { limit, after }),
    )
    return { ...found, next: last && cursors.seal(last, scope) }
  }
}

function askedBy({ principal, ability, recordedAs: requestId }: Asked): Request {
  return { principal, ability, requestId }
}
