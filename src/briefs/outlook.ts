import { type Outlook as Effect, outlook, type Plan } from '../reviews/arithmetic.js'
import type { Choice } from '../reviews/review.js'
import type { Outlook } from './brief.js'

const choices = ['approve', 'block', 'request_changes', 'abstain', 'recuse'] as const satisfies Choice[]

/** What would happen at each choice of each seat that can vote now, and of all who have not decided. Pure. */
export function outlookOf(plan: Plan, votes: Parameters<typeof outlook>[1]): Outlook[] {
  const { seats, together } = outlook(plan, votes)
  const told = (seat: string | null, by: Record<Choice, Effect>) =>
    choices.map((choice) => ({ seat, choice, effect: sentenceOf(by[choice], choice) }) as Outlook)
  return [
    ...seats.flatMap(({ seat, ifVoted }) => told(seat, ifVoted)),
    ...(seats.length > 1 ? told(null, together) : []),
  ]
}

const WORDS = {
  approved: 'it is approved',
  approved_with_conditions: 'it is approved with conditions',
  blocked: 'it is blocked',
  changes_requested: 'changes are requested',
}

function sentenceOf(effect: Effect, choice: Choice): string {
  if (effect.effect === 'closes') return `The round ends and ${WORDS[effect.outcome]}: ${effect.reason}`
  if (effect.effect === 'stage_passed') {
    const next = effect.opens.length > 0 ? `, and ${effect.opens.join(', ')} opens` : ''
    return `The stage ${effect.passed.join(', ')} has passed${next}`
  }
  return choice === 'recuse'
    ? 'The seat is open to another holder; the round stays open'
    : 'The round stays open'
}
