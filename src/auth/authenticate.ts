import { setTimeout as wait } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'
import type { Ability } from './decision-rights.js'
import { type Identity, type Issuer, issuerOf } from './issuer.js'
import { isInForce, type Principal } from './principal.js'
import { digestOfSecret, kindOfSecret } from './tokens.js'

/** Where people are found. The people feature implements it; nothing here knows SQL. */
export interface Directory {
  /** The active holder of a live personal or service token, by its digest. */
  findByToken(digest: string): Promise<Signed | undefined>
  /** The active person an issuer's subject stands for. An invitation that awaits this identity is accepted by it. */
  findByIdentity(identity: Identity): Promise<Principal | undefined>
}

export interface Signed {
  principal: Principal
  /** Seconds since 1970. */
  expiresAt: number
}

/** Who asks, and what they may do. */
export interface Caller {
  principal: Principal
  ability: Ability
}

interface Options {
  directory: Directory
  issuers: Issuer[]
  abilityOf(principal: Principal): Ability
  now(): Instant
  /** How long finding out who somebody is may take, in milliseconds. */
  limitMs: number
}

export interface Authenticator {
  /** @throws RegistryError `unauthenticated`, or `forbidden` for a valid token of somebody unknown here. */
  authenticate(authorization: string | undefined): Promise<Caller>
  /** The same, believing nothing that was read before. */
  renew(authorization: string | undefined): Promise<Caller>
  /** Forgets every cached caller: rights changed. */
  forget(): void
}

/** How long a caller is believed without asking the database again, when another process took a right away. */
const BELIEVED_MS = 5000

export function buildAuthenticator({ directory, issuers, abilityOf, now, limitMs }: Options): Authenticator {
  const known = new LRUCache<string, Caller & { expiresAt: number }>({ max: 5000, ttl: BELIEVED_MS })
  let generation = 0

  const verify = async (token: string, digest: string): Promise<Signed> => {
    if (token.startsWith('assent_')) return await bySecret(directory, token, digest)
    const issuer = issuers.find(({ name }) => name === issuerOf(token))
    if (!issuer) throw unauthenticated('this token comes from nobody that is trusted here; sign in again')
    return await byIdentity(directory, await issuer.verify(token))
  }

  const look = async (token: string, digest: string): Promise<Caller> => {
    const before = generation
    const { principal, expiresAt } = await inTime(verify(token, digest), limitMs)
    const caller = { principal, ability: abilityOf(principal), expiresAt }
    // What was read before rights changed must not be believed after.
    if (before === generation) known.set(digest, caller)
    return caller
  }

  return {
    async authenticate(authorization) {
      const token = bearerOf(authorization)
      const digest = digestOfSecret(token)
      const cached = known.get(digest)
      if (cached && cached.expiresAt * 1000 > Date.now() && isInForce(cached.principal, now())) return cached
      return await look(token, digest)
    },
    async renew(authorization) {
      const token = bearerOf(authorization)
      return await look(token, digestOfSecret(token))
    },
    forget() {
      generation += 1
      known.clear()
    },
  }
}

/** The gate has to say within 3 s that it cannot tell, so nobody waits long to hear who they are. */
async function inTime<T>(verified: Promise<T>, limitMs: number): Promise<T> {
  const late = new AbortController()
  const tooLate = async () => {
    await wait(limitMs, undefined, { signal: late.signal, ref: false })
    throw new RegistryError('unavailable', 'signing in takes too long; try again in a few seconds')
  }
  try {
    return await Promise.race([verified, tooLate()])
  } finally {
    late.abort()
  }
}

function bearerOf(authorization: string | undefined): string {
  const [, token] = /^Bearer ([A-Za-z0-9._~+/=-]{1,8192})$/i.exec(authorization ?? '') ?? []
  if (!token) throw unauthenticated('sign in: send "Authorization: Bearer" with a token')
  return token
}

async function bySecret(directory: Directory, token: string, digest: string): Promise<Signed> {
  const kind = kindOfSecret(token)
  const signed = kind === 'sk' || kind === 'pt' ? await directory.findByToken(digest) : undefined
  if (!signed) throw unauthenticated('this token is not valid here or no longer; get a new one')
  return signed
}

async function byIdentity(directory: Directory, identity: Identity): Promise<Signed> {
  const principal = await directory.findByIdentity(identity)
  if (principal) return { principal, expiresAt: identity.expiresAt }
  throw new RegistryError(
    'forbidden',
    `you are signed in but not registered here; ask an administrator to invite subject "${identity.subject}"`,
  )
}

function unauthenticated(message: string): RegistryError {
  return new RegistryError('unauthenticated', message)
}
