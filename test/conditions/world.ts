// A use case that was approved with conditions, and the evidence that meets them.

import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import type { Proposal } from '../../src/conditions/condition.js'
import { drizzleOn } from '../../src/db/client.js'
import type { ReadTx } from '../../src/db/transaction.js'
import { newId } from '../../src/ids.js'
import { findPrincipal } from '../../src/people/service.js'
import { ifMatch, type Person } from '../app.js'
import { type Committee, register } from '../committee.js'

export const report = {
  type: 'obligation',
  text: 'A report on 200 claims that it sorted.',
  satisfiedBy: 'monitoring_report',
  dueInDays: 30,
} satisfies Proposal
export const opinion = {
  type: 'obligation',
  text: 'Compliance reads the wording first.',
  satisfiedBy: 'legal_opinion',
  beforeDeploy: true,
} satisfies Proposal
export const onlyInEurope = {
  type: 'limit',
  on: 'jurisdiction',
  values: ['fr', 'DE', 'DE'],
} satisfies Proposal

/** The id of a use case that was approved, with these conditions in the order given. */
export async function approvedWith(committee: Committee, proposals: Proposal[]) {
  const { id } = await register(committee)
  await decideWith(committee, id, proposals)
  const { items } = (await committee.riskOwner.get(`/v1/use-cases/${id}/conditions`)).body
  return { id: String(id), conditionIds: items.map((item: { id: string }) => item.id) as string[] }
}

/** Submits it, again or for the first time, and approves with these conditions. Answers the decision. */
export async function decideWith(
  { riskOwner, seats }: Committee,
  useCaseId: string,
  proposals: Proposal[],
  asks: object = {},
  // biome-ignore lint/suspicious/noExplicitAny: as in an Answer
): Promise<any> {
  const place = `/v1/use-cases/${useCaseId}`
  const { body: review } = await riskOwner.post(`${place}/reviews`, asks, ifMatch(await riskOwner.get(place)))
  const cast = async (seat: 'risk' | 'legal', conditions: Proposal[]) => {
    const choice = conditions.length > 0 ? 'approve_with_conditions' : 'approve'
    const ballot = { seat, choice, rationale: 'as discussed', conditions }
    return (await seats[seat].post(`/v1/reviews/${review.id}/votes`, ballot)).body.decision
  }
  return (await cast('risk', proposals)) ?? (await cast('legal', []))
}

/** What the service reads as this person. */
export async function look<T>(
  { database, policies, clock }: Committee,
  { id }: Person,
  work: (tx: ReadTx) => Promise<T>,
): Promise<T> {
  const principal = await findPrincipal(drizzleOn(database.pool), id, clock.now())
  if (!principal) throw new Error('nobody active')
  const ability = buildAbility(readRights(policies.decisionRights), principal)
  return await database.read({ principal, ability, requestId: newId() }, work)
}

/** A statement attached by the risk owner; `verdict` is that of a committee member. Answers its id. */
export async function give(
  { riskOwner, seats }: Committee,
  useCaseId: string,
  evidence: { kind?: string; freshUntil?: string; supersedesId?: string } = {},
  verdict: 'accepted' | 'refused' | 'none' = 'accepted',
): Promise<string> {
  const given = { kind: 'monitoring_report', title: 'Claims of March', statement: 'I read 200 of them.' }
  const { body } = await riskOwner.post(`/v1/use-cases/${useCaseId}/evidence`, { ...given, ...evidence })
  if (verdict !== 'none')
    await seats.risk.post(`/v1/evidence/${body.id}/verdict`, { verdict, note: 'I read it' })
  return body.id
}

export async function fulfil(as: Person, conditionId: string, evidenceId: string) {
  return await as.post(`/v1/conditions/${conditionId}/fulfilment`, { evidenceId, note: 'all as agreed' })
}

/** What the head of a use case says of its conditions. */
export async function headOn({ owner }: Committee, useCaseId: string) {
  const { rows } = await owner.query(
    `select next_due_at as "nextDueAt", before_deploy_open as "beforeDeployOpen", revision from use_case where id = $1`,
    [useCaseId],
  )
  return rows[0]
}
