import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { EvidenceKind } from '../evidence/evidence.js'
import { day, givenInstant, type Instant } from '../instant.js'
import { Slug } from '../policy/lanes.js'
import { Ask } from '../policy/requirements.js'
import { reason, text } from '../text.js'
import * as examples from './examples.js'

export const LimitOn = z
  .enum(['environment', 'jurisdiction', 'channel'])
  .meta({ id: 'LimitOn', description: 'What the gate compares with a limit' })
export type LimitOn = z.infer<typeof LimitOn>

const value = text(60).trim().min(1)
const words = text(4000).trim().min(3, 'say it in at least three characters')
const days = z.int().min(1).max(3650)
const ownerId = z.uuid().describe('The person who sees to it; the risk owner if not given')

const ProposedObligation = z
  .strictObject({
    type: z.literal('obligation'),
    text: words.describe('What is to be done, as its owner reads it'),
    satisfiedBy: EvidenceKind.describe('The kind of evidence that meets it, once somebody else accepted it'),
    ownerId: ownerId.optional(),
    dueAt: givenInstant.optional().describe('When it is overdue, and the approval lapses'),
    dueInDays: days.optional().describe('The same in days of 24 hours from the decision'),
    beforeDeploy: z
      .literal(true)
      .optional()
      .describe('Due before any deploy: the gate denies until it is met'),
  })
  .refine(
    ({ dueAt, dueInDays, beforeDeploy }) =>
      [dueAt, dueInDays, beforeDeploy].filter((due) => due !== undefined).length === 1,
    'say when it is due: one of dueAt, dueInDays and beforeDeploy',
  )

const ProposedLimit = z.strictObject({
  type: z.literal('limit'),
  on: LimitOn,
  values: z.array(value).min(1, 'name at least one value').max(50).describe('Where it holds'),
  text: words.optional().describe('Why it holds only there'),
})

const ProposedPattern = z.strictObject({
  type: z.literal('pattern'),
  pattern: Slug.describe('Id of a pattern in `policies/conditions.json`'),
  ownerId: ownerId
    .optional()
    .describe('The person who sees to it; the owner that the pattern names if not given'),
})

/** A condition as a vote asks for it. */
export const Proposal = z
  .discriminatedUnion('type', [ProposedObligation, ProposedLimit, ProposedPattern])
  .meta({
    id: 'ProposedCondition',
    description: 'A condition as a vote asks for it: in its own words, or by a pattern of policy',
    examples: examples.proposals,
  })
export type Proposal = z.infer<typeof Proposal>

/** An owner of the use case, whoever that is when the decision is made; or one person. */
const TermOwner = z.union([z.enum(['risk_owner', 'business_owner']), z.uuid()])

const pattern = z.string().nullable().describe('Id of the pattern that it comes from')

const ObligationTerm = z.strictObject({
  type: z.literal('obligation'),
  text: z.string(),
  pattern,
  owner: TermOwner.describe(
    'An owner of the use case as it is when the decision is made, or the id of a person',
  ),
  satisfiedBy: EvidenceKind,
  dueAt: z.iso.datetime().nullable(),
  dueInDays: z.int().nullable().describe('Days of 24 hours from the decision'),
  beforeDeploy: z.boolean(),
})
export type ObligationTerm = z.infer<typeof ObligationTerm>

const LimitTerm = z.strictObject({
  type: z.literal('limit'),
  text: z.string(),
  pattern,
  on: LimitOn,
  values: z.array(z.string()),
})
export type LimitTerm = z.infer<typeof LimitTerm>

/** What a vote asks for, with everything filled in that policy says. It is in force once a decision imposes it. */
export const Term = z.discriminatedUnion('type', [ObligationTerm, LimitTerm]).meta({
  id: 'ConditionTerm',
  description: 'A condition that a vote asks for; in force once a decision imposes it',
  examples: examples.terms,
})
export type Term = z.infer<typeof Term>

export const ConditionState = z.enum(['open', 'overdue', 'in_force', 'met', 'waived', 'ended']).meta({
  id: 'ConditionState',
  description:
    'An obligation is `open` or `overdue`, a limit `in_force`, until it is `met`, `waived` by a decision, or `ended` by a block or another decision',
})
export type ConditionState = z.infer<typeof ConditionState>

const Ending = z
  .strictObject({
    endedBy: z.uuid().describe('Id of a person'),
    endedAt: z.iso.datetime(),
    note: z.string(),
    evidenceId: z.uuid().nullable().describe('What met it'),
    decisionId: z.uuid().nullable().describe('The decision that waived or ended it'),
  })
  .meta({ id: 'ConditionEnding' })

