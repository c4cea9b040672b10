import { join } from 'node:path'
import { readCliEnvironment } from '../config.js'
import { exitCodes } from './exit-codes.js'
import { parseFlags } from './flags.js'
import { plain } from './gate-report.js'
import { annotate } from './policy/annotations.js'
import { readFormat, takeWord } from './policy/arguments.js'
import { checkPolicies, type Problem, shownFolder } from './policy/checking.js'

export const help = `usage: assent policy check [DIR] [flags]

Would the service start with this policy? Reads the folder as it does, and asks no server.

  DIR               the policy folder; or ASSENT_POLICIES_DIR, or the one that is shipped
  --format FORMAT   text, json or github (annotations)

Prints the digest of the policy, by which tiers, decisions and answers of the gate name it;
or every problem, a line each, as file:line:column: sentence.

Exits with 0 fine, 1 it cannot come into force, 2 wrong usage.`

const formats = ['text', 'json', 'github'] as const

interface Checked {
  dir: string
  digest: string | null
  problems: Problem[]
}

/** `assent policy check`. */
export async function run(argv: string[]): Promise<number> {
  const { word, flags } = takeWord(argv)
  const format = readFormat(parseFlags(flags, { format: 'value' }).format, formats)
  const dir = word ?? shownFolder(readCliEnvironment().policiesDir)
  const found = checkPolicies(dir)
  const checked: Checked =
    'problems' in found
      ? { dir, digest: null, problems: found.problems }
      : { dir, digest: found.policies.digest, problems: [] }
  console.log(reports[format](checked))
  const { length } = checked.problems
  if (length === 0) return exitCodes.allowed
  if (format === 'text')
    console.error(`assent policy check: ${length} ${length === 1 ? 'problem' : 'problems'}`)
  return FOUND
}

/** What was looked for was found, and a pipeline goes no further. */
const FOUND = 1

const reports: Record<(typeof formats)[number], (checked: Checked) => string> = {
  json: (checked) => JSON.stringify(checked),
  text: ({ dir, digest, problems }) =>
    digest === null ? problems.map(lineOf).join('\n') : `${digest}  ${plain(dir)}`,
  github: ({ dir, digest, problems }) =>
    digest === null
      ? problems.map((at) => annotate({ level: 'error', title, message: at.sentence, at })).join('\n')
      : annotate({ level: 'notice', title, message: `${join(dir)} is fine: ${digest}` }),
}
const title = 'Assent policy'

function lineOf({ file, line, column, sentence }: Problem): string {
  return plain(`${file}:${line}:${column}: ${sentence}`)
}
