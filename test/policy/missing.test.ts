// What is asked for and not there: pure, so that most of it is said as laws.
import fc from 'fast-check'
import t from 'tap'
import { requiredAfter } from '../../src/conditions/fulfilment.js'
import { addDays, addSeconds, type Instant, latest } from '../../src/instant.js'
import {
  type Assessed,
  coverOf,
  type Holdings,
  headOf,
  isExcepted,
  isMet,
  missing,
  type Piece,
  Required,
  type RequiredHead,
  servingPieces,
} from '../../src/policy/missing.js'
import type { Ask, Asked, Requirement } from '../../src/policy/requirements.js'

const on = (day: number): Instant => addDays('2026-01-01T00:00:00.000Z', day)
const justBefore = (at: Instant): Instant => new Date(Date.parse(at) - 1).toISOString()

const evidence = (given: Partial<Extract<Ask, { type: 'evidence' }>> = {}): Ask => ({
  ...{ type: 'evidence', kind: 'test_report', freshForDays: null, acceptedBy: [] },
  ...given,
})
const control = (given: Partial<Extract<Ask, { type: 'control' }>> = {}): Ask => ({
  ...{ type: 'control', catalog: 'nist-ai-rmf', version: '1.0', control: 'MANAGE 2.4' },
  ...{ states: ['in_place', 'not_applicable'], withEvidence: false },
  ...given,
})
const asking = (ask: Ask, id = 'RQ-10', longestDays = 3650): Asked => ({
  requirement: { id, exception: { longestDays } } as Requirement,
  ask,
})

const piece = (given: Partial<Piece> = {}): Piece => ({
  ...{ id: 'p1', kind: 'test_report', isHeld: false, replaces: [], givenAt: on(0), freshUntil: null },
  ...{ verdict: 'accepted', seats: ['risk'] },
  ...given,
})
const assessed = (given: Partial<Assessed> = {}): Assessed => ({
  ...{ catalog: 'nist-ai-rmf', version: '1.0', control: 'MANAGE 2.4', state: 'in_place', evidenceIds: [] },
  ...given,
})
const having = (pieces: Piece[], controls: Assessed[] = []): Holdings => ({ pieces, controls })
const nothing = having([])
const required = (ask: Ask, given: Partial<Required> = {}): Required => ({
  ...{ requirement: 'RQ-10', because: 'So it is', ask, taken: 'met', exceptionId: null, exceptedUntil: null },
  ...given,
})
const clear: RequiredHead = { evidenceStaleAt: null, evidenceMissingAt: null, controlMissingAt: null }

/** What one ask lacks on day 10, as `want: sentence`. */
function lack(ask: Ask, holdings: Holdings): string | undefined {
  const [gap] = missing([asking(ask)], holdings, on(10))
  return gap && `${gap.want}: ${gap.sentence}`
}

const anyDay = fc.integer({ min: -5, max: 40 }).map(on)
const anyKind = fc.constantFrom('test_report' as const, 'risk_assessment' as const)
const anySeats = fc.subarray(['risk', 'legal'] as const)
const anyPieces = fc
  .array(
    fc.record({
      kind: anyKind,
      isHeld: fc.boolean(),
      givenAt: anyDay,
      freshUntil: fc.option(anyDay),
      verdict: fc.constantFrom('accepted' as const, 'accepted' as const, 'refused' as const, null),
      seats: anySeats,
      replaces: fc.subarray(['old1', 'old2']),
    }),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.map((one, at): Piece => ({ id: `p${at}`, ...one })))
const anyControls = fc
  .uniqueArray(
    fc.record({
      control: fc.constantFrom('MANAGE 2.4', 'MAP 1.1'),
      state: fc.constantFrom('planned' as const, 'in_place' as const, 'not_applicable' as const),
      evidenceIds: fc.subarray(['p0', 'p1', 'old1']),
    }),
    { selector: ({ control: id }) => id, maxLength: 2 },
  )
  .map((controls) => controls.map(assessed))
