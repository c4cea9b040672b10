import type { Review } from '../../reviews/review.js'
import type { UseCase } from '../../use-cases/use-case.js'
import { type Ballot, read, submit, vote } from './deciding.js'
import { provide } from './grounds.js'
import { as, idOf, type Stage } from './stage.js'
import { plural, type Telling } from './telling.js'

export interface Owners {
  business: string
  risk: string
}

/** The subjects of its owners; where one is missing, two are named first. */
export async function nameOwners(stage: Stage, key: string): Promise<Owners> {
  const { businessOwnerId, riskOwnerId, revision } = await read(as(stage, 'auditor'), key)
  const subjectOf = (id: string | null) => [...stage.ids].find(([, personId]) => personId === id)?.[0]
  const business = subjectOf(businessOwnerId)
  const risk = subjectOf(riskOwnerId)
  if (business && risk) return { business, risk }
  const owners = { business: 'business-owner-claims', risk: 'risk-owner-claims' }
  const facts = { businessOwnerId: idOf(stage, owners.business), riskOwnerId: idOf(stage, owners.risk) }
  const change = { facts, reason: 'two people answer for every use of AI' }
  await as(stage, owners.risk).patch(`/v1/use-cases/${key}`, change, revision)
  return owners
}

export async function tellTier(stage: Stage, telling: Telling, key: string): Promise<void> {
  const { title, tier } = await read(as(stage, 'auditor'), key)
  telling.say(`${key} “${title}” is ${tier.effective}:`)
  for (const { id, unknown, because } of tier.fired.slice(0, 3)) {
    telling.say(`  ${id} ${unknown ? '(an answer is missing) ' : ''}${because}`)
  }
  if (tier.fired.length > 3) telling.say(`  and ${tier.fired.length - 3} more`)
}

/** Whoever owns it answers what nobody had answered; less is unknown, so the tier may fall by itself. */
export async function answerOpenQuestions(
  stage: Stage,
  telling: Telling,
  key: string,
  { business }: Owners,
): Promise<void> {
  const { revision, answers, tier } = await read(as(stage, business), key)
  if (!tier.fired.some(({ unknown }) => unknown)) return
  const { unknown } = await as(stage, business).post<{ unknown: string[] }>('/v1/tiers/trial', { answers })
  const known = Object.fromEntries(unknown.flatMap((id) => (HARMLESS[id] ? [[id, HARMLESS[id]]] : [])))
  const change = { facts: { answers: known }, reason: 'we asked the people who run it' }
  const after = await as(stage, business).patch<UseCase>(`/v1/use-cases/${key}`, change, revision)
  const [rule] = after.tier.fired
  const moved = after.tier.effective === tier.effective ? 'stays' : 'is now'
  telling.say(
    `its business owner answers ${plural(Object.keys(known).length, 'open question')}: it ${moved} ${after.tier.effective}`,
  )
  if (rule) telling.say(`  ${rule.id} ${rule.because}`)
}

/** What an unexciting assistant would answer. */
const HARMLESS: Record<string, string> = {
  customer_facing: 'no',
  regulated_language: 'no',
  personal_data: 'personal',
  decision_role: 'assists',
  autonomy: 'human_in_loop',
  affected: 'employees',
  vulnerable_people: 'no',
  annex_iii_area: 'none',
  prohibited_practice: 'none',
}

/** The risk owner gives what policy asks for; evidence counts once somebody else has accepted it. */
export async function giveGrounds(
  stage: Stage,
  telling: Telling,
  key: string,
  { risk }: Owners,
): Promise<void> {
  const { evidence, controls } = await provide(stage, key, risk)
  const kinds = evidence.map(({ ask }) => ask.kind.replaceAll('_', ' '))
  if (kinds.length > 0)
    telling.say(
      `its risk owner attaches what policy asks for, and the committee accepts it: ${kinds.join(', ')}`,
    )
  if (controls.length > 0)
    telling.say(`its risk owner says of ${plural(controls.length, 'control')} that they are in place`)
}

export async function tellSubmission(
  stage: Stage,
  telling: Telling,
  key: string,
  { risk }: Owners,
): Promise<Review> {
  const review = await submit(stage, key, risk)
  const { lane, openSeats, dueAt } = review
  const votes = lane.outcomes.includes('approved')
    ? `${lane.stages[0]?.quorum} of ${plural(openSeats.length, 'seat')} must approve`
    : 'which cannot approve it'
  telling.say(`${key} is submitted: lane “${lane.title}”, ${votes}, due ${dueAt.slice(0, 10)}`)
  return review
}

export async function tellOwnVote(
  stage: Stage,
  telling: Telling,
  { id }: Review,
  { business, risk }: Owners,
): Promise<void> {
  const ballot = { seat: 'risk', choice: 'approve', rationale: 'It is mine and I like it.' }
  telling.say('its risk owner, who submitted it, tries to vote on it and is refused:')
  telling.quote(await as(stage, risk).refused(`/v1/reviews/${id}/votes`, ballot))
  telling.say('so is its business owner:')
  telling.quote(await as(stage, business).refused(`/v1/reviews/${id}/votes`, ballot))
}

/** Seats vote one after the other until the round is closed; the risk seat first, as most lanes require it. */
export async function voteUntilDecided(
  stage: Stage,
  telling: Telling,
  review: Review,
  ballot: Ballot,
): Promise<void> {
  const seats = [...review.openSeats].sort((a, b) => Number(b === 'risk') - Number(a === 'risk'))
  for (const seat of seats) {
    if (await vote(stage, telling, review, seat, ballot)) return
  }
}
