// Use cases of which policy asks for some controls, and what is said of them.
import type { Test } from 'tap'
import { type Answer, ifMatch, type Person, policyAsking } from '../app.js'
import { type Committee, startCommittee } from '../committee.js'

export const rmf = { catalog: 'nist-ai-rmf', version: '1.0' }

/** Limited use cases: all of GOVERN 1 and MEASURE 2.11. High ones: MAP as well, with evidence. */
export const asking = [
  {
    id: 'RQ-01',
    when: { tiers: ['limited', 'high'] },
    because: 'Whoever uses AI governs it.',
    controls: { ...rmf, ids: ['GOVERN 1', 'MEASURE 2.11'] },
    ifMissing: { dueInDays: 60, owner: 'risk_owner' },
  },
  {
    id: 'RQ-02',
    when: { tiers: ['limited'], channels: ['phone'] },
    because: 'Voices are tested, and shown to be.',
    controls: { ...rmf, ids: ['MEASURE 2.11'], states: ['in_place'], withEvidence: true },
    ifMissing: 'refuse',
  },
  {
    id: 'RQ-03',
    when: { tiers: ['high'] },
    because: 'What is high is mapped.',
    controls: { ...rmf, ids: ['MAP'], withEvidence: true },
    ifMissing: 'refuse',
  },
]

export async function startProfiles(t: Test): Promise<Committee> {
  return await startCommittee(t, {}, policyAsking(...asking))
}

export const profileOf = (useCaseId: string, query = '') => `/v1/use-cases/${useCaseId}/profile${query}`

/** Says this of controls, as the revision is when it is sent. */
export async function say(as: Person, useCaseId: string, ...lines: object[]): Promise<Answer> {
  const now = await as.get(profileOf(useCaseId))
  return await as.patch(
    profileOf(useCaseId),
    { assessments: lines.map((line) => ({ ...rmf, ...line })) },
    ifMatch(now),
  )
}

// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
export async function look(as: Person, useCaseId: string, query = ''): Promise<any> {
  return (await as.get(profileOf(useCaseId, query))).body
}

/** One control of a profile. */
// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
export function entryOf(profile: any, control: string): any {
  return profile.controls.find((entry: { control: string }) => entry.control === control)
}