const anyHoldings = fc.record({ pieces: anyPieces, controls: anyControls })
const anyAsk = fc.oneof(
  fc
    .record({
      kind: anyKind,
      freshForDays: fc.option(fc.integer({ min: 1, max: 20 })),
      acceptedBy: anySeats.map((seats) => [...seats]),
    })
    .map(evidence),
  fc.record({ control: fc.constantFrom('MANAGE 2.4', 'MAP 1.1'), withEvidence: fc.boolean() }).map(control),
)
const anyAsks = fc.array(anyAsk, { minLength: 1, maxLength: 5 }).map((asks) => asks.map((ask) => asking(ask)))
const anyRequired = fc.array(
  fc
    .record({
      ask: anyAsk,
      taken: fc.constantFrom('met' as const, 'condition' as const, 'excepted' as const),
      until: anyDay,
    })
    .map(({ ask, taken, until }) =>
      required(ask, { taken, exceptedUntil: taken === 'excepted' ? until : null }),
    ),
  { maxLength: 5 },
)

t.test('R-101: what one more accepted piece adds is never a gap', async () => {
  fc.assert(
    fc.property(anyAsks, anyHoldings, anyPieces, anyDay, (asks, { pieces, controls }, more, at) => {
      const added = more.map((one) => ({ ...one, id: `more ${one.id}` }))
      const before = new Set(missing(asks, { pieces, controls }, at).map(({ asked }) => asked))
      const after = missing(asks, { pieces: [...pieces, ...added], controls }, at)
      return after.every(({ asked }) => before.has(asked))
    }),
  )
})

t.test('R-101: pieces that nobody accepted count for nothing', async () => {
  fc.assert(
    fc.property(anyAsks, anyHoldings, anyDay, (asks, holdings, at) => {
      const accepted = holdings.pieces.filter(({ verdict }) => verdict === 'accepted')
      const gaps = (pieces: Piece[]) =>
        missing(asks, { ...holdings, pieces }, at).map(({ asked }) => asks.indexOf(asked))
      return gaps(holdings.pieces).join() === gaps(accepted).join()
    }),
  )
})

t.test('the order in which things came plays no part', async (t) => {
  fc.assert(
    fc.property(anyAsks, anyHoldings, anyDay, (asks, { pieces, controls }, at) => {
      const reversed = { pieces: pieces.toReversed(), controls: controls.toReversed() }
      t.same(missing(asks, reversed, at), missing(asks, { pieces, controls }, at))
    }),
    { numRuns: 60 },
  )
})

t.test('every ask is either met or a gap, in the order of the asks', async () => {
  fc.assert(
    fc.property(anyAsks, anyHoldings, anyDay, (asks, holdings, at) => {
      const gaps = missing(asks, holdings, at).map(({ asked }) => asked)
      const unmet = asks.filter(({ ask }) => !isMet(ask, holdings, at))
      return gaps.length === unmet.length && gaps.every((asked, index) => asked === unmet[index])
    }),
  )
})

t.test('evidence is fresh until the very instant at which its days are over', async (t) => {
  const ask = evidence({ freshForDays: 30 })
  const given = having([piece({ givenAt: on(3) })])
  t.same(coverOf(ask, given), { until: on(33) })
  t.ok(isMet(ask, given, justBefore(on(33))))
  t.notOk(isMet(ask, given, on(33)))
  const own = having([piece({ givenAt: on(3), freshUntil: on(20) })])
  t.same(coverOf(ask, own), { until: on(20) }, 'its own end, if that comes first')
  t.ok(isMet(ask, own, justBefore(on(20))))
  t.notOk(isMet(ask, own, on(20)))
  const late = having([piece({ givenAt: on(3), freshUntil: on(90) })])
  t.same(coverOf(ask, late), { until: on(33) }, 'and never longer than policy lets it count')
  t.same(coverOf(evidence(), given), { until: null }, 'without days it counts for as long as it is fresh')
  t.same(
    coverOf(ask, having([...own.pieces, ...given.pieces, ...own.pieces])),
    { until: on(33) },
    'of several, the one that lasts longest',
  )
  t.same(coverOf(evidence(), having([...own.pieces, ...given.pieces, ...own.pieces])), { until: null })
})

