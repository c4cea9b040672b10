import { type Issue, RegistryError } from '../errors.js'
import type { DecisionRightsFile, Right as WrittenRight } from '../policy/rights-file.js'
import { roles, SEAT_HOLDER } from './principal.js'
import { type FieldKind, type SubjectType, shapeOf, subjectTypes } from './subjects.js'

/** A test of one field. `$me` still stands for the person, a string after `$in` for `$units` or `$bound`. */
export interface Test {
  $eq?: string | null
  $ne?: string | null
  $in?: string | string[]
  $nin?: string[]
  $all?: string[]
}

/** A right of which every word is known. */
export interface Right {
  readonly id: string
  readonly roles: readonly string[]
  readonly may: readonly string[]
  readonly a: readonly SubjectType[]
  readonly when: Readonly<Record<string, Test>>
  readonly because: string
}

/** The decision rights in force. Only `readRights` makes them, so that no unknown word ever reaches a decision. */
export interface DecisionRights {
  readonly allow: readonly Right[]
  readonly deny: readonly Right[]
  readonly byId: ReadonlyMap<string, Right>
}

type Condition = NonNullable<WrittenRight['when']>[string]
type Operators = Extract<Condition, object>
type Report = (message: string) => void

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** `human` and `service` are all active principals of that kind, `anyone` is both. */
const everybody = ['anyone', 'human', 'service']
const roleWords: readonly string[] = [...roles, SEAT_HOLDER, ...everybody]
const listOf = <T>(words: T | T[]): T[] => (Array.isArray(words) ? words : [words])

/**
 * Reads `policies/decision-rights.json` once its shape is right: actions, subjects, fields, roles and values
 * must be words that the code knows.
 * @throws RegistryError `invalid` with every unknown word, each at its JSON pointer
 */
export function readRights(file: DecisionRightsFile): DecisionRights {
  const issues = (['allow', 'deny'] as const).flatMap((list) =>
    file[list].flatMap((right, index) => issuesOf(right, `/${list}/${index}`)),
  )
  if (issues.length > 0) {
    const all = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
    throw new RegistryError('invalid', `policies/decision-rights.json: ${all}`, { issues })
  }
  const allow = file.allow.map(plain)
  const deny = file.deny.map(plain)
  return { allow, deny, byId: new Map([...allow, ...deny].map((right) => [right.id, right])) }
}

function issuesOf(right: WrittenRight, at: string): Issue[] {
  const issues: Issue[] = []
  const reportAt = (path: string) => (message: string) => issues.push({ path: `${at}${path}`, message })
  for (const role of right.roles)
    if (!roleWords.includes(role)) reportAt('/roles')(`there is no role ${role}; use ${roleWords.join(', ')}`)
  const types = listOf(right.a).filter(isSubjectType)
  for (const type of listOf(right.a))
    if (!isSubjectType(type)) reportAt('/a')(`there is no subject ${type}; use ${subjectTypes.join(', ')}`)
  const known = [...new Set(types.flatMap((type) => shapeOf(type).actions))]
  for (const action of listOf(right.may))
    if (types.length > 0 && !known.includes(action))
      reportAt('/may')(`nobody can ${action} a ${types.join(' or ')}; use ${known.join(', ')}`)
  for (const type of types) checkSubject(right, type, reportAt)
  return issues
}

function checkSubject(right: WrittenRight, type: SubjectType, reportAt: (path: string) => Report): void {
  const { actions, fields } = shapeOf(type)
  if (!listOf(right.may).some((action) => actions.includes(action)))
    reportAt('/a')(`none of these actions is done to a ${type}; use ${actions.join(', ')}`)
  for (const [field, condition] of Object.entries(right.when ?? {})) {
    const report = reportAt(`/when/${field}`)
    const kind = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (kind === undefined) report(`a ${type} has no ${field}; use ${Object.keys(fields).join(', ')}`)
    else checkCondition(condition, kind, right, report)
  }
}

function checkCondition(condition: Condition, kind: FieldKind, right: WrittenRight, report: Report): void {
  const { $eq, $ne, $in, $nin, $all, $exists } = operatorsOf(condition)
  const set = typeof $in === 'string' ? $in : undefined
  if ($exists !== undefined && [$eq, $ne].some((value) => value !== undefined))
    report('say $exists or compare the value, not both')
  if ($all && kind !== 'ids') report('$all asks for several ids, and this field holds one value')
  if (set && typeof kind !== 'string') report(`${set} stands for ids, which this field does not hold`)
  if (set === '$units' && right.roles.some((role) => everybody.includes(role)))
    report('$units are the units of a role: name the role instead of everybody')
  const listed = Array.isArray($in) ? $in : []
  for (const value of [$eq, $ne, ...listed, ...($nin ?? []), ...($all ?? [])]) checkValue(value, kind, report)
}

function checkValue(value: string | null | undefined, kind: FieldKind, report: Report): void {
  if (value === null || value === undefined) return
  const known = typeof kind === 'string' ? value === '$me' || uuid.test(value) : kind.includes(value)
  if (!known) report(`${value} is not ${typeof kind === 'string' ? '$me or an id' : kind.join(' or ')}`)
}

function isSubjectType(word: string): word is SubjectType {
  return subjectTypes.some((type) => type === word)
}

function plain(right: WrittenRight): Right {
  const when = Object.entries(right.when ?? {}).map(([field, condition]) => [field, plainTest(condition)])
  return Object.freeze({
    id: right.id,
    roles: right.roles,
    may: listOf(right.may),
    a: listOf(right.a).filter(isSubjectType),
    when: Object.fromEntries(when),
    because: right.because,
  })
}

/** A field is never missing here, only null: said with null, `$exists` means the same to SQL and to CASL. */
function plainTest(condition: Condition): Test {
  const { $exists, ...test } = operatorsOf(condition)
  return $exists === undefined ? test : { ...test, [$exists ? '$ne' : '$eq']: null }
}

/** A bare value means `$eq`. */
function operatorsOf(condition: Condition): Operators {
  return condition !== null && typeof condition === 'object' ? condition : { $eq: condition }
}
