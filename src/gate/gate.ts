import { z } from 'zod'
import { text } from '../text.js'
import { StandingWord } from '../use-cases/standing.js'
import * as examples from './examples.js'

/** Why the gate answers as it does: a closed list. */
export const ReasonCode = z
  .enum([
    'cleared',
    'cleared_with_conditions',
    'not_registered',
    'unreviewed',
    'in_review',
    'changes_requested',
    'blocked',
    'prohibited',
    'suspended',
    'retired',
    'expired',
    'material_change',
    'tier_raised',
    'condition_overdue',
    'condition_unmet',
    'evidence_missing',
    'evidence_stale',
    'control_missing',
    'environment_not_covered',
    'limit_not_stated',
    'limit_exceeded',
    'artifact_not_covered',
    'version_mismatch',
    'pipeline_not_bound',
    'break_glass',
    'evaluation_error',
  ])
  .meta({ id: 'GateReasonCode', description: 'A closed list within `/v1`, which may grow' })
export type ReasonCode = z.infer<typeof ReasonCode>

export const Reason = z
  .strictObject({
    code: ReasonCode,
    sentence: z.string().describe('For a person: what is so, and what to do next'),
  })
  .meta({ id: 'GateReason' })
export type Reason = z.infer<typeof Reason>

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

export const UseCaseRef = z
  .string()
  .regex(new RegExp(`^(UC-[1-9][0-9]{0,14}|${UUID})$`, 'i'), 'must be a key such as UC-1042, or an id')
  .describe('Key or id of the use case')

const environment = z
  .string()
  .max(60)
  .regex(/^[a-z][a-z0-9_-]*$/, 'must be lower-case letters, digits, - and _, such as production')
  .describe('Such as production; policy says which of them enforce')

const jurisdiction = text(60)
  .trim()
  .min(1)
  .describe(
    'Where it will run. Denied outside those that the use case states, and those that the approval is limited to, which has it stated: EU holds DE, US holds US-NY',
  )
const channel = text(60)
  .trim()
  .min(1)
  .describe(
    'Where people will meet it. Denied outside those that the use case states, if it states any, and those that the approval is limited to, which has it stated',
  )

const artifact = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits')
  .describe('Digest of what is deployed; kept with the answer, and not checked')

const version = z.int().min(1).max(2_147_483_647)
const acceptance = 'Whether an emergency opening is good enough; without it a denial says that there is one'

export const Context = z.strictObject({
  repository: text(300).trim().min(1).optional(),
  commit: text(100).trim().min(1).optional(),
  run: text(200).trim().min(1).optional().describe('Of the pipeline'),
})
export type Context = z.infer<typeof Context>

export const Question = z
  .strictObject({
    useCase: UseCaseRef,
    environment,
    jurisdiction: jurisdiction.optional(),
    channel: channel.optional(),
    artifacts: z.array(artifact).max(20).default([]),
    version: version.optional().describe('Denies unless it is the current version of the use case'),
    acceptBreakGlass: z.boolean().default(false).describe(acceptance),
    context: Context.default({}).describe('Where the question comes from; kept with the answer'),
  })
  .meta({
    id: 'GateQuestion',
    description: 'May this use of AI run there, now?',
    examples: [examples.question],
  })
export type Question = z.infer<typeof Question>

/** The same question in the query of a GET. */
export const Look = z.strictObject({
  useCase: UseCaseRef,
  environment,
  jurisdiction: jurisdiction.optional(),
  channel: channel.optional(),
  artifact: artifact.optional(),
  version: z.coerce
    .number()
    .int()
    .min(1)
    .max(2_147_483_647)
    .optional()
    .describe('Denies unless it is the current version of the use case'),
  acceptBreakGlass: z
    .enum(['true', 'false'])
    .default('false')
    .transform((word) => word === 'true')
    .describe(acceptance),
})
export type Look = z.infer<typeof Look>

export function toQuestion({ artifact, ...asked }: Look): Question {
  return { ...asked, artifacts: artifact === undefined ? [] : [artifact], context: {} }
}

export const Verdict = z.enum(['allow', 'deny']).meta({ id: 'GateVerdict' })
export type Verdict = z.infer<typeof Verdict>

export const Answer = z
  .strictObject({
    decision: Verdict,
    enforced: z
      .boolean()
      .describe('False where policy only warns: the deploy may go on whatever `wouldBe` says'),
    wouldBe: Verdict.describe('The answer where policy enforces'),
    reasons: z.array(Reason).min(1).describe('Every reason, of the answer where policy enforces'),
    useCase: z.string().describe('The key; as it was asked when it is not registered'),
    useCaseId: z.uuid().nullable().describe('Null when it is not registered'),
    version: z.int().nullable().describe('The current version of the use case'),
    standing: StandingWord.nullable().describe('Null when it is not registered'),
    environment: z.string().describe('As it was asked'),
    askedAt: z.iso.datetime(),
    validUntil: z.iso
      .datetime()
      .nullable()
      .describe(
        'Until when a pipeline may act on it, never longer than what it rests on: the approval, its first obligation that falls due, the first of its evidence that goes stale, the emergency opening. Null on a denial',
      ),
    breakGlassId: z
      .uuid()
      .nullable()
      .describe('The emergency opening that allows, or would if the question accepted it'),
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
  })
  .meta({ id: 'GateAnswer', examples: [examples.answer] })
export type Answer = z.infer<typeof Answer>

export const LoggedAnswer = z
  .strictObject({ id: z.uuid(), ...Answer.shape })
  .meta({ id: 'GateLoggedAnswer', description: 'An answer that is kept', examples: [examples.loggedAnswer] })
export type LoggedAnswer = z.infer<typeof LoggedAnswer>

export const AnswerOnRecord = z
  .strictObject({
    ...LoggedAnswer.shape,
    askedBy: z.uuid().describe('Id of a person or service account'),
    question: Question,
  })
  .meta({ id: 'GateAnswerOnRecord', examples: [examples.answerOnRecord] })
export type AnswerOnRecord = z.infer<typeof AnswerOnRecord>
