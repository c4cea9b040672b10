import type { Instant } from '../instant.js'

/** Roles that a person or a service account can hold, each for one org unit and all below it. */
export const roles = [
  'administrator',
  'business_owner',
  'risk_owner',
  'committee_member',
  'auditor',
  'pipeline',
] as const
export type Role = (typeof roles)[number]

/** Seats on the committee. A vote is cast through a seat; rights ask for any, the service for the one voted for. */
export const seats = ['business', 'risk', 'legal', 'security', 'compliance'] as const
export type Seat = (typeof seats)[number]

/** What rights call whoever holds a seat, whichever it is; nobody is granted it by this name. */
export const SEAT_HOLDER = 'seat_holder'

export interface Grant {
  kind: 'role' | 'seat'
  name: string
  orgUnitId: string
  /** The unit and all below it; `all` for the root unit. */
  units: 'all' | string[]
  /** Whose seat it is, if its holder delegated it: the principal votes through it for them. */
  for?: string
}

/** Somebody who has delegated to the principal, at once or by way of a delegate. */
export interface Represented {
  personId: string
  /** Their last event when the rights were read. */
  asOfEventNo: number
}

/** Who asks: an active person or service account, with the rights granted to them at this moment. */
export interface Principal {
  personId: string
  kind: 'human' | 'service'
  name: string
  grants: Grant[]
  /** Use cases that a pipeline is bound to. */
  boundUseCaseIds: string[]
  /** The last event of the person that these rights were read with: while it is the last, they are in force. */
  asOfEventNo?: number
  /** what is denied to one of these people is denied to the principal, who counts as both. */
  standsFor?: Represented[]
  /** When the next delegation begins or ends. These rights are in force before that only. */
  changesAt?: Instant | undefined
}

/** A pipeline is a service account: the role says nothing for a human who was given it by mistake. */
const counts = (principal: Principal, grant: Grant): boolean =>
  grant.name !== 'pipeline' || principal.kind === 'service'

/** What a grant makes of its holder, in the words of rights. */
const wordOf = ({ kind, name }: Grant): string => (kind === 'seat' ? SEAT_HOLDER : name)

/** The seats that a principal can act through in a unit: their own, and those of whoever delegated to them. */
export function seatsIn({ grants }: Principal, unitId: string): string[] {
  const held = grants.filter(
    ({ kind, units }) => kind === 'seat' && (units === 'all' || units.includes(unitId)),
  )
  return [...new Set(held.map(({ name }) => name))].sort()
}

/** What a principal is anywhere, in the words of rights: each role, and `seat_holder`. */
export function rolesOf(principal: Principal): Set<string> {
  return new Set(principal.grants.filter((grant) => counts(principal, grant)).map(wordOf))
}

/** The units, with everything below them, in which a principal is one of these, in the words of rights. */
export function unitsOf(principal: Principal, words: readonly string[]): 'all' | string[] {
  const units = new Set<string>()
  for (const grant of principal.grants) {
    if (!words.includes(wordOf(grant)) || !counts(principal, grant)) continue
    if (grant.units === 'all') return 'all'
    for (const unit of grant.units) units.add(unit)
  }
  return [...units]
}

/** False once a delegation has begun or ended since these rights were read. */
export function isInForce({ changesAt }: Principal, now: Instant): boolean {
  return changesAt === undefined || now < changesAt
}
