import { z } from 'zod'
import { Proposal, Term } from '../conditions/condition.js'
import { RegistryError } from '../errors.js'
import { Verdict } from '../evidence/evidence.js'
import { ShownAsk } from '../exceptions/exception.js'
import { day, type Instant } from '../instant.js'
import { Lane, Outcome, Seat } from '../policy/lanes.js'
import { AppliedOverlay } from '../policy/overlays.js'
import { reason } from '../text.js'
import { Tier } from '../use-cases/use-case.js'
import type { Plan } from './arithmetic.js'
import { DecidedEvidence } from './decided.js'
import * as examples from './examples.js'
import { ReviewGap } from './required.js'
import { type Asks, LowerTier } from './submission.js'

export const Choice = z
  .enum(['approve', 'approve_with_conditions', 'block', 'request_changes', 'abstain', 'recuse'])
  .meta({
    id: 'Choice',
    description:
      'What a seat can say. An abstention is on record and counts for nothing; a recusal leaves the seat to another holder',
  })
export type Choice = z.infer<typeof Choice>

/** Which way through policy led to the lane of a round. */
export const Route = z.enum(['full', 'minor', 'adaptive', 'precedent', 'attestation', 'sample']).meta({
  id: 'ReviewRoute',
  description:
    'Why it has this lane: the full one of its tier and facts; a shorter one for a minor or adaptive difference or for a cited precedent; the attestation of an owner; or a sample of those',
})
export type Route = z.infer<typeof Route>

export const Ballot = z
  .strictObject({
    seat: Seat.describe('The seat you hold and vote for'),
    choice: Choice,
    rationale: reason.describe('Why; it stays with the decision'),
    conditions: z
      .array(Proposal)
      .max(20)
      .default([])
      .describe('What the approval depends on; with approve_with_conditions, and with nothing else'),
    onBehalfOf: z
      .uuid()
      .optional()
      .describe('Id of the holder of the seat, who delegated their votes to you for this time'),
  })
  .refine(({ choice, conditions }) => (choice === 'approve_with_conditions') === conditions.length > 0, {
    path: ['conditions'],
    message: 'name at least one condition with approve_with_conditions, and none with any other choice',
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
    conditions: z.array(Term).describe('What this approval depends on'),
    onBehalfOf: z.uuid().nullable().describe('The holder of the seat, if a delegate voted for them'),
  })
  .meta({ id: 'Vote', description: 'A vote as it was cast; of a seat’s several the last one counts' })
export type Vote = z.infer<typeof Vote>

/** Evidence that nobody refused: what a committee decides on. */
export const ReviewedEvidence = z
  .strictObject({
    ...DecidedEvidence.shape,
    verdict: Verdict.nullable().describe('Null until somebody else judged it; only what is accepted counts'),
  })
  .meta({ id: 'ReviewedEvidence', description: 'Evidence that a review shows: accepted, or not judged yet' })

export const ReviewStage = z
  .strictObject({
    id: z.string(),
    state: z.enum(['waiting', 'open', 'passed', 'not_passed']),
    seats: z.array(Seat),
    approvals: z.int().describe('Seats whose vote that counts approves'),
    quorum: z.int().describe('Approvals that are needed'),
    openSeats: z.array(Seat).describe('Seats that have not voted; none unless it is open'),
    openedAt: z.iso.datetime().nullable(),
    dueAt: z.iso.datetime().nullable().describe('When it is overdue; time never decides'),
    closedAt: z.iso.datetime().nullable(),
    isOverdue: z.boolean(),
  })
  .meta({ id: 'ReviewStage', description: 'One stage of a round, and how far it has come' })
export type ReviewStage = z.infer<typeof ReviewStage>

export const Review = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }).describe('What it is called now'),
    round: z.int().describe('1 for the first review of the use case'),
    version: z.int().describe('The version it decides on, frozen meanwhile'),
    tier: Tier,
    route: Route,
    lane: Lane.describe('As it was when the round opened, with what overlays added'),
    overlays: z.array(AppliedOverlay).describe('Rules for its line of business or jurisdiction that apply'),
    asks: z
      .strictObject({
        lowerTierTo: LowerTier.nullable(),
        waives: z.array(z.uuid()).describe('Ids of conditions'),
        precedentId: z.uuid().nullable(),
        supersedesId: z.uuid().nullable(),
        exceptions: z.array(ShownAsk).describe('From requirements of policy'),
      })
      .describe('What was asked for beside an approval, and what it rests on'),
    sinceVersion: z
      .int()
      .nullable()
      .describe('The version that the decision before was about; null if there is none'),
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
    stages: z.array(ReviewStage).describe('In the order of the lane'),
    approvals: z.int().describe('Seats whose vote that counts approves, in all stages'),
    needed: z.int().describe('Approvals that are needed, in all stages'),
    openSeats: z.array(Seat).describe('Seats of open stages that have not voted'),
    isOverdue: z.boolean().describe('Open beyond the time when a stage was due'),
    excluded: z
      .array(z.strictObject({ personId: z.uuid(), because: z.string() }))
      .describe('Who may not vote, and why'),
    evidence: z
      .array(ReviewedEvidence)
      .describe('As it stands, or stood when the round closed; without what was refused'),
    missing: z
      .array(ReviewGap)
      .nullable()
      .describe('What policy requires and is not there now; null in lists, and once the round is closed'),
  })
  .meta({
    id: 'Review',
    description: 'One round of decision-making on a frozen version',
    examples: [examples.review],
  })
