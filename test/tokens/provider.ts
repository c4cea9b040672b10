// A real OpenID provider in process, on loopback. Its clients get access tokens that stand for themselves.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import Provider from 'oidc-provider'
import type { Test } from 'tap'

export const AUDIENCE = 'https://assent.example.com'

export interface TestProvider {
  issuer: string
  /** An access token for this subject, from the provider's own token endpoint. */
  tokenOf(subject: string, audience?: string): Promise<string>
  /** A token of any other form, signed with the provider's key. */
  forge(claims: JWTPayload, header?: { typ?: string; kid?: string }): Promise<string>
  /** From now on it signs with another key, and publishes that one alone. */
  rotate(): Promise<void>
  /** What it answers instead, until told otherwise. */
  become(listener: RequestListener | undefined): void
}

export async function startProvider(t: Test, subjects: string[]): Promise<TestProvider> {
  let instead: RequestListener | undefined
  let serve: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => (instead ?? serve)(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.closeAllConnections())
  t.teardown(async () => await new Promise((resolve) => server.close(resolve)))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let key: JWK = {}
  const rotate = async () => {
    key = await makeKey()
    const provider = buildProvider(issuer, subjects, key)
    serve = provider.callback()
  }
  await rotate()
  return {
    issuer,
    tokenOf: async (subject, audience = AUDIENCE) => await askForToken(issuer, subject, audience),
    forge: async (claims, header) => await forge(key, issuer, claims, header),
    rotate,
    become: (listener) => {
      instead = listener
    },
  }
}

async function makeKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'ES256', use: 'sig' }
}

function buildProvider(issuer: string, subjects: string[], key: JWK): Provider {
  const provider = new Provider(issuer, {
    clients: subjects.map((subject) => ({
      client_id: subject,
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: 'ES256',
      redirect_uris: [],
      response_types: [],
    })),
    jwks: { keys: [key] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: '',
          audience: resource,
          accessTokenTTL: 3600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  })
  return provider
}

async function askForToken(issuer: string, subject: string, resource: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: subject,
      client_secret: 'secret',
      resource,
    }),
  })
  const body: unknown = await response.json()
  const token = body !== null && typeof body === 'object' ? Reflect.get(body, 'access_token') : undefined
  if (typeof token !== 'string') throw new Error(`no token: ${JSON.stringify(body)}`)
  return token
}

async function forge(
  key: JWK,
  issuer: string,
  claims: JWTPayload,
  header: { typ?: string; kid?: string } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return await new SignJWT({ iss: issuer, aud: AUDIENCE, iat: now, exp: now + 3600, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: String(key.kid), typ: 'at+jwt', ...header })
    .sign(await importJWK(key, 'ES256'))
}