t.test('R-101: evidence of the kind, accepted by one of the seats that policy names', async (t) => {
  const ask = evidence({ acceptedBy: ['legal', 'risk'] })
  t.ok(isMet(ask, having([piece({ seats: ['business', 'risk'] })]), on(10)))
  t.notOk(isMet(ask, having([piece({ seats: ['business'] })]), on(10)))
  t.notOk(isMet(ask, having([piece({ seats: [] })]), on(10)))
  t.notOk(isMet(ask, having([piece({ kind: 'risk_assessment' })]), on(10)))
  t.ok(isMet(evidence(), having([piece({ seats: [] })]), on(10)), 'whoever may judge it, if none is named')
})

t.test('a control is in a state that is good enough, in this version of its catalog', async (t) => {
  const meets = (given: Partial<Assessed>) => isMet(control(), having([], [assessed(given)]), on(10))
  t.ok(meets({}))
  t.ok(meets({ state: 'not_applicable' }))
  for (const state of ['planned', 'not_effective', 'not_assessed'] as const) t.notOk(meets({ state }), state)
  t.notOk(meets({ control: 'MANAGE 2.3' }))
  t.notOk(meets({ version: '2.0' }))
  t.notOk(meets({ catalog: 'eu-ai-act' }))
  t.notOk(isMet(control(), nothing, on(10)), 'of which nobody said anything')
})

t.test('a control with evidence is met for as long as the evidence that it names counts', async (t) => {
  const ask = control({ withEvidence: true })
  const named = (pieces: Piece[], given: Partial<Assessed> = { evidenceIds: ['p1'] }) =>
    coverOf(ask, having(pieces, [assessed(given)]))
  t.same(named([piece({ freshUntil: on(20) })]), { until: on(20) })
  t.same(named([piece()]), { until: null })
  t.equal(named([piece()], { evidenceIds: [] }), undefined, 'evidence that it does not name')
  t.equal(named([]), undefined)
  t.equal(named([piece({ verdict: null })]), undefined)
  t.equal(named([piece({ verdict: 'refused' })]), undefined)
  t.same(named([], { state: 'not_applicable' }), { until: null }, 'what does not apply shows nothing')
  t.same(
    named([piece({ id: 'p3', replaces: ['p2', 'p1'], freshUntil: on(30) })]),
    { until: on(30) },
    'a newer piece serves in the place of the one that was named',
  )
})

t.test('R-103: the head says that something is amiss exactly when something is missing', async () => {
  fc.assert(
    fc.property(anyRequired, anyHoldings, anyDay, anyDay, (list, holdings, now, later) => {
      const at = latest(now, later)
      const head = headOf(list, holdings, clear, now)
      const isAmiss = Object.values(head).some((since) => since !== null && since <= at)
      const lacks = list.filter(
        ({ ask, taken, exceptedUntil }) =>
          taken !== 'condition' &&
          !isMet(ask, holdings, at) &&
          (exceptedUntil === null || exceptedUntil <= at),
      )
      return isAmiss === lacks.length > 0
    }),
    { numRuns: 2000 },
  )
})

t.test('R-103: of what was met, the head names the first instant at which it is not', async (t) => {
  fc.assert(
    fc.property(fc.array(anyAsk, { minLength: 1, maxLength: 4 }), anyHoldings, (asks, holdings) => {
      const met = asks.filter((ask) => isMet(ask, holdings, on(-6)))
      const head = headOf(
        met.map((ask) => required(ask)),
        holdings,
        clear,
        on(-6),
      )
      const gapsAt = (at: Instant) =>
        missing(
          met.map((ask) => asking(ask)),
          holdings,
          at,
        ).length
      t.match(head, { evidenceMissingAt: null, controlMissingAt: null })
      if (head.evidenceStaleAt === null) return gapsAt(on(10_000)) === 0
      return gapsAt(justBefore(head.evidenceStaleAt)) === 0 && gapsAt(head.evidenceStaleAt) > 0
    }),
  )
})

