import { createReadStream } from 'node:fs'
import { exitCodes } from './exit-codes.js'
import { parseFlags, UsageError } from './flags.js'
import { plain } from './gate-report.js'
import { checkPackage } from './package/checking.js'
import type { Checked } from './package/finding.js'
import { takeWord } from './policy/arguments.js'
import { codeOf, sentenceOf } from './policy/calling.js'

export const help = `usage: assent package verify FILE [--format FORMAT]

Is an audit package whole and unaltered? Asks nobody: it reads FILE once, from its beginning to its end.

  --format FORMAT      text or json

It says all that it finds, each with a code:
  TRUNCATED            it was cut off
  SUM_MISMATCH         a file is not what it was; FILE_MISSING, FILE_UNKNOWN: one too few, one too many
  UNREADABLE           something in it is not what a package holds
  RECORDS_MISMATCH     a file has more or fewer records than the manifest says
  EVIDENCE_MISSING     a piece of evidence is listed, and its bytes are not there
  EVENT_NO_GAP         an event of a use case is missing
  LEAF_MISMATCH        an event does not say what its entry in the log says
  EVENT_MISSING        the log does not tell of a record; RECORD_MISMATCH: it says something else than the record
  VOTE_MISSING         a decision rests on a vote that is not there
  RECORD_MISSING       a record or the log names what is not there
  REQUIRED_MISSING     what a decision required was met or excepted, and what by is not there
  CERTIFICATE_MISSING  evidence was disposed of, and nothing certifies that
  CATALOG_MISSING      controls of a catalog that is not there
  POLICY_MISMATCH      the files of a policy are not those that its digest names

Exits with 0 in order, 2 wrong usage, 6 not in order.`

/** `assent package verify FILE`. */
export async function run(argv: string[]): Promise<number> {
  try {
    const { word: file, flags } = takeWord(argv, [])
    if (file === undefined) throw new UsageError('name the file that holds the package')
    const { format = 'text' } = parseFlags(flags, { format: 'value' } as const)
    if (format !== 'text' && format !== 'json') throw new UsageError('--format is text or json')
    const checked = await check(file)
    console.log(format === 'json' ? JSON.stringify(checked, null, 2) : textOf(file, checked))
    return checked.findings.length === 0 ? exitCodes.allowed : exitCodes.verification_failed
  } catch (error) {
    console.error(`assent package verify: ${sentenceOf(error)}`)
    return codeOf(error)
  }
}

async function check(file: string): Promise<Checked> {
  try {
    return await checkPackage(createReadStream(file))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new UsageError('the file cannot be read; name one that is there')
  }
}

function textOf(file: string, { manifest, findings, notes }: Checked): string {
  const lines = findings.map(({ code, where, message }) => plain(`${code} ${where}: ${message}`))
  if (findings.length > 0 || !manifest) return lines.join('\n')
  const { of, asOf, records, evidence } = manifest
  const rows = records.reduce((sum, file) => sum + file.rows, 0)
  const subject = of.useCase ?? 'the register'
  const said = `${file} is in order: ${subject} as of ${asOf}, ${rows} records, ${evidence.files} files of evidence`
  return [said, ...notes].map(plain).join('\n')
}
