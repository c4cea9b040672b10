import { z } from 'zod'
import { CatalogId } from '../catalogs/catalog.js'
import { day } from '../instant.js'
import { ControlState } from '../policy/requirements.js'
import { StandingWord } from '../use-cases/standing.js'
import { Tier, UseCaseRef } from '../use-cases/use-case.js'
import { keyOf, type Said, type Saying } from './assessment.js'
import type { KnownCatalogs } from './coverage.js'
import * as examples from './examples.js'
import { type ControlAssessment, controlNames, nameOf } from './profile.js'

const NOTE = 4000

export const NewCopy = z
  .strictObject({
    fromUseCaseId: UseCaseRef.describe('Id or key of the use case whose profile is copied'),
    catalogs: z.array(CatalogId).min(1).max(50).optional().describe('Only controls of these catalogs'),
    overwrite: z
      .boolean()
      .default(false)
      .describe('Whether it takes the place of what was assessed here; left out, that stays'),
  })
  .meta({ id: 'NewProfileCopy', examples: [examples.newCopy] })
export type NewCopy = z.infer<typeof NewCopy>

const Named = z.strictObject({ ...controlNames, state: ControlState })

export const ProfileCopy = z
  .strictObject({
    useCaseId: z.uuid(),
    fromUseCaseId: z.uuid(),
    revision: z.int().describe('Of the use case; it is the ETag'),
    copied: z.array(Named).describe('With the state that each has here now'),
    kept: z.array(Named).describe('Assessed here before, and left as they are'),
    skipped: z
      .array(Named.extend({ because: z.enum(['not_assessed_there', 'not_in_catalog', 'copied_before']) }))
      .describe('With the state that each has there'),
  })
  .meta({ id: 'ProfileCopy', description: 'What became of each control', examples: [examples.copy] })
export type ProfileCopy = z.infer<typeof ProfileCopy>

export const Precedent = z
  .strictObject({
    id: z.uuid(),
    key: z.string(),
    title: z.string(),
    tier: Tier,
    standing: StandingWord,
    assessed: z.int().describe('Controls that were assessed there'),
    helps: z.int().describe('Of these, controls that apply here and nobody assessed here'),
  })
  .meta({
    id: 'ProfilePrecedent',
    description: 'An approved use case whose profile could be copied',
    examples: [examples.precedent],
  })
export type Precedent = z.infer<typeof Precedent>

/** An assessment of the other use case. */
export type Source = Said & Pick<ControlAssessment, 'id' | 'assessedAt'>

export interface Copying {
  /** Key of the other use case. */
  from: string
  there: readonly Source[]
  here: readonly (Said & Pick<ControlAssessment, 'copiedFrom'>)[]
  catalogs: KnownCatalogs
  asked: Pick<NewCopy, 'catalogs' | 'overwrite'>
}

export interface Copies extends Pick<ProfileCopy, 'kept' | 'skipped'> {
  sayings: (Saying & { copiedFrom: string })[]
}

/**
 * What is copied, and as what. Nobody looked at it here, so a copy never counts: what would count arrives as a proposal
 * (in place as planned, not applicable as not assessed), with what was said there in its note; what counts for nothing
 * arrives as it is. Evidence stays where it is: somebody has to share and accept it.
 */
export function copies({ from, there, here, catalogs, asked }: Copying): Copies {
  const known = new Map(here.map((one) => [keyOf(one), one]))
  const result: Copies = { sayings: [], kept: [], skipped: [] }
  for (const source of there) {
    if (asked.catalogs && !asked.catalogs.includes(source.catalog)) continue
    const before = known.get(keyOf(source))
    const because = skip(source, before, catalogs)
    if (because) result.skipped.push({ ...named(source), because })
    else if (before && !asked.overwrite) result.kept.push(named(before))
    else result.sayings.push(proposalOf(source, from))
  }
  return result
}

function skip(
  source: Source,
  before: { copiedFrom: string | null } | undefined,
  catalogs: KnownCatalogs,
): ProfileCopy['skipped'][number]['because'] | undefined {
  if (source.state === 'not_assessed') return 'not_assessed_there'
  if (before?.copiedFrom === source.id) return 'copied_before'
  const controls = catalogs.get(nameOf(source))?.controls ?? []
  return controls.some(({ id }) => id === source.control) ? undefined : 'not_in_catalog'
}

const arrivesAs: Record<ControlState, ControlState> = {
  not_assessed: 'not_assessed',
  planned: 'planned',
  in_place: 'planned',
  not_effective: 'not_effective',
  not_applicable: 'not_assessed',
}

function proposalOf(source: Source, from: string): Copies['sayings'][number] {
  const { catalog, version, control, state, note, id, assessedAt } = source
  const origin = `Copied from ${from}, where it was assessed as ${words(state)} on ${day(assessedAt)}`
  const said = note === '' ? `${origin}.` : `${origin}: ${note}`
  return {
    ...{ catalog, version, control, state: arrivesAs[state], evidenceIds: [], copiedFrom: id },
    note: said.length > NOTE ? `${said.slice(0, NOTE - 1).toWellFormed()}…` : said,
  }
}

const words = (state: ControlState): string => state.replaceAll('_', ' ')

function named({ catalog, version, control, state }: Saying): ProfileCopy['kept'][number] {
  return { catalog, version, control, state }
}
