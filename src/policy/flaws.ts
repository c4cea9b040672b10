import type { z } from 'zod'

/** Something wrong in a policy file that its shape alone does not show. */
export interface Flaw {
  path: (string | number)[]
  message: string
}

/** Reports flaws as issues of the schema that is being refined. */
export function addIssues(ctx: z.core.$RefinementCtx, flaws: Flaw[]): void {
  for (const { path, message } of flaws) ctx.addIssue({ code: 'custom', path, message })
}

/** Indexes of the elements whose key an earlier element has. */
export function repeated<T>(elements: T[], keyOf: (element: T) => string): number[] {
  const keys = elements.map(keyOf)
  return keys.flatMap((key, index) => (keys.indexOf(key) < index ? [index] : []))
}
