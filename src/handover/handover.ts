import { z } from 'zod'
import { seats } from '../auth/principal.js'
import { RegistryError } from '../errors.js'
import { reason } from '../text.js'
import type { Facts } from '../use-cases/use-case.js'
import * as examples from './examples.js'

/** The most of a kind that is listed; `total` counts all. */
export const LISTED = 200
/** The most use cases, and the most conditions, that one handover moves: a deed ends within 30 s. */
export const MOVED = 500

/** All are counted, and the first are listed. */
const some = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    total: z.int(),
    items: z.array(item).max(LISTED),
    more: z.boolean().describe('True when there are more than are listed'),
  })
export interface Some<T> {
  total: number
  items: T[]
  more: boolean
}

const key = z.string().describe('Of the use case')
const ofUseCase = { useCaseId: z.uuid(), key }

const OwnedUseCase = z.strictObject({
  ...ofUseCase,
  title: z.string(),
  owns: z.array(z.enum(['business', 'risk'])).describe('As which of its owners'),
  openReviewId: z.uuid().nullable(),
})
const OwnedCondition = z.strictObject({
  id: z.uuid(),
  ...ofUseCase,
  text: z.string(),
  dueAt: z.iso.datetime().nullable(),
  beforeDeploy: z.boolean(),
})
const HeldSeat = z.strictObject({ grantId: z.uuid(), seat: z.enum(seats), orgUnitId: z.uuid() })
const CastVote = z.strictObject({ reviewId: z.uuid(), ...ofUseCase, seat: z.string() })
const Submitted = z.strictObject({ reviewId: z.uuid(), ...ofUseCase, dueAt: z.iso.datetime() })
const Ordered = z.strictObject({
  id: z.uuid(),
  ...ofUseCase,
  suspendedAt: z.iso.datetime(),
  reason: z.string(),
})
const Delegated = z.strictObject({
  id: z.uuid(),
  fromId: z.uuid(),
  toId: z.uuid(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
})

/** all that would be missed if somebody left now. */
export const Duties = z
  .strictObject({
    personId: z.uuid(),
    useCases: some(OwnedUseCase).describe('That are not retired; hand them over before they leave'),
    conditions: some(OwnedCondition).describe('Obligations that are open; hand them over, too'),
    seats: some(HeldSeat).describe('End when they leave; grant them to somebody else'),
    votes: some(CastVote).describe('In open rounds; they count no more, and the seats are open to others'),
    submitted: some(Submitted).describe('Open rounds; they go on'),
    suspensions: some(Ordered).describe('Still in force; they stay, and another person lifts them'),
    delegations: some(Delegated).describe('From or to them, and not over; they end'),
  })
  .meta({ id: 'Duties', description: 'What somebody answers for', examples: [examples.duties] })
export type Duties = z.infer<typeof Duties>

const owner = z.uuid().optional()

export const Handover = z
  .strictObject({
    toBusinessOwnerId: owner.describe('Who takes the use cases whose business owner they are'),
    toRiskOwnerId: owner.describe('Who takes the use cases whose risk owner they are'),
    toConditionOwnerId: owner.describe('Who takes the open conditions that they own'),
    useCaseIds: z
      .array(z.uuid())
      .min(1)
      .max(MOVED)
      .optional()
      .describe('Only these and their conditions; all of theirs unless you say so'),
    reason,
  })
  .meta({ id: 'Handover', examples: [examples.handover] })
export type Handover = z.infer<typeof Handover>

export const HandedOver = z
  .strictObject({
    personId: z.uuid(),
    useCases: z.array(
      z.strictObject({
        ...ofUseCase,
        version: z.int(),
        businessOwnerId: z.uuid().nullable(),
        riskOwnerId: z.uuid().nullable(),
      }),
    ),
    conditions: z.array(z.strictObject({ id: z.uuid(), ...ofUseCase, ownerId: z.uuid() })),
    refused: z
      .array(z.strictObject({ ...ofUseCase, reason: z.string() }))
      .describe('Use cases that stay as they are, and why'),
    left: z
      .strictObject({ useCases: z.int(), conditions: z.int() })
      .describe(`What they still answer for; one handover moves at most ${MOVED} of each`),
  })
  .meta({ id: 'HandedOver', description: 'What was handed over', examples: [examples.handedOver] })
export type HandedOver = z.infer<typeof HandedOver>
export type Refused = HandedOver['refused'][number]

/** Whoever takes something over, each once. */
export function takersOf({ toBusinessOwnerId, toRiskOwnerId, toConditionOwnerId }: Handover): string[] {
  const named = [toBusinessOwnerId, toRiskOwnerId, toConditionOwnerId]
  return [...new Set(named)].filter((id) => id !== undefined)
}

/** @throws RegistryError `invalid` unless it names somebody, and somebody else */
export function assertTakers(takers: string[], personId: string): void {
  if (takers.length === 0) {
    throw new RegistryError(
      'invalid',
      'say who takes over: toBusinessOwnerId, toRiskOwnerId or toConditionOwnerId',
    )
  }
  if (takers.includes(personId)) {
    throw new RegistryError('invalid', 'hand over to somebody else; it is theirs already')
  }
}

/** The facts of a use case after the handover; the same if nothing of it changes hands. */
export function handOverFacts(facts: Facts, personId: string, to: Handover): Facts {
  const taken = (ownerId: string | null, takerId: string | undefined) =>
    ownerId === personId && takerId !== undefined ? takerId : ownerId
  return {
    ...facts,
    businessOwnerId: taken(facts.businessOwnerId, to.toBusinessOwnerId),
    riskOwnerId: taken(facts.riskOwnerId, to.toRiskOwnerId),
  }
}

/** */
export function assertTwoOwners({ businessOwnerId, riskOwnerId }: Facts): void {
  if (businessOwnerId === null || businessOwnerId !== riskOwnerId) return
  throw new RegistryError(
    'conflict',
    'its business owner and its risk owner would be one person; name somebody else for one of the two',
  )
}

/** @throws RegistryError `conflict` when all of it stays where it is */
export function assertSomeMoved({
  useCases,
  conditions,
  refused,
}: Omit<HandedOver, 'personId' | 'left'>): void {
  if (useCases.length + conditions.length > 0) return
  const [first] = refused
  throw new RegistryError(
    'conflict',
    first ? `${first.key} stays as it is: ${first.reason}` : 'there is nothing of this kind to hand over',
    { issues: refused.map(({ key, reason: message }) => ({ path: '', message: `${key}: ${message}` })) },
  )
}
