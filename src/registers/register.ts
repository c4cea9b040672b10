import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { addSeconds, givenInstant, type Instant } from '../instant.js'
import { Outcome } from '../policy/lanes.js'
import { Choice, Route } from '../reviews/review.js'
import { UseCaseFilters } from '../standing/use-case-list.js'
import { StandingReason, StandingWord } from '../use-cases/standing.js'
import { Answers, Origin, Stage, Technique, Tier } from '../use-cases/use-case.js'

/** JSON comes by page, the others whole. NDJSON is exact and canonical (RFC 8785, a row a line). */
export const Format = z.enum(['json', 'csv', 'ndjson', 'xlsx'])
export type Format = z.infer<typeof Format>

const instant = z.iso.datetime()

/** What every register can be asked for. */
export const registerQuery = {
  asOf: givenInstant.optional().describe('The register as it was at this instant; now, if left out'),
  format: Format.optional().describe('Takes precedence over the header Accept'),
}

export const UseCaseQuery = z.strictObject({
  ...UseCaseFilters.omit({ q: true }).shape,
  ...registerQuery,
  columns: z
    .enum(['omb-2025', 'eu-annex-viii'])
    .optional()
    .describe(
      'As CSV or XLSX: the columns of OMB M-25-21 (2025), or what Annex VIII of the EU AI Act has registered of ' +
        'high-risk systems, for use cases of the high tier in the EU; `[to be added]` stands for what Assent does ' +
        'not know',
    ),
})
export type UseCaseQuery = z.infer<typeof UseCaseQuery>

const orgUnit = z.uuid().optional().describe('The unit and everything below it')
const useCase = z.uuid().optional().describe('One use case')

export const DecisionQuery = z.strictObject({ ...registerQuery, orgUnit, useCase })
export type DecisionQuery = z.infer<typeof DecisionQuery>
export const VoteQuery = z.strictObject({ ...registerQuery, orgUnit, useCase })
export type VoteQuery = z.infer<typeof VoteQuery>
export const GrantQuery = z.strictObject({ ...registerQuery, orgUnit })
export type GrantQuery = z.infer<typeof GrantQuery>

/** Names of units, people and systems, and where it came from, are those of today, whatever the instant. */
export const UseCaseRecord = z
  .strictObject({
    key: z.string().describe('UC- and a number'),
    id: z.uuid(),
    revision: z.int().describe('Rises with each change'),
    version: z.int().describe('Rises when facts change'),
    origin: Origin,
    title: z.string(),
    purpose: z.string(),
    benefits: z.string(),
    outputs: z.string(),
    orgUnitId: z.uuid(),
    orgUnit: z.string().describe('Its key'),
    orgUnitName: z.string(),
    orgUnitKeys: z.array(z.string()).describe('Its key, and those of the units above it today'),
    jurisdictions: z.array(z.string()),
    channels: z.array(z.string()),
    stage: Stage,
    technique: Technique.nullable(),
    systems: z.array(z.string()).describe('Their keys'),
    answers: Answers,
    businessOwnerId: z.uuid().nullable(),
    businessOwner: z.string().nullable().describe('Their name today'),
    riskOwnerId: z.uuid().nullable(),
    riskOwner: z.string().nullable().describe('Their name today'),
    tags: z.array(z.string()),
    tier: Tier.describe('The tier that counts: the higher of computed and raised'),
    computedTier: Tier,
    raisedTier: Tier.nullable().describe('Set by a person above the computed one'),
    loweredTier: Tier.nullable().describe('Set by a decision below the computed one'),
    approvedTier: Tier.nullable().describe('That the approval was decided on'),
    firedRules: z.array(z.string()).describe('Ids of the rules of policy that fired'),
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
    standing: StandingWord.describe('At the instant the register is of'),
    reasons: z.array(StandingReason),
    decisionId: z.uuid().nullable().describe('The approval it rests on, or the block'),
    validUntil: instant.nullable().describe('When the approval ends by itself'),
    openReviewId: z.uuid().nullable().describe('The review under way'),
    evidenceCount: z.int().describe('Accepted evidence'),
    evidenceDigests: z.array(z.string()).describe('Of the accepted evidence'),
    evidenceStaleAt: instant
      .nullable()
      .describe('When the first piece that its approval requires goes stale'),
    sourceRegister: z.string().nullable().describe('The register it was imported from'),
    sourceIdentity: z.string().nullable().describe('What that register calls it by'),
    retiredAt: instant.nullable(),
    registeredAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'UseCaseRecord', description: 'A use case as it was at the instant; names are those of today' })
