import { z } from 'zod'
import type { Caller } from '../auth/authenticate.js'
import type { Principal } from '../auth/principal.js'
import type { Database } from '../db/database.js'
import { operation } from '../http/operations.js'
import { list } from '../http/paging.js'
import type { App } from '../http/types.js'
import { newId } from '../ids.js'
import {
  acceptByKey,
  findInvitedByKey,
  issueServiceToken,
  listTokens,
  renewOwnToken,
  revokeToken,
  signInFirst,
} from './service.js'
import { FirstSignIn, IssuedToken, KeyAcceptance, NewToken, Token } from './token.js'

interface Deps {
  database: Database
  callerOf(principal: Principal): Caller
}

const params = z.strictObject({ id: z.uuid().describe('Of the person or service account, or of the token') })
const tokens = list(Token)
const tag = 'People'

/** Tokens, and the two ways to the first one. */
export async function tokenRoutes(app: App, { database, callerOf }: Deps): Promise<void> {
  const newcomer = (personId: string) =>
    callerOf({ personId, kind: 'human', name: '', grants: [], boundUseCaseIds: [] })

  app.get(
    '/v1/people/:id/tokens',
    operation({
      id: 'listTokens',
      tag,
      summary: 'The tokens of a person or service account, never the secrets',
      description: 'With when each expires, and whether it was revoked.',
      right: { action: 'read', subject: 'Token' },
      params,
      answers: { 200: tokens },
    }),
    async (request) => ({ items: await app.read(request, (tx) => listTokens(tx, request.params.id)) }),
  )

  app.post(
    '/v1/people/:id/tokens',
    operation({
      id: 'issueToken',
      tag,
      summary: 'Issue a token for a service account',
      description: 'The secret is shown once. A person signs in as themselves and is never issued a token.',
      right: { action: 'issue', subject: 'Token' },
      params,
      body: NewToken,
      secret: true,
      answers: { 201: IssuedToken },
    }),
    async (request) =>
      await app.write(request, (tx) => issueServiceToken(tx, request.params.id, request.body)),
  )

  app.get(
    '/v1/me/tokens',
    operation({
      id: 'listMyTokens',
      tag,
      summary: 'Your own tokens',
      description: 'The secrets are kept nowhere. Revoke a token that you miss or do not know.',
      right: { action: 'read', subject: 'Token' },
      answers: { 200: tokens },
    }),
    async (request) => ({
      items: await app.read(request, (tx) => listTokens(tx, request.principal.personId)),
    }),
  )

  app.post(
    '/v1/me/tokens',
    operation({
      id: 'renewMyToken',
      tag,
      summary: 'Get a new token of your own',
      description: 'To replace the one at hand before it expires. The secret is shown once.',
      right: 'authenticated',
      body: NewToken,
      secret: true,
      answers: { 201: IssuedToken },
    }),
    async (request) => await app.write(request, (tx) => renewOwnToken(tx, request.body)),
  )

  app.post(
    '/v1/tokens/:id/revocation',
    operation({
      id: 'revokeToken',
      tag,
      summary: 'Revoke a token',
      description: 'It ends at once, wherever it is in use. That cannot be undone; issue another.',
      right: { action: 'revoke', subject: 'Token' },
      params,
      answers: { 200: Token },
    }),
    async (request) => await app.write(request, (tx) => revokeToken(tx, request.params.id)),
  )

  app.post(
    '/v1/invitations/acceptance',
    operation({
      id: 'acceptInvitation',
      tag,
      summary: 'Accept an invitation with the key you made',
      description: 'Works once, for the person whose key it is; the secret of their own token is shown once.',
      right: 'public',
      bucket: 'sign_in',
      body: KeyAcceptance,
      secret: true,
      answers: { 201: IssuedToken },
    }),
    async (request) => {
      const personId = await findInvitedByKey(database, request.body.key)
      return await app.write(request, acceptByKey, { as: newcomer(personId) })
    },
  )

  app.post(
    '/v1/first-sign-in',
    operation({
      id: 'signInFirst',
      tag,
      summary: 'Become the first administrator, or one more',
      description:
        'With the one-time code that Assent prints at its start as long as nobody administers it, or with one that ' +
        '`assent first-sign-in` prints on the machine of the data.',
      right: 'public',
      bucket: 'sign_in',
      body: FirstSignIn,
      secret: true,
      answers: { 201: IssuedToken },
    }),
    async (request) => {
      const { code, name } = request.body
      return await app.write(request, (tx) => signInFirst(tx, code, name), { as: newcomer(newId()) })
    },
  )
}
