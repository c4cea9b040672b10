import { type Effect, type EffectKind, effectKinds, nameOf } from '../../policy/effects.js'
import type { RequirementChange } from '../../policy/lane-difference.js'
import type { Tier } from '../../use-cases/use-case.js'
import type { RegisterLine } from './register-lines.js'

/** A use case that would change, as it is listed. */
export interface ChangedUseCase {
  key: string
  title: string
  orgUnit: string
  kinds: EffectKind[]
  tier: Effect['tier']
  standing: Effect['standing']
  lane: Effect['lane']
  rules: Effect['rules']
  requirements: string[]
  evidence: Effect['evidence']
}

/** What use cases of one lane, with the same overlays, would have to pass instead. */
export interface ChangedLane {
  /** Ids of the lane and of the overlays on it. */
  from: string
  to: string
  count: number
  stricter: boolean
  looser: boolean
  changes: RequirementChange[]
}

export interface Gathered {
  examined: number
  changed: number
  kinds: Record<EffectKind, number>
  tiers: { from: Tier; to: Tier; count: number }[]
  lanes: ChangedLane[]
  /** Of how many use cases a requirement asks for more, or for less; in the order of their ids. */
  evidence: { requirement: string; more: number; less: number }[]
  /** The worst first, and no more than were asked for. */
  useCases: ChangedUseCase[]
  omitted: number
}

/** Counts everything and keeps what will be listed, so that memory does not grow with the register. */
export class Gathering {
  #examined = 0
  #changed = 0
  readonly #kinds = new Map<EffectKind, number>()
  readonly #tiers = new Map<string, Gathered['tiers'][number]>()
  readonly #lanes = new Map<string, ChangedLane>()
  readonly #evidence = new Map<string, Gathered['evidence'][number]>()
  readonly #listed = new Map<EffectKind, ChangedUseCase[]>()
  readonly #limit: number

  /** @param limit how many use cases are listed */
  constructor(limit: number) {
    this.#limit = limit
  }

  add(useCase: RegisterLine, effect: Effect | undefined): void {
    this.#examined += 1
    if (!effect) return
    this.#changed += 1
    for (const kind of effect.kinds) this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
    this.#countTier(effect.tier)
    this.#countLane(effect)
    this.#countEvidence(effect.evidence)
    this.#list(useCase, effect)
  }

  result(): Gathered {
    const counts = effectKinds.map((kind) => [kind, this.#kinds.get(kind) ?? 0])
    const listed = effectKinds.flatMap((kind) => this.#listed.get(kind) ?? []).slice(0, this.#limit)
    const byCount = (a: { count: number }, b: { count: number }) => b.count - a.count
    return {
      examined: this.#examined,
      changed: this.#changed,
      kinds: Object.fromEntries(counts),
      tiers: [...this.#tiers.values()].sort(byCount),
      lanes: [...this.#lanes.values()].sort(byCount),
      evidence: [...this.#evidence.values()].sort((a, b) => (a.requirement < b.requirement ? -1 : 1)),
      useCases: listed,
      omitted: this.#changed - listed.length,
    }
  }

  #countTier(tier: Effect['tier']): void {
    if (!tier) return
    const name = `${tier.from} ${tier.to}`
    const counted = this.#tiers.get(name) ?? { ...tier, count: 0 }
    counted.count += 1
    this.#tiers.set(name, counted)
  }

  #countLane({ asked, difference }: Effect): void {
    if (difference.changes.length === 0) return
    const [from, to] = [nameOf(asked.from), nameOf(asked.to)]
    const counted = this.#lanes.get(`${from} > ${to}`) ?? { from, to, count: 0, ...difference }
    counted.count += 1
    this.#lanes.set(`${from} > ${to}`, counted)
  }

  #countEvidence(evidence: Effect['evidence']): void {
    for (const way of ['more', 'less'] as const) {
      for (const requirement of evidence[way]) {
        const counted = this.#evidence.get(requirement) ?? { requirement, more: 0, less: 0 }
        counted[way] += 1
        this.#evidence.set(requirement, counted)
      }
    }
  }

  /** By the worst of its kinds. */
  #list({ key, title, orgUnit }: RegisterLine, effect: Effect): void {
    const [worst] = effect.kinds
    if (worst === undefined) return
    const alike = this.#listed.get(worst) ?? []
    this.#listed.set(worst, alike)
    if (alike.length >= this.#limit) return
    const { kinds, tier, standing, lane, rules, difference, evidence } = effect
    const requirements = difference.changes.map(({ requirement }) => requirement)
    alike.push({ key, title, orgUnit, kinds, tier, standing, lane, rules, requirements, evidence })
  }
}
