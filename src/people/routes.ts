import { z } from 'zod'
import type { Config } from '../config.js'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { list, page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import { text } from '../text.js'
import { grantRight, listGrants, revokeGrant } from './granting.js'
import { leave } from './leaving.js'
import { invite, renewInvitation } from './membership.js'
import {
  Grant,
  Invitation,
  InvitedPerson,
  Leaving,
  NewGrant,
  NewInvitation,
  NewServiceAccount,
  Person,
  PersonChange,
  Revocation,
} from './person.js'
import { createServiceAccount, getPerson, listPeople, revisePerson } from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the person or service account, or of the grant') })
const tag = 'People'

/** Who there is, who comes and goes, and what each may do. */
export async function peopleRoutes(app: App, { config }: { config: Config }): Promise<void> {
  app.get(
    '/v1/people',
    operation({
      id: 'listPeople',
      tag,
      summary: 'People and service accounts, by name',
      description: 'Only those that you may see.',
      right: { action: 'read', subject: 'Person' },
      query: z.strictObject({
        ...pageQuery,
        search: text(200).trim().min(1).optional().describe('Part of a name or of an e-mail address'),
      }),
      answers: { 200: page(Person) },
    }),
    async (request) =>
      await app.page(request, (tx, pageRequest) => listPeople(tx, request.query.search, pageRequest)),
  )

  app.post(
    '/v1/people',
    operation({
      id: 'invitePerson',
      tag,
      summary: 'Invite a person',
      description:
        'Names the identity they already have: their subject at the sign-in provider, or the digest of a key that they made with `assent join`. Nothing that signs them in ever passes through your hands.',
      right: { action: 'invite', subject: 'Invitation' },
      body: NewInvitation,
      location: '/v1/people/{id}',
      answers: { 201: InvitedPerson },
    }),
    async (request) => await app.write(request, (tx) => invite(tx, request.body, config.oidc.issuers)),
  )

  app.post(
    '/v1/people/:id/invitation',
    operation({
      id: 'renewInvitation',
      tag,
      summary: 'Give an invited person more time',
      description: 'For an invitation that was not accepted yet; it can be accepted for 14 more days.',
      right: { action: 'invite', subject: 'Invitation' },
      params,
      answers: { 200: Invitation },
    }),
    async (request) => await app.write(request, (tx) => renewInvitation(tx, request.params.id)),
  )

  app.post(
    '/v1/service-accounts',
    operation({
      id: 'createServiceAccount',
      tag,
      summary: 'Create a service account',
      description: 'Then grant it the role `pipeline`, issue a token for it, and bind it to its use cases.',
      right: { action: 'create', subject: 'Person' },
      body: NewServiceAccount,
      location: '/v1/people/{id}',
      answers: { 201: Person },
    }),
    async (request) => await app.write(request, (tx) => createServiceAccount(tx, request.body.name)),
  )

  app.get(
    '/v1/people/:id',
    operation({
      id: 'getPerson',
      tag,
      summary: 'One person or service account',
      description: 'What they may do follows from their grants: `GET /v1/people/{id}/grants`.',
      right: { action: 'read', subject: 'Person' },
      params,
      answers: { 200: Person },
    }),
    async (request) => await app.read(request, (tx) => getPerson(tx, request.params.id)),
  )

  app.patch(
    '/v1/people/:id',
    operation({
      id: 'revisePerson',
      tag,
      summary: 'Correct a name or an e-mail address',
      description: 'How somebody signs in is not changed here.',
      right: { action: 'manage', subject: 'Person' },
      params,
      body: PersonChange,
      ifMatch: true,
      answers: { 200: Person },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) => revisePerson(tx, params.id, requireRevision(request), body))
    },
  )

  app.post(
    '/v1/people/:id/departure',
    operation({
      id: 'endMembership',
      tag,
      summary: 'Record that somebody left',
      description:
        'Ends every grant, every token, every delegation and any open invitation at once. The name stays on record. Whoever still answers for use cases or conditions hands them over first: `POST /v1/people/{id}/handover`.',
      right: { action: 'manage', subject: 'Person' },
      params,
      body: Leaving,
      ifMatch: true,
      answers: { 200: Person },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) => leave(tx, params.id, requireRevision(request), body.reason))
    },
  )

  app.get(
    '/v1/people/:id/grants',
    operation({
      id: 'listGrants',
      tag,
      summary: 'Every role and seat a person holds or held',
      description: 'Revoked ones are among them: who held what, and when, stays on record.',
      right: { action: 'read', subject: 'Grant' },
      params,
      answers: { 200: list(Grant) },
    }),
    async (request) => ({ items: await app.read(request, (tx) => listGrants(tx, request.params.id)) }),
  )

  app.post(
    '/v1/people/:id/grants',
    operation({
      id: 'grantRight',
      tag,
      summary: 'Grant a role or a seat',
      description: 'For one org unit and all below it. Nobody grants anything to themselves.',
      right: { action: 'grant', subject: 'Grant' },
      params,
      body: NewGrant,
      answers: { 201: Grant },
    }),
    async (request) => await app.write(request, (tx) => grantRight(tx, request.params.id, request.body)),
  )

  app.post(
    '/v1/grants/:id/revocation',
    operation({
      id: 'revokeGrant',
      tag,
      summary: 'Revoke a role or a seat',
      description:
        'It ends at once and stays on record with your reason. To narrow one down, revoke it and grant anew.',
      right: { action: 'revoke', subject: 'Grant' },
      params,
      body: Revocation,
      answers: { 200: Grant },
    }),
    async (request) =>
      await app.write(request, (tx) => revokeGrant(tx, request.params.id, request.body.reason)),
  )
}
