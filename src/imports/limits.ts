/** What a file may hold at most. A file above a limit is refused whole, with a sentence, before it costs memory. */
export interface Limits {
  fileBytes: number
  /** Rows under the header that hold anything. */
  rows: number
  /** Rows of any kind, blank ones included; a sheet of a workbook has no more than this. */
  records: number
  columns: number
  /** UTF-16 code units in one cell. */
  cellLength: number
  /** UTF-16 code units in all cells of a row; a workbook may name one long text in each of them. */
  rowLength: number
  /** UTF-16 code units in all cells of the file. */
  textLength: number
  /** Bytes in one record of a CSV file or one line of NDJSON; bounds what a quote that never closes can swallow. */
  recordBytes: number
  workbookEntries: number
  /** Bytes of all parts of a workbook after inflation. */
  workbookBytes: number
  /** How many times larger than in the archive one part of a workbook may be, once it exceeds 64 KiB. */
  workbookRatio: number
  /** Bytes of memory in which a workbook is parsed. */
  workbookHeap: number
  /** Milliseconds from one batch of its rows to the next. */
  workbookMs: number
}

export const LIMITS: Limits = {
  fileBytes: 100 * 2 ** 20,
  rows: 200_000,
  records: 1_048_576,
  columns: 500,
  cellLength: 100_000,
  rowLength: 2 ** 20,
  textLength: 256 * 2 ** 20,
  recordBytes: 5_000_000,
  workbookEntries: 2_000,
  workbookBytes: 200 * 2 ** 20,
  workbookRatio: 200,
  workbookHeap: 256 * 2 ** 20,
  workbookMs: 60_000,
}

/** A number as sentences show it: `200,000`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** Bytes as sentences show them, in whole megabytes rounded up. */
export function megabytes(bytes: number): string {
  return `${count(Math.ceil(bytes / 2 ** 20))} MB`
}
