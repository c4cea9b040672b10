import type { z } from 'zod'
import type { Issue } from './errors.js'

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  never: 'left out',
}

const forms: Record<string, string> = {
  uuid: 'an id such as 019e4b2c-7f00-7a31-9c58-3d2f6a1b0c4e',
  datetime: 'an instant in UTC such as 2026-11-21T09:30:00.000Z',
  date: 'a day such as 2026-11-21',
  url: 'an address such as https://example.org/records/7',
  email: 'a mail address such as ana@example.org',
}

const noForm = 'has none of the forms that are allowed here; see its description'

/** What to do about an issue, in words that follow the name of the field; words of a schema's own take precedence. */
export function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing; add it'
        : `must be ${kinds[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `${issue.input === undefined ? 'is missing; it must be' : 'must be'} ${choice(issue.values)}`
    case 'too_small':
      return explainBound(issue, issue.minimum, 'at least', 'more than')
    case 'too_big':
      return explainBound(issue, issue.maximum, 'at most', 'less than')
    case 'invalid_format':
      return `must be ${forms[issue.format] ?? `of the form ${issue.pattern ?? issue.format}`}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'unrecognized_keys':
      return 'is not a field here; correct its name or remove it'
    case 'invalid_key':
      return `is not a name for it here: it ${issue.issues[0]?.message}`
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? `must be ${choice(issue.options)}` : noForm
    default:
      return undefined
  }
}

function choice(values: readonly unknown[]): string {
  const words = values.map(String)
  return words.length === 1 ? words.join() : `one of ${words.join(', ')}`
}

const units: Record<string, [one: string, several: string]> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
}

function explainBound(
  { origin, exact, inclusive }: { origin: string; exact?: boolean; inclusive?: boolean },
  bound: number | bigint,
  within: string,
  beyond: string,
): string {
  const [one, several] = units[origin] ?? []
  const limit = `${exact ? 'exactly' : inclusive ? within : beyond} ${bound}`
  return one ? `must have ${limit} ${bound === 1 ? one : several}` : `must be ${limit}`
}

/** Zod's issues with a JSON pointer each. Of a union, the branch that came closest speaks. */
export function issuesOf(error: { issues: z.core.$ZodIssue[] }, base: PropertyKey[] = []): Issue[] {
  return error.issues.flatMap((issue) => {
    const path = [...base, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: pointer([...path, key]), message: issue.message }))
    }
    const closest = issue.code === 'invalid_union' ? closestBranch(issue) : undefined
    return closest ? issuesOf({ issues: closest }, path) : [{ path: pointer(path), message: issue.message }]
  })
}

/** One that the value got into, before one of another type; a list comes last. None when the union has its own words. */
function closestBranch({ errors, message }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | undefined {
  const [closest] = errors.toSorted((a, b) => distance(a) - distance(b) || a.length - b.length)
  return closest && (distance(closest) === 0 || message === noForm) ? closest : undefined
}

function distance([first]: z.core.$ZodIssue[]): number {
  if (first?.code !== 'invalid_type' || first.path.length > 0) return 0
  return first.expected === 'array' ? 2 : 1
}

/** RFC 6901. */
export function pointer(path: PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
