import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { digestOfSecret, kindOfSecret, mintSecret } from '../auth/tokens.js'
import { readCliEnvironment } from '../config.js'
import { RegistryError } from '../errors.js'
import { exitCodes, type Outcome } from './exit-codes.js'
import { parseFlags, UsageError } from './flags.js'
import { plain } from './gate-report.js'
import { type Reply, readServer, send } from './http.js'

export const help = `usage: assent join [--key-file FILE]
       assent join --accept --server URL [--key-file FILE] [--token-file FILE]

Without --accept it makes a key, keeps it in a file that only you can read, and prints its digest.
Hand the digest to an administrator, who invites you by it. With --accept it exchanges the key,
once, for a token of your own. Nobody else ever holds either of them.

  --key-file FILE     where the key is kept; ~/.config/assent/key unless you say otherwise
  --token-file FILE   where the token will be kept; ~/.config/assent/token
  --server URL        or ASSENT_URL
  --allow-plain-http  send the key over http:// to another machine`

const flags = {
  accept: 'switch',
  server: 'value',
  'key-file': 'value',
  'token-file': 'value',
  'allow-plain-http': 'switch',
} as const

/** `assent join`. */
export async function run(argv: string[]): Promise<number> {
  try {
    const given = parseFlags(argv, flags)
    const keyFile = resolve(given['key-file'] ?? join(homedir(), '.config/assent/key'))
    if (!given.accept) return makeKey(keyFile)
    const tokenFile = resolve(given['token-file'] ?? join(homedir(), '.config/assent/token'))
    const server = readServer(given.server ?? readCliEnvironment().url, given['allow-plain-http'])
    return await accept(server, keyFile, tokenFile)
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof RegistryError
    if (!isUsage) throw error
    console.error(`assent join: ${error.message}`)
    return exitCodes.usage
  }
}

/** A key that is there already stays: somebody may have been invited by it. */
function makeKey(file: string): number {
  const found = readIfThere(file)
  const key = found ?? mintSecret('key').secret
  if (kindOfSecret(key) !== 'key')
    throw new UsageError(`${file} holds something else; choose another --key-file`)
  if (found === undefined) keep(openNew(file), key)
  console.error(`Your key is in ${file}; it stays with you. Hand this digest to an administrator:`)
  console.log(digestOfSecret(key))
  console.error('When you are invited: assent join --accept --server URL')
  return 0
}

const Issued = z.object({ secret: z.string() })
const Refusal = z.object({ detail: z.string() })

/** The place for the token is made first: the key works once, and what it buys must not get lost. */
async function accept(server: URL, keyFile: string, tokenFile: string): Promise<number> {
  const key = readIfThere(keyFile)
  if (key === undefined)
    throw new UsageError(`there is no key in ${keyFile}; make one first with assent join`)
  const place = openNew(tokenFile)
  const { token, outcome, sentence } = await exchange(server, key)
  if (token === undefined) {
    closeSync(place)
    rmSync(tokenFile)
    console.error(`assent join: ${plain(sentence)}`)
    return exitCodes[outcome]
  }
  keep(place, token)
  rmSync(keyFile)
  console.error('You have joined. Your token is in')
  console.log(tokenFile)
  return 0
}

interface Exchanged {
  token?: string
  outcome: Outcome
  sentence: string
}

/** Not tried again by itself: an answer that got lost may have used up the key. */
async function exchange(server: URL, key: string): Promise<Exchanged> {
  const url = new URL('v1/invitations/acceptance', server)
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  try {
    const call = { method: 'POST', url, headers, body: JSON.stringify({ key }) } as const
    return readExchange(await send(call, { connect: 3000, request: 10_000 }))
  } catch (error) {
    const why = error instanceof Error ? error.message : 'the request failed'
    const sentence = `the server cannot be asked (${why}); try again, and ask for a new invitation if the key is refused`
    return { outcome: 'unavailable', sentence }
  }
}

const outcomes: Record<number, Outcome> = {
  400: 'usage',
  401: 'not_permitted',
  403: 'not_permitted',
  404: 'not_found',
  422: 'usage',
}

function readExchange({ status, body }: Reply): Exchanged {
  const answer = parseJson(body)
  const issued = Issued.safeParse(answer).data
  if (status < 300 && issued && kindOfSecret(issued.secret) === 'pt') {
    return { token: issued.secret, outcome: 'allowed', sentence: '' }
  }
  const sentence = Refusal.safeParse(answer).data?.detail ?? `the server answered ${status}`
  return { outcome: outcomes[status] ?? 'unavailable', sentence }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UsageError(`${file} cannot be read; choose another file`)
  }
}

/** Opens a new file that only this user reads; what is there is never written over. */
function openNew(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    return openSync(file, 'wx', 0o600)
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
    throw new UsageError(
      isThere ? `${file} is there already; move it away first` : `${file} cannot be written`,
    )
  }
}

function keep(file: number, secret: string): void {
  writeSync(file, `${secret}\n`)
  closeSync(file)
}
