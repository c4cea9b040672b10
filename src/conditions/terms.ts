import { canonicalize } from '../audit/canonical.js'
import { type Issue, RegistryError } from '../errors.js'
import { addDays, type Instant } from '../instant.js'
import { type ConditionPattern, type ConditionsFile, patternById } from '../policy/conditions-file.js'
import type { Ask } from '../policy/requirements.js'
import type { Condition, LimitOn, LimitTerm, ObligationTerm, Proposal, Term } from './condition.js'

/** What of the policy in force conditions look at. */
export interface ConditionPolicies {
  gate: { environments: Record<string, unknown> }
  conditions: Pick<ConditionsFile, 'conditions'>
}

/**
 * The terms that proposals stand for, one each; people they name are not looked at here.
 * @throws RegistryError `invalid` with one issue for each that cannot be imposed; paths begin with `/conditions`
 */
export function termsOf(policies: ConditionPolicies, proposals: readonly Proposal[], now: Instant): Term[] {
  const issues: Issue[] = []
  const terms = proposals.flatMap((proposal, index) => {
    const found = proposal.type === 'pattern' ? byPattern(policies, proposal) : inItsWords(proposal)
    const flaws = typeof found === 'string' ? [found] : flawsOf(policies, found, now)
    issues.push(...flaws.map((message) => ({ path: `/conditions/${index}`, message })))
    return typeof found === 'string' ? [] : [found]
  })
  assertNone(issues)
  return terms
}

/** what the patterns with these ids ask for; one that policy no longer has asks for nothing. */
export function termsOfPatterns({ conditions }: ConditionPolicies, ids: readonly string[]): Term[] {
  const patterns = ids.flatMap((id) => patternById(conditions, id) ?? [])
  return mergeTerms([patterns.map((pattern) => termOfPattern(pattern))])
}

/** all terms of all votes, each once. */
export function mergeTerms(lists: readonly (readonly Term[])[]): Term[] {
  const known = new Map(lists.flat().map((term) => [canonicalize(term), term]))
  return [...known.values()]
}

/** @throws RegistryError `invalid` when there are any */
export function assertNone(issues: Issue[]): void {
  const [first] = issues
  if (first) throw new RegistryError('invalid', first.message, { issues })
}

/** A sentence, when there is no such pattern or it has no owner. */
function byPattern(
  { conditions }: ConditionPolicies,
  { pattern: id, ownerId }: Extract<Proposal, { type: 'pattern' }>,
): Term | string {
  const pattern = patternById(conditions, id)
  if (!pattern) return `there is no pattern ${id} in policy; name another, or write the condition out`
  if (pattern.type === 'limit' && ownerId !== undefined) return 'this pattern is a limit, and has no owner'
  return termOfPattern(pattern, ownerId)
}

function termOfPattern(pattern: ConditionPattern, ownerId?: string): Term {
  const { id, text } = pattern
  if (pattern.type === 'limit') {
    return { type: 'limit', text, pattern: id, on: pattern.on, values: setOf(pattern) }
  }
  const { satisfiedBy, dueInDays = null, beforeDeploy = false, owner } = pattern
  return {
    ...{ type: 'obligation', text, pattern: id, owner: ownerId ?? owner, satisfiedBy },
    ...{ dueAt: null, dueInDays, beforeDeploy },
  }
}

function inItsWords(proposal: Exclude<Proposal, { type: 'pattern' }>): Term {
  if (proposal.type === 'limit') {
    const { on } = proposal
    const values = setOf(proposal)
    return { type: 'limit', text: proposal.text ?? sentenceOf(on, values), pattern: null, on, values }
  }
  const { text, satisfiedBy, ownerId = 'risk_owner', dueAt = null, dueInDays = null, beforeDeploy } = proposal
  return {
    ...{ type: 'obligation', text, pattern: null, owner: ownerId, satisfiedBy },
    ...{ dueAt, dueInDays, beforeDeploy: beforeDeploy === true },
  }
}

/** Codes in capitals, as the gate reads them; in one order, so that the same limit is the same term. */
function setOf({ on, values }: { on: LimitOn; values: string[] }): string[] {
  return [...new Set(on === 'jurisdiction' ? values.map((place) => place.toUpperCase()) : values)].sort()
}

function sentenceOf(on: LimitOn, values: string[]): string {
  return `Only in the ${on}${values.length > 1 ? 's' : ''} ${values.join(', ')}`
}

function flawsOf({ gate }: ConditionPolicies, term: Term, now: Instant): string[] {
  if (term.type === 'limit') return flawsOfLimit(gate, term)
  const isPast = term.dueAt !== null && term.dueAt <= now
  return isPast ? ['it would be overdue from the start; give a date in the future'] : []
}

/** A place is compared by its code, and an environment by its name: a slip would deny everything. */
function flawsOfLimit({ environments }: ConditionPolicies['gate'], { on, values }: LimitTerm): string[] {
  if (on === 'environment') {
    const strange = values.filter((name) => !Object.hasOwn(environments, name))
    const known = Object.keys(environments).join(', ')
    return strange.map((name) => `policy knows no environment ${name}; name one of ${known}`)
  }
  if (on === 'channel') return []
  const strange = values.filter((place) => !/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(place))
  return strange.map((place) => `${place} is no ISO 3166 code such as US, US-NY or DE, or EU; correct it`)
}

/** An obligation for what policy requires and is not there: met once that is there. */
export interface RequiredTerm extends ObligationTerm {
  requirement: string
  asks: Ask[]
}

/** A condition that a decision is about to impose, as the decision keeps it. */
export type NewCondition = Pick<
  Condition,
  | ('id' | 'type' | 'text' | 'pattern' | 'ownerId' | 'dueAt' | 'beforeDeploy' | 'satisfiedBy' | 'limit')
  | ('requirement' | 'asks')
>

export function planObligation(
  id: string,
  { text, pattern, satisfiedBy, beforeDeploy, ...term }: ObligationTerm | RequiredTerm,
  ownerId: string,
  now: Instant,
): NewCondition {
  const dueAt = term.dueInDays === null ? term.dueAt : addDays(now, term.dueInDays)
  const { requirement, asks } = 'asks' in term ? term : { requirement: null, asks: [] }
  return {
    ...{ id, type: 'obligation', text, pattern, ownerId, dueAt, beforeDeploy, satisfiedBy, limit: null },
    ...{ requirement, asks },
  }
}

export function planLimit(id: string, { text, pattern, on, values }: LimitTerm): NewCondition {
  const none = { ownerId: null, dueAt: null, beforeDeploy: false, satisfiedBy: null }
  return { id, type: 'limit', text, pattern, ...none, limit: { on, values }, requirement: null, asks: [] }
}

/** Whether what stays in force asks for all that the new one would, and no later. Who owns it plays no part. */
export function covers(old: NewCondition, planned: NewCondition): boolean {
  const asked = ({ type, text, satisfiedBy, beforeDeploy, limit }: NewCondition) =>
    canonicalize({ type, text, satisfiedBy, beforeDeploy, limit })
  const isInTime = old.dueAt === null || planned.dueAt === null || old.dueAt <= planned.dueAt
  if (planned.requirement === null) return asked(old) === asked(planned) && isInTime
  const its = new Set(old.asks.map((ask) => canonicalize(ask)))
  const isOfIt = old.requirement === planned.requirement && old.beforeDeploy === planned.beforeDeploy
  return isOfIt && isInTime && planned.asks.every((ask) => its.has(canonicalize(ask)))
}
