import { createReadStream, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type CliEnvironment, callersFolder, readCliEnvironment } from '../config.js'
import { compareBy, type EffectKind, effectKinds, type Rules } from '../policy/effects.js'
import { PolicyInForce } from '../policy/in-force.js'
import type { Policies } from '../policy/load.js'
import { exitCodes } from './exit-codes.js'
import { type Given, parseFlags, UsageError } from './flags.js'
import { plain } from './gate-report.js'
import { readFormat } from './policy/arguments.js'
import { ask, codeOf, openStream, readAsking, sentenceOf, serverFlags } from './policy/calling.js'
import { checkPolicies, type Problem, shownFolder } from './policy/checking.js'
import { diffFormats, kindWords, type PolicyDifference, reportDifference } from './policy/diff-report.js'
import { Gathering } from './policy/gathering.js'
import { readRegister } from './policy/register-lines.js'

export const help = `usage: assent policy diff --against URL|FILE [flags]

Which use cases would change if a policy came into force? Reads a register, and changes nothing.

  --against URL        a server: its register, beside the policy that it has in force; or ASSENT_URL
  --against FILE       an export of use cases as NDJSON, beside the policy of --base
  --base DIR           with FILE: the policy folder as it was, such as that of the main branch
  --policy DIR         the policy folder that is tried out; or ASSENT_POLICIES_DIR
  --token-file FILE    holds a token of an administrator, auditor or risk owner; or ASSENT_TOKEN holds it
  --format FORMAT      text, json or markdown (for a comment on a pull request)
  --limit NUMBER       how many use cases are listed, the worst first: 100; all are counted
  --fail-on KINDS      exit with 1 if there are such changes: any, or of these, with commas between them
${effectKinds.map((kind) => `                         ${kind.padEnd(14)} ${kindWords[kind]}`).join('\n')}
  --timeout SECONDS    for the server to begin with an answer: 60
  --allow-plain-http   send the token over http:// to another machine

What is retired stays as it is and is not looked at. The token sees the units of its role, and no others are counted.

Exits with 0 compared, 1 changes of --fail-on or a policy that cannot come into force (its problems are said),
2 wrong usage or a file that is no register, 3 not signed in or not permitted, 5 unavailable,
6 an answer that is none.`

const flags = {
  against: 'value',
  base: 'value',
  policy: 'value',
  ...serverFlags,
  format: 'value',
  limit: 'value',
  'fail-on': 'value',
} as const
type Flags = Given<typeof flags>

const FOUND = 1

/** `assent policy diff`. */
export async function run(argv: string[]): Promise<number> {
  try {
    return await compare(parseFlags(argv, flags), readCliEnvironment())
  } catch (error) {
    if (error instanceof BrokenPolicy) {
      for (const { file, line, column, sentence } of error.problems) {
        console.error(plain(`${file}:${line}:${column}: ${sentence}`))
      }
    }
    console.error(`assent policy diff: ${sentenceOf(error)}`)
    return error instanceof BrokenPolicy ? FOUND : codeOf(error)
  }
}

class BrokenPolicy extends Error {
  readonly problems: Problem[]

  constructor(dir: string, problems: Problem[]) {
    super(`the policy in ${dir} cannot come into force; correct what is listed`)
    this.problems = problems
  }
}

async function compare(given: Flags, env: CliEnvironment): Promise<number> {
  const format = readFormat(given.format, diffFormats)
  const limit = readLimit(given.limit)
  const failOn = readKinds(given['fail-on'])
  const after = readPolicy(given.policy ?? shownFolder(env.policiesDir))
  const { before, asOf, register } = await openRegister(given, env)
  const effectOf = compareBy(before.rules, after.rules, after.rules.catalogs)
  const gathering = new Gathering(limit)
  for await (const useCase of readRegister(register)) {
    if (useCase.standing !== 'retired') gathering.add(useCase, effectOf(useCase))
  }
  const gathered = gathering.result()
  const failedOn = failOn.filter((kind) => gathered.kinds[kind] > 0)
  const difference: PolicyDifference = { from: before.digest, to: after.digest, asOf, ...gathered, failedOn }
  console.log(reportDifference(difference, format))
  return failedOn.length > 0 ? FOUND : exitCodes.allowed
}

function readLimit(given = '100'): number {
  if (/^\d{1,6}$/.test(given)) return Number(given)
  throw new UsageError('--limit must be a whole number')
}

/** `any` is all that the change itself brings: what waits to be applied is no fault of it. */
function readKinds(given: string | undefined): EffectKind[] {
  if (given === undefined) return []
  if (given === 'any') return effectKinds.filter((kind) => kind !== 'pending')
  return given.split(',').map((word) => {
    const kind = effectKinds.find((known) => known === word.trim())
    if (kind) return kind
    throw new UsageError(`--fail-on takes any, or some of ${effectKinds.join(', ')} with commas between them`)
  })
}

interface ReadRules {
  digest: string
  rules: Rules
}

function readPolicy(dir: string): { digest: string; rules: Policies } {
  const found = checkPolicies(dir)
  if ('problems' in found) throw new BrokenPolicy(dir, found.problems)
  return { digest: found.policies.digest, rules: found.policies }
}

interface Opened {
  before: ReadRules
  asOf: string | null
  register: AsyncIterable<Buffer>
}

async function openRegister(given: Flags, env: CliEnvironment): Promise<Opened> {
  const against = given.against ?? env.url
  if (against === undefined) throw new UsageError('say what to compare with: --against a server, or a file')
  if (/^https?:/i.test(against)) return await openServer(against, given, env)
  if (given.base === undefined) {
    throw new UsageError(
      'an export holds no policy; name the folder of the one it was made under with --base',
    )
  }
  const file = resolve(callersFolder(), against)
  if (!existsSync(file))
    throw new UsageError(`there is no file ${against}; name an export, or a server by its URL`)
  return { before: readPolicy(given.base), asOf: null, register: createReadStream(file) }
}

async function openServer(address: string, given: Flags, env: CliEnvironment): Promise<Opened> {
  if (given.base !== undefined) throw new UsageError('a server knows its policy; leave --base out')
  const asking = readAsking(address, given, env)
  const inForce = await ask(asking, 'v1/policies', RulesInForce)
  const register = await openStream(asking, 'v1/registers/use-cases?format=ndjson')
  return { before: rulesOf(inForce), ...register }
}

const { digest, rules, lanes, overlays, conditions, requirements } = PolicyInForce.shape
const RulesInForce = z.object({ digest, rules, lanes, overlays, conditions, requirements })

function rulesOf({ digest, rules, ...files }: z.infer<typeof RulesInForce>): ReadRules {
  const { lanes, overlays, conditions, requirements } = files
  return {
    digest,
    rules: {
      ...{ riskTiers: { rules }, lanes: { lanes }, overlays: { overlays } },
      ...{ conditions: { conditions }, requirements: { requirements } },
    },
  }
}
