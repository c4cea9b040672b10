import { z } from 'zod'
import {
  type Asked,
  asksOf,
  ControlState,
  type RequirementPolicies,
  type RequiringFacts,
} from '../policy/requirements.js'
import type { Tier } from '../use-cases/use-case.js'

const count = z.int().min(0)

const States = z.strictObject({
  not_assessed: count,
  planned: count,
  in_place: count,
  not_effective: count,
  not_applicable: count,
})

/** Of the controls that policy asks for. */
export const Coverage = z
  .strictObject({
    applicable: count.describe('Controls that policy asks for'),
    states: States.describe('How many of these are in each state'),
    covered: count.describe('Of these, in place, or not applicable with a note that says why'),
    share: z
      .number()
      .nullable()
      .describe('Covered of applicable, from 0 to 1, rounded down; null where none apply'),
    unmet: count.describe('Of these, in none of the states that policy wants'),
  })
  .meta({ id: 'Coverage', description: 'How many of the controls that policy asks for are covered' })
export type Coverage = z.infer<typeof Coverage>

export const FunctionCoverage = z
  .strictObject({
    catalog: z.string(),
    version: z.string(),
    function: z.string(),
    title: z.string(),
    ...Coverage.shape,
  })
  .meta({ id: 'FunctionCoverage', description: 'The coverage of one function of a catalog' })
export type FunctionCoverage = z.infer<typeof FunctionCoverage>

/** Catalog and version, as `nist-ai-rmf@1.0`, to control, to its state. What is not in it was never assessed. */
export type ControlStates = Readonly<Record<string, Readonly<Record<string, ControlState>>>>

/** A version of a catalog, as far as profiles look at it. */
export interface KnownCatalog {
  id: string
  version: string
  title: string
  functions: readonly { id: string; title: string }[]
  controls: readonly { id: string; function: string; category: string; title: string }[]
}

/** By name, as `nist-ai-rmf@1.0`. */
export type KnownCatalogs = ReadonlyMap<string, KnownCatalog>

type FunctionRef = Pick<FunctionCoverage, 'catalog' | 'version' | 'function' | 'title'>

/** What policy asks for, made ready to be counted over many use cases. */
export interface Applicable {
  functions: readonly FunctionRef[]
  controls: readonly {
    /** Of the version of the catalog. */
    name: string
    control: string
    /** Which of the functions it belongs to. */
    at: number
    /** States that are good enough for every requirement that asks for it. */
    wanted: ReadonlySet<ControlState>
  }[]
}

/** The controls among these asks, in the order of their catalogs. A control that several ask for is one. */
export function applicableOf(asks: readonly Asked[], catalogs: KnownCatalogs): Applicable {
  const wanted = wantedBy(asks)
  const functions: FunctionRef[] = []
  const controls: Applicable['controls'][number][] = []
  for (const [name, byControl] of wanted) {
    const catalog = catalogs.get(name)
    for (const { id, title } of catalog?.functions ?? []) {
      const own = catalog?.controls.filter((one) => one.function === id && byControl.has(one.id)) ?? []
      if (own.length === 0 || !catalog) continue
      const at = functions.push({ catalog: catalog.id, version: catalog.version, function: id, title }) - 1
      for (const one of own)
        controls.push({ name, control: one.id, at, wanted: byControl.get(one.id) ?? new Set() })
    }
  }
  return { functions, controls }
}

function wantedBy(asks: readonly Asked[]): Map<string, Map<string, Set<ControlState>>> {
  const wanted = new Map<string, Map<string, Set<ControlState>>>()
  for (const { ask } of asks) {
    if (ask.type !== 'control') continue
    const name = `${ask.catalog}@${ask.version}`
    const byControl = wanted.get(name) ?? new Map<string, Set<ControlState>>()
    const before = byControl.get(ask.control)
    const states = before ? ask.states.filter((state) => before.has(state)) : ask.states
    wanted.set(name, byControl.set(ask.control, new Set(states)))
  }
  return wanted
}

/** Beyond so many different facts, what applies is worked out anew. */
const REMEMBERED = 5000

/**
 * What applies to one use case after another: worked out once for all whose tier and facts are alike in what policy looks
 * at. Pure, and for one policy.
 * @param catalog looks at controls of this catalog alone
 */
