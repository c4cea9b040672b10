import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { addDays, givenInstant, type Instant } from '../instant.js'
import { reason } from '../text.js'
import * as examples from './examples.js'

export const states = ['proposed', 'planned', 'in_force', 'ended', 'over'] as const
export type State = (typeof states)[number]

/** Who votes for whom, and from when until when. What came of it stays on record. */
export const Delegation = z
  .strictObject({
    id: z.uuid(),
    fromId: z.uuid().describe('Whose seats they are'),
    toId: z.uuid().describe('Who votes through them meanwhile'),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime().describe('From then on it is over by itself'),
    reason: z.string(),
    createdAt: z.iso.datetime(),
    acceptedAt: z.iso.datetime().nullable().describe('When the delegate accepted it; it counts from then on'),
    endedBy: z.uuid().nullable().describe('Who ended it before its time'),
    endedAt: z.iso.datetime().nullable(),
    state: z
      .enum(states)
      .describe('At this moment; `ended` before its time, `over` since its time is up, accepted or not'),
  })
  .meta({ id: 'Delegation', description: 'Who votes for whom meanwhile', examples: [examples.delegation] })
export type Delegation = z.infer<typeof Delegation>

export const NewDelegation = z
  .strictObject({
    toId: z.uuid().describe('A person who administers and audits nothing'),
    startsAt: givenInstant.optional().describe('At once, unless you say otherwise'),
    endsAt: givenInstant.describe('At most 366 days after it starts'),
    reason,
  })
  .meta({ id: 'NewDelegation', examples: [examples.newDelegation] })
export type NewDelegation = z.infer<typeof NewDelegation>

const LONGEST_DAYS = 366

interface Period {
  startsAt: Instant
  endsAt: Instant
}

/** it has a start and an end. Nothing is delegated after the fact. */
export function assertPeriod({ startsAt, endsAt }: Period, now: Instant): void {
  if (startsAt < now) {
    throw invalid('/startsAt', 'a delegation starts now or later; leave startsAt out to start it at once')
  }
  if (startsAt > addDays(now, LONGEST_DAYS)) {
    throw invalid(
      '/startsAt',
      `a delegation starts within ${LONGEST_DAYS} days; say it again when it is nearer`,
    )
  }
  if (endsAt <= startsAt) throw invalid('/endsAt', 'a delegation ends after it starts; name a later end')
  if (endsAt > addDays(startsAt, LONGEST_DAYS)) {
    throw invalid('/endsAt', `a delegation lasts at most ${LONGEST_DAYS} days; name an earlier end`)
  }
}

function invalid(path: string, message: string): RegistryError {
  return new RegistryError('invalid', message, { issues: [{ path, message }] })
}

interface Held {
  kind: 'role' | 'seat'
  name: string
}

/** whoever votes for somebody else has nothing of theirs to pass on. */
export function assertSeated(held: (Held & { for?: string })[]): void {
  const seats = held.filter(({ kind }) => kind === 'seat')
  if (seats.some((seat) => seat.for === undefined)) return
  const why = seats.length === 0 ? 'you hold no seat' : 'the seats you fill are delegated to you'
  throw new RegistryError('conflict', `${why}; only who was granted a seat can say who votes for them`)
}

interface Candidate {
  kind: 'human' | 'service'
  status: string
}

/** @throws RegistryError unless somebody can vote for others: a person who is here, and who decides */
export function assertDelegate(person: Candidate | undefined, held: Held[]): void {
  if (person?.kind !== 'human' || person.status !== 'active') {
    throw new RegistryError(
      'invalid',
      'a delegate must be a person who has joined and not left; choose another',
      { issues: [{ path: '/toId', message: 'is nobody who could vote for you' }] },
    )
  }
  assertApart(held, 'choose another')
}

/** who administers or audits fills no seat for anybody. */
export function assertApart(held: Held[], instead: string): void {
  const apart = held.find(({ name }) => name === 'administrator' || name === 'auditor')
  if (!apart) return
  throw new RegistryError('conflict', `an ${apart.name} fills no seat on the committee; ${instead}`)
}

/** @throws RegistryError `conflict` while the seats are delegated to anybody else */
export function assertOnlyOne(other: Period | undefined): void {
  if (!other) return
  throw new RegistryError(
    'conflict',
    `you have delegated from ${other.startsAt} to ${other.endsAt} already; end that first, or name other days`,
  )
}

/** at once or in turn, planned or proposed. Whoever needs more is away for good. */
export const MOST_OPEN = 10

/** @throws RegistryError `conflict` to who has proposed or planned as many as anybody needs */
export function assertFew(open: number): void {
  if (open < MOST_OPEN) return
  throw new RegistryError('conflict', `you have ${open} delegations that are not over; end one of them first`)
}

/** @throws RegistryError `conflict` while somebody else votes for the same person */
export function assertFree(other: Period | undefined): void {
  if (!other) return
  throw new RegistryError(
    'conflict',
    `somebody else votes for them from ${other.startsAt} to ${other.endsAt} already; decline this one`,
  )
}

interface Lasting extends Period {
  acceptedAt: Instant | null
  endedAt: Instant | null
}

/** How far a delegation has come at an instant. Its end is no part of it. */
export function stateOf({ startsAt, endsAt, acceptedAt, endedAt }: Lasting, at: Instant): State {
  if (endedAt !== null) return 'ended'
  if (endsAt <= at) return 'over'
  if (acceptedAt === null) return 'proposed'
  return startsAt <= at ? 'in_force' : 'planned'
}

export function assertNotOver(delegation: Lasting, now: Instant): void {
  const state = stateOf(delegation, now)
  if (state !== 'ended' && state !== 'over') return
  throw new RegistryError('conflict', 'this delegation is over already; nothing to do')
}

/** it is accepted once, while there is something to accept. */
export function assertProposed(delegation: Lasting, now: Instant): void {
  assertNotOver(delegation, now)
  if (delegation.acceptedAt === null) return
  throw new RegistryError('conflict', 'you have accepted this already; nothing to do')
}
