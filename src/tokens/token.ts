import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { text } from '../text.js'

/** What is shown of a token: never the secret, of which only the SHA-256 is kept. */
export const Token = z.strictObject({
  id: z.uuid(),
  personId: z.uuid(),
  kind: z.enum(['personal', 'service']),
  name: z.string(),
  createdBy: z.uuid(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
})
export type Token = z.infer<typeof Token>

export const NewToken = z.strictObject({
  name: text(100).trim().min(1).describe('Where it is used, such as "claims-api deploy"'),
  expiresInDays: z.int().min(1).max(366).default(90),
})
export type NewToken = z.infer<typeof NewToken>

/** The one answer that holds the secret. */
export const IssuedToken = z.strictObject({ token: Token, secret: z.string() })
export type IssuedToken = z.infer<typeof IssuedToken>

export const KeyAcceptance = z.strictObject({
  key: z.string().max(200).describe('The key that `assent join` made'),
})
export const FirstSignIn = z.strictObject({ code: z.string().max(200), name: text(200).trim().min(1) })

/** Two live tokens let a pipeline rotate without a gap; more would be forgotten. */
export const LIVE_TOKENS = 2

export function assertRoom(liveTokens: number): void {
  if (liveTokens >= LIVE_TOKENS) {
    throw new RegistryError('conflict', `there are ${LIVE_TOKENS} live tokens already; revoke one first`)
  }
}
