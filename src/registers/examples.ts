import { canonicalize } from '../audit/canonical.js'
import { evidence } from '../evidence/examples.js'
import { orgUnit } from '../org-units/examples.js'
import { grant, riskOwner } from '../people/examples.js'
import { castVotes, decision } from '../reviews/examples.js'
import { csvLine } from '../spreadsheet.js'
import { system } from '../systems/examples.js'
import { facts, standing, useCase } from '../use-cases/examples.js'
import type { Kind } from './register.js'

const { id, key, revision, version, origin, tier, createdAt, updatedAt } = useCase
const { orgUnitId: _unit, systemIds: _systems, ...stated } = facts
const { decisionId, validUntil, openReviewId, reasons } = standing

const useCaseRecord = {
  ...{ key, id, revision, version, origin },
  ...stated,
  ...{
    orgUnitId: orgUnit.id,
    orgUnit: orgUnit.key,
    orgUnitName: orgUnit.name,
    orgUnitKeys: [orgUnit.key, 'organisation'],
  },
  systems: [system.key],
  ...{ businessOwner: 'Business owner, Sales', riskOwner: riskOwner.name },
  ...{
    tier: tier.effective,
    computedTier: tier.computed,
    raisedTier: tier.raised,
    loweredTier: tier.lowered,
    approvedTier: tier.effective,
  },
  firedRules: tier.fired.map((rule) => rule.id),
  policyDigest: tier.policyDigest,
  ...{ standing: standing.standing, reasons, decisionId, validUntil, openReviewId },
  ...{ evidenceCount: 1, evidenceDigests: [evidence.digest], evidenceStaleAt: null },
  ...{ sourceRegister: 'sales-portfolio', sourceIdentity: 'INS-08', retiredAt: null },
  ...{ registeredAt: createdAt, updatedAt },
}

const { laneId, votes, evidence: _accepted, required: _required, basisVersion: _basis, ...decided } = decision
const { supersededById: _by, attestation: _statement, ...kept } = decided
const decisionRecord = {
  ...{ ...kept, useCase: key, lane: laneId, overlays: [], conditions: [], limits: [], sampled: 'no' },
  voteIds: votes.map((vote) => vote.id),
  evidenceDigests: [evidence.digest],
}

const [cast] = castVotes
const voteRecords = (cast?.review.votes ?? []).map((vote) => ({
  ...{ ...vote, person: vote.seat === 'risk' ? 'Committee, risk seat' : 'Committee, legal seat' },
  ...{ useCase: key, useCaseId: id, reviewId: decision.reviewId, round: 1 },
}))

const grantRecord = { ...grant, person: riskOwner.name, orgUnit: orgUnit.key }

const ofMoment = <R>(items: R[]) => ({ items, next: null, asOf: '2026-03-02T11:45:00.000Z', settled: true })

/** The same rows as the streamed formats hold them; in CSV, only the questions that the example answers. */
export function streamed<R extends object>(
  { items }: { items: R[] },
  kinds: Record<string, Kind>,
): Record<string, string> {
  const rows = items.map((item) => cellsOf(item, kinds))
  const [first = []] = rows
  const lines = [first.map(([name]) => name), ...rows.map((row) => row.map(([, cell]) => cell))]
  return {
    'text/csv': lines.map(csvLine).join(''),
    'application/x-ndjson': items.map((item) => `${canonicalize(item)}\n`).join(''),
  }
}

function cellsOf(item: object, kinds: Record<string, Kind>): [name: string, cell: string | null][] {
  return Object.entries(kinds).flatMap(([name, kind]) => {
    const value: unknown = Reflect.get(item, name)
    if (kind === 'json') return []
    if (kind !== 'answers') return [[name, textOf(value)]]
    return Object.entries(value ?? {}).map(([id, answer]) => [`answer.${id}`, textOf(answer)])
  })
}

function textOf(value: unknown): string | null {
  return value === null ? null : Array.isArray(value) ? value.join('; ') : String(value)
}

export const useCaseRegister = ofMoment([useCaseRecord])
export const decisionRegister = ofMoment([decisionRecord])
export const voteRegister = ofMoment(voteRecords)
export const grantRegister = ofMoment([grantRecord])
