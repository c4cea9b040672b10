import { z } from 'zod'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { lifted } from './examples.js'
import { getSuspension, lift, listInForce, listSuspensionsOf, suspend } from './service.js'
import { NewLifting, NewSuspension, Suspension } from './suspension.js'

const params = z.strictObject({ id: z.uuid().describe('Of the suspension') })
const ofUseCase = z.strictObject({ id: UseCaseRef })
const tag = 'Suspensions'

/** Suspended at once, and lifted by another person. */
export async function suspensionRoutes(app: App): Promise<void> {
  app.post(
    '/v1/use-cases/:id/suspensions',
    operation({
      id: 'suspendUseCase',
      tag,
      summary: 'Suspend a use case at once',
      description:
        'From this moment the gate denies. It needs no If-Match: an emergency never fails because somebody edited.',
      right: { action: 'suspend', subject: 'UseCase' },
      params: ofUseCase,
      body: NewSuspension,
      location: '/v1/suspensions/{id}',
      answers: { 201: Suspension },
    }),
    async (request) => await app.write(request, (tx) => suspend(tx, request.params.id, request.body.reason)),
  )

  app.get(
    '/v1/use-cases/:id/suspensions',
    operation({
      id: 'listSuspensionsOfUseCase',
      tag,
      summary: 'Every suspension of a use case, the last first',
      description: 'Those that were lifted are among them, each with who lifted it and why.',
      right: { action: 'read', subject: 'Suspension' },
      params: ofUseCase,
      query: z.strictObject(pageQuery),
      answers: { 200: page(Suspension) },
    }),
    async (request) => await app.page(request, (tx, page) => listSuspensionsOf(tx, request.params.id, page)),
  )

  app.get(
    '/v1/suspensions',
    operation({
      id: 'listSuspensions',
      tag,
      summary: 'The suspensions in force that you may see, the last first',
      description: 'Those of retired use cases are left out: nothing of them runs again.',
      right: { action: 'read', subject: 'Suspension' },
      query: z.strictObject(pageQuery),
      answers: { 200: page(Suspension) },
    }),
    async (request) => await app.page(request, listInForce),
  )

  app.get(
    '/v1/suspensions/:id',
    operation({
      id: 'getSuspension',
      tag,
      summary: 'One suspension, and how it ended',
      description: '`lifting` is null while it is in force.',
      right: { action: 'read', subject: 'Suspension' },
      params,
      answers: { 200: Suspension },
    }),
    async (request) => await app.read(request, (tx) => getSuspension(tx, request.params.id)),
  )

  app.post(
    '/v1/suspensions/:id/lifting',
    operation({
      id: 'liftSuspension',
      tag,
      summary: 'Lift a suspension that somebody else ordered',
      description:
        'Not while its incident is open. The use case stays suspended as long as another suspension of it is in force.',
      right: { action: 'lift', subject: 'Suspension' },
      params,
      body: NewLifting,
      answers: { 200: Suspension.meta({ examples: [lifted] }) },
    }),
    async (request) => await app.write(request, (tx) => lift(tx, request.params.id, request.body.reason)),
  )
}
