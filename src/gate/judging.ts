import { addSeconds, type Instant } from '../instant.js'
import type { Enforcement } from '../policy/gate-policy.js'
import { type Standing, type StandingFacts, type StandingWord, standingOf } from '../use-cases/standing.js'
import { effectiveTier, keyOf, type TierParts } from '../use-cases/use-case.js'
import type { Answer, Question, ReasonCode, Verdict } from './gate.js'
import { beyondFacts, brokenLimits, type Limit, type Stated } from './limits.js'
import { sentences } from './sentences.js'

/** What the gate reads of a use case: its head, and the approval that is in force. */
export interface GateFacts extends StandingFacts, TierParts, Stated {
  id: string
  number: number
  version: number
  /** An obligation that is due before a deploy is not met yet. */
  beforeDeployOpen: boolean
  /** When the last of its emergency openings ends, of whatever environment. */
  breakGlassUntil: Instant | null
  /** Null when the approval that the head names is not there. */
  approvalFound: string | null
  /** Where the approval lets it run; null for everywhere. */
  environments: string[] | null
  /** What the approval limits it to; null without one. */
  limits: Limit[] | null
}

/** An emergency opening of the use case and environment in question. */
export interface Opening {
  id: string
  expiresAt: Instant
}

export interface Situation {
  question: Question
  facts: GateFacts
  /** False for a pipeline that was not bound to the use case. */
  isBound: boolean
  /** Looked for where {@link wantsOpening} says so. */
  opening?: Opening | undefined
  enforcement: Enforcement
  policyDigest: string
  answersValidForMinutes: number
  now: Instant
}

/** Denials that no environment turns into a warning. */
const neverWarned = new Set<ReasonCode>(['prohibited', 'blocked', 'suspended', 'evaluation_error'])

/**
 * what an emergency opening may go past, each for want of a decision in force. What somebody did decide holds in
 * an emergency too, so it is not among them: a block, a suspension, and where the committee let it run and where not.
 */
const openable = new Set<ReasonCode>([
  ...(['unreviewed', 'in_review', 'changes_requested', 'expired', 'material_change', 'tier_raised'] as const),
  ...([
    'condition_overdue',
    'condition_unmet',
    'evidence_missing',
    'evidence_stale',
    'control_missing',
  ] as const),
])
const openableStandings = new Set<StandingWord>(['unreviewed', 'in_review', 'lapsed'])

/**
 * The answer, with every reason that applies. Only an approval in force allows, and only within its limits; or an
 * emergency opening that the question accepts.
 */
export function evaluate(situation: Situation): Answer {
  const { question, facts, enforcement, policyDigest, now, opening } = situation
  const standing = standingOf(facts, now)
  const { wouldBe, codes } = judge(situation, standing)
  const enforced = enforcement === 'enforce' || codes.some((code) => neverWarned.has(code))
  const decision = enforced ? wouldBe : 'allow'
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
    validUntil: decision === 'allow' ? usableUntil(situation, { wouldBe, codes }) : null,
    breakGlassId: codes.includes('break_glass') ? (opening?.id ?? null) : null,
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
    ...{ validUntil: null, breakGlassId: null },
    policyDigest,
  }
}

/** Whether the earlier answer would be given again: it says the same, and is good no longer than one given now. */
export function isStillGood(earlier: Answer, now: Answer): boolean {
  const said = ({ decision, enforced, wouldBe, version, standing, policyDigest, ...answer }: Answer) =>
    [
      ...[decision, enforced, wouldBe, version, standing, policyDigest, answer.breakGlassId],
      ...answer.reasons.map(({ code }) => code),
    ].join()
  return said(earlier) === said(now) && (earlier.validUntil ?? '') <= (now.validUntil ?? '')
}

/** Whether an emergency opening of this environment would count, so that it is worth a look. */
export function wantsOpening(situation: Situation): boolean {
  const { facts, now } = situation
  if (facts.breakGlassUntil === null || facts.breakGlassUntil <= now) return false
  const standing = standingOf(facts, now)
  return isOpenable(standing, denialsOf(situation, standing))
}

interface Judged {
  wouldBe: Verdict
  codes: ReasonCode[]
}

