// A use case to which everything happened that a package tells of, day after day.

import type { Test } from 'tap'
import { addDays, type Instant } from '../../src/instant.js'
import { ifMatch, policyAsking } from '../app.js'
import { importing } from '../catalogs/files.js'
import { type Committee, register, START, startCommittee } from '../committee.js'
import { report } from '../conditions/world.js'
import { delegate } from '../delegated.js'
import { formAround, formType } from '../evidence/world.js'
import { rmf, say } from '../profiles/world.js'

const high = { tiers: ['limited'] }
const asking = [
  {
    ...{ id: 'RQ-10', when: high, because: 'It was tried.', ifMissing: 'refuse' },
    evidence: { kind: 'test_report', acceptedBy: ['risk'] },
  },
  {
    ...{ id: 'RQ-20', when: high, because: 'Somebody can switch it off.', ifMissing: 'refuse' },
    controls: { ...rmf, ids: ['MANAGE 2.4'], withEvidence: true },
  },
  {
    ...{ id: 'RQ-30', when: high, because: 'Its model is described.', ifMissing: 'refuse' },
    ...{ evidence: { kind: 'model_card' }, exception: { longestDays: 90 } },
  },
]

const file = Buffer.from('%PDF-1.7 what the tests found')

export type Audited = Awaited<ReturnType<typeof startAudited>>

/** Each deed on a day of its own, counted from `START`. */
export async function startAudited(t: Test) {
  const committee = await startCommittee(t, { ASSENT_EVIDENCE_DIR: t.testdir() }, policyAsking(...asking))
  const { clock, riskOwner, businessOwner, seats, unitId } = committee
  const everywhere = await committee.person('Eve', { rights: ['auditor'] })
  const admin = await committee.person('Ann', { rights: ['administrator'] })
  const pipeline = await committee.person('Deploy', { kind: 'service', rights: ['pipeline'], unitId })
  const useCase = await register(committee)
  const evidenceId = await attachFile(committee, useCase.id)
  onDay(committee, 1)
  await done(
    seats.risk.post(`/v1/evidence/${evidenceId}/verdict`, { verdict: 'accepted', note: 'I read it' }),
  )
  await done(
    importing(admin)({ id: 'house', version: '1', title: 'House rules' }, 'id,title\nH-1,Ask first\n'),
  )
  await done(say(riskOwner, useCase.id, { control: 'MANAGE 2.4', state: 'planned' }))
  onDay(committee, 2)
  const inPlace = { state: 'in_place', evidenceIds: [evidenceId], note: 'a switch in the console' }
  await done(say(riskOwner, useCase.id, { control: 'MANAGE 2.4', ...inPlace }))
  await done(
    say(riskOwner, useCase.id, { catalog: 'house', version: '1', control: 'H-1', state: 'in_place' }),
  )
  onDay(committee, 3)
  const deputy = await committee.inUnit('Dee', 'committee_member')
  await done(delegate(seats.legal, deputy, { endsAt: addDays(clock.at, 7) }))
  const decision = await decide(committee, useCase.id, deputy)
  const place = `/v1/use-cases/${useCase.id}`
  const [condition] = (await riskOwner.get(`${place}/conditions`)).body.items
  onDay(committee, 4)
  await done(
    riskOwner.post(`/v1/conditions/${condition.id}/owner`, { ownerId: businessOwner.id, reason: 'hers' }),
  )
  const wrong = { title: 'A wrong letter', description: 'It named a discount', severity: 'minor' }
  const incident = await done(
    businessOwner.post(`${place}/incidents`, { ...wrong, occurredAt: addDays(START, 3) }),
  )
  onDay(committee, 5)
  await done(
    riskOwner.post(`/v1/incidents/${incident.id}/entries`, { text: 'many letters', severity: 'serious' }),
  )
  await done(riskOwner.post(`${place}/pipelines`, { personId: pipeline.id }))
  await pipeline.post('/v1/gate/answers', { useCase: useCase.key, environment: 'production' }) // which is denied
  await committee.auditor.post(`${place}/evidence`, {
    kind: 'other',
    title: 'Mine',
    statement: 'I have seen it myself.',
  })
  onDay(committee, 6)
  const hold = { key: 'M-1', title: 'A matter', reason: 'a letter of counsel', orgUnitId: unitId }
  await done(admin.post('/v1/legal-holds', { ...hold, objects: [{ useCaseId: useCase.id }] }))
  return {
    ...{ ...committee, everywhere, admin, deputy, useCase, evidenceId, decision, file },
    ...{ conditionId: condition.id as string, incidentId: incident.id as string },
  }
}

export function onDay({ clock }: Pick<Committee, 'clock'>, day: number): Instant {
  clock.at = addDays(START, day)
  return clock.at
}

async function attachFile({ riskOwner }: Committee, useCaseId: string): Promise<string> {
  const { head, tail } = formAround(
    { kind: 'test_report', title: 'Test of triage' },
    { type: 'application/pdf' },
  )
  const body = Buffer.concat([head, file, tail])
  const place = `/v1/use-cases/${useCaseId}/evidence/files`
  return (await done(riskOwner.post(place, body, { 'content-type': formType }))).id
}

/** With an exception, a condition, and a vote that a deputy cast for whoever holds the seat. */
async function decide(
  { riskOwner, seats, clock }: Committee,
  useCaseId: string,
  deputy: Committee['auditor'],
) {
  const place = `/v1/use-cases/${useCaseId}`
  const exceptions = [
    {
      ...{ requirement: 'RQ-30', until: addDays(clock.at, 45), reason: 'The vendor writes it' },
      compensating: { text: 'A clerk reads every letter' },
    },
  ]
  const seen = ifMatch(await riskOwner.get(place))
  const review = await done(riskOwner.post(`${place}/reviews`, { exceptions }, seen))
  const votes = `/v1/reviews/${review.id}/votes`
  const conditional = { choice: 'approve_with_conditions', conditions: [report] }
  const first = await done(
    seats.risk.post(votes, { seat: 'risk', rationale: 'as discussed', ...conditional }),
  )
  const wording = { choice: 'approve', rationale: 'the wording is plain' }
  const ballot = { seat: 'legal', onBehalfOf: seats.legal.id, ...wording }
  const second = await done(deputy.post(votes, ballot))
  return second.decision ?? first.decision
}

/** What a deed answers, which has to be done for the test to make sense. */
// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
async function done(answer: Promise<{ status: number; body: any }>): Promise<any> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body
}
