// What tests of reviews do again and again, and a policy of their own.
import type { Proposal } from '../../src/conditions/condition.js'
import { LanesFile } from '../../src/policy/lanes.js'
import { OverlaysFile } from '../../src/policy/overlays.js'
import { type Answer, ifMatch, type Person, policyAsking, type TestApp } from '../app.js'
import { type Committee, register, type Seat, vote } from '../committee.js'

type Policies = TestApp['policies']
// biome-ignore lint/suspicious/noExplicitAny: the parser that follows says whether a change of policy makes sense
type Draft = any

export const shipped = (): Policies => policyAsking()

/** The shipped policy with other lanes, as it would be read from a file. */
export function withLanes(policies: Policies, change: (lanes: Draft[]) => Draft[]): Policies {
  const { lanes, ...file } = structuredClone(policies.lanes)
  return { ...policies, lanes: LanesFile.parse({ ...file, lanes: change(lanes) }) }
}

export function withOverlay(policies: Policies, overlay: Draft): Policies {
  const { overlays, ...file } = structuredClone(policies.overlays)
  return { ...policies, overlays: OverlaysFile.parse({ ...file, overlays: [...overlays, overlay] }) }
}

/** Where a use case is found, and how it is. */
export async function see({ riskOwner }: Committee, useCaseId: string) {
  return (await riskOwner.get(`/v1/use-cases/${useCaseId}`)).body
}

export async function show({ auditor }: Committee, reviewId: string) {
  return (await auditor.get(`/v1/reviews/${reviewId}`)).body
}

/** Submits it as it is now, and asks for this. */
export async function ask(
  { riskOwner }: Committee,
  useCaseId: string,
  asks: object = {},
  as: Person = riskOwner,
): Promise<Answer> {
  const place = `/v1/use-cases/${useCaseId}`
  return await as.post(`${place}/reviews`, asks, ifMatch(await as.get(place)))
}

export interface Said {
  seat: string
  choice?: string
  conditions?: Proposal[]
  onBehalfOf?: string
}

export async function say(as: Person, reviewId: string, { seat, ...said }: Said): Promise<Answer> {
  const choice = said.choice ?? (said.conditions ? 'approve_with_conditions' : 'approve')
  const ballot = { seat, choice, rationale: 'as discussed', ...said }
  return await as.post(`/v1/reviews/${reviewId}/votes`, ballot)
}

/** The votes of these seats, in this order. The answer is the last one's decision, if it decides. */
// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
export async function all(committee: Committee, reviewId: string, said: [Seat, string][]): Promise<any> {
  let last: Answer | undefined
  for (const [seat, choice] of said) last = await vote(committee, reviewId, seat, choice)
  return last?.body.decision
}

/** Registers it, submits it, and has it approved with these conditions of the risk seat. */
export async function approvedWith(committee: Committee, conditions: Proposal[], facts: object = {}) {
  const { id } = await register(committee, facts)
  const { body } = await ask(committee, id)
  await vote(committee, body.id, 'legal', 'approve')
  const { decision } = (await say(committee.seats.risk, body.id, { seat: 'risk', conditions })).body
  return { id: String(id), decision }
}

export async function conditionsOn({ riskOwner }: Committee, useCaseId: string) {
  return (await riskOwner.get(`/v1/use-cases/${useCaseId}/conditions`)).body.items
}

export async function eventsOf({ owner }: Committee, useCaseId: string): Promise<string[]> {
  const { rows } = await owner.query<{ type: string }>(
    'select type from audit_event where aggregate_id = $1 order by event_no',
    [useCaseId],
  )
  return rows.map(({ type }) => type)
}
