import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { z } from 'zod'
import { RegistryError } from '../errors.js'

/** Who a verified token stands for. Identity is (issuer, subject), never an e-mail address. */
export interface Identity {
  issuer: string
  subject: string
  /** Seconds since 1970. */
  expiresAt: number
}

export interface Issuer {
  name: string
  verify(token: string): Promise<Identity>
}

interface IssuerOptions {
  issuer: string
  audience: string
  /** For so long after its keys were read they are not asked for again, however unknown the key of a token is. */
  keysCooldownMs?: number
}

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() })
const ALGORITHMS = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA', 'Ed25519']
const KEYS_KEPT_MS = 24 * 3600 * 1000

/**
 * Access tokens of one configured OpenID provider: signature, exact issuer, our audience, `at+jwt` (RFC 9068), and
 * `exp` with 30 s of tolerance. The issuer comes from configuration, never from a token.
 */
export function trustIssuer({ issuer, audience, keysCooldownMs = 30_000 }: IssuerOptions): Issuer {
  let keys: Promise<JWTVerifyGetKey> | undefined
  const keysOf = async (): Promise<JWTVerifyGetKey> => {
    keys ??= discoverKeys(issuer, keysCooldownMs)
    try {
      return await keys
    } catch (error) {
      keys = undefined // the next sign-in asks again
      throw new RegistryError('unavailable', 'the sign-in provider does not answer; try again shortly', {
        cause: error,
      })
    }
  }
  return {
    name: issuer,
    async verify(token) {
      const getKey = await keysOf()
      try {
        const { payload } = await jwtVerify(token, getKey, {
          issuer,
          audience,
          algorithms: ALGORITHMS,
          typ: 'at+jwt',
          clockTolerance: 30,
          requiredClaims: ['sub', 'exp'],
        })
        return { issuer, subject: payload.sub ?? '', expiresAt: payload.exp ?? 0 }
      } catch (error) {
        throw refusalOf(error)
      }
    },
  }
}

/** Who a token says it comes from, unverified: only good for choosing among the issuers that are configured. */
export function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

async function discoverKeys(issuer: string, cooldownDuration: number): Promise<JWTVerifyGetKey> {
  const response = await fetchOnce(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  if (!response.ok) throw new Error(`discovery answered ${response.status}`)
  const document = Discovery.parse(await response.json())
  if (document.issuer !== issuer) throw new Error('discovery names another issuer')
  return createRemoteJWKSet(new URL(document.jwks_uri), {
    cacheMaxAge: KEYS_KEPT_MS,
    cooldownDuration,
    timeoutDuration: 5000,
    [customFetch]: fetchOnce,
  })
}

/** No redirects: a provider that moved is a change of configuration. */
async function fetchOnce(url: string, options: RequestInit = {}): Promise<Response> {
  return await fetch(url, { signal: AbortSignal.timeout(5000), ...options, redirect: 'error' })
}

const UNREACHABLE = [errors.JWKSTimeout, errors.JWKSInvalid]

function refusalOf(error: unknown): RegistryError {
  const isOurs = error instanceof errors.JOSEError && !UNREACHABLE.some((kind) => error instanceof kind)
  if (isOurs && error.code !== 'ERR_JOSE_GENERIC') {
    const message =
      error instanceof errors.JWTExpired
        ? 'this token has expired; sign in again'
        : 'this token is not valid here; sign in again'
    return new RegistryError('unauthenticated', message, { cause: error })
  }
  return new RegistryError('unavailable', 'the sign-in provider does not answer; try again shortly', {
    cause: error,
  })
}
