// A use case on its way through a committee, and a clock that the test moves.
import type { Test } from 'tap'
import { buildAbility, readRights } from '../src/auth/decision-rights.js'
import { drizzleOn } from '../src/db/client.js'
import type { WriteTx } from '../src/db/transaction.js'
import { ASSENT_ID, newId } from '../src/ids.js'
import type { Instant } from '../src/instant.js'
import { findPrincipal } from '../src/people/service.js'
import { answersFor } from './answers.js'
import { type Answer, ifMatch, type Person, startApp, type TestApp } from './app.js'

export { answersFor }

export const START = '2026-03-01T09:00:00.000Z'

export type Committee = Awaited<ReturnType<typeof startCommittee>>

/** Everybody holds what they hold in the unit `claims`: both owners, five seats, and a second one for risk. */
export async function startCommittee(
  t: Test,
  env: Record<string, string> = {},
  policies?: TestApp['policies'],
) {
  const clock = { at: START as Instant, now: () => clock.at }
  const server = await startApp(t, { clock, env, policies })
  const unitId = await server.unit('claims')
  const person = async (name: string, ...rights: string[]) => await server.person(name, { rights, unitId })
  const member = async (name: string, seat: string) => await person(name, 'committee_member', `seat:${seat}`)
  const people = {
    business: await person('Bea', 'business_owner'),
    owner: await person('Rui', 'risk_owner'),
    auditor: await person('Ada', 'auditor'),
  }
  const seats = {
    risk: await member('Rae', 'risk'),
    business: await member('Bo', 'business'),
    legal: await member('Lea', 'legal'),
    security: await member('Sid', 'security'),
    compliance: await member('Cas', 'compliance'),
  }
  return {
    ...{ ...server, clock, unitId, member, inUnit: person, seats },
    ...{ businessOwner: people.business, riskOwner: people.owner, auditor: people.auditor },
  }
}

export type Seat = keyof Committee['seats']

/** A use case as its API shows it; registered by its business owner unless told otherwise. */
// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
export async function register(committee: Committee, facts: object = {}): Promise<any> {
  const { businessOwner, riskOwner, unitId } = committee
  const { body } = await businessOwner.post('/v1/use-cases', {
    title: 'Triage of incoming claims',
    purpose: 'Sorts claims by how urgent they are',
    orgUnitId: unitId,
    businessOwnerId: businessOwner.id,
    riskOwnerId: riskOwner.id,
    answers: answersFor.limited,
    ...facts,
  })
  return body
}

/** The id of the round that its risk owner opens. */
export async function submit({ riskOwner }: Committee, useCaseId: string): Promise<string> {
  const place = `/v1/use-cases/${useCaseId}`
  const { body } = await riskOwner.post(`${place}/reviews`, {}, ifMatch(await riskOwner.get(place)))
  return body.id
}

export async function vote(
  { seats }: Committee,
  reviewId: string,
  seat: Seat,
  choice: string,
): Promise<Answer> {
  return await seats[seat].post(`/v1/reviews/${reviewId}/votes`, { seat, choice, rationale: 'as discussed' })
}

/** Registers, submits and approves a use case of limited tier. */
export async function approved(committee: Committee, facts: object = {}) {
  const useCase = await register(committee, facts)
  await approve(committee, await submit(committee, useCase.id))
  return (await committee.riskOwner.get(`/v1/use-cases/${useCase.id}`)).body
}

/** The votes that approve in the lane of limited tier. */
export async function approve(committee: Committee, reviewId: string): Promise<Answer> {
  await vote(committee, reviewId, 'legal', 'approve')
  return await vote(committee, reviewId, 'risk', 'approve')
}

/** How it stands now. */
export async function standing({ riskOwner }: Committee, useCaseId: string) {
  return (await riskOwner.get(`/v1/use-cases/${useCaseId}`)).body.standing
}

/** Changes facts as its business owner, or as somebody else. */
export async function revise(
  { businessOwner }: Committee,
  useCaseId: string,
  facts: object,
  as: Person = businessOwner,
): Promise<Answer> {
  const place = `/v1/use-cases/${useCaseId}`
  return await as.patch(place, { facts, reason: 'as it is now' }, ifMatch(await as.get(place)))
}

/** A deed of the service itself, in one transaction, as this person. */
export async function act<T>(
  { database, policies }: TestApp,
  { id }: Person,
  deed: (tx: WriteTx) => Promise<T>,
): Promise<T> {
  const principal = await findPrincipal(drizzleOn(database.pool), id, database.clock.now())
  if (!principal) throw new Error('nobody active')
  const ability = buildAbility(readRights(policies.decisionRights), principal)
  return (await database.write({ principal, ability, requestId: newId() }, deed)).value
}

/** Grants somebody a seat in the unit `claims`, whatever else they are by then. */
export async function giveSeat({ owner, unitId }: Committee, { id }: Person, seat: string): Promise<void> {
  await owner.query(
    `insert into rights_grant (id, person_id, kind, name, org_unit_id, granted_by, granted_at)
      values ($1, $2, 'seat', $3, $4, $5, '2020-01-01')`,
    [newId(), id, seat, unitId, ASSENT_ID],
  )
}
