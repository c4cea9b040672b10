import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { BreakGlass, BreakGlassFilters, Closing, NewBreakGlass, NewReview } from './break-glass.js'
import {
  closeBreakGlass,
  getBreakGlass,
  listBreakGlass,
  listBreakGlassOf,
  openBreakGlass,
  reviewBreakGlass,
} from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the opening') })
const ofUseCase = z.strictObject({ id: UseCaseRef })
const query = z.strictObject({ ...BreakGlassFilters.shape, ...pageQuery })
const tag = 'Gate'

interface Deps {
  policies: Pick<Policies, 'gate'>
}

/** When it cannot wait for the committee. */
export async function breakGlassRoutes(app: App, { policies }: Deps): Promise<void> {
  opening(app, policies)
  listing(app)
  ending(app)
}

function opening(app: App, policies: Deps['policies']): void {
  app.post(
    '/v1/use-cases/:id/break-glass',
    operation({
      id: 'openBreakGlass',
      tag,
      summary: 'Open an environment in an emergency',
      description: `For some hours the gate lets it pass there for pipelines that accept it, though it is unreviewed, in
review or lapsed. Never when it is blocked, prohibited, suspended or retired, and never beyond what an approval
limits it to. Somebody else reviews it.`,
      right: { action: 'break_glass', subject: 'UseCase' },
      params: ofUseCase,
      body: NewBreakGlass,
      location: '/v1/break-glass/{id}',
      answers: { 201: BreakGlass },
    }),
    async (request) =>
      await app.write(request, (tx) => openBreakGlass(tx, policies, request.params.id, request.body)),
  )
}

function listing(app: App): void {
  app.get(
    '/v1/use-cases/:id/break-glass',
    operation({
      id: 'listBreakGlassOfUseCase',
      tag,
      summary: 'Emergency openings of a use case, the last first',
      description: 'Also those that were closed or have expired.',
      right: { action: 'read', subject: 'BreakGlass' },
      params: ofUseCase,
      query,
      answers: { 200: page(BreakGlass) },
    }),
    async (request) => {
      const { params, query } = request
      return await app.page(request, (tx, page) => listBreakGlassOf(tx, params.id, query, page))
    },
  )

  app.get(
    '/v1/break-glass',
    operation({
      id: 'listBreakGlass',
      tag,
      summary: 'Emergency openings, the last first',
      description: 'With `state=unreviewed`, those that somebody still has to look at.',
      right: { action: 'read', subject: 'BreakGlass' },
      query,
      answers: { 200: page(BreakGlass) },
    }),
    async (request) => await app.page(request, (tx, page) => listBreakGlass(tx, request.query, page)),
  )

  app.get(
    '/v1/break-glass/:id',
    operation({
      id: 'getBreakGlass',
      tag,
      summary: 'One emergency opening',
      description: 'With who closed it and who reviewed it.',
      right: { action: 'read', subject: 'BreakGlass' },
      params,
      answers: { 200: BreakGlass },
    }),
    async (request) => await app.read(request, (tx) => getBreakGlass(tx, request.params.id)),
  )
}

function ending(app: App): void {
  app.post(
    '/v1/break-glass/:id/closing',
    operation({
      id: 'closeBreakGlass',
      tag,
      summary: 'Close an emergency opening before its time',
      description: 'From now on the gate denies again. Answers that it gave stay on record.',
      right: { action: 'close', subject: 'BreakGlass' },
      params,
      body: Closing,
      answers: { 200: BreakGlass },
    }),
    async (request) => await app.write(request, (tx) => closeBreakGlass(tx, request.params.id, request.body)),
  )

  app.post(
    '/v1/break-glass/:id/review',
    operation({
      id: 'reviewBreakGlass',
      tag,
      summary: 'Say whether an emergency was one',
      description: 'While it is open or after. Whoever opened it cannot. There is one verdict, and it stays.',
      right: { action: 'review', subject: 'BreakGlass' },
      params,
      body: NewReview,
      answers: { 201: BreakGlass },
    }),
    async (request) =>
      await app.write(request, (tx) => reviewBreakGlass(tx, request.params.id, request.body)),
  )
}
