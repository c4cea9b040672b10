import { readFile } from 'node:fs/promises'
import { type CellValue, readXlsx, streamXlsxRows } from 'hucre/xlsx'
import { RegistryError } from '../errors.js'
import { assertHarmless } from './archive.js'
import type { FileRecord, OpenOptions, Source } from './source.js'
import { isEmpty, quote } from './wording.js'

interface Sheet {
  name: string
  isVisible: boolean
}

/** Opens an .xlsx workbook: the sheet that was named, or the first visible one that holds anything. */
export async function openWorkbook(path: string, options: OpenOptions): Promise<Source> {
  const archive = await readFile(path)
  assertHarmless(archive, options.limits)
  const sheet = await chooseSheet(archive, options.sheet)
  return {
    format: 'xlsx',
    encoding: null,
    sheet,
    headed: false,
    fixedWidth: false,
    records: () => readRecords(archive, sheet),
  }
}

async function chooseSheet(archive: Buffer, wanted: string | undefined): Promise<string> {
  const sheets = await listSheets(archive)
  if (wanted !== undefined) {
    if (sheets.some(({ name }) => name === wanted)) return wanted
    const names = sheets.map(({ name }) => quote(name)).join(', ')
    throw new RegistryError('invalid', `the workbook has no sheet ${quote(wanted)}; choose one of ${names}`)
  }
  for (const { name, isVisible } of sheets) {
    if (isVisible && (await holdsAnything(archive, name))) return name
  }
  throw new RegistryError(
    'invalid',
    'no visible sheet of the workbook holds anything; choose the file with the register',
  )
}

/** Drop-down lists stand on hidden sheets, so what is hidden is never data. */
async function listSheets(archive: Buffer): Promise<Sheet[]> {
  const sheets: Sheet[] = []
  await readable(() =>
    readXlsx(archive, {
      sheets: ({ name, hidden, veryHidden }) => {
        sheets.push({ name, isVisible: !hidden && !veryHidden })
        return false
      },
    }),
  )
  return sheets
}

async function holdsAnything(archive: Buffer, sheet: string): Promise<boolean> {
  for await (const { cells } of readRecords(archive, sheet)) {
    if (!cells.every(isEmpty)) return true
  }
  return false
}

async function* readRecords(archive: Buffer, sheet: string): AsyncGenerator<FileRecord> {
  const rows = streamXlsxRows(archive, { sheet })
  try {
    for (;;) {
      const next = await readable(() => rows.next())
      if (next.done) return
      yield { number: next.value.index + 1, cells: next.value.values.map(cellOf) }
    }
  } finally {
    await rows.return()
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

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new RegistryError('invalid', 'the workbook cannot be read; save it again as .xlsx, or as CSV', {
      cause,
    })
  }
}