t.test('R-103: as long as nothing is done, the passing of time changes no instant of the head', async (t) => {
  fc.assert(
    fc.property(anyRequired, anyHoldings, anyDay, anyDay, (list, holdings, one, other) => {
      const [now, later] = [one, other].sort() as [Instant, Instant]
      const head = headOf(list, holdings, clear, now)
      t.same(headOf(list, holdings, head, later), head)
    }),
    { numRuns: 300 },
  )
})

t.test('R-103: what is missing is missing since it was taken away', async (t) => {
  const list = [required(evidence()), required(control())]
  const there = having([piece()], [assessed()])
  t.same(headOf(list, there, clear, on(1)), clear)
  const first = headOf(list, having([], [assessed()]), clear, on(5))
  t.same(first, { ...clear, evidenceMissingAt: on(5) })
  const second = headOf(list, nothing, first, on(8))
  t.same(second, { ...clear, evidenceMissingAt: on(5), controlMissingAt: on(8) })
  t.same(headOf(list, there, second, on(9)), clear, 'and mending it cures that')
})

t.test(
  'R-104: what is lacking now is missing from now on, though an exception was to end later',
  async (t) => {
    const before = { ...clear, evidenceMissingAt: on(20), controlMissingAt: on(20) }
    t.same(headOf([required(evidence()), required(control())], nothing, before, on(5)), {
      ...{ evidenceStaleAt: null, evidenceMissingAt: on(5), controlMissingAt: on(5) },
    })
  },
)

t.test('the pieces that serve an ask are those that count, and then those that wait', async (t) => {
  const pieces = [
    piece({ id: 'open', verdict: null }),
    piece({ id: 'held', verdict: null, isHeld: true }),
    piece({ id: 'refused', verdict: 'refused' }),
    piece({ id: 'of another seat', seats: ['legal'] }),
    piece({ id: 'counts' }),
    piece({ id: 'old', givenAt: on(-40) }),
    piece({ id: 'stale', freshUntil: on(10) }),
    piece({ id: 'of another kind', kind: 'model_card' }),
    piece({ id: 'newer', kind: 'model_card', replaces: ['named'], freshUntil: on(11) }),
  ]
  const serving = (ask: Ask, controls: Assessed[] = []) =>
    servingPieces(ask, having(pieces, controls), on(10)).map(({ piece: { id }, counts }) => [id, counts])
  const ask = evidence({ acceptedBy: ['risk'], freshForDays: 30 })
  t.same(serving(ask), [
    ['counts', true],
    ['open', false],
    ['held', false],
  ])
  t.same(serving(control({ withEvidence: true })), [], 'of a control that nobody assessed')
  const named = assessed({ evidenceIds: ['named', 'open', 'refused', 'stale'] })
  t.same(serving(control({ withEvidence: true }), [named]), [
    ['newer', true],
    ['open', false],
  ])
})

t.test('what became a condition is the business of that condition, until it was met', async (t) => {
  const [ask, given] = [evidence({ freshForDays: 30 }), having([piece({ givenAt: on(2) })])]
  t.same(headOf([required(ask, { taken: 'condition' })], nothing, clear, on(1)), clear)
  t.same(headOf([required(ask, { taken: 'condition' })], given, clear, on(1)), clear)
  t.same(headOf([required(control(), { taken: 'condition' })], nothing, clear, on(1)), clear)
  t.same(headOf([required(ask)], given, clear, on(3)), { ...clear, evidenceStaleAt: on(32) })
})

