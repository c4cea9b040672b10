import type { ChoiceRule, ImportProfile, Match } from './profile.js'
import { foldOption } from './wording.js'

/** What a value means: an option, nothing about the field, or something that only a person can tell. */
export type Meaning = string | null | { doubt: string }

/** Folded value to what it means. */
export type Meanings = ReadonlyMap<string, Meaning>

/** The values of a rule, ready to be compared. */
export function meaningsOf(values: Record<string, Meaning>): Meanings {
  return new Map(Object.entries(values).map(([value, meaning]) => [foldOption(value), meaning]))
}

/**
 * @param match with `start`, the longest listed value that the given one begins with also counts
 * @returns undefined when the value is not listed
 */
export function lookUp(meanings: Meanings, value: string, match: Match = 'exact'): Meaning | undefined {
  const folded = foldOption(value)
  const exact = meanings.get(folded)
  if (exact !== undefined || match === 'exact') return exact
  const beginnings = [...meanings.keys()].filter((listed) => folded.startsWith(`${listed} `))
  const longest = beginnings.reduce((best, next) => (next.length > best.length ? next : best), '')
  return meanings.get(longest)
}

/** Folded value to the field for which it is an answer, for values that answer one field only. */
export function ownersOf(
  choices: [field: string, rule: ChoiceRule][],
  profile: ImportProfile,
): Map<string, string> {
  const owners = new Map<string, Set<string>>()
  const add = (field: string, value: string) => owners.set(value, (owners.get(value) ?? new Set()).add(field))
  for (const [field, { values }] of choices) {
    for (const value of Object.keys(values)) add(field, foldOption(value))
  }
  for (const value of Object.keys(profile.facts.tags?.values ?? {})) add('tags', foldOption(value))
  return new Map(
    [...owners].flatMap(([value, [field = '', ...others]]) => (others.length === 0 ? [[value, field]] : [])),
  )
}
