import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { day, type Instant } from '../instant.js'
import { reason } from '../text.js'
import * as examples from './examples.js'

export const Lifting = z
  .strictObject({
    liftedBy: z.uuid().describe('Id of a person, never the one who suspended'),
    liftedAt: z.iso.datetime(),
    reason: z.string(),
  })
  .meta({ id: 'SuspensionLifting', description: 'The end of a suspension; there is one, and it stays' })
export type Lifting = z.infer<typeof Lifting>

/** One of perhaps several suspensions of a use case, which is suspended until each of them is lifted. */
export const Suspension = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }),
    incidentId: z.uuid().nullable().describe('The incident that suspends; null when a person ordered it'),
    suspendedBy: z.uuid().describe('Id of a person, who cannot lift it'),
    suspendedAt: z.iso.datetime(),
    reason: z.string(),
    lifting: Lifting.nullable().describe('Null while it is in force'),
  })
  .meta({
    id: 'Suspension',
    description: 'It counts at once and until another person lifts it; a new approval does not end it',
    examples: [examples.suspension],
  })
export type Suspension = z.infer<typeof Suspension>

export const NewSuspension = z
  .strictObject({ reason })
  .meta({ id: 'NewSuspension', examples: [examples.newSuspension] })

export const NewLifting = z
  .strictObject({ reason })
  .meta({ id: 'NewLifting', examples: [examples.newLifting] })

/** What the rules below look at. */
export interface InForce {
  incidentId: string | null
  suspendedBy: string
  suspendedAt: Instant
}

/**
 * Several people may suspend one use case beside each other, and so may its incidents.
 * @throws RegistryError `conflict` when this person has ordered a suspension that is still in force
 */
export function assertOrderedOnce(inForce: InForce[], personId: string): void {
  const own = inForce.find(({ incidentId, suspendedBy }) => incidentId === null && suspendedBy === personId)
  if (!own) return
  throw new RegistryError(
    'conflict',
    `you suspended this on ${day(own.suspendedAt)} and it is still in force; another person has to lift it`,
  )
}

export function assertInForce(lifting: Pick<Lifting, 'liftedAt'> | null): void {
  if (lifting === null) return
  throw new RegistryError(
    'conflict',
    `this suspension was lifted on ${day(lifting.liftedAt)}; there is nothing to do, or suspend again`,
  )
}

/** what an incident suspended stays so until the incident is closed. */
export function assertIncidentClosed(incident: { title: string; closedAt: Instant | null } | null): void {
  if (incident === null || incident.closedAt !== null) return
  throw new RegistryError(
    'conflict',
    `the incident "${incident.title}" is still open; close it first, then lift the suspension`,
  )
}
