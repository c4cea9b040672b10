import { z } from 'zod'
import { CatalogId, CatalogVersion, ControlId } from '../catalogs/catalog.js'
import { EvidenceKind } from '../evidence/evidence.js'
import { givenInstant } from '../instant.js'
import { ControlState } from '../policy/requirements.js'
import { Tier } from '../use-cases/use-case.js'
import { Coverage, FunctionCoverage } from './coverage.js'
import * as examples from './examples.js'

/** A control of a version of a catalog. Shipped catalogs lie in policy, so that all three are names. */
export const controlNames = {
  catalog: CatalogId,
  version: CatalogVersion,
  control: ControlId.describe('As its catalog writes it: `GOVERN 1.1`'),
}

/** what somebody said of a control. It never changes; what they say later is another one. */
export const ControlAssessment = z
  .strictObject({
    id: z.uuid(),
    ...controlNames,
    ordinal: z.int().describe('1 for the first of this control, and one more for each that follows'),
    state: ControlState,
    note: z.string().describe('Empty where nothing was said'),
    evidenceIds: z.array(z.uuid()).describe('Evidence of the same use case that shows it'),
    assessedBy: z.uuid().describe('Id of a person'),
    assessedAt: z.iso.datetime(),
    copiedFrom: z.uuid().nullable().describe('The assessment of another use case that it was copied from'),
  })
  .meta({
    id: 'ControlAssessment',
    description: 'What somebody said of a control; it never changes, and what they say later is another one',
    examples: [examples.assessment],
  })
export type ControlAssessment = z.infer<typeof ControlAssessment>

const NamedEvidence = z.strictObject({
  id: z.uuid(),
  kind: EvidenceKind.nullable().describe('Null, as title and digest, if you may not read it'),
  title: z.string().nullable(),
  digest: z.string().nullable(),
  counts: z
    .boolean()
    .describe('Whether it, or the newer piece in its place, was accepted by somebody else and is fresh'),
})

const Asking = z.strictObject({
  requirement: z.string().describe('Id of the requirement in policy, as RQ-nn'),
  because: z.string(),
  states: z.array(ControlState).describe('The states that are good enough'),
  withEvidence: z.boolean().describe('Whether a control in place has to name evidence that counts'),
})

export const ProfileEntry = z
  .strictObject({
    ...controlNames,
    title: z.string().nullable().describe('Null, as function and category, if that catalog is here no more'),
    function: z.string().nullable(),
    category: z.string().nullable(),
    applies: z.boolean().describe('Whether policy asks for it, from the tier and the facts as they are'),
    asked: z.array(Asking).describe('What policy asks of it; nothing where somebody assessed more than that'),
    missing: z.array(z.string()).describe('What policy asks for and is not there, a sentence each'),
    state: ControlState,
    note: z.string(),
    assessedBy: z.uuid().nullable().describe('Id of a person; null while nobody assessed it'),
    assessedAt: z.iso.datetime().nullable(),
    copiedFrom: ControlAssessment.shape.copiedFrom,
    evidence: z.array(NamedEvidence),
    assessments: z.int().describe('How often it was assessed'),
  })
  .meta({
    id: 'ProfileEntry',
    description: 'A control of a use case: what policy asks of it, and how far it is',
    examples: [examples.entry],
  })
export type ProfileEntry = z.infer<typeof ProfileEntry>

export const ControlProfile = z
  .strictObject({
    useCaseId: z.uuid(),
    key: z.string(),
    title: z.string(),
    tier: Tier,
    revision: z.int().describe('Of the use case; it is the ETag'),
    asOf: z.iso.datetime().describe('The instant that states and evidence are of'),
    policyDigest: z.string().describe('Of the policy by which controls apply: the one in force now'),
    coverage: Coverage.extend({
      withEvidence: z.int().describe('Applicable controls in place that name evidence that counts'),
      beyond: z.int().describe('Controls that were assessed although policy does not ask for them'),
      functions: z.array(
        FunctionCoverage.extend({
          withEvidence: z.int().describe('Applicable controls in place that name evidence that counts'),
        }),
      ),
    }).describe('Of the whole profile, whatever the filters'),
    controls: z.array(ProfileEntry).describe('By catalog, and in the order of each'),
  })
  .meta({
    id: 'ControlProfile',
    description: 'The controls of a use case: those that policy asks for, and those assessed beyond',
    examples: [examples.profile],
  })
export type ControlProfile = z.infer<typeof ControlProfile>

const yesOrNo = z.enum(['true', 'false']).transform((word) => word === 'true')

export const profileFilters = {
  catalog: CatalogId.optional().describe('Only controls of this catalog'),
  function: ControlId.optional().describe('Only controls of this function'),
  state: ControlState.optional().describe('Only controls in this state'),
  applies: yesOrNo.optional().describe('Only controls that policy asks for, or only the others'),
  asOf: givenInstant
    .optional()
    .describe('States and evidence as they were; what applies is by the facts and the policy of now'),
}
export type ProfileFilters = z.infer<z.ZodObject<typeof profileFilters>>

/** `oscal` is a system security plan (OSCAL 1.1.3), `oscal-profile` the selection of controls that it imports. */
export const Format = z.enum(['json', 'csv', 'oscal', 'oscal-profile'])
export type FileFormat = Exclude<z.infer<typeof Format>, 'json'>

export const historyFilters = {
  catalog: CatalogId.optional().describe('Only of this catalog'),
  version: CatalogVersion.optional().describe('Only of this version'),
  control: ControlId.optional().describe('Only of this control'),
}
export type HistoryFilters = z.infer<z.ZodObject<typeof historyFilters>>

/** A version of a catalog as states name it: `nist-ai-rmf@1.0`. Neither part holds an `@`. */
export const nameOf = ({ catalog, version }: { catalog: string; version: string }): string =>
  `${catalog}@${version}`

export const isFitting = (entry: ProfileEntry, filters: Omit<ProfileFilters, 'asOf'>): boolean =>
  (filters.catalog === undefined || entry.catalog === filters.catalog) &&
  (filters.function === undefined || entry.function === filters.function) &&
  (filters.state === undefined || entry.state === filters.state) &&
  (filters.applies === undefined || entry.applies === filters.applies)
