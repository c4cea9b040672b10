import { z } from 'zod'

/** Text that PostgreSQL can store: no NUL, and no lone surrogate, which has no UTF-8 form (RFC 3629). */
export const text = (max: number) =>
  z.string().max(max).refine(isStorable, 'holds a character that cannot be stored; remove it')

/** A reason or note that a person must give. */
export const reason = text(4000)
  .trim()
  .min(3, 'say why, in at least three characters')
  .describe('Why; it stays on record')

export function isStorable(value: string): boolean {
  return !value.includes('\u0000') && value.isWellFormed()
}
