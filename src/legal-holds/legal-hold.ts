import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { day, type Instant } from '../instant.js'
import { reason, text } from '../text.js'
import * as examples from './examples.js'

export const HoldEnding = z
  .strictObject({
    endedBy: z.uuid().describe('Id of a person, never the one who placed it'),
    endedAt: z.iso.datetime(),
    reason: z.string(),
  })
  .meta({
    id: 'LegalHoldEnding',
    description: 'Of a hold, or of one of its objects; there is one, and it stays',
  })

export const HoldObject = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    evidenceId: z.uuid().nullable().describe('Null for all evidence of the use case, also what comes later'),
    addedBy: z.uuid().describe('Id of a person, who cannot release it'),
    addedAt: z.iso.datetime(),
    release: HoldEnding.nullable().describe('Null while it is held'),
  })
  .meta({ id: 'LegalHoldObject' })

/** A matter for which evidence is kept, whatever else would let it go. */
export const LegalHold = z
  .strictObject({
    id: z.uuid(),
    key: z.string().describe('The name of the matter, as counsel writes it'),
    title: z.string(),
    reason: z.string(),
    orgUnitId: z.uuid().describe('Where it belongs; its objects may lie in any unit of whoever adds them'),
    placedBy: z.uuid().describe('Id of a person, who cannot lift it'),
    placedAt: z.iso.datetime(),
    objects: z.array(HoldObject),
    lifting: HoldEnding.nullable().describe('Null while it is in force'),
  })
  .meta({
    id: 'LegalHold',
    description: 'While it is in force nothing that it names is disposed of',
    examples: [examples.legalHold],
  })
export type LegalHold = z.infer<typeof LegalHold>

const NewObject = z.union(
  [z.strictObject({ useCaseId: z.uuid() }), z.strictObject({ evidenceId: z.uuid() })],
  'give either {"useCaseId": …}, for all its evidence, or {"evidenceId": …}',
)
export type NewObject = z.infer<typeof NewObject>

const objects = z.array(NewObject).min(1, 'name at least one object').max(500)

export const NewLegalHold = z
  .strictObject({
    key: text(60).trim().min(3),
    title: text(300).trim().min(3),
    reason,
    orgUnitId: z.uuid(),
    objects,
  })
  .meta({ id: 'NewLegalHold', examples: [examples.newLegalHold] })
export type NewLegalHold = z.infer<typeof NewLegalHold>

export const NewHoldObjects = z
  .strictObject({ objects })
  .meta({ id: 'NewLegalHoldObjects', examples: [examples.newObjects] })

export const NewHoldEnding = z
  .strictObject({ reason })
  .meta({ id: 'NewLegalHoldEnding', examples: [examples.newEnding] })

export const holdFilters = {
  state: z.enum(['in_force', 'lifted']).optional().describe('Only those that are so now'),
}
export type HoldFilters = z.infer<z.ZodObject<typeof holdFilters>>

/** @throws RegistryError `conflict` for a hold, or an object of one, that somebody ended */
export function assertHeld(ending: { endedAt: Instant } | null): void {
  if (ending === null) return
  throw new RegistryError(
    'conflict',
    `this hold was ended on ${day(ending.endedAt)}; place another one if something is to be kept again`,
  )
}

/** @throws RegistryError `conflict` when the key is taken */
export function assertNewKey(key: string, isTaken: boolean): void {
  if (!isTaken) return
  throw new RegistryError(
    'conflict',
    `there is a hold for ${key} already; add objects to that, or choose another key`,
  )
}

/** A hold as a refusal and a list name it. */
export interface HeldBy {
  id: string
  key: string
}