export type UseCaseRecord = z.infer<typeof UseCaseRecord>

export const DecisionRecord = z
  .strictObject({
    id: z.uuid(),
    useCase: z.string().describe('Its key'),
    useCaseId: z.uuid(),
    reviewId: z.uuid(),
    outcome: Outcome,
    reason: z.string().describe('How the votes came to this outcome'),
    version: z.int(),
    tier: Tier,
    route: Route,
    lane: z.string().describe('The lane of policy it went through'),
    overlays: z.array(z.string()).describe('Ids of the overlays of policy that applied'),
    conditions: z.array(z.string()).describe('Every condition that was in force from then on, in its words'),
    limits: z.array(z.string()).describe('Where an approval holds, as `jurisdiction: US-NY, US-CA`'),
    waived: z.array(z.string()).describe('Ids of conditions that it waived'),
    loweredTier: Tier.nullable().describe('What it lowered the tier to'),
    precedentId: z.uuid().nullable().describe('The decision that was cited'),
    supersedesId: z.uuid().nullable().describe('The wrong decision whose place it took'),
    attestedBy: z.uuid().nullable().describe('Who attested, where nobody votes'),
    sampled: z.enum(['yes', 'no']).describe('Drawn for a review afterwards'),
    environments: z.array(z.string()).nullable().describe('Where an approval holds; null for everywhere'),
    validUntil: instant.nullable().describe('When an approval ends by itself'),
    materialFacts: z.array(z.string()).describe('Facts whose change ends the approval'),
    materialDigest: z.string().describe('Digest of the material facts as they were decided on'),
    policyDigest: z.string().describe('Digest of the policy in force at the time'),
    voteIds: z.array(z.string()).describe('The votes that counted'),
    evidenceDigests: z.array(z.string()).describe('The evidence that was accepted by then'),
    decidedAt: instant,
  })
  .meta({ id: 'DecisionRecord' })
export type DecisionRecord = z.infer<typeof DecisionRecord>

export const VoteRecord = z
  .strictObject({
    id: z.uuid(),
    useCase: z.string().describe('Its key'),
    useCaseId: z.uuid(),
    reviewId: z.uuid(),
    round: z.int().describe('1 for the first review of the use case'),
    seat: z.string(),
    ordinal: z.int().describe('1 for the first vote of the seat, and one more for each change'),
    personId: z.uuid(),
    person: z.string().nullable().describe('Their name today'),
    onBehalfOf: z.uuid().nullable().describe('The holder of the seat, if a delegate voted for them'),
    choice: Choice,
    rationale: z.string(),
    conditions: z.array(z.string()).describe('What the approval depends on, in its words'),
    decisionRight: z.string().describe('The right that allowed it, as DR-nn'),
    castAt: instant,
  })
  .meta({ id: 'VoteRecord', description: 'A vote as it was cast; replaced ones are here, too' })
export type VoteRecord = z.infer<typeof VoteRecord>

export const GrantRecord = z
  .strictObject({
    id: z.uuid(),
    personId: z.uuid(),
    person: z.string().nullable().describe('Their name today'),
    kind: z.enum(['role', 'seat']),
    name: z.string(),
    orgUnitId: z.uuid(),
    orgUnit: z.string().describe('Its key'),
    grantedBy: z.uuid(),
    grantedAt: instant,
    revokedBy: z.uuid().nullable(),
    revokedAt: instant.nullable().describe('Null while it held'),
  })
  .meta({ id: 'GrantRecord' })
