import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type CliEnvironment, readCliEnvironment } from '../config.js'
import { RegistryError } from '../errors.js'
import { Question } from '../gate/gate.js'
import { explain } from '../issues.js'
import { exitCodes } from './exit-codes.js'
import { type Given, parseFlags, UsageError } from './flags.js'
import { type Judged, judgeReply } from './gate-answer.js'
import { type Format, formats, plain, report } from './gate-report.js'
import { type Call, readServer, sendPatiently, type Times, Unavailable } from './http.js'

export const help = `usage: assent gate check --use-case KEY --environment NAME [flags]

May this use of AI go there, now? Asks a server, and the answer is kept there.

  --use-case KEY        such as UC-1042; or ASSENT_USE_CASE
  --environment NAME    such as production; or ASSENT_ENVIRONMENT
  --server URL          or ASSENT_URL
  --token-file FILE     holds the service token; or ASSENT_TOKEN holds it
  --jurisdiction NAME   where it will run; denied outside those of the use case, and
                        without it where the approval is limited to some
  --channel NAME        through which it will be used; likewise
  --artifact DIGEST     sha256:… of what is deployed, kept with the answer and not
                        checked; several times for several
  --version NUMBER      deny unless this is the current version of the use case
  --accept-break-glass  an emergency opening is good enough; without this it ends with 7
  --dry-run             only look: the answer is not kept
  --format FORMAT       text, json or github (annotations)
  --timeout SECONDS     for everything, at most 60
  --allow-plain-http    send the token over http:// to another machine

Exits with 0 allowed, 1 denied, 2 wrong usage, 3 not signed in or not permitted, 4 not found,
5 unavailable, 6 an answer that contradicts itself or is old, 7 open only with --accept-break-glass.
Only 0 lets a deploy go on.`

const flags = {
  'use-case': 'value',
  environment: 'value',
  server: 'value',
  'token-file': 'value',
  jurisdiction: 'value',
  channel: 'value',
  artifact: 'values',
  version: 'value',
  'accept-break-glass': 'switch',
  'dry-run': 'switch',
  format: 'value',
  timeout: 'value',
  'allow-plain-http': 'switch',
} as const
type Flags = Given<typeof flags>

interface Check {
  call: Call
  question: Question
  times: Times
}

/** `assent gate check`. Whatever goes wrong, it says so with a code of its own, and never with 0. */
export async function run(argv: string[]): Promise<number> {
  const format = formatOf(argv)
  const judged = await check(argv)
  const told = report(judged, format)
  if (told) console.log(told)
  const isAnswer = judged.heard !== null && format === 'text' && told !== ''
  if (judged.outcome !== 'allowed' && !isAnswer) console.error(`assent gate check: ${plain(judged.sentence)}`)
  return exitCodes[judged.outcome]
}

async function check(argv: string[]): Promise<Judged> {
  try {
    const { call, question, times } = readCheck(parseFlags(argv, flags), readCliEnvironment())
    const called = Date.now()
    const reply = await sendPatiently(call, times, (line) => console.error(`assent gate check: ${line}`))
    return judgeReply(reply, question, { called, answered: Date.now() })
  } catch (error) {
    return { outcome: outcomeOf(error), sentence: sentenceOf(error), heard: null, answer: null }
  }
}

function outcomeOf(error: unknown): 'usage' | 'unavailable' {
  const isUsage = error instanceof UsageError || (error instanceof RegistryError && error.code === 'invalid')
  return isUsage ? 'usage' : 'unavailable'
}

function sentenceOf(error: unknown): string {
  const isExpected = [UsageError, RegistryError, Unavailable].some((kind) => error instanceof kind)
  if (isExpected && error instanceof Error) return error.message
  return `this failed without a reason that it knows: ${error instanceof Error ? error.message : typeof error}`
}

