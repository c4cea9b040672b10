import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { closed } from './examples.js'
import {
  Incident,
  IncidentFilters,
  IncidentStory,
  NewIncident,
  NewIncidentClosing,
  NewIncidentEntry,
} from './incident.js'
import {
  closeIncident,
  continueIncident,
  getIncident,
  listIncidents,
  listIncidentsOf,
  report,
} from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the incident') })
const ofUseCase = z.strictObject({ id: UseCaseRef })
const tag = 'Incidents'

/** Reported against a use case, carried on, and closed with what was learned. */
export async function incidentRoutes(app: App, { policies }: { policies: Policies }): Promise<void> {
  reportingRoutes(app, policies)
  carryingRoutes(app, policies)
  readingRoutes(app)
}

function reportingRoutes(app: App, policies: Policies): void {
  app.post(
    '/v1/use-cases/:id/incidents',
    operation({
      id: 'reportIncident',
      tag,
      summary: 'Report an incident',
      description:
        'A severity that policy says suspends, suspends the use case in the same moment. Retired ones take reports, too.',
      right: { action: 'report', subject: 'UseCase' },
      params: ofUseCase,
      body: NewIncident,
      location: '/v1/incidents/{id}',
      answers: { 201: IncidentStory },
    }),
    async (request) =>
      await app.write(request, (tx) => report(tx, policies, request.params.id, request.body)),
  )
}

function carryingRoutes(app: App, policies: Policies): void {
  app.post(
    '/v1/incidents/:id/entries',
    operation({
      id: 'continueIncident',
      tag,
      summary: 'Add to the timeline of an incident, or change its severity',
      description: 'Raised to a severity that suspends, it suspends. A lower one lifts nothing.',
      right: { action: 'continue', subject: 'Incident' },
      params,
      body: NewIncidentEntry,
      answers: { 201: IncidentStory },
    }),
    async (request) =>
      await app.write(request, (tx) => continueIncident(tx, policies, request.params.id, request.body)),
  )

  app.post(
    '/v1/incidents/:id/closing',
    operation({
      id: 'closeIncident',
      tag,
      summary: 'Close an incident with what was learned',
      description: 'What it suspended stays suspended, until somebody else than who suspended lifts it.',
      right: { action: 'close', subject: 'Incident' },
      params,
      body: NewIncidentClosing,
      answers: { 200: IncidentStory.meta({ examples: [closed] }) },
    }),
    async (request) =>
      await app.write(request, (tx) => closeIncident(tx, request.params.id, request.body.learned)),
  )
}

function readingRoutes(app: App): void {
  app.get(
    '/v1/incidents',
    operation({
      id: 'listIncidents',
      tag,
      summary: 'The incidents that you may see, the last reported first',
      description: 'Their timelines are at `GET /v1/incidents/{id}`.',
      right: { action: 'read', subject: 'Incident' },
      query: z.strictObject({ ...IncidentFilters.shape, ...pageQuery }),
      answers: { 200: page(Incident) },
    }),
    async (request) => {
      const { limit: _limit, cursor: _cursor, ...filters } = request.query
      return await app.page(request, (tx, page) => listIncidents(tx, filters, page))
    },
  )

  app.get(
    '/v1/use-cases/:id/incidents',
    operation({
      id: 'listIncidentsOfUseCase',
      tag,
      summary: 'Every incident of a use case, the last reported first',
      description: 'Closed ones are among them, each with what was learned.',
      right: { action: 'read', subject: 'Incident' },
      params: ofUseCase,
      query: z.strictObject(pageQuery),
      answers: { 200: page(Incident) },
    }),
    async (request) => await app.page(request, (tx, page) => listIncidentsOf(tx, request.params.id, page)),
  )

  app.get(
    '/v1/incidents/:id',
    operation({
      id: 'getIncident',
      tag,
      summary: 'One incident with its timeline',
      description: 'The first entry of the timeline is the report itself.',
      right: { action: 'read', subject: 'Incident' },
      params,
      answers: { 200: IncidentStory },
    }),
    async (request) => await app.read(request, (tx) => getIncident(tx, request.params.id)),
  )
}
