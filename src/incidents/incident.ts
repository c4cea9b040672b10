import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { day, givenInstant, type Instant } from '../instant.js'
import { type IncidentsFile, type Severity, severityById } from '../policy/incidents-file.js'
import { text } from '../text.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import * as examples from './examples.js'

const severityId = z
  .string()
  .max(60)
  .regex(/^[a-z][a-z0-9_-]*$/, 'give the id of a severity, in lower-case letters, digits, - and _')
  .describe('Id of a severity of `policies/incidents.json`')

export const IncidentClosing = z
  .strictObject({
    closedBy: z.uuid().describe('Id of a person'),
    closedAt: z.iso.datetime(),
    learned: z.string().describe('What was learned'),
  })
  .meta({ id: 'IncidentClosing' })

/** Harm, or what nearly was, by one use case. */
export const Incident = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }),
    ordinal: z.int().describe('The first incident of this use case has 1'),
    title: z.string(),
    description: z.string(),
    severity: z.string().describe('As it is seen now; the timeline tells how that changed'),
    occurredAt: z.iso.datetime(),
    reportedBy: z.uuid().describe('Id of a person'),
    reportedAt: z.iso.datetime(),
    suspensionId: z.uuid().nullable().describe('The suspension that its severity brought about'),
    closing: IncidentClosing.nullable().describe('Null while it is open'),
  })
  .meta({
    id: 'Incident',
    description: 'Harm, or what nearly was, by one use case',
    examples: [examples.incident],
  })
export type Incident = z.infer<typeof Incident>

export const IncidentEntry = z
  .strictObject({
    ordinal: z.int(),
    enteredBy: z.uuid().describe('Id of a person'),
    enteredAt: z.iso.datetime(),
    text: z.string(),
    severity: z.string().nullable().describe('What the severity was changed to; null where it stayed'),
  })
  .meta({ id: 'IncidentEntry' })
export type IncidentEntry = z.infer<typeof IncidentEntry>

export const IncidentStory = Incident.extend({
  timeline: z.array(IncidentEntry).describe('In order; the first entry is the report itself'),
}).meta({ id: 'IncidentStory', description: 'An incident from its report on', examples: [examples.story] })
export type IncidentStory = z.infer<typeof IncidentStory>

export const NewIncident = z
  .strictObject({
    title: text(300).trim().min(3),
    description: text(4000).trim().min(10, 'say what happened, in at least ten characters'),
    severity: severityId,
    occurredAt: givenInstant.describe('When it happened, or began; not in the future'),
  })
  .meta({ id: 'NewIncident', examples: [examples.newIncident] })
export type NewIncident = z.infer<typeof NewIncident>

export const NewIncidentEntry = z
  .strictObject({
    text: text(4000).trim().min(3, 'say what is new, in at least three characters'),
    severity: severityId.optional().describe('What its severity is now; left out, it stays'),
  })
  .meta({ id: 'NewIncidentEntry', examples: [examples.newEntry] })
export type NewIncidentEntry = z.infer<typeof NewIncidentEntry>

export const NewIncidentClosing = z
  .strictObject({
    learned: text(4000)
      .trim()
      .min(10, 'say what was learned, in at least ten characters')
      .describe('What was learned; it stays on record'),
  })
  .meta({ id: 'NewIncidentClosing', examples: [examples.newClosing] })

export const IncidentFilters = z.strictObject({
  useCase: UseCaseRef.optional(),
  severity: severityId.optional(),
  state: z.enum(['open', 'closed']).optional().describe('Left out, both'),
})
export type IncidentFilters = z.infer<typeof IncidentFilters>

/** @throws RegistryError `invalid` for a severity that policy does not name */
export function severityIn(file: IncidentsFile, id: string): Severity {
  const severity = severityById(file, id)
  if (severity) return severity
  const known = file.severities.map((one) => one.id).join(', ')
  throw new RegistryError('invalid', `there is no severity ${id} in the policy; choose one of ${known}`)
}

/** @throws RegistryError `invalid` for what has not happened yet */
export function assertOccurred(occurredAt: Instant, now: Instant): void {
  if (occurredAt <= now) return
  throw new RegistryError('invalid', `an incident has happened; give an occurredAt of at most ${now}`)
}

export function assertOpen({ closedAt }: { closedAt: Instant | null }): void {
  if (closedAt === null) return
  throw new RegistryError(
    'conflict',
    `this incident was closed on ${day(closedAt)} and stays so; report what is new as another one`,
  )
}
