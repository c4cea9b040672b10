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

/** Seats on the committee. A vote is cast through a seat; the service checks that it is held. */
export const seats = ['business', 'risk', 'legal', 'security', 'compliance'] as const
export type Seat = (typeof seats)[number]

export interface Grant {
  kind: 'role' | 'seat'
  name: string
  orgUnitId: string
  /** The unit and all below it; `all` for the root unit. */
  units: 'all' | string[]
}

/** Who asks: an active person or service account, with the rights granted to them at this moment. */
export interface Principal {
  personId: string
  kind: 'human' | 'service'
  name: string
  grants: Grant[]
  /** Use cases that a pipeline is bound to. */
  boundUseCaseIds: string[]
}

/** A pipeline is a service account: the role says nothing for a human who was given it by mistake. */
const counts = (principal: Principal, grant: Grant): boolean =>
  grant.name !== 'pipeline' || principal.kind === 'service'

/** The roles that a principal holds anywhere. */
export function rolesOf(principal: Principal): Set<string> {
  const held = principal.grants.filter((grant) => grant.kind === 'role' && counts(principal, grant))
  return new Set(held.map((grant) => grant.name))
}

/** The units, with everything below them, in which a principal holds one of these grants. */
export function unitsOf(
  principal: Principal,
  kind: Grant['kind'],
  names: readonly string[],
): 'all' | string[] {
  const units = new Set<string>()
  for (const grant of principal.grants) {
    if (grant.kind !== kind || !names.includes(grant.name) || !counts(principal, grant)) continue
    if (grant.units === 'all') return 'all'
    for (const unit of grant.units) units.add(unit)
  }
  return [...units]
}