t.test('R-104: what is excepted is missing from the end of the exception on, not before', async (t) => {
  const until = on(20)
  const excepted = (ask: Ask) => [required(ask, { taken: 'excepted', exceptedUntil: until })]
  t.same(headOf(excepted(control()), nothing, clear, on(1)), { ...clear, controlMissingAt: until })
  t.same(headOf(excepted(evidence()), nothing, clear, on(1)), { ...clear, evidenceMissingAt: until })
  const old = having([piece({ freshUntil: on(5) })])
  t.same(headOf(excepted(evidence()), old, clear, on(1)), { ...clear, evidenceStaleAt: until })
  const lasting = having([piece({ freshUntil: on(30) })])
  t.same(headOf(excepted(evidence()), lasting, clear, on(1)), { ...clear, evidenceStaleAt: on(30) })
  t.same(headOf(excepted(control()), having([], [assessed()]), clear, on(1)), clear)
  const worse = [...excepted(control()), required(control({ control: 'MAP 1.1' }))]
  const head = headOf(worse, nothing, clear, on(1))
  t.same(head, { ...clear, controlMissingAt: on(1) })
  const mended = having([], [assessed({ control: 'MAP 1.1' })])
  t.same(headOf(worse, mended, head, on(25)), { ...clear, controlMissingAt: until }, 'since its own end')
})

t.test(
  'R-104: an exception is for one ask of one requirement, until the very instant of its end',
  async (t) => {
    const granted = required(control(), { taken: 'excepted', exceptedUntil: on(20), exceptionId: 'x' })
    const found = (asked: Asked, list = [granted], at = on(10)) => isExcepted(asked, list, at)
    t.equal(found(asking(control())), granted)
    t.equal(found(asking(control()), [granted], justBefore(on(20))), granted)
    t.equal(found(asking(control()), [granted], on(20)), undefined)
    t.equal(found(asking(control(), 'RQ-11')), undefined, 'of another requirement')
    t.equal(found(asking(control({ control: 'MAP 1.1' }))), undefined, 'of another control')
    t.equal(found(asking(control({ version: '2.0' }))), undefined, 'of another version')
    t.equal(found(asking(evidence())), undefined)
    t.equal(found(asking(control()), [required(control())]), undefined, 'what was met needs none')
    t.equal(found(asking(control()), [{ ...granted, exceptedUntil: null }]), undefined)
    const report = required(evidence(), { taken: 'excepted', exceptedUntil: on(20) })
    t.equal(found(asking(evidence()), [report]), report)
    t.equal(found(asking(evidence({ kind: 'model_card' })), [report]), undefined)
  },
)

t.test(
  'R-104: what policy no longer excepts, or not for so long, is carried over by no approval',
  async (t) => {
    const granted = required(control(), { taken: 'excepted', exceptedUntil: on(20), exceptionId: 'x' })
    const at = on(10)
    t.equal(isExcepted(asking(control(), 'RQ-10', 10), [granted], at), granted, 'until its last day at most')
    t.equal(isExcepted(asking(control(), 'RQ-10', 9), [granted], at), undefined)
    const unexceptable = { requirement: { id: 'RQ-10' } as Requirement, ask: control() }
    t.equal(isExcepted(unexceptable, [granted], at), undefined)
  },
)

