import { RegistryError } from '../errors.js'
import { count, type Limits } from './limits.js'
import type { FileRecord } from './source.js'
import { isEmpty } from './wording.js'

/**
 * The records of a file as they come, each held to the limits before the next is read. Empty cells beyond the most
 * columns that a file may have are left out: they say nothing and cost memory.
 * @throws RegistryError `invalid` for more records, columns or text than the limits allow
 */
export async function* boundRecords(
  records: AsyncIterable<FileRecord>,
  limits: Limits,
): AsyncGenerator<FileRecord> {
  let [met, text] = [0, 0]
  for await (const record of records) {
    met += 1
    if (met > limits.records) {
      const most = count(limits.records)
      throw tooLarge(`the file has more than ${most} rows, blank ones included; delete the blank ones`)
    }
    const cells = keptCells(record.cells, limits)
    text += assertRow(record.number, cells, limits)
    if (text > limits.textLength) {
      const most = count(limits.textLength)
      throw tooLarge(`the cells of the file hold more than ${most} characters together; split it`)
    }
    yield { ...record, cells }
  }
}

function keptCells(cells: string[], limits: Limits): string[] {
  if (cells.length <= limits.columns) return cells
  const filled = cells.findLastIndex((cell) => !isEmpty(cell)) + 1
  if (filled > limits.columns) {
    const [is, most] = [count(filled), count(limits.columns)]
    throw tooLarge(`the file has ${is} columns, and ${most} is the most; leave some out`)
  }
  return cells.slice(0, limits.columns)
}

function assertRow(number: number, cells: string[], limits: Limits): number {
  const length = cells.reduce((sum, cell) => sum + cell.length, 0)
  if (length <= limits.rowLength) return length
  const most = count(limits.rowLength)
  throw tooLarge(`the cells of row ${count(number)} hold more than ${most} characters together; shorten them`)
}

function tooLarge(message: string): RegistryError {
  return new RegistryError('invalid', message)
}
