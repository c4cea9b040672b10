import { z } from 'zod'

/** An instant as RFC 3339 UTC with milliseconds, such as `2026-11-21T09:30:00.000Z`; text order is time order. */
export type Instant = string

export function toInstant(date: Date): Instant {
  return date.toISOString()
}

const END_OF_TIME = Date.UTC(10_000, 0)

/** An instant that somebody gives, in any offset. Years beyond four digits have no text form that sorts by time. */
export const givenInstant = z.iso
  .datetime({
    offset: true,
    error: ({ input }) =>
      input === undefined ? 'is missing; add it' : 'must be an RFC 3339 time such as 2026-11-21T00:00:00Z',
  })
  .max(40)
  .refine((value) => isWithin(Date.parse(value)), 'must lie between the years 1970 and 9999, in UTC')
  .transform((value): Instant => toInstant(new Date(value)))

function isWithin(ms: number): boolean {
  return ms >= 0 && ms < END_OF_TIME
}

/** PostgreSQL's text form of a timestamptz(3) in UTC, `2026-11-21 09:30:00.12+00`, as an instant. */
export function fromPostgres(value: string): Instant {
  const [day, rest = ''] = value.split(' ')
  const [time = '', fraction = ''] = rest.replace(/\+00$/, '').split('.')
  return `${day}T${time}.${fraction.padEnd(3, '0')}Z`
}

export function addSeconds(instant: Instant, seconds: number): Instant {
  return toInstant(new Date(Date.parse(instant) + seconds * 1000))
}

/** Days of 24 hours: an approval's length must not depend on a clock change. */
export function addDays(instant: Instant, days: number): Instant {
  return addSeconds(instant, days * 86_400)
}

/** The later of two instants. */
export function latest(a: Instant, b: Instant | null): Instant {
  return b !== null && b > a ? b : a
}

export function day(instant: Instant): string {
  return instant.slice(0, 10)
}