export type Review = z.infer<typeof Review>

export function assertOpen(review: { outcome: string | null; closedAt: Instant | null }): void {
  if (review.outcome === null || review.closedAt === null) return
  throw new RegistryError(
    'conflict',
    `this review was ${ENDED[review.outcome] ?? review.outcome} on ${day(review.closedAt)}; nothing more to do`,
  )
}

const ENDED: Record<string, string> = {
  approved_with_conditions: 'approved with conditions',
  changes_requested: 'closed with a request for changes',
}

/** two different people answer for a use case: one for its outcome, one for its risk. */
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

/**
 * votes are for seats of stages that are open; R-26: what is prohibited is not approved, only lowered.
 * @param open the stages that take votes now
 * @throws RegistryError `invalid` unless the lane has this seat and can end the way it asks for, `conflict` while the
 *   seat's stage is not open
 */
export function assertVotable(
  round: Pick<Asks, 'lowerTierTo'> & { lane: Lane; tier: Tier },
  open: readonly { seats: readonly { seat: string }[] }[],
  { seat, choice }: Pick<Ballot, 'seat' | 'choice'>,
): void {
  const seatsIn = (stages: typeof open) => stages.flatMap(({ seats }) => seats.map((place) => place.seat))
  const { lane, tier, lowerTierTo } = round
  if (!seatsIn(lane.stages).includes(seat)) {
    const known = seatsIn(lane.stages).join(', ')
    throw new RegistryError('invalid', `this review has no seat ${seat}; vote for one of ${known}`)
  }
  if (!seatsIn(open).includes(seat)) {
    const now = seatsIn(open).join(', ')
    throw new RegistryError('conflict', `the stage of the ${seat} seat is not open; ${now} vote now`)
  }
  const isLowering = choice === 'approve' && lowerTierTo !== null
  if (isApproval(choice) && !isLowering && !lane.outcomes.includes(OUTCOME_OF[choice])) {
    throw new RegistryError(
      'invalid',
      `a ${tier} use case cannot be ${OUTCOME_OF[choice].replaceAll('_', ' ')}; block it or request changes`,
    )
  }
}

/** Each change of a vote is kept, and shown to whoever reads the review. */
const MOST_VOTES = 50

/**
 * @throws RegistryError `conflict` to whoever has changed their vote again and again; leaving the seat to
 * another holder is always possible
 */
export function assertChangeable(choice: Choice, cast: number): void {
  if (cast < MOST_VOTES || choice === 'recuse') return
  throw new RegistryError(
    'conflict',
    `you have voted ${MOST_VOTES} times in this round; your last vote counts, or recuse yourself`,
  )
}

const OUTCOME_OF = { approve: 'approved', approve_with_conditions: 'approved_with_conditions' } as const

/** Both kinds of approval count. */
export function isApproval(choice: Choice): choice is keyof typeof OUTCOME_OF {
  return choice in OUTCOME_OF
}

/** The stages of a lane as the arithmetic reads them. Lanes of before there were several have no order. */
export function planOf({ order, stages }: Pick<Lane, 'order' | 'stages'>): Plan {
  return { order: order ?? 'in_order', stages }
}

/** what a round rests on stays as it is while it is open. Another unit would be another committee. */
export function frozenBy({ id, lane }: { id: string; lane: Lane }) {
  return { openReviewId: id, openMaterialFacts: [...new Set([...lane.materialFacts, 'orgUnitId'])] }
}

/** those who were drawn cannot undo the draw. */
export function assertWithdrawable({ route }: { route: Route }): void {
  if (route !== 'sample') return
  throw new RegistryError(
    'conflict',
    'this review was drawn as a sample of attestations; the committee ends it',
  )
}
