import { z } from 'zod'
import * as examples from './examples.js'
import { addIssues, type Flaw, repeated } from './flaws.js'
import { Slug } from './lanes.js'

const Sentence = z.string().trim().min(1, 'write a sentence')

export const Severity = z
  .strictObject({
    id: Slug,
    title: Sentence,
    help: Sentence.describe('When to choose it'),
    suspends: z.boolean().describe('An incident of it suspends the use case at once, until it is closed'),
  })
  .meta({ id: 'IncidentSeverity', description: 'How bad an incident is', examples: [examples.severity] })
export type Severity = z.infer<typeof Severity>

export const IncidentsFile = z
  .strictObject({
    version: z.literal(1),
    severities: z.array(Severity).min(1, 'name at least one severity'),
  })
  .superRefine(({ severities }, ctx) => addIssues(ctx, flawsOf(severities)))
export type IncidentsFile = z.infer<typeof IncidentsFile>

/** the severity with this id, which says whether it suspends; undefined when policy has none such. */
export function severityById(
  { severities }: Pick<IncidentsFile, 'severities'>,
  id: string,
): Severity | undefined {
  return severities.find((severity) => severity.id === id)
}

/** Lowest first, so what is worse than something that suspends suspends as well. */
function flawsOf(severities: Severity[]): Flaw[] {
  const first = severities.findIndex(({ suspends }) => suspends)
  return [
    ...repeated(severities, ({ id }) => id).map((index) => ({
      path: ['severities', index, 'id'],
      message: 'another severity has this id; give each its own',
    })),
    ...severities.flatMap(({ suspends }, index) =>
      first >= 0 && index > first && !suspends
        ? [
            {
              path: ['severities', index, 'suspends'],
              message:
                'a lower severity suspends already; write them lowest first, and let this one suspend too',
            },
          ]
        : [],
    ),
  ]
}
