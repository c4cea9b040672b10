import { isEmpty } from './wording.js'

/** A mark that begins an element of a list written in lines: `- a`, `• b`. Never a formula: nothing is evaluated. */
const bullet = /^\s*[-–•*]\s+/

/**
 * The elements of a cell: a JSON list, a list as Python prints it (`['b) Sex', 'c) Age']`), or text with separators.
 * A separator that is a line feed also takes off bullets.
 */
export function readList(cell: string, separators: string[]): string[] {
  const elements = readJsonList(cell) ?? readPrintedList(cell) ?? split(cell, separators)
  return elements.map((element) => element.trim()).filter((element) => !isEmpty(element))
}

function readJsonList(cell: string): string[] | undefined {
  if (!cell.trimStart().startsWith('[')) return undefined
  try {
    const list: unknown = JSON.parse(cell)
    return Array.isArray(list)
      ? list.map((element) => (typeof element === 'string' ? element : JSON.stringify(element)))
      : undefined
  } catch {
    return undefined
  }
}

function readPrintedList(cell: string): string[] | undefined {
  if (!/^\s*\[\s*['"].*['"]\s*\]\s*$/s.test(cell)) return undefined
  const elements = cell.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gs)
  return [...elements].map(([, single, double]) => (single ?? double ?? '').replace(/\\(.)/gs, '$1'))
}

function split(cell: string, separators: string[]): string[] {
  const parts = separators.reduce((all, separator) => all.flatMap((part) => part.split(separator)), [cell])
  return separators.includes('\n') ? parts.map((part) => part.replace(bullet, '')) : parts
}
