import { z } from 'zod'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { getSystem, listSystems, registerSystem, reviseSystem } from './service.js'
import { NewSystem, System, SystemChange } from './system.js'

const params = z.strictObject({ id: z.uuid().describe('Of the system') })
const tag = 'Systems'

/** What use cases run on. */
export async function systemRoutes(app: App): Promise<void> {
  app.get(
    '/v1/systems',
    operation({
      id: 'listSystems',
      tag,
      summary: 'Systems by name',
      description: 'What use cases name in `systemIds`.',
      right: { action: 'read', subject: 'System' },
      query: z.strictObject(pageQuery),
      answers: { 200: page(System) },
    }),
    async (request) => await app.page(request, listSystems),
  )

  app.post(
    '/v1/systems',
    operation({
      id: 'registerSystem',
      tag,
      summary: 'Register a system',
      description: 'Register it once and name it in every use case that runs on it.',
      right: { action: 'register', subject: 'System' },
      body: NewSystem,
      location: '/v1/systems/{id}',
      answers: { 201: System },
    }),
    async (request) => await app.write(request, (tx) => registerSystem(tx, request.body)),
  )

  app.get(
    '/v1/systems/:id',
    operation({
      id: 'getSystem',
      tag,
      summary: 'One system',
      description: 'Which use cases run on it is told by `GET /v1/use-cases?system=`.',
      right: { action: 'read', subject: 'System' },
      params,
      answers: { 200: System },
    }),
    async (request) => await app.read(request, (tx) => getSystem(tx, request.params.id)),
  )

  app.patch(
    '/v1/systems/:id',
    operation({
      id: 'reviseSystem',
      tag,
      summary: 'Correct what is known of a system',
      description: 'Its use cases show it as it is now; their versions stay as they are.',
      right: { action: 'manage', subject: 'System' },
      params,
      body: SystemChange,
      ifMatch: true,
      answers: { 200: System },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) => reviseSystem(tx, params.id, requireRevision(request), body))
    },
  )
}
