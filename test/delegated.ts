import { addDays } from '../src/instant.js'
import type { Answer, Person } from './app.js'
import { START } from './committee.js'

/** Asks somebody to vote for another, for a week unless `when` says otherwise. */
export async function propose(from: Person, to: { id: string }, when: object = {}): Promise<Answer> {
  const week = { endsAt: addDays(START, 7), reason: 'away for a week' }
  return await from.post('/v1/delegations', { toId: to.id, ...week, ...when })
}

export async function accept(by: Person, id: string): Promise<Answer> {
  return await by.post(`/v1/delegations/${id}/acceptance`)
}

/** Asks, and has it accepted at once: 201 with the delegation as accepted, or the refusal of either. */
export async function delegate(from: Person, to: Person, when: object = {}): Promise<Answer> {
  const made = await propose(from, to, when)
  if (made.status !== 201) return made
  const accepted = await accept(to, made.body.id)
  return accepted.status === 200 ? { ...made, body: accepted.body } : accepted
}
