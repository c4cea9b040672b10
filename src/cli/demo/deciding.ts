import type { Decision } from '../../reviews/decision.js'
import type { Review } from '../../reviews/review.js'
import type { UseCase } from '../../use-cases/use-case.js'
import type { Caller, Refusal } from './caller.js'
import { as, type Stage } from './stage.js'
import type { Telling } from './telling.js'

/** Reads a use case as it now is. */
export async function read(caller: Caller, key: string): Promise<UseCase> {
  return await caller.get(`/v1/use-cases/${key}`)
}

/** @param asks what the submission asks for, such as a precedent or exceptions */
export async function submit(stage: Stage, key: string, by: string, asks: object = {}): Promise<Review> {
  const { revision } = await read(as(stage, by), key)
  return await as(stage, by).post<Review>(`/v1/use-cases/${key}/reviews`, asks, revision)
}

export interface Ballot {
  choice: string
  rationale: string
  conditions?: object[]
}

/** A seat votes, and what comes of it is told. */
export async function vote(
  stage: Stage,
  telling: Telling,
  { id }: Pick<Review, 'id'>,
  seat: string,
  ballot: Ballot,
): Promise<Decision | null> {
  const path = `/v1/reviews/${id}/votes`
  const member = as(stage, `committee-${seat}`)
  const { decision } = await member.post<{ decision: Decision | null }>(path, { ...ballot, seat })
  telling.say(`the ${seat} seat votes ${inWords(ballot.choice)}: ${ballot.rationale}`)
  if (decision) tellDecision(telling, decision)
  return decision
}

/** A seat would approve, which policy does not let it yet. */
export async function refusedVote(
  stage: Stage,
  { id }: Pick<Review, 'id'>,
  seat: string,
  ballot: Ballot,
): Promise<Refusal> {
  return await as(stage, `committee-${seat}`).refused(`/v1/reviews/${id}/votes`, { ...ballot, seat }, 409)
}

function tellDecision(telling: Telling, { outcome, validUntil, reason, conditions }: Decision): void {
  const until = validUntil ? ` until ${validUntil.slice(0, 10)}` : ''
  telling.say(`decision: ${inWords(outcome)}${until}, as ${reason}`)
  for (const { text } of conditions) telling.say(`  condition: ${text}`)
}

export async function tellStanding(stage: Stage, telling: Telling, key: string): Promise<void> {
  const { standing, reasons } = (await read(as(stage, 'auditor'), key)).standing
  telling.say(`${key} is ${inWords([standing, ...reasons].join(': '))}`)
}

const inWords = (name: string): string => name.replaceAll('_', ' ')
