import { canonicalize } from '../audit/canonical.js'
import { digestOfJson } from '../audit/digest.js'
import type { Facts } from './use-case.js'

/** The name of a fact, or `answers.<question id>` for one answer. */
export type FactName = string

/** Facts whose elements have no order. */
const SETS = new Set<string>(['jurisdictions', 'channels', 'systemIds', 'tags'])

/**
 * Digest of the named facts (SHA-256 of canonical JSON, RFC 8785), by which a later version is compared with the
 * one a decision was taken on. The order within sets plays no part, nor that of the names.
 */
export function materialDigest(facts: Facts, names: readonly FactName[]): string {
  return digestOfJson(Object.fromEntries(names.map((name) => [name, comparable(facts, name)])))
}

/** Which of the named facts differ between two versions. */
export function materialChanges(before: Facts, after: Facts, names: readonly FactName[]): FactName[] {
  return names.filter(
    (name) => canonicalize(comparable(before, name)) !== canonicalize(comparable(after, name)),
  )
}

/** Every fact that differs; answers one by one. */
export function changedFacts(before: Facts, after: Facts): FactName[] {
  const questions = new Set([...Object.keys(before.answers), ...Object.keys(after.answers)])
  const names = Object.keys(after).filter((name) => name !== 'answers')
  return materialChanges(before, after, [...names, ...[...questions].sort().map((id) => `answers.${id}`)])
}

export interface Difference {
  fact: FactName
  from: Facts[keyof Facts]
  to: Facts[keyof Facts]
}

export function differences(before: Facts, after: Facts): Difference[] {
  return changedFacts(before, after).map((fact) => ({
    fact,
    from: factOf(before, fact) ?? null,
    to: factOf(after, fact) ?? null,
  }))
}

function comparable(facts: Facts, name: FactName): unknown {
  const value = factOf(facts, name)
  return SETS.has(name) && Array.isArray(value) ? [...new Set(value)].sort() : (value ?? null)
}

function factOf(facts: Facts, name: FactName): Facts[keyof Facts] | undefined {
  if (!name.startsWith('answers.')) return facts[name as keyof Facts]
  const question = name.slice('answers.'.length)
  return Object.hasOwn(facts.answers, question) ? facts.answers[question] : undefined
}
