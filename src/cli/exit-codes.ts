/** How `assent gate check` ends. Pipelines branch on these numbers: they never change their meaning. */
export const exitCodes = {
  allowed: 0,
  denied: 1,
  usage: 2,
  not_permitted: 3,
  not_found: 4,
  unavailable: 5,
  verification_failed: 6,
  break_glass_only: 7,
} as const

export type Outcome = keyof typeof exitCodes
