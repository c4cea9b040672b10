import { type Issue, RegistryError } from '../errors.js'
import { type Answers, Tier } from '../use-cases/use-case.js'
import { type Match, matchFacts, type StatedFacts } from './fact-conditions.js'
import { asked, type RiskTiersFile, type TierRule, UNKNOWN } from './risk-tiers-file.js'

export { RiskTiersFile } from './risk-tiers-file.js'

/** One rule that fired. `unknown` when it might not have, had every answer and fact it asks for been known. */
export interface FiredRule {
  id: string
  tier: Tier
  because: string
  unknown: boolean
}

export interface ComputedTier {
  tier: Tier
  /** Highest tier first, then by id. */
  fired: FiredRule[]
}

/**
 * The tier of a use case, and every rule that fired. Pure: the order of rules, answers and facts plays no
 * part. R-12: what is not known fires each rule it could fire, except those that prohibit: nobody is
 * condemned by a blank.
 */
export function computeTier(
  file: Pick<RiskTiersFile, 'rules'>,
  answers: Answers,
  facts: StatedFacts,
): ComputedTier {
  const fired: FiredRule[] = []
  for (const rule of inOrder(file.rules)) {
    const match = matchRule(rule, answers, facts)
    if (match === 'not_met' || (match === 'unstated' && rule.tier === 'prohibited')) continue
    fired.push({ id: rule.id, tier: rule.tier, because: rule.because, unknown: match === 'unstated' })
  }
  return { tier: fired[0]?.tier ?? 'minimal', fired }
}

/** One that is not met decides, and most rules have one: nothing more is asked of them. */
function matchRule(rule: TierRule, answers: Answers, facts: StatedFacts): Match {
  let isStated = true
  for (const [question, options] of asked(rule)) {
    const match = matchAnswer(options, answers, question)
    if (match === 'not_met') return match
    isStated &&= match === 'met'
  }
  const match = rule.when.facts ? matchFacts(rule.when.facts, facts) : 'met'
  return match === 'met' && !isStated ? 'unstated' : match
}

/** Rules never change once they are loaded, and an import or a trial asks them a hundred thousand times. */
const ordered = new WeakMap<readonly TierRule[], TierRule[]>()

function inOrder(rules: readonly TierRule[]): TierRule[] {
  const known = ordered.get(rules) ?? rules.toSorted(byTierThenId)
  ordered.set(rules, known)
  return known
}

function matchAnswer(options: string[], answers: Answers, question: string): Match {
  const answer = Object.hasOwn(answers, question) ? answers[question] : UNKNOWN
  if (answer === undefined || answer === UNKNOWN) return 'unstated'
  return options.includes(answer) ? 'met' : 'not_met'
}

/** `RT-9` before `RT-10`. */
const byNumber = new Intl.Collator('en', { numeric: true })

function byTierThenId(a: TierRule, b: TierRule): number {
  const severity = Tier.options.indexOf(b.tier) - Tier.options.indexOf(a.tier)
  return severity !== 0 ? severity : byNumber.compare(a.id, b.id)
}

/**
 * Refuses answers to questions nobody asks and options nobody offers, and says which there are.
 * @param at JSON pointer of the answers in the caller's input
 * @throws RegistryError `invalid`, an issue for each wrong answer
 */
export function validateAnswers(
  file: Pick<RiskTiersFile, 'questions'>,
  answers: Answers,
  at = '/answers',
): void {
  const issues = Object.entries(answers).flatMap(([question, answer]) => faultOf(file, question, answer, at))
  if (issues.length > 0) {
    throw new RegistryError(
      'invalid',
      'Some intake answers are not on the list; choose from those it names.',
      {
        issues,
      },
    )
  }
}

function faultOf(
  file: Pick<RiskTiersFile, 'questions'>,
  question: string,
  answer: string,
  at: string,
): Issue[] {
  const path = `${at}/${question.replaceAll('~', '~0').replaceAll('/', '~1')}`
  const known = file.questions.find(({ id }) => id === question)
  if (!known) {
    return [{ path, message: `No such question; the questions are ${list(file.questions)}.` }]
  }
  if (known.options.some(({ id }) => id === answer)) return []
  return [{ path, message: `Answer with one of ${list(known.options)}.` }]
}

function list(named: { id: string }[]): string {
  return named.map(({ id }) => id).join(', ')
}
