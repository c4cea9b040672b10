/** Who acts in the demo. By role, as everybody in it is made up. */
export interface Actor {
  /** How they sign in at the demo's provider. */
  subject: string
  name: string
  /** Each as `role` or `seat:name`. */
  rights: string[]
}

const owner = (kind: 'Business' | 'Risk', unit: string): Actor => ({
  subject: `${kind.toLowerCase()}-owner-${unit.toLowerCase()}`,
  name: `${kind} owner, ${unit}`,
  rights: [kind === 'Business' ? 'business_owner' : 'risk_owner'],
})

const member = (seat: string): Actor => ({
  subject: `committee-${seat}`,
  name: `Committee, ${seat} seat`,
  rights: ['committee_member', `seat:${seat}`],
})

export const owners = [
  owner('Business', 'Sales'),
  owner('Business', 'Claims'),
  owner('Risk', 'Sales'),
  owner('Risk', 'Claims'),
]
export const committee = ['business', 'risk', 'legal', 'security', 'compliance'].map(member)
export const auditor: Actor = { subject: 'auditor', name: 'Auditor', rights: ['auditor'] }
export const people: Actor[] = [...owners, ...committee, auditor]
