import { RegistryError } from '../errors.js'
import { detectEncoding, textOf } from './bytes.js'
import { count, type Limits } from './limits.js'
import type { FileRecord, OpenOptions, Source } from './source.js'
import { isEmpty } from './wording.js'

type Fields = Map<string, string>

/**
 * Opens a file with one JSON object a line. Columns are the names that occur anywhere in it, in the order of their
 * first occurrence; a nested object gives one column for each of its members, as `answers.personal_data`.
 */
export async function openNdjson(path: string, options: OpenOptions): Promise<Source> {
  if ((options.encoding ?? (await detectEncoding(path))) !== 'utf-8') {
    throw new RegistryError('invalid', 'the file is not UTF-8, as NDJSON must be; export it again as UTF-8')
  }
  const columns = await columnsOf(path, options.limits)
  return {
    format: 'ndjson',
    encoding: 'utf-8',
    sheet: null,
    headed: true,
    fixedWidth: true,
    records: () => readRecords(path, columns, options.limits),
  }
}

async function columnsOf(path: string, limits: Limits): Promise<string[]> {
  const names = new Set<string>()
  for await (const line of linesOf(path, limits)) {
    for (const name of parseLine(line)?.keys() ?? []) names.add(name)
    if (names.size > limits.columns) break
  }
  return [...names]
}

async function* readRecords(path: string, columns: string[], limits: Limits): AsyncGenerator<FileRecord> {
  yield { number: 0, cells: columns }
  let number = 0
  for await (const line of linesOf(path, limits)) {
    number += 1
    const fields = isEmpty(line) ? new Map() : parseLine(line)
    const cells = columns.map((name) => fields?.get(name) ?? '')
    if (fields) yield { number, cells }
    else
      yield {
        number,
        cells: [...cells, line],
        problem: `line ${count(number)} is not a JSON object; correct it`,
      }
  }
}

async function* linesOf(path: string, limits: Limits): AsyncGenerator<string> {
  let rest = ''
  let number = 1
  for await (const chunk of textOf(path, 'utf-8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield within(line, number++, limits)
    within(rest, number, limits)
  }
  if (rest !== '') yield rest
}

function within(line: string, number: number, limits: Limits): string {
  if (line.length <= limits.recordBytes) return line
  const most = count(limits.recordBytes)
  throw new RegistryError(
    'invalid',
    `line ${count(number)} is longer than ${most} bytes; put one object on a line`,
  )
}

function parseLine(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return new Map(Object.entries(value).flatMap(([name, member]) => flatten(name, member)))
  } catch {
    return undefined
  }
}

function flatten(name: string, value: unknown): [name: string, cell: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, cellOf(value)]]
  return Object.entries(value).map(([member, inner]) => [`${name}.${member}`, cellOf(inner)])
}

/** Lists and whatever is nested deeper stay JSON. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
