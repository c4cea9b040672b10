import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { lifted } from './examples.js'
import { holdFilters, LegalHold, NewHoldEnding, NewHoldObjects, NewLegalHold } from './legal-hold.js'
import { addObjects, getHold, liftHold, listHolds, placeHold, releaseObject } from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the legal hold') })
const ofObject = z.strictObject({ ...params.shape, objectId: z.uuid().describe('Of one of its objects') })
const tag = 'Retention'

/** Matters for which evidence is kept, and who ends them. */
export async function legalHoldRoutes(app: App): Promise<void> {
  placingRoutes(app)
  endingRoutes(app)

  app.get(
    '/v1/legal-holds',
    operation({
      id: 'listLegalHolds',
      tag,
      summary: 'The legal holds that you may see, the last first',
      description: 'Those that were lifted are among them, unless `state` says otherwise.',
      right: { action: 'read', subject: 'LegalHold' },
      query: z.strictObject({ ...pageQuery, ...holdFilters }),
      answers: { 200: page(LegalHold) },
    }),
    async (request) =>
      await app.page(request, (tx, page) => {
        const { limit: _limit, cursor: _cursor, ...filters } = request.query
        return listHolds(tx, filters, page)
      }),
  )

  app.get(
    '/v1/legal-holds/:id',
    operation({
      id: 'getLegalHold',
      tag,
      summary: 'One legal hold with all that it ever held',
      description: 'An object that was released says by whom and why.',
      right: { action: 'read', subject: 'LegalHold' },
      params,
      answers: { 200: LegalHold },
    }),
    async (request) => await app.read(request, (tx) => getHold(tx, request.params.id)),
  )
}

function placingRoutes(app: App): void {
  app.post(
    '/v1/legal-holds',
    operation({
      id: 'placeLegalHold',
      tag,
      summary: 'Keep evidence for a matter, whatever else would let it go',
      description:
        'Its objects are pieces of evidence, and whole use cases with all that they have and will have. Several holds may lie over one piece; each of them forbids to dispose of it.',
      right: { action: 'place', subject: 'LegalHold' },
      body: NewLegalHold,
      location: '/v1/legal-holds/{id}',
      answers: { 201: LegalHold },
    }),
    async (request) => await app.write(request, (tx) => placeHold(tx, request.body)),
  )

  app.post(
    '/v1/legal-holds/:id/objects',
    operation({
      id: 'extendLegalHold',
      tag,
      summary: 'Put more under a legal hold',
      description: 'Pieces of evidence, or whole use cases with all that they have and will have.',
      right: { action: 'extend', subject: 'LegalHold' },
      params,
      body: NewHoldObjects,
      answers: { 201: LegalHold },
    }),
    async (request) =>
      await app.write(request, (tx) => addObjects(tx, request.params.id, request.body.objects)),
  )
}

function endingRoutes(app: App): void {
  app.post(
    '/v1/legal-holds/:id/objects/:objectId/release',
    operation({
      id: 'releaseFromLegalHold',
      tag,
      summary: 'Let go of one object of a legal hold',
      description: 'Whoever added it cannot do so.',
      right: { action: 'release', subject: 'LegalHold' },
      params: ofObject,
      body: NewHoldEnding,
      answers: { 200: LegalHold },
    }),
    async (request) =>
      await app.write(request, (tx) => releaseObject(tx, request.params, request.body.reason)),
  )

  app.post(
    '/v1/legal-holds/:id/lifting',
    operation({
      id: 'liftLegalHold',
      tag,
      summary: 'Lift a legal hold that somebody else placed',
      description: 'What it held can be disposed of when its time is over and no other hold lies over it.',
      right: { action: 'lift', subject: 'LegalHold' },
      params,
      body: NewHoldEnding,
      answers: { 200: LegalHold.meta({ examples: [lifted] }) },
    }),
    async (request) => await app.write(request, (tx) => liftHold(tx, request.params.id, request.body.reason)),
  )
}
