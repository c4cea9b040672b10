import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { CatalogView } from '../catalogs/catalog-view.js'
import { readCliEnvironment } from '../config.js'
import { exitCodes } from './exit-codes.js'
import { parseFlags, UsageError } from './flags.js'
import { plain } from './gate-report.js'
import { takeWord } from './policy/arguments.js'
import { ask, codeOf, readAsking, sentenceOf, serverFlags } from './policy/calling.js'

export const help = `usage: assent catalog import FILE --id ID --server URL [flags]

Adds a version of a catalog of controls to a server: an OSCAL catalog in JSON, or a table in CSV with the columns id and
title and, if you like, text, function, functionTitle, category, categoryTitle, parent, ties and risks. A version never
changes once it is there.

  --id ID              name of the catalog, the same in all its versions, as nist-ai-rmf
  --version VERSION    of OSCAL the one in the file if left out
  --title TITLE        of OSCAL the one in the file if left out
  --format FORMAT      oscal or csv; told by the file if left out
  --ids FIELD          of OSCAL: whether controls go by their id or by their label, as GOVERN 1.1
  --ties-to ID         of a table: the catalog that its column ties speaks of
  --source-url URL     where the file comes from
  --source-date DAY    when it was published, as 2024-07-26
  --server URL         or ASSENT_URL
  --token-file FILE    holds a token of an administrator of the whole organisation; or ASSENT_TOKEN holds it
  --timeout SECONDS    60
  --allow-plain-http   send the token over http:// to another machine

Exits with 0 imported, 2 wrong usage, or a file that is no catalog, 3 not signed in or not permitted, 5 unavailable, 6 an
answer that is none.`

/** The flags that are fields of the form, by their names there. */
const fields = {
  ...{ id: 'id', version: 'version', title: 'title', format: 'format', ids: 'ids' },
  ...{ 'ties-to': 'tiesTo', 'source-url': 'sourceUrl', 'source-date': 'sourceDate' },
} as const
const flags = {
  ...serverFlags,
  server: 'value',
  id: 'value',
  version: 'value',
  title: 'value',
  format: 'value',
  ids: 'value',
  'ties-to': 'value',
  'source-url': 'value',
  'source-date': 'value',
} as const

/** `assent catalog import`. */
export async function run(argv: string[]): Promise<number> {
  try {
    await importFile(argv)
    return exitCodes.allowed
  } catch (error) {
    console.error(`assent catalog import: ${sentenceOf(error)}`)
    return codeOf(error)
  }
}

async function importFile(argv: string[]): Promise<void> {
  const { word: file, flags: rest } = takeWord(argv, ['--allow-plain-http'])
  if (file === undefined) throw new UsageError('name the file that holds the catalog')
  const given = parseFlags(rest, flags)
  if (given.id === undefined) throw new UsageError('name the catalog: --id, as nist-ai-rmf')
  const env = readCliEnvironment()
  const asking = readAsking(given.server ?? env.url, given, env)
  const named = Object.entries(fields).flatMap(([flag, field]) => {
    const value = given[flag as keyof typeof fields]
    return value === undefined ? [] : [[field, value] as const]
  })
  const { body, type } = formOf(named, basename(file), readWhole(file))
  const { id, version, controls, title } = await ask(asking, 'v1/catalogs', CatalogView, {
    ...{ body, type, key: randomUUID() },
  })
  console.log(`Imported ${id} ${version}, ${plain(title)}: ${controls} controls.`)
}

function readWhole(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    throw new UsageError('the file cannot be read; name one that is there')
  }
}

/** A form (RFC 7578) of fields and then one file. */
function formOf(
  named: (readonly [field: string, value: string])[],
  fileName: string,
  file: Buffer,
): { body: Buffer; type: string } {
  const boundary = `assent-${randomBytes(16).toString('hex')}`
  const head = (words: string) => `--${boundary}\r\ncontent-disposition: form-data; ${words}\r\n\r\n`
  const parts = named.map(([field, value]) => `${head(`name="${field}"`)}${value}\r\n`)
  const safe = fileName.replace(/["\\\r\n]/g, '_')
  const body = Buffer.concat([
    Buffer.from(`${parts.join('')}${head(`name="file"; filename="${safe}"`)}`),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return { body, type: `multipart/form-data; boundary=${boundary}` }
}
