import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { readCliEnvironment } from '../config.js'
import { exitCodes } from './exit-codes.js'
import { type Given, parseFlags, UsageError } from './flags.js'
import { plain } from './gate-report.js'
import { Unavailable } from './http.js'
import { checkPackage } from './package/checking.js'
import { codeOf, openStream, Refused, readAsking, sentenceOf, serverFlags } from './policy/calling.js'

export const help = `usage: assent package fetch --out FILE --server URL [flags]

Fetches an audit package and verifies it. FILE gets its name once it is whole.

  --out FILE           a new file, such as register.tar
  --use-case KEY       of this use case, such as UC-1042; of the register if left out
  --org-unit ID        of this unit and everything below it
  --as-of INSTANT      as it was then, such as 2026-01-01T00:00:00Z; now if left out
  --evidence FORM      bytes, or digests: then the files of evidence stay where they are
  --server URL         or ASSENT_URL
  --token-file FILE    holds a token of an auditor, administrator or risk owner; or ASSENT_TOKEN holds it
  --timeout SECONDS    for the server to begin with an answer: 60
  --allow-plain-http   send the token over http:// to another machine

Exits with 0 fetched and in order, 2 wrong usage, 3 not signed in or not permitted, 5 unavailable,
6 what arrived is not in order.`

const flags = {
  ...serverFlags,
  server: 'value',
  out: 'value',
  'use-case': 'value',
  'org-unit': 'value',
  'as-of': 'value',
  evidence: 'value',
} as const

/** `assent package fetch`. */
export async function run(argv: string[]): Promise<number> {
  try {
    await fetchPackage(parseFlags(argv, flags))
    return exitCodes.allowed
  } catch (error) {
    console.error(`assent package fetch: ${sentenceOf(error)}`)
    return codeOf(error)
  }
}

async function fetchPackage(given: Given<typeof flags>): Promise<void> {
  const { out } = given
  if (out === undefined) throw new UsageError('name the file to write: --out register.tar')
  if (existsSync(out)) throw new UsageError('there is a file of this name; name a new one')
  const env = readCliEnvironment()
  const { asOf, register } = await openStream(readAsking(given.server ?? env.url, given, env), pathOf(given))
  const draft = `${out}.partial-${process.pid}`
  try {
    const broken = await keep(register, draft)
    if (broken !== undefined) throw (await whyIncomplete(draft)) ?? broken
    const { findings } = await checkPackage(createReadStream(draft))
    const [first] = findings
    if (first) throw new Refused('verification_failed', `${first.code} ${first.where}: ${first.message}`)
    await rename(draft, out)
  } finally {
    await rm(draft, { force: true })
  }
  console.log(plain(`${out} is whole and in order, as of ${asOf}`))
}

/** Writes all that arrives, also when it breaks off. @returns how it broke off, if it did */
async function keep(arriving: AsyncIterable<Buffer>, draft: string): Promise<unknown> {
  let broken: unknown
  const whatArrives = async function* () {
    try {
      yield* arriving
    } catch (error) {
      broken = error
    }
  }
  await pipeline(whatArrives(), createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true }))
  return broken
}

/** What a package that broke off says of that itself, if so much of it arrived. */
async function whyIncomplete(draft: string): Promise<Unavailable | undefined> {
  if (!existsSync(draft)) return undefined
  const { why } = await checkPackage(createReadStream(draft))
  return why === undefined ? undefined : new Unavailable(why)
}

function pathOf(given: Given<typeof flags>): string {
  const useCase = given['use-case']
  if (useCase !== undefined && given['org-unit'] !== undefined) {
    throw new UsageError('--use-case and --org-unit exclude each other')
  }
  const asked = { asOf: given['as-of'], orgUnit: given['org-unit'], evidence: given.evidence }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) query.set(name, value)
  const place = useCase === undefined ? 'register' : `use-cases/${encodeURIComponent(useCase)}`
  return `v1/packages/${place}?${query}`
}