export const Condition = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }).describe('What it is called now'),
    decisionId: z.uuid().describe('The decision that imposed it'),
    ordinal: z.int().describe('1 for the first condition of the use case'),
    type: z.enum(['obligation', 'limit']),
    text: z.string().describe('What is to be done, or where it holds and why only there'),
    pattern,
    ownerId: z.uuid().nullable().describe('The person who sees to it; null for a limit'),
    dueAt: z.iso
      .datetime()
      .nullable()
      .describe('When it is overdue, and the approval lapses until it is met'),
    beforeDeploy: z.boolean().describe('The gate denies until it is met'),
    satisfiedBy: EvidenceKind.nullable().describe('The kind of evidence that meets it; null for a limit'),
    requirement: z
      .string()
      .nullable()
      .describe('Of policy, as RQ-nn, where it is for what was required and not there; else null'),
    asks: z
      .array(Ask)
      .describe('What policy asks for: all of it has to be there for the condition to be met'),
    limit: z
      .strictObject({ on: LimitOn, values: z.array(z.string()) })
      .nullable()
      .describe('Where the approval holds; null for an obligation'),
    imposedAt: z.iso.datetime(),
    state: ConditionState,
    ending: Ending.nullable().describe('Null while it is in force'),
  })
  .meta({
    id: 'Condition',
    description:
      'An obligation, or a limit; it stays in force over later reviews until it is met, waived or ended',
    examples: [examples.openCondition, examples.metCondition, examples.limitCondition],
  })
export type Condition = z.infer<typeof Condition>

export const Fulfilment = z
  .strictObject({ evidenceId: z.uuid().describe('Accepted evidence of this use case'), note: reason })
  .meta({ id: 'Fulfilment', examples: [examples.fulfilment] })
export type Fulfilment = z.infer<typeof Fulfilment>

export const NewConditionOwner = z
  .strictObject({ ownerId: z.uuid().describe('A person who has not left'), reason })
  .meta({ id: 'NewConditionOwner', examples: [examples.newOwner] })
export type NewConditionOwner = z.infer<typeof NewConditionOwner>

/** What picks conditions in a list across use cases. */
export const ConditionQuery = z.strictObject({
  ownedBy: z
    .union([z.literal('me'), z.uuid()])
    .optional()
    .describe('Only those that this person sees to: an id, or `me`'),
  state: ConditionState.optional().describe('Only those in this state; left out, those that are in force'),
  dueBefore: givenInstant.optional().describe('Only those that are due before then'),
})
export type ConditionQuery = z.infer<typeof ConditionQuery>

/** an obligation is overdue from the instant at which it is due. Pure; `ending` is what is known of it at `at`. */
export function conditionState(
  { type, dueAt }: { type: 'obligation' | 'limit'; dueAt: Instant | null },
  ending: { state: 'met' | 'waived' | 'ended' } | null,
  at: Instant,
): ConditionState {
  if (ending !== null) return ending.state
  if (type === 'limit') return 'in_force'
  return dueAt !== null && dueAt <= at ? 'overdue' : 'open'
}

/** What the head of a use case says of its conditions: nothing of those that have ended. */
export function headOf(conditions: readonly Condition[]): {
  nextDueAt: Instant | null
  beforeDeployOpen: boolean
} {
  const due = conditions.filter(({ state }) => state === 'open' || state === 'overdue')
  const [nextDueAt = null] = due.flatMap(({ dueAt }) => dueAt ?? []).sort()
  return { nextDueAt, beforeDeployOpen: due.some(({ beforeDeploy }) => beforeDeploy) }
}

/** @throws RegistryError `conflict` for a condition that has ended, in whatever way */
export function assertInForce(ending: { state: string; endedAt: Instant } | null): void {
  if (ending === null) return
  throw new RegistryError(
    'conflict',
    `this condition was ${ending.state} on ${day(ending.endedAt)}; nothing more to do`,
  )
}

/** @throws RegistryError `conflict` for a use case that is blocked: its conditions count for nothing */
export function assertNotBlocked({ blockId }: { blockId: string | null }): void {
  if (blockId === null) return
  throw new RegistryError('conflict', 'this use case is blocked; submit it again, and meet what that imposes')
}

/** @throws RegistryError `invalid` for a limit */
export function assertObligation(row: { type: 'obligation' | 'limit' }): void {
  if (row.type === 'obligation') return
  throw new RegistryError(
    'invalid',
    'a limit has no owner and is not met; it holds until a decision waives it: submit the use case for that',
  )
}
