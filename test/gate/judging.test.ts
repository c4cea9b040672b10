// Whatever is true of a use case, the gate allows it exactly where it should. The oracle knows rules, not code.
import fc from 'fast-check'
import t from 'tap'
import { v7 as newId } from 'uuid'
import type { ReasonCode } from '../../src/gate/gate.js'
import { evaluate, isStillGood, type Situation, wantsOpening } from '../../src/gate/judging.js'
import { addSeconds } from '../../src/instant.js'
import { type StandingWord, standingOf } from '../../src/use-cases/standing.js'
import { effectiveTier } from '../../src/use-cases/use-case.js'

const NOW = '2026-11-21T09:00:00.000Z'
const id = newId()
const at = (...seconds: number[]) => fc.constantFrom(...seconds.map((s) => addSeconds(NOW, s)))
const around = at(-86_400, -1, 0, 1, 60, 86_400)
/** Most often nothing: else hardly any situation were an allow. */
const rarely = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null, freq: 4 })
const unless = <T>(usual: T, some: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 5 }, { arbitrary: some, weight: 1 })

const tier = fc.constantFrom('minimal', 'limited', 'high', 'prohibited' as const)
const environment = fc.constantFrom('production', 'staging')
const limit = fc.oneof(
  fc.record({ on: fc.constant('environment' as const), values: fc.subarray(['production', 'staging']) }),
  fc.record({ on: fc.constant('jurisdiction' as const), values: fc.subarray(['DE', 'US']) }),
  fc.record({ on: fc.constant('channel' as const), values: fc.subarray(['phone', 'web']) }),
)

const situations: fc.Arbitrary<Situation> = fc.record({
  question: fc.record({
    ...{ useCase: fc.constant('UC-1'), environment, artifacts: fc.constant([]), context: fc.constant({}) },
    jurisdiction: fc.constantFrom(undefined, 'DE', 'US'),
    channel: fc.constantFrom(undefined, 'phone', 'web'),
    version: fc.constantFrom(undefined, 3, 4),
    acceptBreakGlass: fc.boolean(),
  }),
  facts: fc.record({
    ...{ id: fc.constant(id), number: fc.constant(1), version: fc.constant(3) },
    ...{ computedTier: unless('limited' as const, tier), raisedTier: rarely(tier) },
    loweredTier: rarely(fc.constantFrom('minimal', 'limited', 'high' as const)),
    jurisdictions: unless<string[]>([], fc.constant(['DE'])),
    channels: unless<string[]>([], fc.constant(['web'])),
    openReviewId: fc.option(fc.constant(id), { nil: null }),
    lastOutcome: fc.constantFrom(null, 'approved', 'blocked', 'changes_requested' as const),
    approvalId: fc.option(fc.constant(id), { nil: null, freq: 3 }),
    approvedTier: fc.constant('limited' as const),
    approvalFound: unless<string | null>(id, fc.constant(null)),
    validUntil: unless<string | null>(addSeconds(NOW, 86_400), fc.option(around, { nil: null })),
    ...{
      firstMaterialChangeAt: rarely(around),
      tierRaisedAt: rarely(around),
      blockId: rarely(fc.constant(id)),
    },
    ...{ retiredAt: rarely(around), suspendedAt: rarely(around), nextDueAt: rarely(around) },
    ...{ evidenceStaleAt: rarely(around), evidenceMissingAt: rarely(around) },
    controlMissingAt: rarely(around),
    ...{ hasConditions: fc.boolean(), beforeDeployOpen: unless(false, fc.boolean()) },
    breakGlassUntil: fc.option(around, { nil: null }),
    environments: rarely(fc.subarray(['production', 'staging'])),
    limits: fc.oneof(fc.constant(null), fc.array(limit, { maxLength: 3 })),
  }),
  isBound: unless(true, fc.boolean()),
  opening: fc.option(fc.record({ id: fc.constant(newId()), expiresAt: around }), { nil: undefined }),
  enforcement: fc.constantFrom('enforce', 'warn' as const),
  policyDigest: fc.constant('sha256:0'),
  answersValidForMinutes: fc.constant(15),
  now: fc.constant(NOW),
})

