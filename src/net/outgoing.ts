import { lookup } from 'node:dns/promises'
import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plain } from 'node:http'
import { Agent as SecureAgent, request as secure } from 'node:https'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { RegistryError } from '../errors.js'
import { type Place, placeOf } from './address.js'

export interface Address {
  address: string
  family: number
}

export interface OutgoingOptions {
  /** For receivers in a network of one's own: private addresses, and loopback, there also without TLS. */
  allowPrivate: boolean
  /** How names become addresses; the machine's own way unless given. */
  resolve?: ((name: string) => Promise<Address[]>) | undefined
  /** A certificate to trust in place of those that Node.js knows. */
  ca?: string | undefined
  /** From the first question about its name to the last byte of its answer. */
  timeoutMs?: number | undefined
}

/** Why nothing came back. */
export type Problem =
  | 'address_refused'
  | 'name_not_found'
  | 'timed_out'
  | 'certificate_refused'
  | 'connection_failed'

export class Unanswered extends Error {
  override readonly name = 'Unanswered'
  readonly problem: Problem

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.replaceAll('_', ' '), options)
    this.problem = problem
  }
}

export interface Reply {
  status: number
  headers: IncomingMessage['headers']
}

const TIMEOUT_MS = 5000
const MAX_BYTES = 65_536

/**
 * The one way out: to https, to addresses that were looked at (and to those very addresses, whatever the name says a
 * moment later), without redirects, within 5 s, reading at most 64 KiB of an answer that nobody needs.
 */
export class Outgoing {
  readonly #options: OutgoingOptions
  /** No connection is kept for another call; what to trust is read once, for that takes longer than a call. */
  readonly #agents: { 'https:': SecureAgent; 'http:': PlainAgent }

  constructor(options: OutgoingOptions) {
    this.#options = options
    const secureContext = createSecureContext(options.ca ? { ca: options.ca } : {})
    this.#agents = {
      'https:': new SecureAgent({ keepAlive: false, maxCachedSessions: 0, secureContext }),
      'http:': new PlainAgent({ keepAlive: false }),
    }
  }

  /** @throws Unanswered when there is no answer; any status is one. */
  async post(url: string, headers: Record<string, string>, body: string): Promise<Reply> {
    const target = new URL(url)
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS)
    try {
      const addresses = await inTime(this.#resolve(target.hostname), signal)
      this.#assertAllowed(target, addresses)
      return await this.#send(target, { headers, body, addresses, signal })
    } catch (error) {
      throw error instanceof Unanswered ? error : new Unanswered(problemOf(error, signal), { cause: error })
    }
  }

  async #resolve(hostname: string): Promise<Address[]> {
    const name = hostname.replace(/^\[|\]$/g, '')
    const family = isIP(name)
    if (family !== 0) return [{ address: name, family }]
    const { resolve = async (asked) => await lookup(asked, { all: true }) } = this.#options
    return await resolve(name)
  }

  /** One address that is out of bounds refuses the name: an honest one has none. */
  #assertAllowed({ protocol }: URL, addresses: Address[]): void {
    const places = addresses.map(({ address }) => placeOf(address))
    const isAllowed = (place: Place) => isWithin(place, protocol, this.#options.allowPrivate)
    if (places.length === 0) throw new Unanswered('name_not_found')
    if (!places.every(isAllowed)) throw new Unanswered('address_refused')
  }

  async #send(target: URL, { headers, body, addresses, signal }: Sending): Promise<Reply> {
    return await new Promise<Reply>((resolve, reject) => {
      const isSecure = target.protocol === 'https:'
      const send = isSecure ? secure : plain
      const outgoing: ClientRequest = send(target, {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        agent: this.#agents[isSecure ? 'https:' : 'http:'],
        signal,
        lookup: pinnedTo(addresses),
      })
      let reply: Reply | undefined
      outgoing.on('error', (error) => (reply ? resolve(reply) : reject(error)))
      outgoing.once('response', (response) => {
        const answered = { status: response.statusCode ?? 0, headers: response.headers }
        reply = answered
        readAway(response, () => resolve(answered))
      })
      outgoing.end(body)
    })
  }
}

interface Sending {
  headers: Record<string, string>
  body: string
  addresses: Address[]
  signal: AbortSignal
}

/**
 * What can be said of a URL before anybody calls it.
 * @throws RegistryError `invalid`
 */
export function assertCallable(url: string, allowPrivate: boolean): void {
  const { protocol, hostname, username, password, hash } = new URL(url)
  const name = hostname.replace(/^\[|\]$/g, '')
  const problems: [boolean, string][] = [
    [protocol !== 'https:' && !(allowPrivate && protocol === 'http:'), 'must begin with https://'],
    [username !== '' || password !== '', 'must hold no user name and no password; requests are signed'],
    [hash !== '', 'must end before the #; what follows it is never sent'],
    [
      isIP(name) !== 0 && !isWithin(placeOf(name), protocol, allowPrivate),
      'names an address that is never called; give the public name of the receiver',
    ],
  ]
  const found = problems.find(([isSo]) => isSo)
  if (!found) return
  const message = `the URL ${found[1]}`
  throw new RegistryError('invalid', message, { issues: [{ path: '/url', message }] })
}

function isWithin(place: Place, protocol: string, allowPrivate: boolean): boolean {
  if (protocol !== 'https:') return allowPrivate && place === 'loopback'
  return place === 'public' || (allowPrivate && place !== 'forbidden')
}

type Answer = (error: null, address: string | Address[], family?: number) => void

/** Asked for the address of the name a second time, we give the ones that were looked at. */
function pinnedTo(addresses: Address[]) {
  return (_name: string, { all }: { all?: boolean | undefined }, answer: Answer) => {
    const [first] = addresses
    if (all) answer(null, addresses)
    else if (first) answer(null, first.address, first.family)
  }
}

/** The status is all that counts: what follows is read for courtesy, up to a limit, and its end is not insisted on. */
function readAway(response: IncomingMessage, done: () => void): void {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_BYTES) response.destroy()
  })
  response.on('error', done)
  response.once('close', done)
}

async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

function problemOf(error: unknown, { aborted }: AbortSignal): Problem {
  if (aborted) return 'timed_out'
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  if (['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA'].includes(code)) return 'name_not_found'
  const isCertificate = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|HOSTNAME|DEPTH_ZERO/.test(code)
  return isCertificate ? 'certificate_refused' : 'connection_failed'
}
