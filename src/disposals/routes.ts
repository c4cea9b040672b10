import { z } from 'zod'
import { format, jsonOrMarkdown, sendMarkdown, wantsMarkdown } from '../http/markdown.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { getCertificate } from './certifying.js'
import {
  Certificate,
  Disposal,
  DisposalCandidate,
  disposalFilters,
  NewDisposal,
  NewProposalVerdict,
} from './disposal.js'
import { certificate, confirmed } from './examples.js'
import { certificateToMarkdown } from './markdown.js'
import { getDisposal, judgeDisposal, listCandidates, listDisposals, proposeDisposal } from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the disposal') })
const ofUseCase = z.strictObject({ id: UseCaseRef })
const tag = 'Retention'

interface Deps {
  policies: Pick<Policies, 'digest' | 'retention'>
}

/** Evidence whose time is over: found, proposed by one, confirmed by another, and certified. */
export async function disposalRoutes(app: App, { policies }: Deps): Promise<void> {
  candidateRoutes(app)
  proposingRoutes(app, policies)
  listRoutes(app)
  certificateRoutes(app)
}

function proposingRoutes(app: App, policies: Deps['policies']): void {
  app.post(
    '/v1/use-cases/:id/disposals',
    operation({
      id: 'proposeDisposal',
      tag,
      summary: 'Propose to dispose of evidence of a use case',
      description: 'Nothing goes before somebody else confirms it.',
      right: { action: 'dispose', subject: 'UseCase' },
      params: ofUseCase,
      body: NewDisposal,
      location: '/v1/disposals/{id}',
      answers: { 201: Disposal },
    }),
    async (request) =>
      await app.write(request, (tx) => proposeDisposal(tx, policies, request.params.id, request.body)),
  )

  app.post(
    '/v1/disposals/:id/verdict',
    operation({
      id: 'judgeDisposal',
      tag,
      summary: 'Dispose of what somebody else proposed, or reject that',
      description:
        'Each piece is looked at again first. What it said is erased at once, in the register and in the log; its bytes go within minutes, unless other evidence has the same. Its digest stays. This cannot be undone.',
      right: { action: 'judge', subject: 'Disposal' },
      params,
      body: NewProposalVerdict,
      answers: { 201: Disposal.meta({ examples: [confirmed] }) },
    }),
    async (request) =>
      await app.write(request, (tx) => judgeDisposal(tx, policies, request.params.id, request.body)),
  )
}

function candidateRoutes(app: App): void {
  app.get(
    '/v1/disposal-candidates',
    operation({
      id: 'listDisposalCandidates',
      tag,
      summary: 'Evidence that you may propose to dispose of, the longest there first',
      description:
        'Its time is over, nothing holds it, and its use case is retired; or it was refused or superseded, and nothing in force rests on it.',
      right: { action: 'dispose', subject: 'UseCase' },
      query: z.strictObject({
        ...pageQuery,
        useCase: UseCaseRef.optional().describe('Only of this use case'),
      }),
      answers: { 200: page(DisposalCandidate) },
    }),
    async (request) => await app.page(request, (tx, page) => listCandidates(tx, request.query.useCase, page)),
  )
}

function listRoutes(app: App): void {
  app.get(
    '/v1/disposals',
    operation({
      id: 'listDisposals',
      tag,
      summary: 'Disposals that were proposed, the last first',
      description: 'Those that were confirmed or rejected are among them, unless `state` says otherwise.',
      right: { action: 'read', subject: 'Disposal' },
      query: z.strictObject({ ...pageQuery, ...disposalFilters }),
      answers: { 200: page(Disposal) },
    }),
    async (request) =>
      await app.page(request, (tx, page) => {
        const { limit: _limit, cursor: _cursor, ...filters } = request.query
        return listDisposals(tx, filters, page)
      }),
  )

  app.get(
    '/v1/disposals/:id',
    operation({
      id: 'getDisposal',
      tag,
      summary: 'One disposal: what it is of, who proposed it, and what came of it',
      description:
        'Each piece is shown as it was when it was proposed: its digest, its class, and the decisions that named it.',
      right: { action: 'read', subject: 'Disposal' },
      params,
      answers: { 200: Disposal },
    }),
    async (request) => await app.read(request, (tx) => getDisposal(tx, request.params.id)),
  )
}

function certificateRoutes(app: App): void {
  app.get(
    '/v1/disposals/:id/certificate',
    operation({
      id: 'getDisposalCertificate',
      tag,
      summary: 'The certificate of a disposal',
      description:
        'Digests, classes, people and instants, and the number of each event in the log of the use case. As Markdown to file with `format=markdown`, or if `Accept` asks for `text/markdown`.',
      right: { action: 'read', subject: 'Disposal' },
      params,
      query: z.strictObject({ format }),
      produces: jsonOrMarkdown,
      answers: { 200: Certificate },
      samples: { 'text/markdown': certificateToMarkdown(Certificate.parse(certificate)) },
    }),
    async (request, reply) => {
      const certificate = await app.read(request, (tx) => getCertificate(tx, request.params.id))
      if (!wantsMarkdown(request)) return certificate
      return await sendMarkdown(reply, certificateToMarkdown(certificate))
    },
  )
}