function judge(situation: Situation, standing: Standing): Judged {
  const { question, opening, now } = situation
  const denials = denialsOf(situation, standing)
  if (denials.length === 0) {
    return {
      wouldBe: 'allow',
      codes: [standing.standing === 'cleared' ? 'cleared' : 'cleared_with_conditions'],
    }
  }
  const isOpen = opening !== undefined && opening.expiresAt > now && isOpenable(standing, denials)
  if (!isOpen) return { wouldBe: 'deny', codes: denials }
  if (question.acceptBreakGlass) return { wouldBe: 'allow', codes: ['break_glass', ...denials] }
  return { wouldBe: 'deny', codes: [...denials, 'break_glass'] }
}

function isOpenable({ standing }: Standing, denials: ReasonCode[]): boolean {
  return openableStandings.has(standing) && denials.every((code) => openable.has(code))
}

function denialsOf(situation: Situation, { standing }: Standing): ReasonCode[] {
  const { question, facts, isBound } = situation
  const denials: ReasonCode[] = []
  if (facts.retiredAt !== null) denials.push('retired')
  if (facts.blockId !== null) denials.push('blocked')
  if (effectiveTier(facts) === 'prohibited') denials.push('prohibited')
  if (facts.suspendedAt !== null) denials.push('suspended')
  if (facts.approvalId !== null) denials.push(...approvalDenials(situation))
  else if (facts.retiredAt === null && facts.blockId === null) denials.push(wantOfApproval(facts))
  if (question.version !== undefined && question.version !== facts.version) denials.push('version_mismatch')
  if (!isBound) denials.push('pipeline_not_bound')
  // Whatever is neither cleared nor denied above is unknown here, and what is unknown never runs.
  const isCleared = standing === 'cleared' || standing === 'cleared_with_conditions'
  if (denials.length === 0 && !isCleared) denials.push('evaluation_error')
  return denials
}

function wantOfApproval({ openReviewId, lastOutcome }: GateFacts): ReasonCode {
  if (openReviewId !== null) return 'in_review'
  return lastOutcome === 'changes_requested' ? 'changes_requested' : 'unreviewed'
}

/** Why an approval does not let it go there. */
function approvalDenials({ question, facts, now }: Situation): ReasonCode[] {
  const { validUntil, nextDueAt, approvalFound, environments } = facts
  const broken = new Set(brokenLimits(facts.limits ?? [], question).map(({ code }) => code))
  const denials: ReasonCode[] = []
  if (approvalFound === null || validUntil === null || broken.has('evaluation_error'))
    denials.push('evaluation_error')
  if (validUntil !== null && validUntil <= now) denials.push('expired')
  if (facts.firstMaterialChangeAt !== null) denials.push('material_change')
  if (facts.tierRaisedAt !== null) denials.push('tier_raised')
  if (nextDueAt !== null && nextDueAt <= now) denials.push('condition_overdue')
  if (facts.beforeDeployOpen) denials.push('condition_unmet')
  denials.push(...wantsOfEvidence(facts, now))
  const isElsewhere = environments !== null && !environments.includes(question.environment)
  if (isElsewhere || broken.has('environment_not_covered')) denials.push('environment_not_covered')
  if (broken.has('limit_not_stated')) denials.push('limit_not_stated')
  if (broken.has('limit_exceeded') || beyondFacts(question, facts).length > 0) denials.push('limit_exceeded')
  return denials
}

/** what the approval required and is not there any more. */
function wantsOfEvidence(facts: GateFacts, now: Instant): ReasonCode[] {
  const since = {
    evidence_missing: facts.evidenceMissingAt,
    evidence_stale: facts.evidenceStaleAt,
    control_missing: facts.controlMissingAt,
  } as const
  const codes = Object.entries(since) as [keyof typeof since, Instant | null][]
  return codes.flatMap(([code, at]) => (at !== null && at <= now ? [code] : []))
}

/** An answer is good for some minutes, and never longer than what it rests on. A warning rests on nothing. */
function usableUntil({ facts, opening, now, ...situation }: Situation, { wouldBe, codes }: Judged): Instant {
  const until = addSeconds(now, situation.answersValidForMinutes * 60)
  if (wouldBe === 'deny') return until
  const { validUntil, nextDueAt, evidenceStaleAt, evidenceMissingAt, controlMissingAt } = facts
  const ends = codes.includes('break_glass')
    ? [opening?.expiresAt]
    : [validUntil, nextDueAt, evidenceStaleAt, evidenceMissingAt, controlMissingAt]
  return ends.reduce<Instant>((first, end) => (end && end < first ? end : first), until)
}
