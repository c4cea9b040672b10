import { detectFormat } from './bytes.js'
import { openCsv } from './csv.js'
import { LIMITS, type Limits } from './limits.js'
import { openNdjson } from './ndjson.js'
import type { Encoding, Format, OpenOptions, Source } from './source.js'
import { type Table, tabulate } from './table.js'
import { openWorkbook } from './workbook.js'

/** What is known of a file beforehand, from a mapping profile or a person. */
export interface ReadOptions {
  encoding?: Encoding
  /** Row number of the header, from 1. */
  headerRow?: number
  /** Name of the sheet of a workbook. */
  sheet?: string
  limits?: Partial<Limits>
}

const openers: Record<Format, (path: string, options: OpenOptions) => Promise<Source>> = {
  csv: openCsv,
  xlsx: openWorkbook,
  ndjson: openNdjson,
}

/**
 * Opens a register on disk: CSV (UTF-8 or windows-1252; comma, semicolon or tab), XLSX or NDJSON, told apart by
 * their bytes, not by the name. Rows are read one at a time, so memory does not grow with a CSV or NDJSON file.
 * @throws RegistryError `invalid`, with one sentence, for a file that cannot be read or exceeds a limit
 */
export async function openTable(path: string, options: ReadOptions = {}): Promise<Table> {
  const limits = { ...LIMITS, ...options.limits }
  const format = await detectFormat(path, limits)
  const source = await openers[format](path, { encoding: options.encoding, sheet: options.sheet, limits })
  return await tabulate(source, options.headerRow, limits)
}
