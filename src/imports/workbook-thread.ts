// The thread in which a workbook is unpacked and parsed; workbook.ts starts it and says what it may cost.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type CellValue, readXlsx, streamXlsxRows } from 'hucre/xlsx'
import { RegistryError } from '../errors.js'
import type { Limits } from './limits.js'
import { boundRecords } from './records.js'
import type { FileRecord } from './source.js'
import { isEmpty, quote } from './wording.js'
import { type Task, unreadable, type WorkbookMessage } from './workbook-messages.js'

/** Records in one message, and UTF-16 code units of their cells. */
const BATCH = 500
const BATCH_TEXT = 500_000

interface Sheet {
  name: string
  isVisible: boolean
}

const task: Task = workerData
try {
  const archive = await readFile(task.path)
  if (task.kind === 'choose') await say({ kind: 'chosen', sheet: await chooseSheet(archive, task.wanted) })
  else await sendRecords(boundRecords(readRecords(archive, task.sheet), task.limits))
  await say({ kind: 'done' })
} catch (error) {
  await say({ kind: 'refused', message: error instanceof RegistryError ? error.message : unreadable })
}

async function say(message: WorkbookMessage): Promise<void> {
  if (!parentPort) throw new Error('this file runs in a thread of its own')
  const answered = once(parentPort, 'message')
  parentPort.postMessage(message)
  await answered
}

async function sendRecords(all: AsyncIterable<FileRecord>): Promise<void> {
  let records: FileRecord[] = []
  let text = 0
  for await (const record of all) {
    records.push(record)
    text += record.cells.reduce((sum, cell) => sum + cell.length, 0)
    if (records.length < BATCH && text < BATCH_TEXT) continue
    await say({ kind: 'records', records })
    records = []
    text = 0
  }
  if (records.length > 0) await say({ kind: 'records', records })
}

async function chooseSheet(archive: Buffer, wanted: string | undefined): Promise<string> {
  const sheets = await listSheets(archive)
  if (wanted !== undefined) {
    if (sheets.some(({ name }) => name === wanted)) return wanted
    const names = sheets.map(({ name }) => quote(name)).join(', ')
    throw new RegistryError('invalid', `the workbook has no sheet ${quote(wanted)}; choose one of ${names}`)
  }
  for (const { name, isVisible } of sheets) {
    if (isVisible && (await holdsAnything(archive, name, task.limits))) return name
  }
  throw new RegistryError(
    'invalid',
    'no visible sheet of the workbook holds anything; choose the file with the register',
  )
}

/** Drop-down lists stand on hidden sheets, so what is hidden is never data. */
async function listSheets(archive: Buffer): Promise<Sheet[]> {
  const sheets: Sheet[] = []
  await readXlsx(archive, {
    sheets: ({ name, hidden, veryHidden }) => {
      sheets.push({ name, isVisible: !hidden && !veryHidden })
      return false
    },
  })
  return sheets
}

async function holdsAnything(archive: Buffer, sheet: string, limits: Limits): Promise<boolean> {
  for await (const { cells } of boundRecords(readRecords(archive, sheet), limits)) {
    if (!cells.every(isEmpty)) return true
  }
  return false
}

/** Rows are known by their numbers, so each must have one, and they rise. */
async function* readRecords(archive: Buffer, sheet: string): AsyncGenerator<FileRecord> {
  let last = 0
  for await (const { index, values } of streamXlsxRows(archive, { sheet })) {
    const number = index + 1
    if (!Number.isSafeInteger(number) || number <= last) throw new RegistryError('invalid', unreadable)
    last = number
    yield { number, cells: values.map(cellOf) }
  }
}

/** Formulas give their stored result. A date gives what it holds; how it was shown is not known here. */
function cellOf(value: CellValue): string {
  if (value === null || value === undefined) return ''
  if (!(value instanceof Date)) return String(value)
  if (Number.isNaN(value.getTime())) return ''
  const instant = value.toISOString()
  return instant.endsWith('T00:00:00.000Z') ? instant.slice(0, 10) : instant.slice(0, 19)
}
