import { z } from 'zod'
import { addDays, type Instant } from './instant.js'

/** A day of the calendar as `2026-11-21`, in UTC. */
export const Day = z.iso
  .date({
    error: ({ input }) => (input === undefined ? 'is missing; add it' : 'must be a day such as 2026-11-21'),
  })
  .refine((value) => value >= '1970' && value < '9999', 'must lie between the years 1970 and 9998')

/** The fields of a query about a period of whole days; beside them it needs the check of `withinDays`. */
export const bounds = {
  from: Day.describe('The first day, in UTC'),
  to: Day.describe('The last day, in UTC; it is part of the period'),
}

/** A check for `superRefine`: a period that does not end before it begins, and has at most so many days. */
export function withinDays(most: number) {
  return ({ from, to }: { from: string; to: string }, context: z.RefinementCtx): void => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['to'], message })
    if (to < from) refuse('must not lie before `from`')
    if (daysBetween(from, to) >= most) {
      refuse(`must lie within ${most} days of \`from\`; ask for a shorter period`)
    }
  }
}

/** Every instant of a period: `since` is the first, `before` the first that is no longer in it. */
export interface Span {
  since: Instant
  before: Instant
}

export function spanOf({ from, to }: { from: string; to: string }): Span {
  return { since: startOf(from), before: endOf(to) }
}

/** The first instant after a day. */
export const endOf = (day: string): Instant => addDays(startOf(day), 1)

const startOf = (day: string): Instant => `${day}T00:00:00.000Z`

const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000