export function applicability(
  policies: RequirementPolicies,
  catalog: string | undefined,
): (tier: Tier, facts: RequiringFacts) => Applicable {
  const { requirements } = policies.requirements
  const questions = [...new Set(requirements.flatMap(({ when }) => Object.keys(when.answers ?? {})))]
  const catalogs = new Map(policies.catalogs.map((one) => [`${one.id}@${one.version}`, one]))
  const known = new Map<string, Applicable>()
  return (tier, facts) => {
    const { technique, channels, jurisdictions, unitKeys, answers } = facts
    const answered = questions.map((id) => (Object.hasOwn(answers, id) ? answers[id] : null))
    const key = JSON.stringify([tier, technique, channels, jurisdictions, unitKeys, answered])
    const before = known.get(key)
    if (before) return before
    if (known.size >= REMEMBERED) known.clear()
    const asks = asksOf(policies, tier, facts).filter(({ ask }) => isOf(ask, catalog))
    const applicable = applicableOf(asks, catalogs)
    known.set(key, applicable)
    return applicable
  }
}

const isOf = (ask: Asked['ask'], catalog: string | undefined): boolean =>
  ask.type === 'control' && (catalog === undefined || ask.catalog === catalog)

/** Every function of which policy asks for a control of some use case. */
export function functionsAsked({ requirements, catalogs }: RequirementPolicies): readonly FunctionRef[] {
  const anywhere = requirements.requirements.map((one) => ({ ...one, when: {} }))
  const facts = { technique: null, channels: [], jurisdictions: [], answers: {} }
  return applicability({ requirements: { requirements: anywhere }, catalogs }, undefined)('high', facts)
    .functions
}

export interface Covered {
  total: Coverage
  functions: FunctionCoverage[]
}

/** How far the controls are that policy asks for. Pure, and the one place that counts them. */
export function coverageOf({ functions, controls }: Applicable, states: ControlStates): Covered {
  const total = nothing()
  const parts = functions.map(nothing)
  for (const { name, control, at, wanted } of controls) {
    const state = stateOf(states, name, control)
    const isMet = wanted.has(state)
    for (const part of [total, parts[at]]) {
      if (!part) continue
      part.states[state] += 1
      if (!isMet) part.unmet += 1
    }
  }
  return {
    total: shared(total),
    functions: functions.map((ref, at) => ofFunction(ref, parts[at] ?? nothing())),
  }
}

/** Ids come from catalogs of others: a control may be called `constructor`. */
export function stateOf(states: ControlStates, name: string, control: string): ControlState {
  const ofCatalog = Object.hasOwn(states, name) ? states[name] : undefined
  const state = ofCatalog && Object.hasOwn(ofCatalog, control) ? ofCatalog[control] : undefined
  return state ?? 'not_assessed'
}

/** The sum over many use cases; its shares are of all their controls together. */
export class CoverageSum {
  #total = nothing()
  readonly #functions = new Map<string, { ref: FunctionRef; part: Part }>()

  add({ total, functions }: Covered): void {
    this.#total = sum(this.#total, total)
    for (const one of functions) {
      const { catalog, version, function: id, title } = one
      const key = `${catalog}@${version} ${id}`
      const before = this.#functions.get(key)?.part ?? nothing()
      this.#functions.set(key, { ref: { catalog, version, function: id, title }, part: sum(before, one) })
    }
  }

  result(): Covered {
    const functions = [...this.#functions.values()].map(({ ref, part }) => ofFunction(ref, part))
    return { total: shared(this.#total), functions }
  }
}

type Part = Pick<Coverage, 'states' | 'unmet'>

function nothing(): Part {
  return {
    states: { not_assessed: 0, planned: 0, in_place: 0, not_effective: 0, not_applicable: 0 },
    unmet: 0,
  }
}

function sum(a: Part, b: Part): Part {
  const added = nothing()
  for (const state of ControlState.options) added.states[state] = a.states[state] + b.states[state]
  return { ...added, unmet: a.unmet + b.unmet }
}

/** Member by member: done for each function of a hundred thousand use cases, spreading takes ten times as long. */
function ofFunction({ catalog, version, function: id, title }: FunctionRef, part: Part): FunctionCoverage {
  const { applicable, states, covered, share, unmet } = shared(part)
  return { catalog, version, function: id, title, applicable, states, covered, share, unmet }
}

/** Rounded down, so that all is covered where it says 1 and nowhere else. */
function shared({ states, unmet }: Part): Coverage {
  const applicable = ControlState.options.reduce((all, state) => all + states[state], 0)
  const covered = states.in_place + states.not_applicable
  const share = applicable === 0 ? null : Math.floor((covered * 10_000) / applicable) / 10_000
  return { applicable, states, covered, share, unmet }
}