/** Known even when the rest of the command line is wrong, so that a program can read what was wrong. */
function formatOf(argv: string[]): Format {
  const joined = argv.map((arg, index) => (arg === '--format' ? `--format=${argv[index + 1]}` : arg))
  return formats.find((format) => joined.includes(`--format=${format}`)) ?? 'text'
}

function readCheck(given: Flags, env: CliEnvironment): Check {
  if (given.format !== undefined && !formats.some((format) => format === given.format)) {
    throw new UsageError(`--format must be one of ${formats.join(', ')}`)
  }
  const server = readServer(given.server ?? env.url, given['allow-plain-http'])
  const question = readQuestion(given, env)
  const headers = {
    authorization: `Bearer ${readToken(given['token-file'], env.token)}`,
    accept: 'application/json',
  }
  const call = given['dry-run'] ? toLook(server, question, headers) : toAsk(server, question, headers)
  return { call, question, times: readTimes(given.timeout) }
}

const flagOf: Record<string, string> = {
  useCase: '--use-case',
  artifacts: '--artifact',
  context: 'what the CI says about itself',
}

function readQuestion(given: Flags, env: CliEnvironment): Question {
  const { version } = given
  if (version !== undefined && !/^\d{1,10}$/.test(version))
    throw new UsageError('--version must be a whole number')
  const read = Question.safeParse(
    {
      useCase: given['use-case'] ?? env.useCase,
      environment: given.environment ?? env.environment,
      jurisdiction: given.jurisdiction,
      channel: given.channel,
      artifacts: given.artifact,
      version: version && Number(version),
      acceptBreakGlass: given['accept-break-glass'],
      context: env.context,
    },
    { error: explain },
  )
  if (read.success) return read.data
  const [issue] = read.error.issues
  const name = String(issue?.path[0])
  throw new UsageError(`${flagOf[name] ?? `--${name}`} ${issue?.message}`)
}

function readToken(file: string | undefined, fromEnvironment: string | undefined): string {
  const token = (file === undefined ? fromEnvironment : readTokenFile(file))?.trim()
  if (token === undefined)
    throw new UsageError('say who asks: put a service token into ASSENT_TOKEN or --token-file')
  if (!/^[A-Za-z0-9._~+/=-]{1,8192}$/.test(token)) {
    throw new UsageError('what should be a token is none; it has a character that no token has')
  }
  return token
}

function readTokenFile(file: string): string {
  try {
    const token = readFileSync(file, 'utf8')
    if (token.trim() !== '') return token
  } catch {
    throw new UsageError('the file of --token-file cannot be read')
  }
  throw new UsageError('the file of --token-file is empty')
}

const TOTAL_S = 60

/** A connection gets a twentieth of the whole time, a request a sixth: 3 s and 10 s of a minute. */
function readTimes(seconds: string | undefined): Times {
  const total = seconds === undefined ? TOTAL_S : Number(seconds)
  if (!/^\d{1,2}(\.\d{1,3})?$/.test(seconds ?? '1') || total <= 0 || total > TOTAL_S) {
    throw new UsageError(`--timeout must be a number of seconds, at most ${TOTAL_S}`)
  }
  return { total: total * 1000, connect: total * 50, request: (total * 1000) / 6 }
}

function toLook(server: URL, question: Question, headers: Record<string, string>): Call {
  const { artifacts, useCase, environment, jurisdiction, channel, version, acceptBreakGlass } = question
  if (artifacts.length > 1) throw new UsageError('with --dry-run name one --artifact at most')
  const url = new URL('v1/gate', server)
  const asked = { useCase, environment, jurisdiction, channel, artifact: artifacts[0], version }
  if (acceptBreakGlass) url.searchParams.set('acceptBreakGlass', 'true')
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return { method: 'GET', url, headers }
}

/** One key for all attempts: an answer that got lost on its way is not given, and kept, a second time. */
function toAsk(server: URL, question: Question, headers: Record<string, string>): Call {
  return {
    method: 'POST',
    url: new URL('v1/gate/answers', server),
    headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify(question),
  }
}
