import http from 'node:http'
import https from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { UsageError } from './flags.js'

export interface Call {
  method: 'GET' | 'POST'
  url: URL
  headers: Record<string, string>
  body?: string | Buffer
}

export interface Reply {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

/** In milliseconds. */
export interface Times {
  /** Until there is a connection, with TLS. */
  connect: number
  /** For one request with its answer. */
  request: number
  /** For all attempts with the pauses between them. */
  total: number
}

/** No answer could be had in the time there was. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

const BODY_LIMIT = 2 ** 20
const RETRIED = new Set([429, 502, 503, 504])
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

/**
 * The address of a server; a token must not travel where others can read it.
 * @throws UsageError
 */
export function readServer(address: string | undefined, allowPlainHttp: boolean): URL {
  if (address === undefined) throw new UsageError('say which server to ask: --server or ASSENT_URL')
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash) {
    throw new UsageError('the server must be a URL such as https://assent.example.com')
  }
  if (url.username || url.password) throw new UsageError('leave user and password out of the server URL')
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && !isHere && !allowPlainHttp) {
    throw new UsageError('http:// would show your token to the network; use https://, or --allow-plain-http')
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/**
 * Sends until there is an answer: again after a network error, 429 and 502 to 504, with full jitter, and not before
 * `Retry-After` has passed. It follows no redirects: a token goes where it was meant to go.
 * @param say hears of each failure
 * @throws Unavailable
 */
export async function sendPatiently(call: Call, times: Times, say: (line: string) => void): Promise<Reply> {
  const deadline = performance.now() + times.total
  for (let attempt = 1; ; attempt += 1) {
    const { reply, failure } = await attemptOnce(call, times, deadline)
    if (reply && !RETRIED.has(reply.status)) return reply
    const why = reply ? `the server answered ${reply.status}` : failure
    const pause = pauseAfter(attempt, reply)
    if (performance.now() + pause >= deadline) {
      throw new Unavailable(`${why}; gave up after ${attempt} attempt${attempt > 1 ? 's' : ''}`)
    }
    say(`${why}; trying again in ${(pause / 1000).toFixed(1)} s`)
    await wait(pause)
  }
}

async function attemptOnce(
  call: Call,
  { connect, request }: Times,
  deadline: number,
): Promise<{ reply?: Reply; failure?: string }> {
  const left = Math.max(1, Math.floor(deadline - performance.now()))
  try {
    return { reply: await send(call, { connect: Math.min(connect, left), request: Math.min(request, left) }) }
  } catch (error) {
    return { failure: describeFailure(error) }
  }
}

/** One request; rejects when there is no whole answer in time. */
export async function send(call: Call, { connect, request: limit }: Omit<Times, 'total'>): Promise<Reply> {
  const isSecure = call.url.protocol === 'https:'
  const { method, headers } = call
  const options = { method, headers, agent: false, signal: AbortSignal.timeout(Math.ceil(limit)) }
  const request = isSecure ? https.request(call.url, options) : http.request(call.url, options)
  const connecting = setTimeout(
    () => request.destroy(new Error(`no connection within ${connect / 1000} s`)),
    connect,
  )
  request.once('socket', (socket) => {
    socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting))
  })
  try {
    return await new Promise<Reply>((resolve, reject) => {
      request.once('error', reject)
      request.once('response', (response) => void readWhole(response).then(resolve, reject))
      request.end(call.body)
    })
  } finally {
    clearTimeout(connecting)
    request.destroy()
  }
}

async function readWhole(response: http.IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += chunk.length
    if (size > BODY_LIMIT) throw new Error('the answer is too large to be one of Assent')
    chunks.push(chunk)
  }
  const { statusCode: status = 0, headers } = response
  return { status, headers, body: Buffer.concat(chunks).toString('utf8') }
}

/** Full jitter: anywhere between nothing and a limit that doubles, so that many pipelines do not come back at once. */
function pauseAfter(attempt: number, reply: Reply | undefined): number {
  const jitter = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
  return Math.max(jitter, retryAfter(reply?.headers['retry-after']))
}

/** Milliseconds; RFC 9110 section 10.2.3 allows seconds or a date. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now())
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed'
  const { code, name, message, cause } = error as NodeJS.ErrnoException
  if (name === 'AbortError' || name === 'TimeoutError') {
    return cause instanceof Error || name === 'TimeoutError' ? 'no answer in time' : 'the request was cut off'
  }
  if (code === 'ECONNREFUSED') return 'nothing listens at the address of the server'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name of the server cannot be found'
  return code ? `the connection failed (${code})` : message
}
