import type { Limits } from './limits.js'

export type Format = 'csv' | 'xlsx' | 'ndjson'
export type Encoding = 'utf-8' | 'windows-1252'

/** One record as it stands in the file, header and blank ones included. */
export interface FileRecord {
  /** As a person counts: the row of the sheet, the record of a CSV file, the line of NDJSON; from 1. */
  number: number
  cells: string[]
  /** Why the record could not be read. Its text, as far as there is one, is the last cell. */
  problem?: string
}

/** A file opened for reading, whatever its format. */
export interface Source {
  format: Format
  encoding: Encoding | null
  /** Name of the sheet that is read. */
  sheet: string | null
  /** The header is the first record, not one that has to be found. */
  headed: boolean
  /** A record shorter than the header has lost cells. Workbooks leave empty cells out, so there it has not. */
  fixedWidth: boolean
  /** Reads from the start, each time it is called. */
  records(): AsyncGenerator<FileRecord>
}

/** How to open a file. What is left out is found out from its bytes. */
export interface OpenOptions {
  encoding?: Encoding
  /** Name of the sheet; left out, the first visible one that holds anything. */
  sheet?: string
  limits: Limits
}
