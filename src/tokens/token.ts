import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { text } from '../text.js'
import * as examples from './examples.js'

/** What is shown of a token: never the secret, of which only the SHA-256 is kept. */
export const Token = z
  .strictObject({
    id: z.uuid(),
    personId: z.uuid(),
    kind: z.enum(['personal', 'service']),
    name: z.string().describe('Where it is used'),
    createdBy: z.uuid().describe('Id of a person'),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    revokedAt: z.iso.datetime().nullable().describe('Null while it counts'),
  })
  .meta({
    id: 'Token',
    description: 'What is shown of a token: never the secret',
    examples: [examples.token],
  })
export type Token = z.infer<typeof Token>

export const NewToken = z
  .strictObject({
    name: text(100).trim().min(1).describe('Where it is used, such as "claims-api deploy"'),
    expiresInDays: z.int().min(1).max(366).default(90).describe('Days of 24 hours'),
  })
  .meta({ id: 'NewToken', examples: [examples.newToken] })
export type NewToken = z.infer<typeof NewToken>

export const IssuedToken = z
  .strictObject({
    token: Token,
    secret: z.string().describe('Shown this once; send it as Authorization: Bearer …'),
  })
  .meta({
    id: 'IssuedToken',
    description: 'The one answer that holds the secret',
    examples: [examples.issuedToken],
  })
export type IssuedToken = z.infer<typeof IssuedToken>

export const KeyAcceptance = z
  .strictObject({
    key: z.string().max(200).describe('The key that `assent join` made'),
  })
  .meta({ id: 'KeyAcceptance', examples: [examples.keyAcceptance] })
export const FirstSignIn = z
  .strictObject({
    code: z.string().max(200).describe('As Assent printed it'),
    name: text(200).trim().min(1).describe('Your own'),
  })
  .meta({ id: 'FirstSignIn', examples: [examples.firstSignIn] })

/** Two live tokens let a pipeline rotate without a gap; more would be forgotten. */
export const LIVE_TOKENS = 2

export function assertRoom(liveTokens: number): void {
  if (liveTokens >= LIVE_TOKENS) {
    throw new RegistryError('conflict', `there are ${LIVE_TOKENS} live tokens already; revoke one first`)
  }
}

/** How long a person may go without renewing their own token, in days. */
export const OWN_TOKEN_DAYS = 90

/**
 * Whoever signs in through a provider stays under its rules: a token of our own would outlive their account there.
 * @throws RegistryError `conflict` to such a person, `invalid` for a token that would last too long
 */
export function assertOwnToken(person: { issuer: string | null }, { expiresInDays }: NewToken): void {
  if (person.issuer !== null) {
    throw new RegistryError('conflict', 'you sign in through your provider; use the tokens that it gives you')
  }
  if (expiresInDays > OWN_TOKEN_DAYS) {
    throw new RegistryError(
      'invalid',
      `a token of your own lasts ${OWN_TOKEN_DAYS} days at most; renew it before it ends`,
    )
  }
}
