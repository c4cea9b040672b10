import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { day, type Instant } from '../instant.js'
import type { BreakGlassPolicy } from '../policy/gate-policy.js'
import { reason } from '../text.js'
import { type StandingFacts, type StandingWord, standingOf } from '../use-cases/standing.js'
import { assertNotRetired, effectiveTier, keyOf, type TierParts } from '../use-cases/use-case.js'
import * as examples from './examples.js'

const environment = z
  .string()
  .max(60)
  .regex(/^[a-z][a-z0-9_-]*$/, 'must be lower-case letters, digits, - and _, such as production')
  .describe('The one environment that it opens, such as production')

export const NewBreakGlass = z
  .strictObject({
    environment,
    reason,
    hours: z.int().min(1).max(168).describe('For how long; policy says how long at most'),
  })
  .meta({ id: 'NewBreakGlass', examples: [examples.newBreakGlass] })
export type NewBreakGlass = z.infer<typeof NewBreakGlass>

export const Closing = z
  .strictObject({ reason })
  .meta({ id: 'NewBreakGlassClosing', examples: [examples.closing] })
export type Closing = z.infer<typeof Closing>

export const BreakGlassVerdict = z
  .enum(['justified', 'not_justified'])
  .meta({ id: 'BreakGlassVerdict', description: 'Whether the emergency was one' })

export const NewReview = z
  .strictObject({ verdict: BreakGlassVerdict, note: reason })
  .meta({ id: 'NewBreakGlassReview', examples: [examples.review] })
export type NewReview = z.infer<typeof NewReview>

export const BreakGlassState = z
  .enum(['open', 'closed', 'expired'])
  .meta({ id: 'BreakGlassState', description: 'Closed by hand before its time, or expired by the clock' })
export type BreakGlassState = z.infer<typeof BreakGlassState>

export const BreakGlass = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }),
    environment,
    reason,
    openedBy: z.uuid().describe('Id of a person'),
    openedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe('When it ends by itself; it is never put off'),
    state: BreakGlassState.describe('At the moment of asking'),
    closing: z
      .strictObject({ closedBy: z.uuid(), closedAt: z.iso.datetime(), reason })
      .nullable()
      .describe('Null while nobody closed it'),
    review: z
      .strictObject({
        verdict: BreakGlassVerdict,
        note: reason,
        reviewedBy: z.uuid().describe('Somebody else than who opened it'),
        reviewedAt: z.iso.datetime(),
      })
      .nullable()
      .describe('Null until somebody else looked at it'),
  })
  .meta({
    id: 'BreakGlass',
    description: 'An emergency opening: deploys to one environment for some hours, without a clearance',
    examples: [examples.breakGlass],
  })
export type BreakGlass = z.infer<typeof BreakGlass>

export const BreakGlassFilters = z.strictObject({
  state: z
    .enum(['open', 'closed', 'unreviewed'])
    .optional()
    .describe('`closed` by hand or by the clock; `unreviewed` whether it is still open or not'),
})
export type BreakGlassFilters = z.infer<typeof BreakGlassFilters>

interface Lasting {
  expiresAt: Instant
  closing: object | null
}

/** An opening ends at its `expiresAt`, and no longer holds at that very instant. */
export function stateOf({ expiresAt, closing }: Lasting, at: Instant): BreakGlassState {
  if (closing !== null) return 'closed'
  return expiresAt > at ? 'open' : 'expired'
}

/** Why an opening would be of no use, or against what somebody decided. What is not here may be opened. */
const refusals: Partial<Record<StandingWord, string>> = {
  blocked: 'was blocked by the committee, which no emergency undoes; submit it again',
  suspended: 'is suspended, which no emergency undoes; have somebody lift that',
  cleared: 'is cleared and needs no emergency; deploy it',
  cleared_with_conditions:
    'is cleared with conditions and needs no emergency; meet those that are due and deploy it',
}

/**
 * it stands in for a decision that is missing or has ended, and goes against none.
 * @throws RegistryError `conflict` unless it is unreviewed, in review or lapsed, and not prohibited
 */
export function assertOpenable(useCase: StandingFacts & TierParts & { number: number }, now: Instant): void {
  assertNotRetired(useCase)
  const key = keyOf(useCase.number)
  if (effectiveTier(useCase) === 'prohibited') {
    throw new RegistryError(
      'conflict',
      `${key} is of a prohibited tier, which no emergency opens; leave it off`,
    )
  }
  const refusal = refusals[standingOf(useCase, now).standing]
  if (refusal !== undefined) throw new RegistryError('conflict', `${key} ${refusal}`)
}

/** @throws RegistryError `conflict` where policy opens nothing, `invalid` for longer than it says */
export function assertWithinPolicy(
  policy: BreakGlassPolicy | undefined,
  { environment, hours }: Pick<NewBreakGlass, 'environment' | 'hours'>,
): void {
  if (policy === undefined) {
    throw new RegistryError(
      'conflict',
      'policy lets nobody open the gate in an emergency; submit the use case',
    )
  }
  const { maxHours, environments } = policy
  if (environments !== undefined && !environments.includes(environment)) {
    const message = `policy opens ${environments.join(', ')} in an emergency, not ${environment}; choose one of those`
    throw new RegistryError('invalid', message, { issues: [{ path: '/environment', message }] })
  }
  if (hours <= maxHours) return
  const message = `an emergency opening lasts ${maxHours} hours at most; ask for no more`
  throw new RegistryError('invalid', message, { issues: [{ path: '/hours', message }] })
}

/** @throws RegistryError `conflict` when one is open: two would be longer than policy allows for one */
export function assertNotOpen(opening: { environment: string; expiresAt: Instant } | undefined): void {
  if (opening === undefined) return
  const { environment, expiresAt } = opening
  throw new RegistryError('conflict', `${environment} is open until ${expiresAt} already; close that first`)
}

/**
 * one emergency after another, all of them one's own, would be an approval that nobody else gave.
 * @throws RegistryError `conflict` while nobody has looked at the last opening of the same person
 */
export function assertLookedAt(unreviewed: { openedAt: Instant } | undefined): void {
  if (unreviewed === undefined) return
  throw new RegistryError(
    'conflict',
    `you opened this on ${day(unreviewed.openedAt)}, and nobody has reviewed that; have it reviewed, or somebody else open it`,
  )
}

/** @throws RegistryError `conflict` once it has ended */
export function assertOpen(opening: Lasting, now: Instant): void {
  const state = stateOf(opening, now)
  if (state === 'open') return
  const how = state === 'closed' ? 'was closed already' : `expired at ${opening.expiresAt}`
  throw new RegistryError('conflict', `this opening ${how}; nothing more to do but to have it reviewed`)
}

/** @throws RegistryError `conflict` once it was reviewed: the verdict stays */
export function assertUnreviewed(review: object | null): void {
  if (review === null) return
  throw new RegistryError(
    'conflict',
    'this opening was reviewed already, and the verdict stays; nothing to do',
  )
}
