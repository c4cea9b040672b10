/**
 * A cell that a spreadsheet would take for a formula. `db/cells.ts` says the same in SQL; the import of Assent's
 * own columns takes the apostrophe off again.
 */
const runnable = /^'*[\t\n\r+=@＋－＝＠-]/

/** One line of CSV (RFC 4180), with cells defused. Null is empty, all else is quoted, as COPY has it. */
export function csvLine(cells: readonly (string | null)[]): string {
  return `${cells.map((cell) => (cell === null ? '' : quoted(defused(cell)))).join(',')}\n`
}

function defused(cell: string): string {
  return runnable.test(cell) ? `'${cell}` : cell
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`
}
