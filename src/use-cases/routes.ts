import { z } from 'zod'
import { EventForm, EventView } from '../audit/event-view.js'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { list, page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { text } from '../text.js'
import { getUseCase, getVersion, listEventsOf, listSimilar, listVersions } from './reading.js'
import { raiseTier, registerUseCase, retireUseCase, reviseUseCase } from './service.js'
import {
  NewUseCase,
  RegisteredUseCase,
  Retirement,
  Revision,
  Similar,
  TierRaise,
  UseCase,
  UseCaseRef,
} from './use-case.js'
import { Version } from './version.js'

const params = z.strictObject({ id: UseCaseRef })
const tag = 'Use cases'

/** The life of a use case, apart from its reviews. Lists of many belong to the standing feature. */
export async function useCaseRoutes(app: App, { policies }: { policies: Policies }): Promise<void> {
  app.post(
    '/v1/use-cases',
    operation({
      id: 'registerUseCase',
      tag,
      summary: 'Register a use of AI',
      description:
        'Title, purpose and unit are enough; what is left out is unknown and counts as the riskier answer. The answer names those that were there before and look like it.',
      right: { action: 'register', subject: 'UseCase' },
      body: NewUseCase,
      location: '/v1/use-cases/{id}',
      answers: { 201: RegisteredUseCase },
    }),
    async (request) => {
      const write = app.write(request, (tx) => registerUseCase(tx, policies, request.body))
      const { useCase, similar } = await write
      return { ...useCase, similar }
    },
  )

  app.get(
    '/v1/use-cases/similar',
    operation({
      id: 'listSimilarUseCases',
      tag,
      summary: 'Use cases with a title or a purpose much like this one',
      description: 'Ask before you register. What you may not see shows its key and unit only.',
      right: { action: 'register', subject: 'UseCase' },
      query: z.strictObject({
        title: text(300).trim().min(3).describe('The title you have in mind'),
        purpose: text(2000).trim().default('').describe('What it is for, if you know it already'),
      }),
      answers: { 200: list(Similar) },
    }),
    async (request) => ({ items: await app.read(request, (tx) => listSimilar(tx, request.query)) }),
  )

  app.get(
    '/v1/use-cases/:id',
    operation({
      id: 'getUseCase',
      tag,
      summary: 'One use case: its facts, tier and standing',
      description:
        'Standing is computed at the moment of asking: an approval that ran out or lost its ground shows as lapsed.',
      right: { action: 'read', subject: 'UseCase' },
      params,
      answers: { 200: UseCase },
    }),
    async (request) => await app.read(request, (tx) => getUseCase(tx, request.params.id)),
  )

  app.patch(
    '/v1/use-cases/:id',
    operation({
      id: 'reviseUseCase',
      tag,
      summary: 'Change facts',
      description:
        'Makes a new version. An approval lapses when the facts it rests on change; while a review is open such a change is refused.',
      right: { action: 'revise', subject: 'UseCase' },
      params,
      body: Revision,
      ifMatch: true,
      answers: { 200: UseCase },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) =>
        reviseUseCase(tx, policies, params.id, requireRevision(request), body),
      )
    },
  )

  app.post(
    '/v1/use-cases/:id/tier',
    operation({
      id: 'raiseTier',
      tag,
      summary: 'Raise the tier above the computed one',
      description: 'Nobody lowers it again by hand. An approval for a lower tier lapses.',
      right: { action: 'raise_tier', subject: 'UseCase' },
      params,
      body: TierRaise,
      ifMatch: true,
      answers: { 200: UseCase },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) =>
        raiseTier(tx, params.id, requireRevision(request), body.tier, body.reason),
      )
    },
  )

  app.post(
    '/v1/use-cases/:id/retirement',
    operation({
      id: 'retireUseCase',
      tag,
      summary: 'End a use case for good',
      description:
        'It stays in the register, the gate denies it, and it cannot be changed any more. Withdraw an open review first.',
      right: { action: 'retire', subject: 'UseCase' },
      params,
      body: Retirement,
      ifMatch: true,
      answers: { 200: UseCase },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) =>
        retireUseCase(tx, params.id, requireRevision(request), body.reason),
      )
    },
  )

  app.get(
    '/v1/use-cases/:id/versions',
    operation({
      id: 'listVersions',
      tag,
      summary: 'Every version, the last first, with what it changed',
      description:
        'Versions never change. Each shows its author and the facts that differ from the one before.',
      right: { action: 'read', subject: 'UseCase' },
      params,
      query: z.strictObject(pageQuery),
      answers: { 200: page(Version) },
    }),
    async (request) =>
      await app.page(request, (tx, pageRequest) => listVersions(tx, request.params.id, pageRequest)),
  )

  app.get(
    '/v1/use-cases/:id/events',
    operation({
      id: 'listEventsOfUseCase',
      tag,
      summary: 'Everything that happened to a use case, in order',
      description: 'From its registration on. `form=exact` adds the bytes of the log.',
      right: { action: 'read', subject: 'Event' },
      params,
      query: z.strictObject({ form: EventForm, ...pageQuery }),
      answers: { 200: page(EventView) },
    }),
    async (request) => {
      const { params, query } = request
      return await app.page(request, (tx, asked) => listEventsOf(tx, params.id, query.form, asked))
    },
  )

  app.get(
    '/v1/use-cases/:id/versions/:version',
    operation({
      id: 'getVersion',
      tag,
      summary: 'One version',
      description: 'With all its facts, as they were written.',
      right: { action: 'read', subject: 'UseCase' },
      params: z.strictObject({
        id: UseCaseRef,
        version: z.coerce.number().int().min(1).max(2_147_483_647).describe('Counted from 1'),
      }),
      answers: { 200: Version },
    }),
    async (request) => {
      const { id, version } = request.params
      return await app.read(request, (tx) => getVersion(tx, id, version))
    },
  )
}
