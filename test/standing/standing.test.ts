import { getTableColumns, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import fc from 'fast-check'
import t from 'tap'
import { useCaseStates, useCases } from '../../src/db/schema.js'
import { standingSql, tierSql, unknownOnlySql } from '../../src/db/standing-sql.js'
import { ASSENT_ID, newId, ROOT_UNIT_ID } from '../../src/ids.js'
import { type FilterColumns, filterConditions } from '../../src/standing/service.js'
import { type StandingFacts, StandingWord, standingOf } from '../../src/use-cases/standing.js'
import {
  effectiveTier,
  type FiredRule,
  isUnknownOnly,
  Tier,
  type TierParts,
} from '../../src/use-cases/use-case.js'
import { openClient } from '../database-run.js'
import { createDatabase } from '../helper.js'

/** Few and close together, so that an approval often ends at the very instant it is asked about. */
const instants = ['00.000', '00.001', '00.002', '01.000', '59.999'].map((end) => `2026-05-01T12:00:${end}Z`)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 })
const instant = fc.constantFrom(...instants)

interface Tiered extends TierParts {
  loweredTier: 'minimal' | 'limited' | 'high' | null
  fired: FiredRule[]
}

const firedRule = fc.record({
  ...{ id: fc.constant('RT-1'), because: fc.constant('Ask.') },
  ...{ tier: fc.constantFrom(...Tier.options), unknown: fc.boolean() },
})
const scene: fc.Arbitrary<StandingFacts & Tiered> = fc.record({
  openReviewId: maybe(fc.constant(newId())),
  lastOutcome: maybe(fc.constantFrom('approved', 'approved_with_conditions', 'blocked', 'changes_requested')),
  approvalId: maybe(fc.constant(newId())),
  approvedTier: maybe(fc.constantFrom(...Tier.options)),
  validUntil: maybe(instant),
  firstMaterialChangeAt: fc.option(instant, { freq: 1 }),
  tierRaisedAt: fc.option(instant, { freq: 1 }),
  blockId: fc.option(fc.constant(newId()), { freq: 1 }),
  hasConditions: fc.boolean(),
  nextDueAt: maybe(instant),
  evidenceStaleAt: maybe(instant),
  evidenceMissingAt: fc.option(instant, { freq: 1 }),
  controlMissingAt: fc.option(instant, { freq: 1 }),
  suspendedAt: fc.option(instant, { freq: 1 }),
  retiredAt: fc.option(instant, { freq: 1 }),
  loweredTier: fc.option(fc.constantFrom('minimal', 'limited', 'high' as const), { freq: 1 }),
  computedTier: fc.constantFrom(...Tier.options),
  raisedTier: maybe(fc.constantFrom('limited', 'high', 'prohibited' as const)),
  fired: fc.array(firedRule, { maxLength: 3 }),
})

/** Of each scene a head row and a state row, with the same columns. */
const seed = Date.now()
t.comment(`seed ${seed}`)
const scenes = fc.sample(scene, { numRuns: 1500, seed })

const { ownerConnection } = await createDatabase(t)
const owner = await openClient(ownerConnection)
await owner.query('set timezone to UTC')
t.teardown(() => owner.end())
const database = drizzle({ client: owner, casing: 'snake_case' })
const ids = await insertScenes()

/** At each instant: the rows as SQL judges them, in the order of the scenes. */
async function judged(table: typeof useCases | typeof useCaseStates, at: string) {
  const of = getTableColumns(table)
  const { word, reasons } = standingSql(of, sql`${at}::timestamptz`)
  const id = 'useCaseId' in of ? of.useCaseId : of.id
  return await database
    .select({ id, standing: sql`${word}`, reasons: sql`${reasons}` })
    .from(table)
    .orderBy(id)
}

t.test(
  'standing in SQL is the standing of the pure function, for head rows and for past states',
  async (t) => {
    for (const at of instants) {
      const expected = scenes.map((facts, index) => {
        const { standing, reasons } = standingOf(facts, at)
        return { id: ids[index], standing, reasons }
      })
      t.same(await judged(useCases, at), expected, `head rows at ${at}`)
      t.same(await judged(useCaseStates, at), expected, `states at ${at}`)
    }
  },
)

t.test('a filter by standing finds exactly those that stand so, whatever the words', async (t) => {
  const of: FilterColumns = getTableColumns(useCases)
  for (const at of instants) {
    for (const words of [...StandingWord.options.map((word) => [word]), ['lapsed', 'blocked'] as const]) {
      const [condition] = filterConditions({ standing: [...words] }, of, sql`${at}::timestamptz`)
      const found = await database
        .select({ id: useCases.id })
        .from(useCases)
        .where(condition)
        .orderBy(useCases.id)
      const expected = ids.filter((_, index) => {
        const facts = scenes[index]
        return facts !== undefined && words.some((word) => word === standingOf(facts, at).standing)
      })
      t.same(
        found.map(({ id }) => id),
        expected,
        `${words} at ${at}`,
      )
    }
  }
})

t.test('the tier that counts is the same in SQL as in the pure function', async (t) => {
  const found = await database
    .select({ tier: tierSql(getTableColumns(useCases)) })
    .from(useCases)
    .orderBy(useCases.id)
  t.same(
    found.map(({ tier }) => tier),
    scenes.map((scene) => effectiveTier(scene)),
  )
})

t.test('whether only missing answers gave the tier is the same in SQL as in the pure function', async (t) => {
  const found = await database
    .select({ unknownOnly: unknownOnlySql(getTableColumns(useCases)) })
    .from(useCases)
    .orderBy(useCases.id)
  const expected = scenes.map((parts) => isUnknownOnly(parts, parts.fired))
  t.ok(expected.includes(true) && expected.includes(false))
  t.same(
    found.map(({ unknownOnly }) => unknownOnly),
    expected,
  )
})

async function insertScenes(): Promise<string[]> {
  const ids = scenes.map(() => newId())
  const at = instants[0]
  const facts = {
    title: '',
    purpose: '',
    benefits: '',
    outputs: '',
    orgUnitId: ROOT_UNIT_ID,
    stage: 'idea' as const,
  }
  const sets = {
    jurisdictions: [],
    channels: [],
    systemIds: [],
    tags: [],
    authorIds: [],
    answers: {},
  }
  const rest = { ...facts, ...sets, policyDigest: '', origin: 'declared' as const, version: 1 }
  const heads = scenes.map((scene, index) => ({
    ...{
      ...rest,
      ...scene,
      id: ids[index] ?? '',
      number: index + 1,
      createdAt: at ?? '',
      updatedAt: at ?? '',
    },
  }))
  const versions = heads.map(({ id }) => [id, at])
  await database.insert(useCases).values(heads)
  await owner.query(
    `insert into use_case_version (use_case_id, version, recorded_at, author_id, reason, facts, computed_tier, fired, policy_digest)
      select id, 1, $2, $3, '', '{}', 'minimal', '[]', '' from unnest($1::uuid[]) id`,
    [versions.map(([id]) => id), at, ASSENT_ID],
  )
  const states = scenes.map((scene, index) => ({
    ...{ ...scene, useCaseId: ids[index] ?? '', revision: 1, recordedAt: at ?? '', version: 1 },
  }))
  await database.insert(useCaseStates).values(states)
  return ids
}
