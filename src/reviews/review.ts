import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { Verdict } from '../evidence/evidence.js'
import { day, type Instant } from '../instant.js'
import { Lane, type LaneStage, Outcome, Seat } from '../policy/lanes.js'
import { reason, text } from '../text.js'
import { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'

export const Choice = z.enum(['approve', 'block', 'request_changes', 'abstain']).meta({
  id: 'Choice',
  description: 'What a seat can say; an abstention is on record and counts for nothing',
})
export type Choice = z.infer<typeof Choice>

export const Submission = z
  .strictObject({
    note: text(4000).trim().default('').describe('What the committee should know'),
  })
  .meta({ id: 'Submission', examples: [examples.submission] })
export type Submission = z.infer<typeof Submission>

export const Ballot = z
  .strictObject({
    seat: Seat.describe('The seat you hold and vote for'),
    choice: Choice,
    rationale: reason.describe('Why; it stays with the decision'),
  })
  .meta({ id: 'Ballot', examples: [examples.ballot] })
export type Ballot = z.infer<typeof Ballot>

export const Withdrawal = z
  .strictObject({ reason })
  .meta({ id: 'Withdrawal', examples: [examples.withdrawal] })
export type Withdrawal = z.infer<typeof Withdrawal>

export const Vote = z
  .strictObject({
    id: z.uuid(),
    seat: Seat,
    personId: z.uuid(),
    ordinal: z.int().describe('1 for the seat’s first vote in this round'),
    choice: Choice,
    rationale: z.string().describe('Why; it stays with the decision'),
    decisionRight: z.string().describe('The right that allowed it, as DR-nn'),
    castAt: z.iso.datetime(),
  })
  .meta({ id: 'Vote', description: 'A vote as it was cast; of a seat’s several the last one counts' })
export type Vote = z.infer<typeof Vote>

export const DecidedEvidence = z
  .strictObject({
    id: z.uuid(),
    kind: z.string(),
    title: z.string(),
    digest: z.string(),
  })
  .meta({ id: 'DecidedEvidence', description: 'Evidence as it stood when a decision was made' })

/** Evidence that nobody refused: what a committee decides on. */
export const ReviewedEvidence = z
  .strictObject({
    ...DecidedEvidence.shape,
    verdict: Verdict.nullable().describe('Null until somebody else judged it; only what is accepted counts'),
  })
  .meta({ id: 'ReviewedEvidence', description: 'Evidence that a review shows: accepted, or not judged yet' })

export const Review = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }).describe('What it is called now'),
    round: z.int().describe('1 for the first review of the use case'),
    version: z.int().describe('The version it decides on, frozen meanwhile'),
    tier: Tier,
    lane: Lane,
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
    submittedBy: z.uuid().describe('Id of a person'),
    note: z.string().describe('What the committee should know'),
    openedAt: z.iso.datetime(),
    dueAt: z.iso.datetime().describe('When it is overdue; time never decides'),
    closedAt: z.iso.datetime().nullable().describe('Null while it is open'),
    outcome: z
      .enum([...Outcome.options, 'withdrawn'])
      .nullable()
      .describe('Null while it is open'),
    closingReason: z
      .string()
      .nullable()
      .describe('How the votes came to the outcome, or why it was withdrawn'),
    votes: z.array(Vote).describe('In the order in which they were cast'),
    approvals: z.int().describe('Seats whose vote that counts approves'),
    needed: z.int().describe('Approvals that are needed'),
    openSeats: z.array(Seat).describe('Seats that have not voted'),
    excluded: z
      .array(z.strictObject({ personId: z.uuid(), because: z.string() }))
      .describe('Who may not vote, and why'),
    evidence: z
      .array(ReviewedEvidence)
      .describe('As it stands, or stood when the round closed; without what was refused'),
  })
  .meta({
    id: 'Review',
    description: 'One round of decision-making on a frozen version',
    examples: [examples.review],
  })
export type Review = z.infer<typeof Review>

export const Decision = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    reviewId: z.uuid(),
    outcome: Outcome,
    reason: z.string().describe('How the votes came to this outcome'),
    version: z.int().describe('The version that was decided on'),
    tier: Tier.describe('The tier it was decided for'),
    laneId: z.string().describe('The lane of policy it went through'),
    environments: z.array(z.string()).nullable().describe('Where an approval holds; null for everywhere'),
    validUntil: z.iso.datetime().nullable().describe('When an approval ends by itself'),
    materialFacts: z.array(z.string()).describe('Facts whose change ends the approval'),
    materialDigest: z.string().describe('Digest of the material facts as they were decided on'),
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
    votes: z.array(Vote).describe('The votes that counted, one a seat'),
    evidence: z.array(DecidedEvidence).describe('Evidence that was accepted at the time'),
    decidedAt: z.iso.datetime(),
  })
  .meta({
    id: 'Decision',
    description: 'The outcome of a review; it never changes',
    examples: [examples.decision],
  })
export type Decision = z.infer<typeof Decision>

/** A vote that was cast, with the decision that it led to, if it did. */
export const CastVote = z
  .strictObject({ review: Review, decision: Decision.nullable().describe('Null while the round is open') })
  .meta({ id: 'CastVote', examples: examples.castVotes })

