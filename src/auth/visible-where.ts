import { rulesToCondition } from '@casl/ability/extra'
import { type AnyColumn, type SQL, sql } from 'drizzle-orm'
import type { Ability, FilledTest } from './decision-rights.js'
import { type Action, type ColumnsOf, type FieldKind, type SubjectType, shapeOf } from './subjects.js'

/** Where a field of the subject comes from in a query. Several ids are one `uuid[]`. */
export type Source = AnyColumn | SQL

/**
 * The condition under which `authorize` would let the action pass, for lists. Always SQL, `false` when there is
 * nothing to see: Drizzle reads a missing condition as "everything".
 *
 * True exactly where it would pass; elsewhere false or null, so put it into `where` and never under `not`. In here
 * nothing null goes under `not` either: `is not true` and `is distinct from` give a denial two values, as CASL does.
 * The plain `=` elsewhere is what indexes understand.
 */
export function visibleWhere<T extends SubjectType>(
  ability: Ability,
  action: Action<T>,
  type: T,
  columns: ColumnsOf<T, Source>,
): SQL {
  const { actions, begins } = shapeOf(type)
  const where = ruledWhere(ability, action, type, columns)
  const isSeen = action === 'read' || begins.includes(action) || !actions.includes('read')
  return isSeen ? where : joined([ruledWhere(ability, 'read', type, columns), where], 'and')
}

function ruledWhere(ability: Ability, action: string, type: SubjectType, columns: object): SQL {
  const where = rulesToCondition(
    ability.rules.rulesFor(action, type),
    ({ conditions, inverted }) => {
      const matches = matchesOf(type, conditions ?? {}, columns)
      return inverted ? sql`${matches} is not true` : matches
    },
    { and: (parts) => joined(parts, 'and'), or: (parts) => joined(parts, 'or'), empty: () => sql`true` },
  )
  return where ?? sql`false`
}

function matchesOf(type: SubjectType, tests: Record<string, FilledTest>, columns: object): SQL {
  const { fields } = shapeOf(type)
  const parts = Object.entries(tests).flatMap(([field, test]) => {
    const kind = fields[field]
    const source: Source | undefined = kind === 'whole' ? sql`null::uuid` : Reflect.get(columns, field)
    if (kind === undefined || source === undefined)
      throw new TypeError(`no column is given for ${type}.${field}`)
    return testToSql(source, test, kind)
  })
  return joined(parts, 'and')
}

function testToSql(source: Source, { $eq, $ne, $in, $nin, $all }: FilledTest, kind: FieldKind): SQL[] {
  const one = kind === 'ids' ? hasOne : isOne
  const among = kind === 'ids' ? hasAny : isAny
  const parts: SQL[] = []
  if ($eq !== undefined) parts.push($eq === null ? sql`${source} is null` : one(source, $eq))
  if ($ne !== undefined)
    parts.push($ne === null ? sql`${source} is not null` : sql`${one(source, $ne)} is not true`)
  if ($in) parts.push(among(source, $in))
  if ($nin) parts.push(sql`${among(source, $nin)} is not true`)
  if ($all) parts.push(sql`(${source} @> ${sql.param($all)})`)
  return parts
}

const isOne = (source: Source, value: string) => sql`(${source} = ${value})`
const hasOne = (source: Source, value: string) => sql`(${value} = any(${source}))`
/** One array parameter, however many the values: left to itself, Drizzle would write one placeholder for each. */
const isAny = (source: Source, values: string[]) => sql`(${source} = any(${sql.param(values)}))`
const hasAny = (source: Source, values: string[]) => sql`(${source} && ${sql.param(values)})`

const joined = (parts: SQL[], word: 'and' | 'or') => sql`(${sql.join(parts, sql.raw(` ${word} `))})`
