import { z } from 'zod'
import { CatalogId, CatalogVersion, ControlId, Relation } from '../catalogs/catalog.js'
import { Required } from '../policy/missing.js'
import { Ask, type Asked, Requirement } from '../policy/requirements.js'
import { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'

export const AskState = z.enum(['met', 'waiting', 'stale', 'missing']).meta({
  id: 'AskState',
  description:
    'Whether it is there: `waiting` for somebody to accept it, or for a scanner; `stale` where it was and is too old',
})
export type AskState = z.infer<typeof AskState>

const AtDecision = z
  .enum(['met', 'excepted', 'condition', 'refused'])
  .describe(
    'What an approval made now would do: take it as met, except it (as the approval in force does, or the open review asks), carry a condition for it, or be refused',
  )

const ServingEvidence = z.strictObject({
  id: z.uuid(),
  title: z.string().nullable().describe('Null if you may not read it'),
  counts: z.boolean().describe('Accepted by whom it has to be, and fresh; else it waits'),
})

const Offer = z
  .strictObject({
    catalog: CatalogId,
    version: CatalogVersion,
    control: ControlId.describe('In place here, of another catalog'),
    relation: Relation,
    evidenceIds: z.array(z.uuid()).describe('Evidence that it names'),
  })
  .meta({
    id: 'RequirementOffer',
    description: 'A control of another catalog that asks for the same, or partly, and is in place already',
  })
export type Offer = z.infer<typeof Offer>

const standing = {
  ask: Ask,
  words: z.string().describe('What is asked for, in words'),
  state: AskState,
  until: z.iso
    .datetime()
    .nullable()
    .describe('When what is there goes stale; null for never, or for nothing'),
  evidence: z.array(ServingEvidence).describe('Pieces that serve it, or will once they are accepted'),
  next: z.string().nullable().describe('What is so and what to do next; null for what is met'),
}

const AskStanding = z
  .strictObject({
    ...standing,
    atDecision: AtDecision,
    exceptedUntil: z.iso
      .datetime()
      .nullable()
      .describe('When the exception ends that the approval in force has for it; null for none'),
    offers: z.array(Offer).describe('What could serve here too: assess the control, naming that evidence'),
  })
  .meta({ id: 'RequirementAsk', description: 'One thing that policy asks for, and how far it is' })
export type AskStanding = z.infer<typeof AskStanding>

const RequirementStanding = z
  .strictObject({
    id: Requirement.shape.id,
    because: z.string(),
    words: z.string().describe('What it asks for, and what an approval makes of it when it is not there'),
    ifMissing: Requirement.shape.ifMissing,
    exceptionDays: z
      .int()
      .nullable()
      .describe('For how long a decision may except from it; null for not at all'),
    unstated: z
      .array(z.string())
      .describe('Facts that nobody stated and on which it rests, as `technique`: it may go with them'),
    asks: z.array(AskStanding),
  })
  .meta({ id: 'RequirementStanding' })

const RequiredStanding = z
  .strictObject({
    ...standing,
    requirement: Required.shape.requirement,
    because: Required.shape.because,
    taken: Required.shape.taken,
    exceptedUntil: Required.shape.exceptedUntil,
  })
  .meta({
    id: 'RequiredStanding',
    description: 'One thing that the approval required, and how far it is now',
  })

export const UseCaseRequirements = z
  .strictObject({
    useCase: z.strictObject({ id: z.uuid(), key: z.string(), title: z.string() }),
    at: z.iso.datetime().describe('When this was read'),
    tier: Tier,
    policyDigest: z.string().describe('Of the policy in force, which asks for this'),
    readyToDecide: z.boolean().describe('Nothing that policy asks for would have an approval refused'),
    counts: z.strictObject({
      required: z.int().describe('Things that policy asks for: kinds of evidence, and controls'),
      met: z.int(),
      missing: z.int().describe('The others, whatever becomes of them at a decision'),
      refused: z.int().describe('Those of them without which nothing is approved'),
    }),
    requirements: z.array(RequirementStanding).describe('By the policy in force, in its order'),
    approval: z
      .strictObject({
        decisionId: z.uuid(),
        required: z
          .array(RequiredStanding)
          .describe('What it rests on, as it was taken, and how far it is now'),
        evidenceStaleAt: z.iso
          .datetime()
          .nullable()
          .describe('When the first of that goes stale, and the approval lapses'),
        evidenceMissingAt: z.iso
          .datetime()
          .nullable()
          .describe('Since when evidence is missing, or from the end of an exception on'),
        controlMissingAt: z.iso.datetime().nullable().describe('The same of controls'),
      })
      .nullable()
      .describe('What the approval required, by the policy of its day; null without one'),
  })
  .meta({
    id: 'UseCaseRequirements',
    description: 'What policy asks of a use case, how far each thing is, and what to do next',
    examples: [examples.requirements],
  })
export type UseCaseRequirements = z.infer<typeof UseCaseRequirements>

/** An exception that a review asks for: of one control, or of all that a requirement asks for. */
export interface Wanted {
  requirement: string
  control?: { catalog: string; version: string; control: string } | undefined
}

/** Whether a review asks for an exception from this. */
export function isWanted(wanted: readonly Wanted[], { requirement, ask }: Asked): boolean {
  return wanted.some(({ requirement: id, control }) => {
    if (id !== requirement.id) return false
    if (!control) return true
    if (ask.type === 'evidence') return false
    const isSame = ask.catalog === control.catalog && ask.version === control.version
    return isSame && ask.control === control.control
  })
}

/** What of a review under way matters to what is required. */
export interface OpenReview {
  tier: Tier
  wanted: readonly Wanted[]
  /** It takes the place of a decision that was wrong, and so does not build on it. */
  isCorrection: boolean
}