t.test('each gap says what is so and what to do next', async (t) => {
  const legal = evidence({ acceptedBy: ['legal', 'compliance'], freshForDays: 5 })
  const open = piece({ verdict: null })
  const shown = control({ withEvidence: true })
  const named = assessed({ evidenceIds: ['p1'] })
  for (const [ask, holdings, said] of [
    [
      evidence(),
      nothing,
      'not_there: RQ-10: a test report is missing; attach one, which somebody other than its giver has to accept',
    ],
    [
      evidence(),
      having([piece({ verdict: 'refused' })]),
      'not_there: RQ-10: a test report is missing; attach one, which somebody other than its giver has to accept',
    ],
    [
      legal,
      nothing,
      'not_there: RQ-10: a test report is missing; attach one, which the seat legal or compliance has to accept',
    ],
    [
      evidence(),
      having([open]),
      'not_accepted: RQ-10: a test report is there; somebody other than its giver has to accept it',
    ],
    [
      evidence(),
      having([piece({ ...open, isHeld: true })]),
      'held_back: RQ-10: a test report is there, and waits for the virus scanner; look again in a while',
    ],
    [
      evidence(),
      having([piece({ ...open, isHeld: true }), open]),
      'not_accepted: RQ-10: a test report is there; somebody other than its giver has to accept it',
    ],
    [
      legal,
      having([piece({ givenAt: on(6) })]),
      'not_accepted_by_seat: RQ-10: a test report was accepted, but not by the seat legal or compliance; attach it once more for them',
    ],
    [
      legal,
      having([piece({ givenAt: on(2), seats: ['legal'] }), piece({ givenAt: on(4) })]),
      'stale: RQ-10: the test report went stale on 2026-01-08; attach a newer one',
    ],
    [
      legal,
      having([piece({ givenAt: on(2), seats: ['legal'] }), piece({ givenAt: on(9) })]),
      'not_accepted_by_seat: RQ-10: a test report was accepted, but not by the seat legal or compliance; attach it once more for them',
    ],
    [
      legal,
      having([piece({ ...open, givenAt: on(5) })]),
      'stale: RQ-10: the test report went stale on 2026-01-11; attach a newer one',
    ],
    [
      control(),
      nothing,
      'not_in_state: RQ-10: MANAGE 2.4 is not assessed, and has to be in place or not applicable; assess it',
    ],
    [
      control({ states: ['in_place'] }),
      having([], [assessed({ state: 'planned' })]),
      'not_in_state: RQ-10: MANAGE 2.4 is planned, and has to be in place; assess it',
    ],
    [
      shown,
      having([], [named]),
      'without_evidence: RQ-10: MANAGE 2.4 is in place without evidence that counts; name some',
    ],
    [
      shown,
      having([open], [named]),
      'not_accepted: RQ-10: MANAGE 2.4 is in place; somebody other than its giver has to accept its evidence',
    ],
    [
      shown,
      having([piece({ freshUntil: on(9) })], [named]),
      'stale: RQ-10: the evidence for MANAGE 2.4 went stale on 2026-01-10; attach newer in its place',
    ],
    [shown, having([piece({ freshUntil: on(11) })], [named]), undefined],
    [
      evidence({ kind: 'other' }),
      having([piece()]),
      'not_there: RQ-10: an other is missing; attach one, which somebody other than its giver has to accept',
    ],
  ] as const) {
    t.equal(lack(ask, holdings), said)
  }
})

t.test(
  'R-102: what meets an obligation of before meets nothing that is asked for in another way',
  async (t) => {
    const old = evidence({ freshForDays: 30 })
    const stricter = evidence({ freshForDays: 30, acceptedBy: ['legal'] })
    const takenBy = (asks: Ask[], ...list: Required[]) =>
      requiredAfter(list, { requirement: 'RQ-10', asks }).map(({ taken }) => taken)
    const condition = { taken: 'condition' as const }
    t.same(takenBy([old], required(old, condition), required(stricter, condition)), ['met', 'condition'])
    t.same(takenBy([old], required(old, { ...condition, requirement: 'RQ-11' })), ['condition'])
    t.same(takenBy([control()], required(control({ control: 'MAP 1.1' }), condition)), ['condition'])
    t.same(takenBy([old], required(old, { taken: 'excepted' })), ['excepted'])
  },
)

t.test('what was required is kept as it was taken', async (t) => {
  const kept = required(evidence(), { exceptedUntil: addSeconds(on(1), 1) })
  t.same(Required.parse(JSON.parse(JSON.stringify(kept))), kept)
  for (const taken of ['condition', 'excepted'] as const) {
    t.same(Required.parse(required(control(), { taken })), required(control(), { taken }))
  }
  t.throws(() => Required.parse({ ...kept, taken: 'waived' }))
})
