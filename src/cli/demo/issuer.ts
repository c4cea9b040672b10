import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** An OpenID provider for the demo: it believes everybody, so it exists on loopback only and dies with the demo. */
export interface DemoIssuer {
  url: string
  audience: string
  tokenFor(subject: string): Promise<string>
  close(): Promise<void>
}

const AUDIENCE = 'assent-demo'
const KEY_ID = 'demo'

interface Keys {
  publicKey: JWK
  privateKey: CryptoKey
}

/** @param subjects who may sign in; anybody else is refused */
export async function startIssuer(subjects: readonly string[]): Promise<DemoIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = { publicKey: await exportJWK(publicKey), privateKey }
  const server = createServer((request, response) => {
    if (request.headers.host !== new URL(urlOf(server)).host) {
      // A web page whose name was made to lead here (DNS rebinding) would read a token.
      response.writeHead(421).end()
      return
    }
    void answer(request.url ?? '/', urlOf(server), keys, subjects).then(({ status, body }) => {
      const type = typeof body === 'string' ? 'text/plain' : 'application/json'
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: urlOf(server),
    audience: AUDIENCE,
    tokenFor: async (subject) => await signToken(urlOf(server), keys, subject),
    close: async () => await new Promise((resolve) => server.close(() => resolve())),
  }
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Answer {
  status: number
  body: string | object
}

async function answer(
  path: string,
  issuer: string,
  keys: Keys,
  subjects: readonly string[],
): Promise<Answer> {
  const { pathname, searchParams } = new URL(path, issuer)
  if (pathname === '/.well-known/openid-configuration') {
    return { status: 200, body: { issuer, jwks_uri: `${issuer}/jwks`, token_endpoint: `${issuer}/token` } }
  }
  if (pathname === '/jwks') {
    return { status: 200, body: { keys: [{ ...keys.publicKey, kid: KEY_ID, alg: 'ES256', use: 'sig' }] } }
  }
  const subject = searchParams.get('as') ?? ''
  if (pathname === '/token' && subjects.includes(subject)) {
    return { status: 200, body: await signToken(issuer, keys, subject) }
  }
  return { status: 404, body: `nobody like that; sign in as one of: ${subjects.join(', ')}\n` }
}

async function signToken(issuer: string, { privateKey }: Keys, subject: string): Promise<string> {
  return await new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: KEY_ID, typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(AUDIENCE)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('8h')
    .sign(privateKey)
}
