/** An option's letter or number, as forms print it: `a) No`, `(b) Yes`, also doubled as `a) a) No`. */
const optionLetter = /^(?:\s*\(?[a-z0-9]\))+/i

/**
 * Letters and digits in lower case with single blanks between words. Headers and options are compared in this
 * form, so line feeds, doubled blanks, quotes, dashes and misread punctuation make no difference.
 */
export function fold(value: string): string {
  return value
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/** `fold` for one option of a closed list: its letter is left out. */
export function foldOption(value: string): string {
  return fold(value.replace(optionLetter, ''))
}

/** Text as a fact keeps it: line feeds only, plain blanks, no blanks around it. Nothing else changes. */
export function tidy(value: string): string {
  return value
    .replace(/\r\n?/g, '\n')
    .replace(/\u00a0/g, ' ')
    .trim()
}

/** Tidied text on one line: titles, names and headers. */
export function oneLine(value: string): string {
  return value.replace(/\s+/g, ' ').trim()
}

/** Text for a message: on one line, in quotes, cut short. */
export function quote(value: string): string {
  const line = oneLine(value)
  return `“${line.length > 80 ? `${line.slice(0, 79)}…` : line}”`
}

/** Nothing that a person could read: empty, blanks of any kind, or invisible characters. */
export function isEmpty(value: string): boolean {
  return /^[\s\u200b-\u200d\u2060\ufeff]*$/.test(value)
}
