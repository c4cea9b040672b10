import type { Limits } from './limits.js'
import type { FileRecord } from './source.js'

/** What a thread is started for: to choose the sheet, or to read the records of one. */
export type Task = { path: string; limits: Limits } & (
  | { kind: 'choose'; wanted: string | undefined }
  | { kind: 'read'; sheet: string }
)

/** What a thread says. After each message it waits for an answer, so that it is never far ahead of its reader. */
export type WorkbookMessage =
  | { kind: 'chosen'; sheet: string }
  | { kind: 'records'; records: FileRecord[] }
  | { kind: 'done' }
  | { kind: 'refused'; message: string }

export const unreadable = 'the workbook cannot be read; save it again as .xlsx, or as CSV'
