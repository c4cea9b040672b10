import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { type Ability, authorize, buildAbility, readRights } from '../../src/auth/decision-rights.js'
import { type Principal, roles, SEAT_HOLDER } from '../../src/auth/principal.js'
import { type FieldKind, type SubjectType, shapeOf, subjectTypes } from '../../src/auth/subjects.js'
import { visibleWhere } from '../../src/auth/visible-where.js'
import { projectRoot } from '../../src/config.js'
import { RegistryError } from '../../src/errors.js'
import { DecisionRightsFile } from '../../src/policy/rights-file.js'
import { createDatabase } from '../helper.js'

const idOf = (n: number) => `00000000-0000-7000-8000-00000000000${n}`

const id = fc.integer({ min: 0, max: 3 }).map(idOf)
const policy = readFileSync(join(projectRoot, 'policies/decision-rights.json'), 'utf8')
const shipped = readRights(DecisionRightsFile.parse(JSON.parse(policy)))

const somebody: fc.Arbitrary<Principal> = fc.record({
  personId: id,
  kind: fc.constantFrom('human', 'service'),
  name: fc.constant('Somebody'),
  grants: fc.array(
    fc.record({
      kind: fc.constantFrom('role', 'role', 'seat'),
      name: fc.constantFrom(...roles),
      orgUnitId: id,
      units: fc.oneof({ weight: 4, arbitrary: fc.array(id, { maxLength: 2 }) }, fc.constant('all' as const)),
    }),
    { maxLength: 4 },
  ),
  boundUseCaseIds: fc.array(id, { maxLength: 2 }),
  standsFor: fc.array(fc.record({ personId: id, asOfEventNo: fc.constant(0) }), { maxLength: 2 }),
})

const sqlTypeOf = (kind: FieldKind) => (kind === 'ids' ? 'uuid[]' : kind === 'id' ? 'uuid' : 'text')

const client = new pg.Client((await createDatabase(t)).appConnection)
await client.connect()
t.teardown(() => client.end())
const database = drizzle({ client })

t.test('a list shows exactly the rows on which the right would let one act, on a real database', async () => {
  await fc.assert(
    fc.asyncProperty(scenario(), async ({ type, action, file, principal, rows }) => {
      const ability = buildAbility(readRights(file), principal)
      const expected = rows.flatMap((row, index) => (isAllowed(ability, action, type, row) ? [index] : []))
      assert.deepEqual(await indexesWhere(ability, action, type, rows), expected)
    }),
    { numRuns: 500 },
  )
})

t.test(
  'the shipped policy means the same in a list as row by row, for every subject and action',
  async () => {
    const questions = subjectTypes.flatMap((type) =>
      shapeOf(type).actions.map((action) => ({ type, action })),
    )
    const scene = fc.constantFrom(...questions).chain(({ type, action }) =>
      fc.record({
        type: fc.constant(type),
        action: fc.constant(action),
        principal: somebody,
        rows: rowsOf(type),
      }),
    )
    await fc.assert(
      fc.asyncProperty(scene, async ({ type, action, principal, rows }) => {
        const ability = buildAbility(shipped, principal)
        const expected = rows.flatMap((row, index) => (isAllowed(ability, action, type, row) ? [index] : []))
        assert.deepEqual(await indexesWhere(ability, action, type, rows), expected)
      }),
      { numRuns: 500 },
    )
  },
)

t.test('a list for somebody without any right is empty, not everything', async (t) => {
  const nobody: Principal = {
    personId: idOf(0),
    kind: 'human',
    name: 'Nobody',
    grants: [],
    boundUseCaseIds: [],
  }
  const ability = buildAbility(readRights({ version: 1, allow: [], deny: [] }), nobody)
  const event = { aggregateId: idOf(0), orgUnitId: null, businessOwnerId: null, riskOwnerId: null }
  t.same(await indexesWhere(ability, 'read', 'Event', [event]), [])
})

function isAllowed(ability: Ability, action: string, type: SubjectType, row: object): boolean {
  try {
    authorize(ability, action as never, type, row as never)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.code !== 'invalid') return false
    throw error
  }
}

