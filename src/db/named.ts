import type pg from 'pg'

const statements = new Map<string, pg.QueryConfig>()

/**
 * A statement under a name of its own, so that each connection has it planned once. Only for texts that are made of
 * code alone, of which there are few, and whose best plan does not depend on their values.
 */
export function named(text: string): pg.QueryConfig {
  const known = statements.get(text)
  if (known) return known
  const statement = { name: `assent_${statements.size}`, text }
  statements.set(text, statement)
  return statement
}