/** Every reason against it, by the rules. */
function against({ question, facts, isBound }: Situation): ReasonCode[] {
  const { environment, jurisdiction, channel } = question
  const isApproved = facts.approvalId !== null
  const isOver = facts.retiredAt !== null || facts.blockId !== null
  const isOpen = facts.openReviewId !== null
  const stated = { environment, jurisdiction, channel }
  const limits = facts.limits ?? []
  const unstated = limits.filter(({ on }) => stated[on] === undefined)
  const exceeded = limits.filter(({ on, values }) => !values.includes(stated[on] ?? values[0] ?? ''))
  const beyond = (value: string | undefined, among: string[]) =>
    value !== undefined && among.length > 0 && !among.includes(value)
  const all: [ReasonCode, boolean][] = [
    ['retired', facts.retiredAt !== null],
    ['blocked', facts.blockId !== null],
    ['prohibited', effectiveTier(facts) === 'prohibited'],
    ['suspended', facts.suspendedAt !== null],
    ['in_review', !isApproved && !isOver && isOpen],
    ['changes_requested', !isApproved && !isOver && !isOpen && facts.lastOutcome === 'changes_requested'],
    ['unreviewed', !isApproved && !isOver && !isOpen && facts.lastOutcome !== 'changes_requested'],
    ['evaluation_error', isApproved && (facts.approvalFound === null || facts.validUntil === null)],
    ['expired', isApproved && facts.validUntil !== null && facts.validUntil <= NOW],
    ['material_change', isApproved && facts.firstMaterialChangeAt !== null],
    ['tier_raised', isApproved && facts.tierRaisedAt !== null],
    ['condition_overdue', isApproved && facts.nextDueAt !== null && facts.nextDueAt <= NOW],
    ['condition_unmet', isApproved && facts.beforeDeployOpen],
    ['evidence_missing', isApproved && facts.evidenceMissingAt !== null && facts.evidenceMissingAt <= NOW],
    ['evidence_stale', isApproved && facts.evidenceStaleAt !== null && facts.evidenceStaleAt <= NOW],
    ['control_missing', isApproved && facts.controlMissingAt !== null && facts.controlMissingAt <= NOW],
    [
      'environment_not_covered',
      isApproved &&
        (facts.environments?.includes(environment) === false ||
          limits.some(({ on, values }) => on === 'environment' && !values.includes(environment))),
    ],
    ['limit_not_stated', isApproved && unstated.length > 0],
    [
      'limit_exceeded',
      isApproved &&
        (exceeded.some(({ on }) => on !== 'environment' && stated[on] !== undefined) ||
          beyond(jurisdiction, facts.jurisdictions) ||
          beyond(channel, facts.channels)),
    ],
    ['version_mismatch', question.version !== undefined && question.version !== facts.version],
    ['pipeline_not_bound', !isBound],
  ]
  return all.filter(([, isSo]) => isSo).map(([code]) => code)
}

const opensStandings: StandingWord[] = ['unreviewed', 'in_review', 'lapsed']
const opens: ReasonCode[] = [
  ...(['evidence_missing', 'evidence_stale', 'control_missing'] as const),
  ...(['unreviewed', 'in_review', 'changes_requested', 'expired', 'material_change'] as const),
  ...(['tier_raised', 'condition_overdue', 'condition_unmet'] as const),
]

/** whether an emergency opening goes past all of this. */
function isOpenedBy({ facts, opening }: Situation, reasons: ReasonCode[]): boolean {
  if (opening === undefined || opening.expiresAt <= NOW) return false
  const { standing } = standingOf(facts, NOW)
  return opensStandings.includes(standing) && reasons.every((code) => opens.includes(code))
}

