import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, type Options, parse } from 'csv-parse'
import { RegistryError } from '../errors.js'
import { detectEncoding, textOf } from './bytes.js'
import { count, type Limits } from './limits.js'
import type { Encoding, FileRecord, OpenOptions, Source } from './source.js'

const delimiters = [',', ';', '\t'] as const
type Delimiter = (typeof delimiters)[number]

/** Opens a file of comma, semicolon or tab separated values (RFC 4180, read leniently). */
export async function openCsv(path: string, options: OpenOptions): Promise<Source> {
  const encoding = options.encoding ?? (await detectEncoding(path))
  const delimiter = await detectDelimiter(path, encoding)
  return {
    format: 'csv',
    encoding,
    sheet: null,
    headed: false,
    fixedWidth: true,
    records: () => readRecords(path, encoding, delimiter, options.limits),
  }
}

async function* readRecords(
  path: string,
  encoding: Encoding,
  delimiter: Delimiter,
  limits: Limits,
): AsyncGenerator<FileRecord> {
  const parser = parse(parserOptions(delimiter, limits))
  // What goes wrong in the pipeline destroys the parser, whose loop below then throws it.
  pipeline(Readable.from(textOf(path, encoding)), parser).catch(() => {})
  let number = 0
  try {
    for await (const cells of parser) yield { number: ++number, cells }
  } catch (error) {
    throw refusal(error, limits)
  }
}

function parserOptions(delimiter: Delimiter, limits: Limits): Options {
  return {
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: false,
    max_record_size: limits.recordBytes,
  }
}

/** The parser may be ahead of its reader, so it says itself where it stopped. */
function refusal(error: unknown, limits: Limits): unknown {
  if (!(error instanceof CsvError)) return error
  const where = `row ${count(Number(error.records) + 1)}`
  const message =
    error.code === 'CSV_MAX_RECORD_SIZE'
      ? `${where} is longer than ${count(limits.recordBytes)} bytes; look for a quote that is never closed`
      : `${where} opens a quote that is never closed; close it and import the file again`
  return new RegistryError('invalid', message, { cause: error })
}

/** The separator that stands most often in the first record, outside quotes. */
async function detectDelimiter(path: string, encoding: Encoding): Promise<Delimiter> {
  for await (const chunk of textOf(path, encoding)) {
    const record = firstRecord(chunk.trimStart())
    const uses = (delimiter: Delimiter) => record.split(delimiter).length
    return delimiters.reduce((best, next) => (uses(next) > uses(best) ? next : best))
  }
  return ','
}

/** The first record with what its quotes hold left out. */
function firstRecord(text: string): string {
  const unquoted = text.replace(/"[^"]*("|$)/g, '')
  return unquoted.split(/[\r\n]/, 1)[0] ?? ''
}
