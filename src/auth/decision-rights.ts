import { createMongoAbility, type MongoAbility, type RawRuleOf, subject } from '@casl/ability'
import { notFound, RegistryError } from '../errors.js'
import { type Principal, rolesOf, unitsOf } from './principal.js'
import type { DecisionRights, Right, Test } from './rights-words.js'
import { type Action, type RowOf, type SubjectType, shapeOf, subjectTypes } from './subjects.js'

export { type DecisionRights, readRights } from './rights-words.js'
export type { Action, ColumnsOf, RowOf, SubjectType } from './subjects.js'

/** What one principal may do under the rights in force. Build it once per principal and policy, then keep it. */
export interface Ability {
  readonly principal: Principal
  readonly rights: DecisionRights
  readonly rules: MongoAbility
}

/** What one action on one row comes to, in the words of the right that decides it. */
export interface Verdict {
  action: string
  allowed: boolean
  /** `DR-nn`; null when no right speaks of the action. */
  right: string | null
  because: string
}

/** A test with every placeholder filled in, as CASL and SQL read it. */
export type FilledTest = Omit<Test, '$in'> & { $in?: string[] }

/**
 * The rights of a principal, with `$me`, `$units` and `$bound` filled in. Pure.
 * The last rule that matches decides in CASL: so denials come last, and in each list the first right speaks.
 */
export function buildAbility(rights: DecisionRights, principal: Principal): Ability {
  const held = rolesOf(principal).add('anyone').add(principal.kind)
  const rulesOf = (list: readonly Right[], inverted: boolean) =>
    list
      .filter(({ roles }) => roles.some((role) => held.has(role)))
      .map((right) => ruleOf(right, principal, inverted))
      .reverse()
  const rules = [...rulesOf(rights.allow, false), ...rulesOf(rights.deny, true)]
  // CASL reads `manage` and `all` as wildcards; here every word means itself, and `*` is not a word.
  return { principal, rights, rules: createMongoAbility(rules, { anyAction: '*', anySubjectType: '*' }) }
}

/**
 * Lets the action on this row pass and returns the id of the right that allows it. A row that does not exist yet
 * (`register`, `grant` …) is given as it would be.
 * The refusal names the row by its own id where it carries one, else by what it hangs on.
 * @throws RegistryError `not_found` when the row may not even be read, `forbidden` with the right's sentence otherwise
 */
export function authorize<T extends SubjectType>(
  ability: Ability,
  action: Action<T>,
  type: T,
  row: RowOf<T> & { readonly id?: string | null },
): string {
  if (!shapeOf(type).begins.includes(action)) assertReadable(ability, type, mark(type, row))
  return authorizeKnown(ability, action, type, row)
}

/**
 * As `authorize`, for what belongs to a row that was read already: that it exists is no secret.
 * @throws RegistryError `forbidden` with the right's sentence
 */
export function authorizeKnown<T extends SubjectType>(
  ability: Ability,
  action: Action<T>,
  type: T,
  row: RowOf<T> & { readonly id?: string | null },
): string {
  const { allowed, right, because } = judge(ability, action, type, mark(type, row))
  if (allowed && right !== null) return right
  throw refusal(ability, { action, type, row, right, because })
}

/** The refusal of a right, as the kernel records it. */
function refusal(
  { principal }: Ability,
  { action, type, row, right, because }: Omit<Verdict, 'allowed'> & { type: SubjectType; row: object },
): RegistryError {
  const denied = { action, kind: type, id: subjectIdOf(row) ?? principal.personId }
  return new RegistryError('forbidden', because, { rule: right ?? undefined, denied })
}

/** Whether `authorize` would let it pass, for choosing what to show. */
export function isAllowed<T extends SubjectType>(
  ability: Ability,
  action: Action<T>,
  type: T,
  row: RowOf<T>,
): boolean {
  return ability.rules.can(action, mark(type, row))
}

/** What a refusal is about, for the log: the row itself, or what it hangs on if it has no id yet. */
function subjectIdOf(row: object): string | undefined {
  const ids = ['id', 'useCaseId', 'personId', 'aggregateId', 'orgUnitId'].map((name) =>
    Reflect.get(row, name),
  )
  return ids.find((id): id is string => typeof id === 'string')
}

/**
 * What the principal may do to this row and why, or why not: one verdict an action, in the order asked.
 * @throws RegistryError `not_found` when the row may not be read
 */
export function explain<T extends SubjectType>(
  ability: Ability,
  row: RowOf<T>,
  type: T,
  actions: readonly Action<T>[],
): Verdict[] {
  const marked = mark(type, row)
  assertReadable(ability, type, marked)
  return actions.map((action) => judge(ability, action, type, marked))
}

/**
 * For a list or an export of many rows: refuses whoever could not see a single one. `visibleWhere` then picks the rows.
 * There is no row to name, so the refusal names whoever asked.
 * @throws RegistryError `forbidden` with the sentences of the rights that would allow it
 */
