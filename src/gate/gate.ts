import { z } from 'zod'
import { addSeconds, type Instant } from '../instant.js'
import type { Enforcement } from '../policy/gate-policy.js'
import { text } from '../text.js'
import { type Standing, type StandingFacts, StandingWord, standingOf } from '../use-cases/standing.js'
import { effectiveTier, keyOf, type Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'
import { beyondLimits, type Limits } from './limits.js'
import { sentences } from './sentences.js'

/** Why the gate answers as it does: a closed list. Those that need conditions, suspension or emergencies come with them. */
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
  .describe('Where it will run. Denied outside those that the use case states: EU holds DE, US holds US-NY')
const channel = text(60)
  .trim()
  .min(1)
  .describe('Where people will meet it. Denied outside those that the use case states, if it states any')

const artifact = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits')
  .describe('Digest of what is deployed; kept with the answer, and not checked')

const version = z.int().min(1).max(2_147_483_647)

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
    acceptBreakGlass: z.boolean().default(false).describe('Whether an emergency opening is good enough'),
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
})
export type Look = z.infer<typeof Look>

export function toQuestion({
  useCase,
  environment,
  jurisdiction,
  channel,
  artifact,
  version,
}: Look): Question {
  return {
    useCase,
    environment,
    jurisdiction,
    channel,
    version,
    artifacts: artifact === undefined ? [] : [artifact],
    acceptBreakGlass: false,
    context: {},
  }
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
    validUntil: z.iso.datetime().nullable().describe('Until when a pipeline may act on it; null on a denial'),
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

/** What the gate reads of a use case: its head, and the approval that is in force. */
export interface GateFacts extends StandingFacts, Limits {
  id: string
  number: number
  version: number
  computedTier: Tier
  raisedTier: Tier | null
  loweredTier: Tier | null
  /** Null when the approval that the head names is not there. */
  approvalFound: string | null
  /** Where the approval lets it run; null for everywhere. */
  environments: string[] | null
}

export interface Situation {
  question: Question
  facts: GateFacts
  /** False for a pipeline that was not bound to the use case. */
  isBound: boolean
  enforcement: Enforcement
  policyDigest: string
  answersValidForMinutes: number
  now: Instant
}

/** Denials that no environment turns into a warning. */
const neverWarned = new Set<ReasonCode>(['prohibited', 'blocked', 'suspended', 'evaluation_error'])

/** The answer, with every reason that applies. Only an approval in force allows, and only within its limits. */
export function evaluate(situation: Situation): Answer {
  const { question, facts, enforcement, policyDigest, now } = situation
  const standing = standingOf(facts, now)
  const denials = denialsOf(situation, standing)
  const wouldBe = denials.length === 0 ? 'allow' : 'deny'
  const enforced = enforcement === 'enforce' || denials.some((code) => neverWarned.has(code))
  const decision = enforced ? wouldBe : 'allow'
  const codes: ReasonCode[] = wouldBe === 'allow' ? ['cleared'] : denials
  return {
    decision,
    enforced,
    wouldBe,
    reasons: codes.map((code) => ({ code, sentence: sentences[code](situation) })),
    useCase: keyOf(facts.number),
    useCaseId: facts.id,
    version: facts.version,
    standing: standing.standing,
    environment: question.environment,
    askedAt: now,
    validUntil: decision === 'allow' ? usableUntil(situation, wouldBe) : null,
    policyDigest,
  }
}

/** What is not registered and what the asker may not see look alike, to the last letter. */
export function notRegistered(question: Question, policyDigest: string, now: Instant): Answer {
  const sentence = 'No such use case is registered, or you may not see it: check the key, or register it'
  return {
    ...{ decision: 'deny', enforced: true, wouldBe: 'deny' },
    reasons: [{ code: 'not_registered', sentence }],
    useCase: question.useCase,
    ...{ useCaseId: null, version: null, standing: null },
    environment: question.environment,
    askedAt: now,
    validUntil: null,
    policyDigest,
  }
}

/** Whether two answers say the same, whenever each was given. */
export function isSame(a: Answer, b: Answer): boolean {
  const said = ({ decision, enforced, wouldBe, reasons, version, standing, policyDigest }: Answer) =>
    [decision, enforced, wouldBe, version, standing, policyDigest, ...reasons.map(({ code }) => code)].join()
  return said(a) === said(b)
}

function denialsOf(situation: Situation, { standing, reasons }: Standing): ReasonCode[] {
  const { question, facts, isBound } = situation
  const denials: ReasonCode[] = []
  if (facts.retiredAt !== null) denials.push('retired')
  if (facts.blockId !== null) denials.push('blocked')
  if (effectiveTier(facts) === 'prohibited') denials.push('prohibited')
  if (facts.approvalId !== null) denials.push(...approvalDenials(situation))
  else if (standing === 'in_review') denials.push('in_review')
  else if (standing === 'unreviewed') denials.push(...(isSentBack(reasons) ? SENT_BACK : UNREVIEWED))
  if (question.version !== undefined && question.version !== facts.version) denials.push('version_mismatch')
  if (!isBound) denials.push('pipeline_not_bound')
  // Whatever is neither cleared nor denied above is unknown here, and what is unknown never runs.
  if (denials.length === 0 && standing !== 'cleared') denials.push('evaluation_error')
  return denials
}

const SENT_BACK: ReasonCode[] = ['changes_requested']
const UNREVIEWED: ReasonCode[] = ['unreviewed']
const isSentBack = (reasons: Standing['reasons']) => reasons.includes('changes_requested')

function approvalDenials({ question, facts, now }: Situation): ReasonCode[] {
  const { validUntil, approvalFound, environments } = facts
  const denials: ReasonCode[] = []
  if (approvalFound === null || validUntil === null) denials.push('evaluation_error')
  if (validUntil !== null && validUntil <= now) denials.push('expired')
  if (facts.firstMaterialChangeAt !== null) denials.push('material_change')
  if (facts.tierRaisedAt !== null) denials.push('tier_raised')
  if (environments !== null && !environments.includes(question.environment))
    denials.push('environment_not_covered')
  if (beyondLimits(question, facts).length > 0) denials.push('limit_exceeded')
  return denials
}

/** An answer is good for some minutes, and never longer than the approval it rests on. */
function usableUntil({ facts, now, answersValidForMinutes }: Situation, wouldBe: Verdict): Instant {
  const until = addSeconds(now, answersValidForMinutes * 60)
  const { validUntil } = facts
  return wouldBe === 'allow' && validUntil !== null && validUntil < until ? validUntil : until
}