export type GrantRecord = z.infer<typeof GrantRecord>

/**
 * What a column holds, which decides how a format writes it. `text` is what people wrote, and what a spreadsheet must
 * not run; `word` comes from a closed list or is an id; `json` stands in no CSV.
 */
export type Kind = 'text' | 'word' | 'number' | 'instant' | 'words' | 'texts' | 'answers' | 'json'
type Kinds<R> = Record<keyof R, Kind>

export const useCaseKinds: Kinds<UseCaseRecord> = {
  ...{ key: 'word', id: 'word', revision: 'number', version: 'number', origin: 'word' },
  ...{ title: 'text', purpose: 'text', benefits: 'text', outputs: 'text' },
  ...{
    orgUnitId: 'word',
    orgUnit: 'word',
    orgUnitName: 'text',
    orgUnitKeys: 'words',
    jurisdictions: 'texts',
    channels: 'texts',
  },
  ...{ stage: 'word', technique: 'word', systems: 'words', answers: 'answers' },
  ...{
    businessOwnerId: 'word',
    businessOwner: 'text',
    riskOwnerId: 'word',
    riskOwner: 'text',
    tags: 'texts',
  },
  ...{
    tier: 'word',
    computedTier: 'word',
    raisedTier: 'word',
    loweredTier: 'word',
    approvedTier: 'word',
    firedRules: 'words',
    policyDigest: 'word',
  },
  ...{ standing: 'word', reasons: 'words', decisionId: 'word', validUntil: 'instant', openReviewId: 'word' },
  ...{ evidenceCount: 'number', evidenceDigests: 'words', evidenceStaleAt: 'instant' },
  ...{ sourceRegister: 'word', sourceIdentity: 'text', retiredAt: 'instant' },
  ...{ registeredAt: 'instant', updatedAt: 'instant' },
}

export const decisionKinds: Kinds<DecisionRecord> = {
  ...{ id: 'word', useCase: 'word', useCaseId: 'word', reviewId: 'word', outcome: 'word', reason: 'text' },
  ...{ version: 'number', tier: 'word', route: 'word', lane: 'word', overlays: 'words', conditions: 'texts' },
  ...{ limits: 'texts', waived: 'words', loweredTier: 'word', precedentId: 'word', supersedesId: 'word' },
  ...{ attestedBy: 'word', sampled: 'word', environments: 'words', validUntil: 'instant' },
  ...{ materialFacts: 'words', materialDigest: 'word', policyDigest: 'word', voteIds: 'words' },
  ...{ evidenceDigests: 'words', decidedAt: 'instant' },
}

export const voteKinds: Kinds<VoteRecord> = {
  ...{ id: 'word', useCase: 'word', useCaseId: 'word', reviewId: 'word', round: 'number', seat: 'word' },
  ...{ ordinal: 'number', personId: 'word', person: 'text', onBehalfOf: 'word', choice: 'word' },
  ...{ rationale: 'text', conditions: 'texts' },
  ...{ decisionRight: 'word', castAt: 'instant' },
}

export const grantKinds: Kinds<GrantRecord> = {
  ...{ id: 'word', personId: 'word', person: 'text', kind: 'word', name: 'word', orgUnitId: 'word' },
  ...{ orgUnit: 'word', grantedBy: 'word', grantedAt: 'instant', revokedBy: 'word', revokedAt: 'instant' },
}

/** The instant a register is of, and whether it can still change: a write transaction ends within 30 seconds. */
export interface Moment {
  asOf: Instant
  settled: boolean
}

/** @throws RegistryError `invalid` for the future: nobody knows what will be decided */
export function momentOf(asOf: Instant | undefined, now: Instant): Moment {
  if (asOf !== undefined && asOf > now) {
    throw new RegistryError('invalid', `asOf lies in the future; it is ${now} now`)
  }
  const at = asOf ?? now
  return { asOf: at, settled: at <= addSeconds(now, -60) }
}