export function assertOpen(review: { outcome: string | null; closedAt: Instant | null }): void {
  if (review.outcome === null || review.closedAt === null) return
  throw new RegistryError(
    'conflict',
    `this review was ${review.outcome} on ${day(review.closedAt)}; nothing more to do`,
  )
}

/** Two different people answer for a use case: one for its outcome, one for its risk. */
export function assertOwned({
  businessOwnerId,
  riskOwnerId,
}: {
  businessOwnerId: string | null
  riskOwnerId: string | null
}): void {
  if (businessOwnerId !== null && riskOwnerId !== null && businessOwnerId !== riskOwnerId) return
  throw new RegistryError(
    'conflict',
    'a review needs a business owner and a risk owner who are two people; name both first',
  )
}

/** @throws RegistryError `invalid` unless the lane has this seat and can end the way it asks for */
export function assertVotable(lane: Lane, { seat, choice }: Pick<Ballot, 'seat' | 'choice'>): void {
  const seats = lane.stages.flatMap((stage) => stage.seats.map((place) => place.seat))
  if (!seats.includes(seat)) {
    throw new RegistryError('invalid', `this review has no seat ${seat}; vote for one of ${seats.join(', ')}`)
  }
  if (choice === 'approve' && !lane.outcomes.includes('approved')) {
    throw new RegistryError(
      'invalid',
      `a ${lane.when?.tiers?.join(' or ') ?? 'prohibited'} use case cannot be approved; block it or request changes`,
    )
  }
}

export type Tally = { closes: false } | { closes: true; outcome: Outcome; reason: string }

type Cast = { seat: string; choice: Choice }

/**
 * What the votes come to, one vote a seat. A veto seat's block closes at once. The quorum closes as approved when
 * every required seat is among the approvals. When that is out of reach: blocked if anyone voted so, else changes
 * are requested. An abstention approves nothing and frees no seat.
 */
export function tally({ seats, quorum }: LaneStage, votes: readonly Cast[]): Tally {
  const choiceOf = (seat: string) => votes.find((vote) => vote.seat === seat)?.choice
  const veto = seats.find((place) => place.veto && choiceOf(place.seat) === 'block')
  if (veto)
    return { closes: true, outcome: 'blocked', reason: `blocked by the ${veto.seat} seat, which has a veto` }

  const approvals = seats.filter(({ seat }) => choiceOf(seat) === 'approve')
  const required = seats.filter((place) => place.required)
  if (approvals.length >= quorum && required.every((place) => approvals.includes(place))) {
    return {
      closes: true,
      outcome: 'approved',
      reason: `${approvals.length} of ${seats.length} seats approved, ${quorum} were needed`,
    }
  }

  const undecided = seats.filter(({ seat }) => choiceOf(seat) === undefined)
  const lost = required.find(({ seat }) => choiceOf(seat) !== undefined && choiceOf(seat) !== 'approve')
  if (!lost && approvals.length + undecided.length >= quorum) return { closes: false }
  const outcome = votes.some(({ choice }) => choice === 'block') ? 'blocked' : 'changes_requested'
  const why = lost
    ? `the ${lost.seat} seat is required and did not approve`
    : `${quorum} approvals are out of reach`
  return { closes: true, outcome, reason: why }
}

/** The vote that counts for each seat: its last. */
export function countedVotes<T extends { seat: string; ordinal: number }>(votes: readonly T[]): T[] {
  const latest = new Map<string, T>()
  for (const vote of votes) {
    if (vote.ordinal > (latest.get(vote.seat)?.ordinal ?? 0)) latest.set(vote.seat, vote)
  }
  return [...latest.values()]
}

/** True when the lane in force asks for more than the one a round opened with: an approval under it would be too cheap. */
export function isStricter(inForce: Lane, opened: Lane): boolean {
  const isNew = (is: (place: LaneStage['seats'][number]) => boolean) =>
    seatsOf(inForce).some(
      (place) => is(place) && !seatsOf(opened).some((old) => old.seat === place.seat && is(old)),
    )
  return (
    quorumOf(inForce) > quorumOf(opened) ||
    isNew((place) => place.required) ||
    isNew((place) => place.veto) ||
    inForce.validForDays < opened.validForDays ||
    inForce.materialFacts.some((fact) => !opened.materialFacts.includes(fact)) ||
    holdsInFewer(inForce, opened)
  )
}

/** A lane without environments holds everywhere. */
function holdsInFewer({ environments: few }: Lane, { environments: many }: Lane): boolean {
  if (few === undefined) return false
  return many === undefined || many.some((environment) => !few.includes(environment))
}

function quorumOf({ stages }: Lane): number {
  return stages.reduce((sum, { quorum }) => sum + quorum, 0)
}

function seatsOf({ stages }: Lane): LaneStage['seats'] {
  return stages.flatMap(({ seats }) => seats)
}

/** The one stage of a round. Lanes of several stages come with the stages themselves. */
export function stageOf(lane: Lane): LaneStage {
  const [stage] = lane.stages
  if (!stage) throw new Error(`lane ${lane.id} has no stage: the policy was not validated`)
  return stage
}
