import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { RegistryError } from '../../src/errors.js'
import type { StatedFacts } from '../../src/policy/fact-conditions.js'
import { computeTier, RiskTiersFile, validateAnswers } from '../../src/policy/tiering.js'
import { type Answers, Technique, Tier } from '../../src/use-cases/use-case.js'
import { answersFor } from '../answers.js'

const shipped = RiskTiersFile.parse(JSON.parse(readFileSync('policies/risk-tiers.json', 'utf8')))
type Answer = [question: string, option: string]
const severity = (tier: Tier) => Tier.options.indexOf(tier)

const stated = (facts: Partial<StatedFacts> = {}): StatedFacts => ({
  technique: 'generative',
  channels: ['phone'],
  jurisdictions: ['US-NY'],
  ...facts,
})
const harmless = answersFor.minimal
/** The harmless use case, but for these answers. */
const tierOf = (answers: Answers, facts: Partial<StatedFacts> = {}) =>
  computeTier(shipped, { ...harmless, ...answers }, stated(facts))
const without = (...questions: string[]): Answers =>
  Object.fromEntries(questions.map((question) => [question, 'unknown']))

const answersArb: fc.Arbitrary<Answers> = fc
  .subarray(shipped.questions)
  .chain((questions) =>
    fc.tuple(
      ...questions.map(({ id, options }) =>
        fc.constantFrom(...options.map((option): Answer => [id, option.id])),
      ),
    ),
  )
  .map((pairs) => Object.fromEntries(pairs))
const factsArb: fc.Arbitrary<StatedFacts> = fc.record({
  technique: fc.option(fc.constantFrom(...Technique.options)),
  channels: fc.array(fc.constantFrom('phone', 'e-mail', 'branch'), { maxLength: 2 }),
  jurisdictions: fc.array(fc.constantFrom('US', 'US-NY', 'DE', 'DE-BY', 'EU', 'GB', 'Europe'), {
    maxLength: 3,
  }),
})

t.test('the tier is a pure function of answers and facts', async (t) => {
  t.test('a harmless use is minimal and no rule fires', async (t) => {
    t.same(tierOf({}), { tier: 'minimal', fired: [] })
  })

  t.test('R-11: neither the order of rules nor that of answers plays a part', async () => {
    fc.assert(
      fc.property(answersArb, factsArb, fc.gen(), (answers, facts, gen) => {
        const rules = gen(fc.shuffledSubarray, shipped.rules, { minLength: shipped.rules.length })
        const entries = Object.entries(answers)
        const shuffled = Object.fromEntries(gen(fc.shuffledSubarray, entries, { minLength: entries.length }))
        const other = computeTier({ rules }, shuffled, {
          ...facts,
          jurisdictions: facts.jurisdictions.toReversed(),
        })
        return JSON.stringify(other) === JSON.stringify(computeTier(shipped, answers, facts))
      }),
    )
  })

  t.test('R-10: the highest tier that fired wins and every rule that fired is kept', async () => {
    fc.assert(
      fc.property(answersArb, factsArb, (answers, facts) => {
        const { tier, fired } = computeTier(shipped, answers, facts)
        const alone = shipped.rules.filter(
          (rule) => computeTier({ rules: [rule] }, answers, facts).fired.length > 0,
        )
        return (
          fired.length === alone.length &&
          fired.every((rule) => severity(rule.tier) <= severity(tier)) &&
          (fired.length === 0 ? tier === 'minimal' : fired[0]?.tier === tier)
        )
      }),
    )
  })
})

t.test('R-10: what fired is listed by tier, then as a person counts: RT-99 before RT-100', async (t) => {
  const of = (id: string, tier: Tier) => ({ id, when: { q: 'yes' }, tier, because: 'A reason.' })
  const rules = RiskTiersFile.shape.rules.parse([
    ...[of('RT-100', 'high'), of('RT-40', 'limited'), of('RT-99', 'high'), of('RT-20', 'limited')],
    of('RT-30', 'prohibited'),
  ])
  const { tier, fired } = computeTier({ rules }, { q: 'yes' }, stated())
  t.equal(tier, 'prohibited')
  t.same(
    fired.map(({ id }) => id),
    ['RT-30', 'RT-99', 'RT-100', 'RT-20', 'RT-40'],
  )
})

