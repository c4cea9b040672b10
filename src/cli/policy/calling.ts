import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { z } from 'zod'
import type { CliEnvironment } from '../../config.js'
import { RegistryError } from '../../errors.js'
import { exitCodes } from '../exit-codes.js'
import { UsageError } from '../flags.js'
import { plain } from '../gate-report.js'
import { type Reply, readServer, sendPatiently, type Times, Unavailable } from '../http.js'

/** A server, and who asks it. */
export interface Asking {
  server: URL
  headers: Record<string, string>
  times: Times
}

/** The server understood and refused, or answered something else. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly kind: 'usage' | 'not_permitted' | 'verification_failed'

  constructor(kind: Refused['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

export const serverFlags = { 'token-file': 'value', timeout: 'value', 'allow-plain-http': 'switch' } as const

interface Given {
  'token-file': string | undefined
  timeout: string | undefined
  'allow-plain-http': boolean
}

/** @throws UsageError */
export function readAsking(address: string | undefined, given: Given, env: CliEnvironment): Asking {
  const server = readServer(address, given['allow-plain-http'])
  const token = readToken(given['token-file'], env.token)
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  return { server, headers, times: readTimes(given.timeout) }
}

/** A server ends each request within half a minute, and an export goes on for as long as something comes. */
const ANSWER_MS = 35_000

function readTimes(seconds = '60'): Times {
  if (!/^[1-9]\d{0,2}$/.test(seconds)) throw new UsageError('--timeout must be a whole number of seconds')
  return { connect: 3000, request: ANSWER_MS, total: Number(seconds) * 1000 }
}

function readToken(file: string | undefined, fromEnvironment: string | undefined): string {
  const token = (file === undefined ? fromEnvironment : readTokenFile(file))?.trim()
  if (token === undefined) throw new UsageError('say who asks: put a token into ASSENT_TOKEN or --token-file')
  if (/^[A-Za-z0-9._~+/=-]{1,8192}$/.test(token)) return token
  throw new UsageError('what should be a token is none; it is empty, or has a character that no token has')
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError('the file of --token-file cannot be read')
  }
}

/** What is sent along: something to be written as JSON, or bytes of another type. */
interface Sent {
  body: object
  type?: string
  /** Of several attempts, one counts. */
  key: string
}

/**
 * Asks, and reads the answer.
 * @throws Refused, Unavailable
 */
export async function ask<T>(
  { server, headers, times }: Asking,
  path: string,
  shape: z.ZodType<T>,
  sent?: Sent,
): Promise<T> {
  const url = new URL(path, server)
  const post = sent && {
    headers: { ...headers, 'content-type': sent.type ?? 'application/json', 'idempotency-key': sent.key },
    body: Buffer.isBuffer(sent.body) ? sent.body : JSON.stringify(sent.body),
  }
  const call = { method: sent ? ('POST' as const) : ('GET' as const), url, headers, ...post }
  const reply = await sendPatiently(call, times, (line) => console.error(`assent: ${line}`))
  if (reply.status !== 200 && reply.status !== 201) throw refusal(reply)
  const { data } = shape.safeParse(parse(reply.body))
  if (data === undefined)
    throw new Refused('verification_failed', 'what answers there is no Assent of this version')
  return data
}

/**
 * Opens an answer that is too large to hold. It breaks off with an error, and does not end, when something goes wrong.
 * @throws Refused, Unavailable
 */
export async function openStream(
  { server, headers }: Asking,
  path: string,
): Promise<{ asOf: string | null; register: AsyncIterable<Buffer> }> {
  const url = new URL(path, server)
  const client = url.protocol === 'https:' ? https : http
  const request = client.get(url, { agent: false, headers: { ...headers, accept: 'application/x-ndjson' } })
  request.setTimeout(ANSWER_MS, () => request.destroy(new Error('no answer in time')))
  try {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    const { statusCode: status = 0 } = response
    if (status === 200) return { asOf: asOfIn(response), register: whole(response) }
    throw refusal({ status, headers: response.headers, body: await readStart(response) })
  } catch (error) {
    request.destroy()
    if (error instanceof Refused || error instanceof Unavailable) throw error
    throw broken(error)
  }
}

function asOfIn({ headers }: http.IncomingMessage): string | null {
  const asOf = headers['assent-as-of']
  return typeof asOf === 'string' ? plain(asOf) : null
}

async function* whole(response: http.IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* response
  } catch (error) {
    throw broken(error)
  }
}

function broken(error: unknown): Unavailable {
  const why = error instanceof Error ? error.message : String(error)
  return new Unavailable(`the server could not be read to the end (${plain(why)}); try again`)
}

async function readStart(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    chunks.push(chunk)
    size += chunk.length
    if (size > 65_536) break
  }
  return Buffer.concat(chunks).toString()
}

/** For whoever called the command. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? plain(error.message) : 'this failed without a reason that it knows'
}

/**
 * How a command ends that could not do its work.
 * @throws whatever is a mistake of our own
 */
export function codeOf(error: unknown): number {
  if (error instanceof Refused) return exitCodes[error.kind]
  if (error instanceof Unavailable) return exitCodes.unavailable
  const isInvalid = error instanceof RegistryError && error.code === 'invalid'
  if (isInvalid || error instanceof UsageError) return exitCodes.usage
  throw error
}

const Problem = z.object({ detail: z.string() })

function refusal({ status, body }: Pick<Reply, 'status' | 'body' | 'headers'>): Error {
  const detail = Problem.safeParse(parse(body)).data?.detail
  const said = detail === undefined ? `the server answered ${status}` : plain(detail)
  if (status >= 500) return new Unavailable(said)
  if (status === 401 || status === 403) return new Refused('not_permitted', said)
  return new Refused(status < 400 ? 'verification_failed' : 'usage', said)
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
