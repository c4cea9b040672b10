import { isDeepStrictEqual } from 'node:util'

type Facts = Record<string, unknown>

/** A field that source and register changed differently. */
export interface Conflict {
  /** Field name; `answers.<question id>` for an answer. */
  field: string
  base: unknown
  theirs: unknown
  ours: unknown
}

export interface Merge {
  /** The facts after merging: ours, with what only the source changed. */
  facts: Facts
  /** Fields taken from the source, in the order of their names. */
  taken: string[]
  /** Fields that were changed here only. */
  kept: string[]
  /** Fields that need a person; they stay ours. */
  conflicts: Conflict[]
}

/**
 * Merges a newer row three ways, field by field; answers are fields of their own, and lists are sets.
 * @param base the facts as they were last imported
 * @param theirs the facts of the newer row; a field that it lacks says nothing, and stays ours
 * @param ours the facts as they are now
 */
export function mergeFacts(base: Facts, theirs: Facts, ours: Facts): Merge {
  const [before, after, now] = [flatten(base), flatten(theirs), flatten(ours)]
  const merge: Merge = { facts: {}, taken: [], kept: [], conflicts: [] }
  const result = new Map(now)
  for (const field of [...new Set([...after.keys(), ...now.keys()])].sort()) {
    const values = { base: before.get(field), theirs: after.get(field), ours: now.get(field) }
    const isTheirs = after.has(field) && !isSame(values.theirs, values.base)
    const isOurs = !isSame(values.ours, values.base)
    if (isTheirs && isOurs && !isSame(values.theirs, values.ours)) merge.conflicts.push({ field, ...values })
    else if (isTheirs && !isOurs) {
      result.set(field, values.theirs)
      merge.taken.push(field)
    } else if (isOurs && !isTheirs) merge.kept.push(field)
  }
  return { ...merge, facts: unflatten(result) }
}

function flatten(facts: Facts): Map<string, unknown> {
  return new Map(
    Object.entries(facts).flatMap(([field, value]): [string, unknown][] =>
      isAnswers(field, value)
        ? Object.entries(value).map(([question, option]) => [`answers.${question}`, option])
        : [[field, value]],
    ),
  )
}

function unflatten(fields: Map<string, unknown>): Facts {
  const facts: Facts = {}
  const answers: Record<string, unknown> = {}
  for (const [field, value] of fields) {
    if (field.startsWith('answers.')) answers[field.slice('answers.'.length)] = value
    else facts[field] = value
  }
  return { ...facts, answers }
}

function isAnswers(field: string, value: unknown): value is Record<string, unknown> {
  return field === 'answers' && typeof value === 'object' && value !== null
}

/** An answer nobody gave is `unknown`, and an empty field is no other value than an absent one. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(canonical(a), canonical(b))
}

function canonical(value: unknown): unknown {
  if (value === undefined || value === null || value === '' || value === 'unknown') return null
  if (!Array.isArray(value)) return value
  return value.length === 0 ? null : [...new Set(value)].sort()
}
