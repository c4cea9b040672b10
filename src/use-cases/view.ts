import type { useCases, useCaseVersions } from '../db/schema.js'
import type { Instant } from '../instant.js'
import { differences } from './material.js'
import { standingOf } from './standing.js'
import { effectiveTier, Facts, isUnknownOnly, keyOf, type UseCase } from './use-case.js'
import type { Version } from './version.js'

type UseCaseRow = typeof useCases.$inferSelect
type VersionRow = typeof useCaseVersions.$inferSelect

export function factsOf(row: Pick<UseCaseRow, keyof Facts>): Facts {
  const { title, purpose, benefits, outputs, orgUnitId, jurisdictions, channels, stage, technique } = row
  const { systemIds, answers, businessOwnerId, riskOwnerId, tags } = row
  return {
    title,
    purpose,
    benefits,
    outputs,
    orgUnitId,
    jurisdictions,
    channels,
    stage,
    technique,
    systemIds,
    answers,
    businessOwnerId,
    riskOwnerId,
    tags,
  }
}

export function present(row: UseCaseRow, now: Instant): UseCase {
  const { id, revision, version, origin, createdAt, updatedAt, fired, policyDigest } = row
  const { computedTier: computed, raisedTier: raised, loweredTier: lowered } = row
  const effective = effectiveTier(row)
  const unknownOnly = isUnknownOnly(row, fired)
  const tier = { effective, computed, raised, lowered, fired, unknownOnly, policyDigest }
  return {
    id,
    key: keyOf(row.number),
    revision,
    version,
    origin,
    ...factsOf(row),
    tier,
    standing: standingOf(row, now),
    createdAt,
    updatedAt,
  }
}

export function presentVersion(row: VersionRow, before: VersionRow | undefined): Version {
  const { version, recordedAt, authorId, reason, computedTier: tier, policyDigest } = row
  const facts = Facts.parse(row.facts)
  const changes = before ? differences(Facts.parse(before.facts), facts) : []
  return { version, recordedAt, authorId, reason, tier, policyDigest, facts, changes }
}
