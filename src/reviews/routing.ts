import { listInForce } from '../conditions/service.js'
import type { ReadTx } from '../db/transaction.js'
import { listUnitKeys } from '../org-units/service.js'
import type { ScopedFacts } from '../policy/fact-conditions.js'
import { chooseLane, classOf, type Lane, type LanesFile, laneById } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { applyOverlays } from '../policy/overlays.js'
import { factsAskedAbout } from '../policy/requirements.js'
import { computeTier } from '../policy/tiering.js'
import { changedFacts } from '../use-cases/material.js'
import { getVersion } from '../use-cases/reading.js'
import type { UseCaseRow } from '../use-cases/service.js'
import { effectiveTier, isAbove, type Tier } from '../use-cases/use-case.js'
import { factsOf } from '../use-cases/view.js'
import * as store from './decision-store.js'
import { assertPrecedent, listPrecedentRows } from './precedents.js'
import type { Route } from './review.js'
import { type Asks, wantsMore } from './submission.js'

/** The way of a use case through policy: its lane with what overlays add, and why it is this one. */
export interface Way {
  route: Route
  lane: Lane
  overlays: { id: string; because: string }[]
  /** Patterns of conditions that overlays add to an approval. */
  imposes: string[]
  /** The version that the decision before was about. */
  sinceVersion: number | null
}

/**
 * the full lane of the tier and facts, unless a small difference since the last full decision, or
 * a precedent, leads to a shorter one. What asks for more than an approval is decided in the full lane.
 */
export async function chooseWay(
  tx: ReadTx,
  policies: Policies,
  useCase: UseCaseRow,
  tier: Tier,
  asks: Asks,
): Promise<Way> {
  const last = await store.findLastDecisionRow(tx, useCase.id)
  const facts = await scopedFactsOf(tx, useCase)
  const full = chooseLane(policies.lanes, tier, facts)
  const route = await routeOf(tx, policies, { useCase, tier, full, asks, last })
  return { route, sinceVersion: last?.version ?? null, ...overlaid(policies, full, { tier, facts, route }) }
}

/** The tier by the policy in force, which may be stricter than the one the version was tiered by. */
export function tierInForce(policies: Policies, useCase: UseCaseRow): Tier {
  const { tier } = computeTier(policies.riskTiers, useCase.answers, factsOf(useCase))
  // with the tier that was lowered, the lowering ends.
  const stricter = isAbove(tier, useCase.computedTier) && { computedTier: tier, loweredTier: null }
  return effectiveTier({ ...useCase, ...stricter })
}

/** What submitting a use case now would lead to, and what it could cite to shorten the way. */
export async function foresee(tx: ReadTx, policies: Policies, useCase: UseCaseRow) {
  const tier = tierInForce(policies, useCase)
  const nothing: Asks = {
    ...{ lowerTierTo: null, waives: [], precedentId: null, supersedesId: null, exceptions: [] },
  }
  const full = chooseLane(policies.lanes, tier, await scopedFactsOf(tx, useCase))
  const way = await chooseWay(tx, policies, useCase, tier, nothing)
  const precedents = await listPrecedentRows(tx, { useCase, tier, precedent: full.precedent })
  return { tier, full, way, precedents }
}

/** The lane that this route leads to by the policy in force, with its overlays. */
export async function laneOn(
  tx: ReadTx,
  policies: Policies,
  useCase: UseCaseRow,
  tier: Tier,
  route: Route,
): Promise<Pick<Way, 'lane' | 'overlays' | 'imposes'>> {
  const facts = await scopedFactsOf(tx, useCase)
  return overlaid(policies, chooseLane(policies.lanes, tier, facts), { tier, facts, route })
}

function overlaid(
  { lanes, overlays: file, requirements }: Policies,
  full: Lane,
  { tier, facts, route }: { tier: Tier; facts: ScopedFacts; route: Route },
): Pick<Way, 'lane' | 'overlays' | 'imposes'> {
  const { lane, overlays, conditions: imposes } = applyOverlays(file, follow(lanes, full, route), tier, facts)
  return { lane: heeding(lane, factsAskedAbout(requirements, tier)), overlays, imposes }
}

/** what a requirement rests on does not change unseen, or it could be left out until the approval is there. */
function heeding(lane: Lane, asked: Lane['materialFacts']): Lane {
  const { materialFacts } = lane
  const more = asked.filter(
    (name) => !materialFacts.some((fact) => fact === name || name.startsWith(`${fact}.`)),
  )
  return more.length === 0 ? lane : { ...lane, materialFacts: [...materialFacts, ...more] }
}

async function scopedFactsOf(tx: ReadTx, useCase: UseCaseRow) {
  return { ...factsOf(useCase), unitKeys: await listUnitKeys(tx, useCase.orgUnitId) }
}

/** Where policy names no lane for a route, the full one is taken; where nobody would vote, the one that samples. */
function follow(lanes: LanesFile, full: Lane, route: Route): Lane {
  const { attestation, reReview, precedent } = full
  if (route === 'attestation') return full
  if (attestation) return laneById(lanes, attestation.sampleLane)
  if (route === 'precedent' && precedent) return laneById(lanes, precedent.lane)
  const shorter = route === 'minor' || route === 'adaptive' ? reReview?.[route] : undefined
  return shorter === undefined ? full : laneById(lanes, shorter)
}

interface Situation {
  useCase: UseCaseRow
  tier: Tier
  full: Lane
  asks: Asks
  last: store.DecisionRow | undefined
}

async function routeOf(tx: ReadTx, policies: Policies, situation: Situation): Promise<Route> {
  const { useCase, tier, full, asks, last } = situation
  if (wantsMore(asks)) return 'full'
  if (asks.precedentId !== null) {
    await assertPrecedent(tx, { useCase, tier, precedent: full.precedent, decisionId: asks.precedentId })
    return 'precedent'
  }
  if (full.attestation) return (await isAttestable(tx, useCase, last)) ? 'attestation' : 'full'
  if (useCase.approvalId === null || useCase.approvedTier !== tier) return 'full'
  const change = classOf(policies.lanes, await changedSinceFullReview(tx, useCase, useCase.approvalId))
  return change !== 'transformative' && full.reReview?.[change] !== undefined ? change : 'full'
}

/**
 * an owner's word neither lifts a block nor renews what people made conditional or excepted; nor does it clear
 * what people decided on and did not approve, be it that they took an approval or a block back.
 */
async function isAttestable(
  tx: ReadTx,
  { id, approvalId, required }: UseCaseRow,
  last: store.DecisionRow | undefined,
): Promise<boolean> {
  if (approvalId === null && last !== undefined) return false
  if (required.some(({ taken }) => taken === 'excepted')) return false
  return (await listInForce(tx, id)).length === 0
}

/** Facts that differ from those of the last full review, so that many small steps do not pass for small ones. */
async function changedSinceFullReview(
  tx: ReadTx,
  useCase: UseCaseRow,
  approvalId: string,
): Promise<string[]> {
  const { version, basisVersion } = await store.getDecisionRow(tx, approvalId)
  const { facts } = await getVersion(tx, useCase.id, basisVersion ?? version)
  return changedFacts(facts, factsOf(useCase))
}
