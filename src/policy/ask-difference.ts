import type { Catalog } from '../catalogs/catalog.js'
import { asksIn, type Requirement } from './requirements.js'

/** Ids of requirements that ask for something else before and after; one that changed is in both. */
export interface AskDifference {
  more: string[]
  less: string[]
}

/**
 * Compares what two lists of requirements ask of one use case: evidence and controls, how fresh, by whom accepted, and
 * what becomes of an approval without them. Ids and reasons play no part. Pure, but for the comparisons that it keeps.
 * @param catalogs to which the controls of both belong
 */
export function rememberingAsks(
  catalogs: readonly Catalog[],
): (before: readonly Requirement[], after: readonly Requirement[]) => AskDifference {
  const found = new Map<string, AskDifference>()
  const names = new WeakMap<Requirement, number>()
  let next = 0
  const nameOf = (requirement: Requirement): number => {
    const name = names.get(requirement) ?? next++
    names.set(requirement, name)
    return name
  }
  return (before, after) => {
    const name = `${before.map(nameOf).join()} > ${after.map(nameOf).join()}`
    const difference = found.get(name) ?? {
      more: beyond(after, before, catalogs),
      less: beyond(before, after, catalogs),
    }
    found.set(name, difference)
    return difference
  }
}

function beyond(
  some: readonly Requirement[],
  others: readonly Requirement[],
  catalogs: readonly Catalog[],
): string[] {
  const known = new Set(others.flatMap((one) => contentsOf(one, catalogs)))
  const asksMore = (one: Requirement) => contentsOf(one, catalogs).some((content) => !known.has(content))
  return some.filter(asksMore).map(({ id }) => id)
}

/** Each thing that is asked for, with all that makes it easy or hard, as text that is compared. */
function contentsOf(requirement: Requirement, catalogs: readonly Catalog[]): string[] {
  const { controls, ifMissing, exception } = requirement
  const asks = asksIn(catalogs, requirement)
  // A catalog that is not here any more is asked for as policy names it.
  const named = asks.length > 0 ? asks : (controls?.ids ?? []).map((control) => ({ ...controls, control }))
  return named.map((ask) => JSON.stringify([sorted(ask), sorted(ifMissing), exception?.longestDays]))
}

/** With its fields, and whatever lists they hold, in one order. */
function sorted(value: object | string): unknown {
  if (typeof value === 'string') return value
  return Object.entries(value)
    .filter(([name]) => name !== 'ids')
    .map(([name, one]) => [name, Array.isArray(one) ? one.toSorted() : one])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}
