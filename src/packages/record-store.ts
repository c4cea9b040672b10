import { type SQL, sql } from 'drizzle-orm'
import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { instantText } from '../db/cells.js'
import type { Selection } from '../db/selection.js'
import type { Instant } from '../instant.js'
import type { Kind } from '../registers/register.js'

/** The use cases of a package, as conditions on `use_case u`, and the instant it is of. */
export interface Reach {
  where: SQL[]
  at: Instant
}

/** By the use case `u`, rights to what belongs to it are judged: as it is today, whatever the instant. */
export const head = {
  useCaseId: sql`u.id`,
  orgUnitId: sql`u.org_unit_id`,
  businessOwnerId: sql`u.business_owner_id`,
  riskOwnerId: sql`u.risk_owner_id`,
}

/** Use cases whose register the caller may export, and whose log they may read; today, whatever the instant. */
export function reachOf(ability: Ability, at: Instant, narrower: SQL[]): Reach {
  const { useCaseId: id, ...ofUseCase } = head
  return {
    where: [
      visibleWhere(ability, 'export', 'Register', head),
      visibleWhere(ability, 'read', 'UseCase', { id, ...ofUseCase }),
      visibleWhere(ability, 'read', 'Event', { aggregateId: id, ...ofUseCase }),
      ...narrower,
    ],
    at,
  }
}

export const isUseCase = (id: string): SQL => sql`u.id = ${id}::uuid`
export const unitOfUseCase = head.orgUnitId

/** Only what belongs to the use cases of the package. */
export function within<R>(selection: Selection<R>, { where }: Reach): Selection<R> {
  return { ...selection, where: [...selection.where, ...where] }
}

/** A field by the kind of what it holds, from the column of its name or from elsewhere. */
export type Fields = Record<string, Kind | [Kind, SQL]>

/** Columns of a table under their names, and others that are made. */
export function rowsOf(
  alias: string,
  fields: Fields,
  from: SQL,
  where: SQL[],
  order: SQL,
): Selection<object> {
  return {
    ...columnsOf(alias, fields),
    ...{ from, where },
    order: { by: order, type: 'uuid', keyOf: () => '' },
  }
}

/** A selection with more of each row. */
export function withMore<R>(
  { kinds, columns, ...rest }: Selection<R>,
  alias: string,
  fields: Fields,
): Selection<object> {
  const more = columnsOf(alias, fields)
  return {
    kinds: { ...kinds, ...more.kinds },
    columns: { ...columns, ...more.columns },
    ...rest,
    order: { ...rest.order, keyOf: () => '' },
  }
}

function columnsOf(alias: string, fields: Fields): Pick<Selection<object>, 'kinds' | 'columns'> {
  const entries = Object.entries(fields).map(([name, field]) => {
    const [kind, source] = Array.isArray(field) ? field : [field, sql.raw(`${alias}.${snakeOf(name)}`)]
    return { name, kind, source }
  })
  return {
    kinds: Object.fromEntries(entries.map(({ name, kind }) => [name, kind])),
    columns: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
  }
}

function snakeOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

export const useCase = {
  useCase: ['word', sql`'UC-' || u.number`],
  useCaseId: ['word', sql`u.id`],
} satisfies Fields

/** An instant, read once for a whole statement. */
export const instantSql = (at: Instant): SQL => sql`(select ${at}::timestamptz)`

/** Fields that are null unless what they belong to had happened by then. */
export const happened =
  (at: SQL, when: SQL) =>
  (kind: Kind, value: SQL): [Kind, SQL] => [kind, sql`case when ${when} <= ${at} then ${value} end`]

/** Rows as a JSON array of objects; instants among the members are text of the same form as elsewhere. */
export function listOf(members: Record<string, SQL>, rest: SQL, order: SQL): SQL {
  const pairs = Object.entries(members).map(([name, value]) => sql`${sql.raw(`'${name}'`)}, ${value}`)
  return sql`coalesce((select json_agg(json_build_object(${sql.join(pairs, sql`, `)}) order by ${order}) ${rest}), '[]')`
}

/** A member of such an object that holds an instant, or null. */
export const instantIn = (value: SQL): SQL => instantText(value)

/** A member of an event's entry in the log. */
export const inLeaf = (alias: string, name: string): SQL =>
  sql.raw(`convert_from(${alias}.leaf, 'UTF8')::jsonb ->> '${name}'`)

/** An event's entry in the log, byte for byte, and what it holds only hashes of. */
export const logged = {
  leaf: ['word', sql`translate(encode(a.leaf, 'base64'), E'\\n', '')`],
  sealed: ['json', sql`y.sealed`],
} satisfies Fields
