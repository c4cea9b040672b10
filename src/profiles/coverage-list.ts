import { z } from 'zod'
import { CatalogId } from '../catalogs/catalog.js'
import type { Instant } from '../instant.js'
import { csvLine } from '../spreadsheet.js'
import { StandingWord } from '../use-cases/standing.js'
import { type Answers, type Technique, Tier } from '../use-cases/use-case.js'
import { type applicability, type ControlStates, Coverage, coverageOf, FunctionCoverage } from './coverage.js'
import * as examples from './examples.js'

export const coverageFilters = {
  tier: z
    .union([z.array(Tier).min(1), Tier])
    .transform((given) => [given].flat())
    .optional()
    .describe('Only use cases of these tiers'),
  orgUnit: z.uuid().optional().describe('The unit and everything below it'),
  catalog: CatalogId.optional().describe('Counts controls of this catalog alone'),
}
export type CoverageFilters = z.infer<z.ZodObject<typeof coverageFilters>>

export const below = z.coerce
  .number()
  .gt(0)
  .max(1)
  .optional()
  .describe('Only use cases of which a smaller share than this is covered, from 0 to 1')

export const CoverageEntry = z
  .strictObject({
    id: z.uuid(),
    key: z.string(),
    title: z.string(),
    orgUnitId: z.uuid(),
    tier: Tier,
    standing: StandingWord,
    assessedAt: z.iso.datetime().nullable().describe('When a control was assessed last'),
    ...Coverage.shape,
    functions: z.array(FunctionCoverage),
  })
  .meta({
    id: 'CoverageEntry',
    description: 'How far the controls of a use case are that policy asks for; retired ones have none',
    examples: [examples.coverageEntry],
  })
export type CoverageEntry = z.infer<typeof CoverageEntry>

export const RegisterCoverage = z
  .strictObject({
    asOf: z.iso.datetime(),
    useCases: z.int().describe('That you may see, but for retired ones'),
    asked: z.int().describe('Of these, those of which policy asks for controls'),
    assessed: z.int().describe('Of these, those of which somebody assessed a control'),
    whole: z.int().describe('Of those asked, the ones of which all controls are covered'),
    total: Coverage,
    functions: z.array(FunctionCoverage),
  })
  .meta({
    id: 'RegisterCoverage',
    description: 'How far the controls of all use cases together are',
    examples: [examples.registerCoverage],
  })
export type RegisterCoverage = z.infer<typeof RegisterCoverage>

/** What coverage is made of, as the database gives it. */
export interface CoverageSource {
  id: string
  key: string
  title: string
  orgUnitId: string
  orgUnitKeys: string[]
  tier: Tier
  standing: StandingWord
  technique: Technique | null
  channels: string[]
  jurisdictions: string[]
  answers: Answers
  assessedAt: Instant | null
  /** Null where nobody assessed anything. */
  states: ControlStates | null
}

export function entryOf(source: CoverageSource, applies: ReturnType<typeof applicability>): CoverageEntry {
  const { id, key, title, orgUnitId, orgUnitKeys: unitKeys, tier, standing, assessedAt, states } = source
  const { technique, channels, jurisdictions, answers } = source
  const applicable = applies(tier, { technique, channels, jurisdictions, answers, unitKeys })
  const { total, functions } = coverageOf(applicable, states ?? {})
  return Object.assign({ id, key, title, orgUnitId, tier, standing, assessedAt }, total, { functions })
}

export const isBelow = ({ share }: CoverageEntry, limit: number | undefined): boolean =>
  limit === undefined || (share !== null && share < limit)

type FunctionName = Pick<FunctionCoverage, 'catalog' | 'version' | 'function'>

const nameOfFunction = (one: FunctionName): string => `${one.catalog}@${one.version} ${one.function}`

const fixed = [
  ...(['key', 'id', 'title', 'orgUnitId', 'tier', 'standing', 'assessedAt'] as const),
  ...(['applicable', 'covered', 'share', 'unmet'] as const),
]
const stateNames = ['not_assessed', 'planned', 'in_place', 'not_effective', 'not_applicable'] as const

/** The head of the table: what each use case has, and the share of each function that policy asks of any. */
export function coverageHead(functions: readonly FunctionName[]): string {
  return csvLine([...fixed, ...stateNames, ...functions.map(nameOfFunction)])
}

export function coverageLine(entry: CoverageEntry, functions: readonly FunctionName[]): string {
  const shares = new Map(entry.functions.map((one) => [nameOfFunction(one), one.share]))
  return csvLine([
    ...fixed.map((name) => textOf(entry[name])),
    ...stateNames.map((state) => textOf(entry.states[state])),
    ...functions.map((one) => textOf(shares.get(nameOfFunction(one)) ?? null)),
  ])
}

const textOf = (value: string | number | null): string | null => (value === null ? null : String(value))