/** The rows as a table of their own, filtered by PostgreSQL. */
async function indexesWhere(
  ability: Ability,
  action: string,
  type: SubjectType,
  rows: object[],
): Promise<number[]> {
  const fields = Object.entries(shapeOf(type).fields).filter(([, kind]) => kind !== 'whole')
  const tuples = rows.map((row, index) => {
    const cells = fields.map(
      ([field, kind]) => sql`${sql.param(Reflect.get(row, field))}::${sql.raw(sqlTypeOf(kind))}`,
    )
    return sql`(${sql.join([sql`${index}::int`, ...cells], sql`, `)})`
  })
  const names = ['index', ...fields.map(([field]) => field)].map((name) => sql.identifier(name))
  const columns = Object.fromEntries(fields.map(([field]) => [field, sql`${sql.identifier(field)}`]))
  const where: SQL = visibleWhere(ability, action as never, type, columns as never)
  const table = sql`(values ${sql.join(tuples, sql`, `)}) as row (${sql.join(names, sql`, `)})`
  const { rows: found } = await database.execute<{ index: number }>(
    sql`select index from ${table} where ${where} order by index`,
  )
  return found.map(({ index }) => index)
}

/** A policy, a person and rows, small enough that they meet often. */
function scenario() {
  const types = ['Review', 'UseCase', 'Grant', 'Token'] as const
  return fc.constantFrom(...types).chain((type) => {
    const action = shapeOf(type).actions.at(-1) ?? 'read'
    return fc.record({
      type: fc.constant(type),
      action: fc.constant(action),
      file: policyOf(type, action),
      principal: somebody,
      rows: rowsOf(type),
    })
  })
}

function rowsOf(type: SubjectType): fc.Arbitrary<object[]> {
  const fields = Object.entries(shapeOf(type).fields).flatMap(([field, kind]) =>
    kind === 'whole' ? [] : [[field, cellOf(kind)] as const],
  )
  return fc.array(fc.record(Object.fromEntries(fields)), { minLength: 1, maxLength: 12 })
}

function cellOf(kind: FieldKind): fc.Arbitrary<string | null | string[]> {
  if (kind === 'ids') return fc.array(id, { maxLength: 3 })
  return fc.option(kind === 'id' ? id : fc.constantFrom(...kind), { freq: 3 })
}

function policyOf(type: SubjectType, action: string): fc.Arbitrary<DecisionRightsFile> {
  const rights = (first: number) =>
    fc
      .array(rightOf(type, action), { maxLength: 4 })
      .map((list) => list.map((right, index) => ({ ...right, id: `DR-${first + index}` })))
  const mayRead = { id: 'DR-99', roles: ['anyone'], may: 'read', a: type, because: 'Everybody reads' }
  return fc
    .record({ allow: rights(10), deny: rights(20) })
    .map(({ allow, deny }) => DecisionRightsFile.parse({ version: 1, allow: [...allow, mayRead], deny }))
}

function rightOf(type: SubjectType, action: string) {
  const entries = Object.entries(shapeOf(type).fields)
  return fc
    .record({
      named: fc.subarray([...roles, SEAT_HOLDER], { minLength: 2 }),
      everybody: fc.constantFrom('anyone', 'human', 'service'),
      chosen: fc.subarray(entries, { maxLength: 3 }),
    })
    .chain(({ named, everybody, chosen }) =>
      fc.record(Object.fromEntries(chosen.map(([field, kind]) => [field, testOf(kind)]))).map((when) => ({
        roles: JSON.stringify(when).includes('$units') ? named : [...named, everybody],
        may: action,
        a: type,
        because: 'Because',
        ...(Object.keys(when).length > 0 ? { when } : {}),
      })),
    )
}

function testOf(kind: FieldKind): fc.Arbitrary<object | string | null> {
  const value: fc.Arbitrary<string> =
    typeof kind === 'string' ? fc.oneof(id, fc.constant('$me')) : fc.constantFrom(...kind)
  const several = fc.array(value, { minLength: 1, maxLength: 3 })
  const tests: fc.Arbitrary<object | string | null>[] = [
    fc.option(value),
    fc.record({ $eq: fc.option(value) }),
    fc.record({ $ne: fc.option(value) }),
    fc.record({ $in: several }),
    fc.record({ $nin: several }),
    fc.record({ $nin: several, $ne: fc.option(value) }),
    fc.record({ $exists: fc.boolean() }),
  ]
  if (typeof kind === 'string')
    tests.push(fc.constant({ $in: '$units' }), fc.constant({ $in: '$bound', $exists: true }))
  if (kind === 'ids') tests.push(fc.record({ $all: several }))
  return fc.oneof(...tests)
}
