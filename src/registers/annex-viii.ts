import { isWithinPlaces } from '../policy/fact-conditions.js'
import { annexColumns } from './annex-viii-columns.js'
import type { UseCaseRecord } from './register.js'

/** A use case with what the annex asks beyond a record. */
export interface AnnexRecord extends UseCaseRecord {
  /** The unit right below the whole organisation in which it lies, or the whole. */
  agencyName: string
  ownerEmail: string | null
  /** The systems it runs on, by name. */
  parts: { key: string; name: string; vendor: string | null }[]
}

/** Stands where the annex asks for something that the register does not hold, so that no gap looks like an answer. */
export const MISSING = '[to be added]'

/** Stands where the annex asks nothing of such a case. */
export const NOT_ASKED = '[not asked of this one]'

/** The headers, in order. */
export const annexHeaders: readonly string[] = annexColumns.map(({ header }) => header)

/** One row, or null for a use case that is used nowhere in the EU. */
export function annexRow(record: AnnexRecord): string[] | null {
  const isInEu = record.jurisdictions.some((place) => isWithinPlaces(place, ['EU']))
  if (!isInEu) return null
  return annexColumns.map(({ field }) => known[field]?.(record) || MISSING)
}

/** The columns of which the register knows something. Missing parts of an answer are named in it. */
const known: Record<string, (record: AnnexRecord) => string | undefined> = {
  key: ({ key }) => key,
  area: ({ answers }) => answers.annex_iii_area,
  A1: ({ parts }) => withGaps(vendorsOf(parts), 'address, contact'),
  A4: ({ title, key, parts }) => [...(parts.length > 0 ? parts.map(nameOf) : [title]), key].join('; '),
  A5: ({ purpose, outputs, parts }) =>
    [purpose, outputs && `Gives: ${outputs}`, parts.length > 0 && `Runs on: ${parts.map(nameOf).join(', ')}`]
      .filter(Boolean)
      .join('\n'),
  A6: ({ technique, answers }) =>
    [
      technique && `Technique: ${worded(technique)}`,
      answers.personal_data && `Personal data: ${worded(answers.personal_data)}`,
      answers.autonomy && `Autonomy: ${worded(answers.autonomy)}`,
      `Data and inputs: ${MISSING}`,
    ]
      .filter(Boolean)
      .join('\n'),
  A7: ({ retiredAt, stage }) => (retiredAt === null ? statuses[stage] : 'No longer in service'),
  A10: ({ jurisdictions }) =>
    [...new Set(jurisdictions.filter((place) => isWithinPlaces(place, ['EU'])).map(stateOf))]
      .sort()
      .join('; '),
  A12: ({ answers }) => (unpublished.has(answers.annex_iii_area ?? '') ? NOT_ASKED : undefined),
  C1: ({ agencyName, ownerEmail }) => withGaps([agencyName], 'address', ownerEmail),
  C2: ({ businessOwner, ownerEmail }) =>
    businessOwner ? withGaps([businessOwner], 'address', ownerEmail) : undefined,
  C5: ({ answers }) => (answers.personal_data === 'none' ? NOT_ASKED : undefined),
}

const statuses: Record<UseCaseRecord['stage'], string> = {
  idea: 'Not yet in service',
  pre_deployment: 'Not yet in service',
  pilot: 'In service, as a pilot',
  deployed: 'In service',
}

/** Areas of Annex III whose instructions for use are not to be given: its points 1, 6 and 7. */
const unpublished = new Set(['biometrics', 'law_enforcement', 'migration'])

function vendorsOf(parts: AnnexRecord['parts']): string[] {
  return [...new Set(parts.flatMap(({ vendor }) => (vendor ? [vendor] : [])))]
}

/** What is known, and a mark for the rest of the point; nothing at all where nothing is known. */
function withGaps(names: string[], gap: string, contact: string | null = null): string | undefined {
  if (names.length === 0) return undefined
  return [names.join(', '), ...(contact ? [contact] : []), `${gap}: ${MISSING}`].join('; ')
}

function nameOf({ name, key }: AnnexRecord['parts'][number]): string {
  return `${name} (${key})`
}

function worded(word: string): string {
  return word.replaceAll('_', ' ')
}

/** The state of a region: DE for DE-BY. */
function stateOf(place: string): string {
  return place.toUpperCase().split('-')[0] ?? place
}
