import { quote } from './wording.js'

/** The source's date, as it came and as far as it is precise. */
export interface ImportedDate {
  raw: string
  precision: 'year' | 'quarter' | 'month' | 'day'
  /** `2024`, `2024-07` or `2024-07-31` (ISO 8601), `2024-Q3`; a fiscal year is `FY2024` or `FY2024-Q3`. */
  value: string
}

export interface DateForm {
  order: 'mdy' | 'dmy'
  asks: 'month' | 'day'
}

/** Years in which a use of AI can have begun or ended. */
const FIRST_YEAR = 1950
const LAST_YEAR = 2100
/** Characters of the longest date there is; patterns would go through longer text again and again. */
const LONGEST = 60

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const monthWord = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?'
const time = '(?:[t ]\\d{1,2}:\\d{2}(?::\\d{2}(?:\\.\\d+)?)?z?)?'

type Groups = Record<string, string | undefined>
type Form = {
  pattern: RegExp
  read: (groups: Groups, form: DateForm) => Omit<ImportedDate, 'raw'> | undefined
}

const forms: Form[] = [
  { pattern: new RegExp(`^(?<y>\\d{4})-(?<m>\\d{1,2})-(?<d>\\d{1,2})${time}$`, 'i'), read: readDay },
  { pattern: new RegExp(`^(?<a>\\d{1,2})/(?<b>\\d{1,2})/(?<y>\\d{4})${time}$`, 'i'), read: readSlashed },
  { pattern: /^(?<y>\d{4})[-/](?<m>\d{1,2})$/, read: readMonth },
  { pattern: /^(?<m>\d{1,2})[-/](?<y>\d{4})$/, read: readMonth },
  { pattern: new RegExp(`^(?<word>${monthWord})[-\\s,]+(?<y>\\d{4})$`, 'i'), read: readMonth },
  { pattern: /^q(?<q>[1-4])[-\s]*(?<fiscal>fy)?\s*(?<y>\d{4}|\d{2})$/i, read: readQuarter },
  { pattern: /^(?<fiscal>fy)?\s*(?<y>\d{4}|\d{2})[-\s]*q(?<q>[1-4])$/i, read: readQuarter },
  { pattern: /^(?<fiscal>fy)\s*(?<y>\d{4}|\d{2})$/i, read: readYear },
  { pattern: /^(?<y>\d{4})$/, read: readYear },
]

/**
 * Reads a date without guessing: no day, no century, no order that the form does not state.
 * @returns the date, or a sentence that says why a person has to look
 */
export function readDate(raw: string, form: DateForm): ImportedDate | string {
  const text = raw.trim()
  if (text.length > LONGEST) return undatable(text)
  for (const { pattern, read } of forms) {
    const groups = pattern.exec(text)?.groups
    const date = groups && read(groups, form)
    if (date) return { raw, ...date }
  }
  return doubtOf(text, form)
}

function readDay({ y, m, d }: Groups, { asks }: DateForm): Omit<ImportedDate, 'raw'> | undefined {
  const [year, month, day] = [Number(y), Number(m), Number(d)]
  const date = new Date(Date.UTC(year, month - 1, day))
  if (!isPlausible(year) || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const value = date.toISOString().slice(0, 10)
  if (asks === 'month' && day === 1) return { precision: 'month', value: value.slice(0, 7) }
  return { precision: 'day', value }
}

function readSlashed({ a, b, y }: Groups, form: DateForm): Omit<ImportedDate, 'raw'> | undefined {
  return readDay(form.order === 'mdy' ? { y, m: a, d: b } : { y, m: b, d: a }, form)
}

function readMonth({ y, m, word }: Groups): Omit<ImportedDate, 'raw'> | undefined {
  const month = word ? months.indexOf(word.slice(0, 3).toLowerCase()) + 1 : Number(m)
  if (!isPlausible(Number(y)) || month < 1 || month > 12) return undefined
  return { precision: 'month', value: `${y}-${String(month).padStart(2, '0')}` }
}

function readQuarter({ y, q, fiscal }: Groups): Omit<ImportedDate, 'raw'> | undefined {
  const year = yearOf(y, fiscal)
  return year ? { precision: 'quarter', value: `${year}-Q${q}` } : undefined
}

function readYear({ y, fiscal }: Groups): Omit<ImportedDate, 'raw'> | undefined {
  const year = yearOf(y, fiscal)
  return year ? { precision: 'year', value: year } : undefined
}

/** Only a fiscal year is written with two digits and still cannot be taken for anything else. */
function yearOf(digits = '', fiscal?: string): string | undefined {
  const year = digits.length === 2 && fiscal ? `20${digits}` : digits
  if (year.length !== 4 || !isPlausible(Number(year))) return undefined
  return fiscal ? `FY${year}` : year
}

function isPlausible(year: number): boolean {
  return year >= FIRST_YEAR && year <= LAST_YEAR
}

/** Spreadsheets turn `Jul 2024` into `24-Jul`, and a bare year into a day of 1905: both are named, neither is undone. */
function doubtOf(text: string, { order }: DateForm): string {
  if (new RegExp(`^(\\d{1,2}-${monthWord}|${monthWord}-\\d{1,2})$`, 'i').test(text)) {
    return `${quote(text)} may be a month of a year or a day of a month; write it as YYYY-MM`
  }
  const year = yearInDisguise(text, order)
  if (year) return `${quote(text)} may be the year ${year} that a spreadsheet took for a date; write the year`
  return undatable(text)
}

function undatable(text: string): string {
  return `${quote(text)} is no date that can be read for certain; write it as YYYY, YYYY-MM or YYYY-MM-DD`
}

function yearInDisguise(text: string, order: DateForm['order']): number | undefined {
  const [, a, b, y] = /^(\d{1,2})\/(\d{1,2})\/(19\d{2})$/.exec(text) ?? []
  if (!a || !b || !y) return undefined
  const [month, day] = order === 'mdy' ? [a, b] : [b, a]
  const serial = (Date.UTC(Number(y), Number(month) - 1, Number(day)) - Date.UTC(1899, 11, 30)) / 86_400_000
  return isPlausible(serial) ? serial : undefined
}
