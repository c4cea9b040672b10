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

/** Character by character, in one pass: a pattern would begin anew at each quote that is never closed. */
function readPrintedList(cell: string): string[] | undefined {
  const text = cell.trim()
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined
  const inner = text.slice(1, -1).trim()
  if (inner.length < 2 || !isQuote(inner.charAt(0)) || !isQuote(inner.charAt(inner.length - 1)))
    return undefined
  const elements: string[] = []
  for (let at = 0; at < inner.length; ) {
    const { element, end } = isQuote(inner.charAt(at))
      ? readQuoted(inner, at)
      : { element: undefined, end: at + 1 }
    if (element !== undefined) elements.push(element)
    at = end
  }
  return elements
}

/** The text between the quote at `start` and the next of its kind; a backslash takes its meaning from what follows. */
function readQuoted(text: string, start: number): { element: string | undefined; end: number } {
  const quote = text.charAt(start)
  const pieces: string[] = []
  let from = start + 1
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === quote) return { element: pieces.join('') + text.slice(from, at), end: at + 1 }
    if (character !== '\\') continue
    pieces.push(text.slice(from, at))
    at += 1
    from = at
  }
  return { element: undefined, end: text.length }
}

function isQuote(character: string): boolean {
  return character === "'" || character === '"'
}

function split(cell: string, separators: string[]): string[] {
  const parts = separators.reduce((all, separator) => all.flatMap((part) => part.split(separator)), [cell])
  return separators.includes('\n') ? parts.map((part) => part.replace(bullet, '')) : parts
}