t.test('R-12: what is not known counts as the riskier answer', async (t) => {
  t.test('learning an answer never raises the tier, except to prohibited', async () => {
    fc.assert(
      fc.property(answersArb, factsArb, fc.constantFrom(...shipped.questions), (answers, facts, question) => {
        const before = computeTier(shipped, { ...answers, [question.id]: 'unknown' }, facts)
        return question.options.every((option) => {
          const after = computeTier(shipped, { ...answers, [question.id]: option.id }, facts)
          return after.tier === 'prohibited' || severity(after.tier) <= severity(before.tier)
        })
      }),
      { numRuns: 300 },
    )
  })

  t.test('stating a fact never raises the tier', async () => {
    fc.assert(
      fc.property(answersArb, factsArb, (answers, facts) => {
        const silent = computeTier(shipped, answers, { technique: null, channels: [], jurisdictions: [] })
        return severity(computeTier(shipped, answers, facts).tier) <= severity(silent.tier)
      }),
    )
  })

  t.test('an answer left out is the same as unknown', async () => {
    fc.assert(
      fc.property(answersArb, factsArb, (answers, facts) => {
        const said = { ...Object.fromEntries(shipped.questions.map(({ id }) => [id, 'unknown'])), ...answers }
        return (
          JSON.stringify(computeTier(shipped, said, facts)) ===
          JSON.stringify(computeTier(shipped, answers, facts))
        )
      }),
    )
  })

  t.test('R-12: nothing answered is high, never prohibited', async (t) => {
    const { tier, fired } = computeTier(shipped, {}, stated())
    t.equal(tier, 'high')
    t.ok(fired.every(({ unknown }) => unknown))
  })

  t.test('a rule says whether it fired on knowledge or for want of it', async (t) => {
    const { fired } = tierOf({ customer_facing: 'yes', regulated_language: 'unknown' })
    t.same(
      fired.map(({ id, unknown }) => [id, unknown]),
      [
        ['RT-40', false],
        ['RT-41', true],
      ],
    )
  })

  t.test('words that every object has are not answers', async (t) => {
    const rules = RiskTiersFile.shape.rules.parse([
      { id: 'RT-01', when: { constructor: 'yes' }, tier: 'high', because: 'A reason.' },
    ])
    t.equal(computeTier({ rules }, {}, stated()).fired[0]?.unknown, true)
  })
})

t.test('the shipped tiers are those of a regulated revenue organisation', async (t) => {
  const summariser: Answers = { personal_data: 'personal', decision_role: 'informs', affected: 'employees' }

  t.test('a summary of sales calls stays limited, whichever two harmless answers are unknown', async (t) => {
    const asked = shipped.questions
      .map(({ id }) => id)
      .filter((id) => !['decision_role', 'autonomy'].includes(id))
    for (const one of asked) {
      for (const other of asked) t.equal(tierOf({ ...summariser, ...without(one, other) }).tier, 'limited')
    }
  })

  t.test('so it does on the first five answers alone', async (t) => {
    const late = ['affected', 'vulnerable_people', 'annex_iii_area', 'omb_high_impact', 'prohibited_practice']
    t.equal(tierOf({ ...summariser, ...without(...late) }).tier, 'limited')
  })

  const cases: [name: string, answers: Answers, facts: Partial<StatedFacts>, tier: Tier, rule: string][] = [
    [
      'emotion inference at work',
      { prohibited_practice: 'emotion_inference_at_work' },
      {},
      'prohibited',
      'RT-01',
    ],
    ['social scoring', { prohibited_practice: 'social_scoring' }, {}, 'prohibited', 'RT-02'],
    ['a hiring screen', { affected: 'applicants', decision_role: 'assists' }, {}, 'high', 'RT-15'],
    [
      'life underwriting in New York',
      { annex_iii_area: 'essential_services', decision_role: 'assists', affected: 'applicants' },
      {},
      'high',
      'RT-14',
    ],
    [
      'a claim denied without a look',
      { decision_role: 'decides', autonomy: 'human_on_loop', affected: 'customers' },
      {},
      'high',
      'RT-16',
    ],
    ['high-impact by OMB', { omb_high_impact: 'yes', decision_role: 'assists' }, {}, 'high', 'RT-20'],
    [
      'an agent facing brokers',
      { customer_facing: 'yes', autonomy: 'autonomous' },
      { technique: 'agentic' },
      'high',
      'RT-23',
    ],
    ['a draft that a person sends', { customer_facing: 'yes' }, {}, 'limited', 'RT-40'],
    ['an unread list of prohibited practices', without('prohibited_practice'), {}, 'limited', 'RT-49'],
  ]
  for (const [name, answers, facts, tier, rule] of cases) {
    t.test(`${name} is ${tier} by ${rule}`, async (t) => {
      const computed = tierOf(answers, facts)
      t.equal(computed.tier, tier)
      t.ok(computed.fired.some(({ id }) => id === rule))
    })
  }

  t.test(
    'Annex III speaks in the Union, in its members, and where no place or no code is given',
    async (t) => {
      const answers = { annex_iii_area: 'essential_services', decision_role: 'assists' }
      const fires = (...jurisdictions: string[]) =>
        tierOf(answers, { jurisdictions }).fired.find(({ id }) => id === 'RT-12')
      for (const place of ['EU', 'DE', 'de', 'DE-BY', 'FR', 'GR', 'EL'])
        t.equal(fires(place)?.unknown, false, place)
      t.equal(fires('US', 'FR')?.unknown, false)
      for (const place of ['US', 'US-NY', 'GB', 'CH', 'IN-DE']) t.equal(fires(place), undefined, place)
      t.equal(fires()?.unknown, true)
      t.equal(fires('Europe')?.unknown, true)
      t.equal(fires('ZZ')?.unknown, true, 'a code of nowhere')
      t.equal(fires('Belarus')?.unknown, true, 'whose first letters are no member')
      t.equal(fires('US-NY', 'global')?.unknown, true)
    },
  )

  t.test('every rule names the ground it stands on', async (t) => {
    for (const { id, because } of shipped.rules)
      t.match(because, /EU AI Act|OMB M-25-21|NIST AI RMF|NAIC|GDPR/, id)
  })

  t.test('every question is asked by a rule', async (t) => {
    const used = new Set(shipped.rules.flatMap(({ when }) => Object.keys(when)))
    for (const { id } of shipped.questions) t.ok(used.has(id), id)
  })
})

