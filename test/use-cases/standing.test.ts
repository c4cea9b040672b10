import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  Standing,
  type StandingFacts,
  StandingReason,
  StandingWord,
  standingOf,
} from '../../src/use-cases/standing.js'

const at = '2026-05-01T12:00:00.001Z'
const before = '2026-05-01T12:00:00.000Z'
const after = '2026-05-01T12:00:00.002Z'

const nothing: StandingFacts = {
  ...{ openReviewId: null, lastOutcome: null, approvalId: null, approvedTier: null, validUntil: null },
  ...{ firstMaterialChangeAt: null, tierRaisedAt: null, blockId: null, hasConditions: false },
  ...{ nextDueAt: null, suspendedAt: null, retiredAt: null },
  ...{ evidenceStaleAt: null, evidenceMissingAt: null, controlMissingAt: null },
}
const approval: Partial<StandingFacts> = {
  approvalId: 'the approval',
  lastOutcome: 'approved',
  approvedTier: 'limited',
  validUntil: after,
}
const expired = { ...approval, validUntil: before }
const everyLapse = {
  ...expired,
  ...{ firstMaterialChangeAt: before, tierRaisedAt: before, nextDueAt: before, hasConditions: true },
  ...{ evidenceStaleAt: before, evidenceMissingAt: before, controlMissingAt: before },
}
const lapses = [
  ...['expired', 'material_change', 'tier_raised', 'condition_overdue'],
  ...['evidence_stale', 'evidence_missing', 'control_missing'],
]

for (const [name, facts, word, reasons] of [
  ['R-70: what nobody looked at is unreviewed', {}, 'unreviewed', []],
  ['R-70: what waits for its first decision is in review', { openReviewId: 'r' }, 'in_review', []],
  ['R-70: an approval in force clears', approval, 'cleared', []],
  [
    'R-52: changes that were asked for leave an approval alone',
    { ...approval, lastOutcome: 'changes_requested' },
    'cleared',
    [],
  ],
  [
    'R-70: without an approval they are named',
    { lastOutcome: 'changes_requested' },
    'unreviewed',
    ['changes_requested'],
  ],
  [
    'R-70: until the next review is under way',
    { lastOutcome: 'changes_requested', openReviewId: 'r' },
    'in_review',
    [],
  ],
  ['R-52: a block ends an approval', { ...approval, blockId: 'b' }, 'blocked', []],
  ['R-71: cleared and under re-review is still cleared', { ...approval, openReviewId: 'r' }, 'cleared', []],
  [
    'R-71: lapsed and under re-review is still lapsed',
    { ...expired, openReviewId: 'r' },
    'lapsed',
    ['expired'],
  ],
  [
    'R-60: a material change lapses',
    { ...approval, firstMaterialChangeAt: before },
    'lapsed',
    ['material_change'],
  ],
  [
    'R-62: a tier above the decided one lapses',
    { ...approval, tierRaisedAt: before },
    'lapsed',
    ['tier_raised'],
  ],
  ['R-63: an approval ends at its `validUntil`', { ...approval, validUntil: at }, 'lapsed', ['expired']],
  ['R-63: and stands until then', { ...approval, validUntil: after }, 'cleared', []],
  ['R-63: one without an end stands', { ...approval, validUntil: null }, 'cleared', []],
  ['R-70: conditions show', { ...approval, hasConditions: true }, 'cleared_with_conditions', []],
  [
    'R-64: an obligation is overdue from the instant at which it is due',
    { ...approval, hasConditions: true, nextDueAt: at },
    'lapsed',
    ['condition_overdue'],
  ],
  [
    'R-64: before that it lapses nothing',
    { ...approval, hasConditions: true, nextDueAt: after },
    'cleared_with_conditions',
    [],
  ],
  ['R-70: an approval that lapsed says every reason', everyLapse, 'lapsed', lapses],
  ['R-90: a suspension counts at once', { ...approval, suspendedAt: at }, 'suspended', []],
  [
    'R-90: while it lasts the reasons of a lapse stay',
    { ...everyLapse, suspendedAt: at },
    'suspended',
    lapses,
  ],
  [
    'R-90: what has no approval can be suspended too',
    { suspendedAt: at, openReviewId: 'r' },
    'suspended',
    [],
  ],
  [
    'R-70: a block is stronger than a suspension and every lapse',
    { ...everyLapse, suspendedAt: at, blockId: 'b' },
    'blocked',
    [],
  ],
  [
    'R-02, R-70: retired is stronger than all',
    { ...everyLapse, suspendedAt: at, blockId: 'b', retiredAt: before, openReviewId: 'r' },
    'retired',
    [],
  ],
] as [string, Partial<StandingFacts>, string, string[]][]) {
  t.test(name, async (t) => {
    const standing = standingOf({ ...nothing, ...facts }, at)
    t.equal(standing.standing, word)
    t.same(standing.reasons, reasons)
  })
}

t.test('R-70: standing says what it rests on', async (t) => {
  t.same(
    standingOf({ ...nothing, ...approval, openReviewId: 'r', nextDueAt: after, suspendedAt: before }, at),
    {
      standing: 'suspended',
      reasons: [],
      decisionId: 'the approval',
      validUntil: after,
      nextDueAt: after,
      evidenceStaleAt: null,
      suspendedAt: before,
      openReviewId: 'r',
    },
  )
  t.equal(standingOf({ ...nothing, ...approval, blockId: 'the block' }, at).decisionId, 'the block')
  t.equal(standingOf(nothing, at).decisionId, null)
})

