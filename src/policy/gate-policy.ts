import { z } from 'zod'
import { addIssues } from './flaws.js'

export const Enforcement = z.enum(['enforce', 'warn']).meta({
  id: 'Enforcement',
  description: '`enforce` denies; `warn` lets a deploy go on and says what it would have been',
})
export type Enforcement = z.infer<typeof Enforcement>

const Environment = z.string().regex(/^[a-z][a-z0-9_-]*$/, 'use lower-case letters, digits, - and _')

export const BreakGlassPolicy = z
  .strictObject({
    maxHours: z.int().min(1).max(168).describe('The longest that an emergency opening lasts'),
    environments: z
      .array(Environment)
      .min(1, 'name at least one environment, or leave the list out')
      .optional()
      .describe('The only ones that may be opened; any if not given'),
  })
  .meta({ id: 'BreakGlassPolicy', description: 'How far an emergency opening of the gate may go' })
export type BreakGlassPolicy = z.infer<typeof BreakGlassPolicy>

export const GateFile = z
  .strictObject({
    version: z.literal(1),
    environments: z.record(Environment, Enforcement),
    answersValidForMinutes: z.int().min(1).max(1440).describe('How long a pipeline may act on an answer'),
    breakGlass: BreakGlassPolicy.optional().describe('Left out, nobody opens the gate in an emergency'),
  })
  .superRefine(({ environments, breakGlass }, ctx) =>
    addIssues(
      ctx,
      (breakGlass?.environments ?? []).flatMap((environment, index) =>
        Object.hasOwn(environments, environment)
          ? []
          : [
              {
                path: ['breakGlass', 'environments', index],
                message: 'no such environment above; correct one of them',
              },
            ],
      ),
    ),
  )
export type GateFile = z.infer<typeof GateFile>

/** What a denial means in an environment. One that policy does not name enforces. */
export function enforcementOf(file: Pick<GateFile, 'environments'>, environment: string): Enforcement {
  return Object.hasOwn(file.environments, environment)
    ? (file.environments[environment] ?? 'enforce')
    : 'enforce'
}
