// Use cases of which policy requires something, each by the channel that it states.
import type { Test } from 'tap'
import { type Answer, ifMatch, type Person, policyAsking } from '../app.js'
import { type Committee, register, startCommittee } from '../committee.js'

export const rmf = { catalog: 'nist-ai-rmf', version: '1.0' }

const when = (channel: string) => ({ tiers: ['limited', 'high'], channels: [channel] })

export const requirements = [
  {
    ...{ id: 'RQ-10', when: when('tested'), because: 'What runs is tested.', ifMissing: 'refuse' },
    evidence: { kind: 'test_report', freshForDays: 30 },
    exception: { longestDays: 60 },
  },
  {
    ...{ id: 'RQ-20', when: when('legal'), because: 'Lawyers look at words.' },
    evidence: { kind: 'legal_opinion', acceptedBy: ['legal'] },
    ifMissing: { dueInDays: 10, owner: 'business_owner' },
  },
  {
    ...{ id: 'RQ-30', when: when('controlled'), because: 'Somebody can switch it off.' },
    controls: { ...rmf, ids: ['MANAGE 2.3', 'MANAGE 2.4'] },
    ifMissing: { beforeDeploy: true, owner: 'risk_owner' },
    exception: { longestDays: 90 },
  },
  {
    ...{ id: 'RQ-40', when: when('watched'), because: 'Somebody watches it.', ifMissing: 'refuse' },
    controls: { ...rmf, ids: ['MEASURE 2.4'], states: ['in_place'] },
  },
  {
    ...{ id: 'RQ-50', when: { tiers: ['minimal'], channels: ['attested'] }, ifMissing: 'refuse' },
    ...{ because: 'A word needs a paper.', evidence: { kind: 'model_card' } },
  },
]

/** Policy requires something only of what states one of these channels. */
export async function startRequiring(t: Test, ...more: object[]): Promise<Committee> {
  return await startCommittee(t, {}, policyAsking(...requirements, ...more))
}

export async function registerFor(committee: Committee, ...channels: string[]): Promise<string> {
  return (await register(committee, { channels: ['letter', ...channels] })).id
}

export const placeOf = (id: string) => `/v1/use-cases/${id}`

/** Submits it as its risk owner. */
export async function ask({ riskOwner }: Committee, id: string, asks: object = {}): Promise<Answer> {
  const seen = ifMatch(await riskOwner.get(placeOf(id)))
  return await riskOwner.post(`${placeOf(id)}/reviews`, asks, seen)
}

/** Says this of controls of the framework. */
export async function assess(as: Person, id: string, states: Record<string, string>): Promise<Answer> {
  const profile = `${placeOf(id)}/profile`
  const lines = Object.entries(states)
  const assessments = lines.map(([control, state]) => ({ ...rmf, control, state, note: 'as it is' }))
  return await as.patch(profile, { assessments }, ifMatch(await as.get(profile)))
}

/** A statement of its risk owner, accepted through this seat. */
export async function accepted(
  { riskOwner, seats }: Committee,
  id: string,
  piece: { kind: string; freshUntil?: string; supersedesId?: string },
  by: Person = seats.risk,
): Promise<string> {
  const given = { title: 'Looked at', statement: `All of it, ${crypto.randomUUID()}` }
  const { body } = await riskOwner.post(`${placeOf(id)}/evidence`, { ...given, ...piece })
  await by.post(`/v1/evidence/${body.id}/verdict`, { verdict: 'accepted', note: 'read it' })
  return body.id
}

export async function gate({ riskOwner }: Committee, id: string): Promise<Answer> {
  return await riskOwner.post('/v1/gate/answers', { useCase: id, environment: 'production' })
}

export const codesOf = ({ body }: Answer): string[] => body.reasons.map(({ code }: { code: string }) => code)