const instant = fc.constantFrom(before, at, after)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 })
const factsArb: fc.Arbitrary<StandingFacts> = fc.record({
  openReviewId: maybe(fc.uuid()),
  lastOutcome: maybe(
    fc.constantFrom(...(['approved', 'approved_with_conditions', 'blocked', 'changes_requested'] as const)),
  ),
  approvalId: fc.option(fc.uuid(), { freq: 4 }),
  approvedTier: fc.constant('limited' as const),
  validUntil: maybe(instant),
  firstMaterialChangeAt: fc.option(instant, { freq: 1 }),
  tierRaisedAt: fc.option(instant, { freq: 1 }),
  blockId: fc.option(fc.uuid(), { freq: 1 }),
  hasConditions: fc.boolean(),
  nextDueAt: maybe(instant),
  evidenceStaleAt: maybe(instant),
  evidenceMissingAt: fc.option(instant, { freq: 1 }),
  controlMissingAt: fc.option(instant, { freq: 1 }),
  suspendedAt: fc.option(instant, { freq: 1 }),
  retiredAt: fc.option(instant, { freq: 1 }),
})
const holds = (law: (facts: StandingFacts, now: string) => void) =>
  fc.assert(fc.property(factsArb, instant, law), { numRuns: 1000 })

/** Weakest first: what holds of the facts, each with the word that it earns; the last one that holds wins. */
const ladder: [word: StandingWord, holds: (facts: StandingFacts, now: string) => boolean][] = [
  ['unreviewed', () => true],
  ['in_review', ({ openReviewId }) => openReviewId !== null],
  ['cleared', ({ approvalId }) => approvalId !== null],
  ['cleared_with_conditions', ({ approvalId, hasConditions }) => approvalId !== null && hasConditions],
  ['lapsed', (facts, now) => facts.approvalId !== null && lapsesAt(facts, now)],
  ['suspended', ({ suspendedAt }) => suspendedAt !== null],
  ['blocked', ({ blockId }) => blockId !== null],
  ['retired', ({ retiredAt }) => retiredAt !== null],
]
const lapsesAt = (facts: StandingFacts, now: string) => {
  const { validUntil, nextDueAt, evidenceStaleAt, evidenceMissingAt, controlMissingAt } = facts
  const ends = [validUntil, nextDueAt, evidenceStaleAt, evidenceMissingAt, controlMissingAt]
  return (
    ends.some((end) => end !== null && Date.parse(end) <= Date.parse(now)) ||
    [facts.firstMaterialChangeAt, facts.tierRaisedAt].some((since) => since !== null)
  )
}

t.test('R-70: of all that is true the strongest word is said', async (t) => {
  holds((facts, now) => {
    const earned = ladder.filter(([, isTrue]) => isTrue(facts, now)).map(([word]) => word)
    assert.equal(standingOf(facts, now).standing, earned.at(-1))
  })
  t.same(ladder.map(([word]) => word).sort(), [...StandingWord.options].sort(), 'each word is on the ladder')
})

t.test('R-70: every standing is one that the API describes', async () => {
  holds((facts, now) => {
    const standing = standingOf(facts, now)
    assert.deepEqual(Standing.parse(standing), standing)
  })
  assert.ok(!Standing.safeParse({}).success)
})

t.test('R-70: what has lapsed says why, and what stands has no reason not to', async () => {
  holds((facts, now) => {
    const { standing, reasons } = standingOf(facts, now)
    if (standing === 'lapsed') assert.ok(reasons.length > 0 && !reasons.includes('changes_requested'))
    if (/^cleared|^in_review|^blocked|^retired/.test(standing)) assert.deepEqual(reasons, [])
    assert.deepEqual(
      reasons,
      StandingReason.options.filter((reason) => reasons.includes(reason)),
      'in the order in which the schema lists them, none twice',
    )
  })
})

t.test('R-63, R-64: time alone only ever takes an approval away', async () => {
  holds((facts, now) => {
    const later = standingOf(facts, after)
    const sooner = standingOf(facts, now)
    assert.ok(sooner.reasons.every((reason) => later.reasons.includes(reason)))
    if (/^cleared/.test(later.standing)) assert.equal(sooner.standing, later.standing)
  })
})

t.test('R-64: an obligation that is met cures what it lapsed', async () => {
  holds((facts, now) => {
    const { reasons } = standingOf(facts, now)
    const met = standingOf({ ...facts, nextDueAt: null }, now)
    assert.deepEqual(
      met.reasons,
      reasons.filter((reason) => reason !== 'condition_overdue'),
    )
  })
})

t.test('R-103: evidence and controls that are there again cure what they lapsed', async () => {
  holds((facts, now) => {
    const { reasons } = standingOf(facts, now)
    const nothingAmiss = { evidenceStaleAt: null, evidenceMissingAt: null, controlMissingAt: null }
    assert.deepEqual(
      standingOf({ ...facts, ...nothingAmiss }, now).reasons,
      reasons.filter((reason) => !/^(evidence|control)_/.test(reason)),
    )
  })
})

t.test('R-71: a review under way changes nothing that was approved, blocked or suspended', async () => {
  holds((facts, now) => {
    const { standing: idle } = standingOf({ ...facts, openReviewId: null }, now)
    const { standing: reviewed } = standingOf({ ...facts, openReviewId: 'r' }, now)
    assert.equal(reviewed, idle === 'unreviewed' ? 'in_review' : idle)
  })
})

t.test('R-90: a suspension clears nothing, and lifting it changes nothing else', async () => {
  holds((facts, now) => {
    const suspended = standingOf({ ...facts, suspendedAt: before }, now)
    assert.ok(['suspended', 'blocked', 'retired'].includes(suspended.standing))
    const { standing, reasons } = standingOf({ ...facts, suspendedAt: null }, now)
    assert.deepEqual(suspended.reasons, reasons)
    if (suspended.standing !== 'suspended') assert.equal(standing, suspended.standing)
  })
})