const runs = { numRuns: 5000 }

t.test('R-70, R-82: it allows exactly what is cleared and against which nothing else speaks', async () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const closed = { ...situation, opening: undefined }
      const answer = evaluate(closed)
      const reasons = against(closed)
      const isCleared = answer.standing === 'cleared' || answer.standing === 'cleared_with_conditions'
      return (
        (answer.wouldBe === 'allow') === (isCleared && reasons.length === 0) &&
        String(answer.reasons.map(({ code }) => code)) ===
          String(reasons.length === 0 ? answer.standing : reasons)
      )
    }),
    runs,
  )
})

t.test('R-92: an emergency opens what nobody decided against, and only for who accepts that', async () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const { question, opening } = situation
      const reasons = against(situation)
      const isOpened = reasons.length > 0 && isOpenedBy(situation, reasons)
      const answer = evaluate(situation)
      const codes = answer.reasons.map(({ code }) => code)
      if (!isOpened) return !codes.includes('break_glass') && answer.breakGlassId === null
      const said = question.acceptBreakGlass ? ['break_glass', ...reasons] : [...reasons, 'break_glass']
      return (
        answer.wouldBe === (question.acceptBreakGlass ? 'allow' : 'deny') &&
        answer.breakGlassId === opening?.id &&
        String(codes) === String(said)
      )
    }),
    runs,
  )
})

t.test('a second read is asked for wherever it could change the answer, and nowhere else', async () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const opening = { id: newId(), expiresAt: situation.facts.breakGlassUntil ?? NOW }
      const told = (open: Situation['opening']) =>
        evaluate({ ...situation, opening: open }).reasons.map(({ code }) => code)
      return wantsOpening(situation) === (String(told(opening)) !== String(told(undefined)))
    }),
    runs,
  )
})

t.test('R-63, R-64: no answer is good for longer than what it rests on', async () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const { facts, opening } = situation
      const { validUntil, decision, wouldBe, breakGlassId } = evaluate(situation)
      if (decision === 'deny') return validUntil === null
      if (validUntil === null || validUntil <= NOW || validUntil > addSeconds(NOW, 900)) return false
      if (wouldBe === 'deny') return true
      const { validUntil: until, nextDueAt, evidenceStaleAt, evidenceMissingAt, controlMissingAt } = facts
      const ends =
        breakGlassId === null
          ? [until, nextDueAt, evidenceStaleAt, evidenceMissingAt, controlMissingAt]
          : [opening?.expiresAt]
      return ends.every((end) => end === null || end === undefined || validUntil <= end)
    }),
    runs,
  )
})

t.test('what is prohibited, blocked or suspended is never only warned of', async () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const { decision, reasons } = evaluate({ ...situation, enforcement: 'warn' })
      const isGrave = reasons.some(({ code }) => ['prohibited', 'blocked', 'suspended'].includes(code))
      return !isGrave || decision === 'deny'
    }),
    runs,
  )
})

t.test('every reason has its sentence, with the key and what to do', async () => {
  fc.assert(
    fc.property(situations, (situation) => {
      return evaluate(situation).reasons.every(
        ({ sentence }) => sentence.includes('UC-1') && !/undefined|null|NaN|\n/.test(sentence),
      )
    }),
    runs,
  )
})

t.test(
  'an answer is given again only while it says the same and is good no longer than a new one',
  async () => {
    fc.assert(
      fc.property(situations, situations, (one, { opening, facts: { nextDueAt } }) => {
        const [a, b] = [evaluate(one), evaluate({ ...one, opening, facts: { ...one.facts, nextDueAt } })]
        const isSame = a.decision === b.decision && a.breakGlassId === b.breakGlassId
        return !isStillGood(a, b) || (isSame && (a.validUntil ?? '') <= (b.validUntil ?? ''))
      }),
      runs,
    )
  },
)
