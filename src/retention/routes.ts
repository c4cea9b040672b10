import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { confirmed } from './examples.js'
import {
  NewExtension,
  NewProposalVerdict,
  NewShortening,
  Retention,
  Shortening,
  shorteningFilters,
} from './retention.js'
import {
  extendRetention,
  getRetention,
  getShortening,
  judgeShortening,
  listShortenings,
  proposeShortening,
} from './service.js'

const ofPiece = z.strictObject({ id: z.uuid().describe('Of the piece of evidence') })
const params = z.strictObject({ id: z.uuid().describe('Of the proposal') })
const tag = 'Retention'

interface Deps {
  policies: Pick<Policies, 'digest' | 'retention'>
}

/** How long evidence is kept: longer by one person, shorter by two. */
export async function retentionRoutes(app: App, { policies }: Deps): Promise<void> {
  pieceRoutes(app, policies)
  shorteningRoutes(app, policies)
}

function pieceRoutes(app: App, policies: Deps['policies']): void {
  app.get(
    '/v1/evidence/:id/retention',
    operation({
      id: 'getRetention',
      tag,
      summary: 'How long a piece of evidence is kept, and how that came',
      description: 'With the classes of policy that applied, what holds it, and each change.',
      right: { action: 'read', subject: 'Evidence' },
      params: ofPiece,
      answers: { 200: Retention },
    }),
    async (request) => await app.read(request, (tx) => getRetention(tx, request.params.id)),
  )

  app.post(
    '/v1/evidence/:id/retention/extensions',
    operation({
      id: 'extendRetention',
      tag,
      summary: 'Have a piece of evidence kept longer',
      description: 'One person may, with a reason; only two have it kept shorter again.',
      right: { action: 'retain', subject: 'Evidence' },
      params: ofPiece,
      body: NewExtension,
      answers: { 201: Retention },
    }),
    async (request) =>
      await app.write(request, (tx) => extendRetention(tx, policies, request.params.id, request.body)),
  )

  app.post(
    '/v1/evidence/:id/retention/shortenings',
    operation({
      id: 'proposeShortening',
      tag,
      summary: 'Propose to keep a piece of evidence shorter than its schedule says',
      description:
        'Nothing changes before somebody else confirms it. Never below a regulatory period, and a legal hold holds whatever was confirmed.',
      right: { action: 'shorten', subject: 'Evidence' },
      params: ofPiece,
      body: NewShortening,
      location: '/v1/retention-shortenings/{id}',
      answers: { 201: Shortening },
    }),
    async (request) =>
      await app.write(request, (tx) => proposeShortening(tx, policies, request.params.id, request.body)),
  )
}

function shorteningRoutes(app: App, policies: Deps['policies']): void {
  app.get(
    '/v1/retention-shortenings',
    operation({
      id: 'listShortenings',
      tag,
      summary: 'Proposals to keep evidence shorter, the last first',
      description: 'Those that were confirmed or rejected are among them, unless `state` says otherwise.',
      right: { action: 'read', subject: 'Shortening' },
      query: z.strictObject({ ...pageQuery, ...shorteningFilters }),
      answers: { 200: page(Shortening) },
    }),
    async (request) =>
      await app.page(request, (tx, page) => {
        const { limit: _limit, cursor: _cursor, ...filters } = request.query
        return listShortenings(tx, filters, page)
      }),
  )

  app.get(
    '/v1/retention-shortenings/:id',
    operation({
      id: 'getShortening',
      tag,
      summary: 'One proposal to keep a piece of evidence shorter, and what came of it',
      description: '`verdict` is null while it waits for somebody else.',
      right: { action: 'read', subject: 'Shortening' },
      params,
      answers: { 200: Shortening },
    }),
    async (request) => await app.read(request, (tx) => getShortening(tx, request.params.id)),
  )

  app.post(
    '/v1/retention-shortenings/:id/verdict',
    operation({
      id: 'judgeShortening',
      tag,
      summary: 'Confirm or reject that a piece of evidence is kept shorter',
      description: 'Whoever proposed it cannot do so.',
      right: { action: 'judge', subject: 'Shortening' },
      params,
      body: NewProposalVerdict,
      answers: { 201: Shortening.meta({ examples: [confirmed] }) },
    }),
    async (request) =>
      await app.write(request, (tx) => judgeShortening(tx, policies, request.params.id, request.body)),
  )
}