t.test('answers off the list are refused, each with what is on it', async (t) => {
  t.doesNotThrow(() => validateAnswers(shipped, harmless))
  t.doesNotThrow(() => validateAnswers(shipped, {}))
  const refused = refusal(() =>
    validateAnswers(shipped, { customer_facing: 'maybe', colour: 'red', '~a/b': 'x' }),
  )
  t.equal(refused.code, 'invalid')
  t.equal(refused.message, 'Some intake answers are not on the list; choose from those it names.')
  t.same(
    refused.issues.map(({ path }) => path),
    ['/answers/customer_facing', '/answers/colour', '/answers/~0a~1b'],
  )
  t.match(refused.issues[0]?.message, 'yes, no, unknown')
  t.match(refused.issues[1]?.message, 'customer_facing, regulated_language')
  t.equal(refusal(() => validateAnswers(shipped, { x: 'y' }, '')).issues[0]?.path, '/x')
})

t.test('a file of tiers with a hole in it does not pass', async (t) => {
  const question = (id: string, ...options: string[]) => ({
    id,
    text: 'A question?',
    help: 'Some help.',
    options: options.map((option) => ({ id: option, label: option })),
  })
  const rule = (when: object, id = 'RT-01') => ({ id, when, tier: 'high', because: 'A reason.' })
  const q = question('q', 'yes', 'no', 'unknown')
  const check = (questions: object[], rules: object[]) => {
    const parsed = RiskTiersFile.safeParse({ version: 1, questions, rules })
    return parsed.error?.issues.map(({ path, message }) => `${path.join('/')}: ${message}`) ?? []
  }
  const refuses = (questions: object[], rules: object[], path: string, words: RegExp) => {
    const issues = check(questions, rules)
    t.ok(
      issues.some((issue) => issue.startsWith(`${path}: `) && words.test(issue)),
      `${path} ${words}: ${issues}`,
    )
  }
  t.same(check([q], [rule({ q: 'yes' })]), [])
  refuses([q], [rule({})], 'rules/0/when', /every use case/)
  refuses([q], [rule({ facts: { technique: ['agentic'] } })], 'rules/0/when', /every use case/)
  refuses([q], [rule({ q: ['yes', 'no'] })], 'rules/0/when/q', /nothing is asked/)
  refuses([q], [rule({ q: ['yes', 'unknown'] })], 'rules/0/when/q', /already/)
  refuses([q], [rule({ q: 'perhaps' })], 'rules/0/when/q', /choose from yes, no, unknown/)
  refuses([q], [rule({ p: 'yes' })], 'rules/0/when/p', /no such question/)
  refuses([q], [rule({ q: 'yes' }), rule({ q: 'no' })], 'rules/1/id', /give each its own/)
  refuses([q], [rule({ q: 'yes', facts: { technique: ['magic'] } })], 'rules/0/when/facts/technique/0', /./)
  refuses(
    [q],
    [rule({ q: 'yes', facts: { jurisdictions: ['Europe'] } })],
    'rules/0/when/facts/jurisdictions/0',
    /ISO 3166/,
  )
  refuses([q, q], [rule({ q: 'yes' })], 'questions/1/id', /give each its own/)
  refuses([question('q', 'yes', 'no')], [rule({ q: 'yes' })], 'questions/0/options', /add the option unknown/)
  refuses(
    [question('q', 'yes', 'yes', 'no', 'unknown')],
    [rule({ q: 'yes' })],
    'questions/0/options/1/id',
    /twice/,
  )
  refuses([question('facts', 'yes', 'no', 'unknown'), q], [rule({ q: 'yes' })], 'questions/0/id', /reserved/)
  refuses([q], [{ ...rule({ q: 'yes' }), tires: 'high' }], 'rules/0', /tires/)
})

function refusal(work: () => void): RegistryError {
  try {
    work()
  } catch (error) {
    if (error instanceof RegistryError) return error
    throw error
  }
  throw new Error('was not refused')
}
