import { z } from 'zod'

export const Enforcement = z.enum(['enforce', 'warn']).meta({
  id: 'Enforcement',
  description: '`enforce` denies; `warn` lets a deploy go on and says what it would have been',
})
export type Enforcement = z.infer<typeof Enforcement>

export const GateFile = z.strictObject({
  version: z.literal(1),
  environments: z.record(
    z.string().regex(/^[a-z][a-z0-9_-]*$/, 'use lower-case letters, digits, - and _'),
    Enforcement,
  ),
  answersValidForMinutes: z.int().min(1).max(1440).describe('How long a pipeline may act on an answer'),
})
export type GateFile = z.infer<typeof GateFile>

/** What a denial means in an environment. One that policy does not name enforces. */
export function enforcementOf(file: Pick<GateFile, 'environments'>, environment: string): Enforcement {
  return Object.hasOwn(file.environments, environment)
    ? (file.environments[environment] ?? 'enforce')
    : 'enforce'
}