export function authorizeSome<T extends SubjectType>(ability: Ability, action: Action<T>, type: T): void {
  if (mayEver(ability, action, type)) return
  throw refusal(ability, { action, type, row: {}, ...whoWould(ability.rights, action, type) })
}

/** Whether there may be a row on which the principal can do this: for menus, never for a decision. */
export function mayEver<T extends SubjectType>(ability: Ability, action: Action<T>, type: T): boolean {
  // Asked about a type, CASL ignores the conditions: any allowance counts, only an unconditional denial ends it.
  return ability.rules.can(action, type)
}

/** All that the principal can do to some row, subject by subject, for `GET /v1/me`. */
export function possibleActions(ability: Ability): Partial<Record<SubjectType, string[]>> {
  const possible: Partial<Record<SubjectType, string[]>> = {}
  for (const type of subjectTypes) {
    const actions = shapeOf(type).actions.filter((action) => ability.rules.can(action, type))
    if (actions.length > 0) possible[type] = actions
  }
  return possible
}

function assertReadable(ability: Ability, type: SubjectType, marked: object): void {
  const { noun, actions } = shapeOf(type)
  if (!actions.includes('read') || ability.rules.can('read', marked)) return
  throw notFound(noun)
}

function judge(ability: Ability, action: string, type: SubjectType, marked: object): Verdict {
  const rule = ability.rules.relevantRuleFor(action, marked)
  if (!rule) return { action, allowed: false, ...whoWould(ability.rights, action, type) }
  const right = ability.rights.byId.get(rule.reason ?? '')
  if (!right) throw new Error(`a rule of this ability names ${rule.reason}, which is no right`)
  const isStandIn = rule.inverted && (ability.principal.standsFor ?? []).length > 0
  const because = isStandIn ? `${right.because}; ${COUNTS_AS_BOTH}` : right.because
  return { action, allowed: !rule.inverted, right: right.id, because }
}

const COUNTS_AS_BOTH = 'while somebody has delegated to you, what they may not do you may not do either'

/** Nothing of the principal's allows it: these rights would, in other hands or on another row. Two say enough. */
function whoWould(
  { allow }: DecisionRights,
  action: string,
  type: SubjectType,
): Pick<Verdict, 'right' | 'because'> {
  const would = allow.filter(({ may, a }) => may.includes(action) && a.includes(type))
  const [first] = would
  if (!first) return { right: null, because: 'No decision right lets anyone do this' }
  const sentences = would.slice(0, 2).map(({ because }) => because)
  return { right: first.id, because: [...sentences, 'ask an administrator of this unit'].join('; ') }
}

/**
 * A copy for CASL to mark, of the fields that rights can name and no others. A field that was not loaded would
 * silently pass a denial by, so it is a bug and nothing is judged.
 */
function mark(type: SubjectType, row: object): object {
  const known: Record<string, unknown> = {}
  for (const [field, kind] of Object.entries(shapeOf(type).fields)) {
    const value: unknown = kind === 'whole' ? null : Reflect.get(row, field)
    const isLoaded = kind === 'ids' ? Array.isArray(value) : value !== undefined
    if (!isLoaded) throw new TypeError(`${type}.${field} is not loaded, and rights may depend on it`)
    known[field] = value
  }
  return subject(type, known)
}

function ruleOf(right: Right, principal: Principal, inverted: boolean): RawRuleOf<MongoAbility> {
  const conditions: Record<string, FilledTest> = {}
  for (const [field, test] of Object.entries(right.when)) {
    const filled = fillIn(inverted ? withRepresented(test, principal) : test, right.roles, principal)
    if (filled) conditions[field] = filled
  }
  const rule = { action: [...right.may], subject: [...right.a], reason: right.id, inverted }
  return Object.keys(conditions).length === 0 ? rule : { ...rule, conditions }
}

/** in a denial `$me` is also whoever the principal stands for. */
function withRepresented(test: Test, { standsFor = [] }: Principal): Test {
  if (standsFor.length === 0 || test.$eq !== '$me') return test
  const { $eq: me, ...rest } = test
  return { ...rest, $in: [me, ...standsFor.map(({ personId }) => personId)] }
}

/** Undefined when nothing is left to test: the units of a grant for the whole organisation. */
function fillIn(test: Test, roles: readonly string[], principal: Principal): FilledTest | undefined {
  const person = <V extends string | null>(value: V) => (value === '$me' ? principal.personId : value)
  const { $eq, $ne, $in, $nin, $all } = test
  const filled: FilledTest = {}
  if ($eq !== undefined) filled.$eq = person($eq)
  if ($ne !== undefined) filled.$ne = person($ne)
  if ($nin) filled.$nin = $nin.map(person)
  if ($all) filled.$all = $all.map(person)
  if ($in === '$bound') filled.$in = principal.boundUseCaseIds
  else if ($in === '$units') {
    const units = unitsOf(principal, roles)
    if (units !== 'all') filled.$in = units
  } else if (Array.isArray($in)) filled.$in = $in.map(person)
  return Object.keys(filled).length === 0 ? undefined : filled
}
