import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { day, givenInstant, type Instant } from '../instant.js'
import { type Asked, type Floor, isBeyond, laterOf } from '../policy/retention-file.js'
import { reason } from '../text.js'
import * as examples from './examples.js'

const shapes = {
  retainUntil: z.iso.datetime().describe('Kept at least until then'),
  daysAfterRetirement: z
    .int()
    .describe('And for so many days after the end of its use case; 0 where it does not wait for that'),
}

const Change = z
  .strictObject({
    ordinal: z.int().describe('The first has 1; the last counts'),
    ...shapes,
    because: z
      .enum(['attached', 'before', 'policy', 'extended', 'shortened'])
      .describe(
        '`before`: it was there before retention was; `policy`: facts, tier, policy or a decision changed',
      ),
    classes: z.array(z.string()).describe('Ids of the classes of policy that applied'),
    reason: z.string().nullable(),
    setBy: z.uuid(),
    setAt: z.iso.datetime(),
    approvedBy: z.uuid().nullable().describe('Who confirmed that it is kept shorter'),
  })
  .meta({ id: 'RetentionChange' })

/** How long a piece of evidence is kept, and how that came. */
export const Retention = z
  .strictObject({
    evidenceId: z.uuid(),
    useCaseId: z.uuid(),
    endsAt: z.iso
      .datetime()
      .nullable()
      .describe(
        'From then on it may be disposed of, unless held; null while that waits for the end of its use case',
      ),
    ...shapes,
    regulatory: z.strictObject(shapes).describe('What nobody can go below'),
    classes: z.array(z.string()).describe('Ids of the classes of policy that applied last'),
    holds: z
      .array(z.strictObject({ id: z.uuid(), key: z.string() }))
      .describe('Legal holds in force over it: each forbids to dispose of it'),
    disposalId: z.uuid().nullable(),
    history: z.array(Change).describe('The first one first'),
  })
  .meta({
    id: 'Retention',
    description: 'How long a piece of evidence is kept at least, and how that came about',
    examples: [examples.retention],
  })
export type Retention = z.infer<typeof Retention>

export const NewExtension = z
  .strictObject({ retainUntil: givenInstant, reason })
  .meta({ id: 'NewRetentionExtension', examples: [examples.newExtension] })
export type NewExtension = z.infer<typeof NewExtension>

export const NewShortening = z
  .strictObject({ retainUntil: givenInstant, reason })
  .meta({ id: 'NewRetentionShortening', examples: [examples.newShortening] })
export type NewShortening = z.infer<typeof NewShortening>

/** What somebody else than the proposer said; there is one, and it stays. */
export const ProposalVerdict = z
  .strictObject({
    verdict: z.enum(['confirmed', 'rejected']),
    givenBy: z.uuid().describe('Id of a person, never the one who proposed'),
    givenAt: z.iso.datetime(),
    reason: z.string(),
  })
  .meta({
    id: 'ProposalVerdict',
    description: 'What another person said to a proposal; there is one, and it stays',
  })

export const NewProposalVerdict = z
  .strictObject({ verdict: ProposalVerdict.shape.verdict, reason })
  .meta({ id: 'NewProposalVerdict', examples: [examples.newVerdict] })
export type NewProposalVerdict = z.infer<typeof NewProposalVerdict>

/** That a piece is kept shorter: proposed by one, confirmed by another. */
export const Shortening = z
  .strictObject({
    id: z.uuid(),
    evidenceId: z.uuid(),
    useCaseId: z.uuid(),
    retainUntil: shapes.retainUntil,
    reason: z.string(),
    proposedBy: z.uuid().describe('Id of a person, who cannot confirm it'),
    proposedAt: z.iso.datetime(),
    verdict: ProposalVerdict.nullable().describe('Null while it waits for somebody else'),
  })
  .meta({
    id: 'RetentionShortening',
    description: 'A proposal to keep a piece of evidence shorter than its schedule says',
    examples: [examples.shortening],
  })
export type Shortening = z.infer<typeof Shortening>

export const shorteningFilters = {
  state: z.enum(['open', 'confirmed', 'rejected']).optional().describe('Only those that are so now'),
}
export type ShorteningFilters = z.infer<z.ZodObject<typeof shorteningFilters>>

/** How long a piece is kept by now, and what policy had asked for when that was set. */
export interface Standing {
  floor: Floor
  asked: Asked
}

/**
 * what policy asks for now moves a floor later, and never earlier. What two people shortened stays so until policy
 * asks for more than it did then.
 * @returns undefined when nothing moves
 */
export function raise({ floor, asked: before }: Standing, now: Asked): Standing | undefined {
  if (!(isBeyond(now.policy, before.policy) || isBeyond(now.regulatory, before.regulatory))) return undefined
  const isLater = now.policy.until > before.policy.until
  const isLonger = now.policy.daysAfterRetirement > before.policy.daysAfterRetirement
  const risen: Floor = {
    until: isLater ? now.policy.until : floor.until,
    daysAfterRetirement: isLonger ? now.policy.daysAfterRetirement : floor.daysAfterRetirement,
  }
  const regulatory = laterOf(before.regulatory, now.regulatory)
  return {
    floor: laterOf(laterOf(floor, risen), regulatory),
    asked: { policy: laterOf(before.policy, now.policy), regulatory, classes: now.classes },
  }
}

/** @throws RegistryError `invalid` unless it is later than what is there */
export function extend({ floor }: Standing, until: Instant): Floor {
  if (until > floor.until) return { ...floor, until }
  throw new RegistryError(
    'invalid',
    `this is kept until ${day(floor.until)} at least already; give a later day, or propose to shorten it`,
  )
}

/**
 * below what a regulation asks for nobody shortens.
 * @throws RegistryError `invalid` when it would be shorter than that, or no shorter than now
 */
export function shorten({ floor, asked: { regulatory } }: Standing, until: Instant): Floor {
  const shorter: Floor = { until, daysAfterRetirement: regulatory.daysAfterRetirement }
  if (until < regulatory.until) {
    throw new RegistryError(
      'invalid',
      `a regulation has this kept until ${day(regulatory.until)} at least; give that day or a later one`,
    )
  }
  if (!isBeyond(floor, shorter)) {
    throw new RegistryError(
      'invalid',
      'this would not be kept shorter than now; give an earlier day, or extend it',
    )
  }
  return shorter
}

/** @throws RegistryError `conflict` when somebody confirmed or rejected it */
export function assertUndecided(verdict: { verdict: string; givenAt: Instant } | null): void {
  if (verdict === null) return
  throw new RegistryError(
    'conflict',
    `this was ${verdict.verdict} on ${day(verdict.givenAt)}, which stays; propose anew if it is still wanted`,
  )
}

/** @throws RegistryError `conflict` for what is gone */
export function assertThere(isDisposed: boolean): void {
  if (!isDisposed) return
  throw new RegistryError('conflict', 'this evidence was disposed of; there is nothing left to keep')
}
