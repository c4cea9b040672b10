import { z } from 'zod'
import { assertRevision, RegistryError } from '../errors.js'
import type { Question } from '../policy/risk-tiers-file.js'
import * as examples from './examples.js'
import { ImportProfile } from './profile.js'

export const Outcome = z
  .enum(['created', 'updated', 'unchanged', 'needs_attention', 'refused'])
  .meta({ id: 'ImportOutcome', description: 'What becomes of a row; every row ends as exactly one of these' })
export type Outcome = z.infer<typeof Outcome>

export const Reason = z
  .strictObject({
    field: z.string().nullable().describe('The fact in doubt; null when it is the row as a whole'),
    message: z.string().describe('For a person'),
    raw: z.string().nullable().describe('The cell as it came'),
    conflict: z
      .strictObject({ source: z.unknown(), here: z.unknown() })
      .nullable()
      .describe('Both values, where the source and somebody here changed the same fact differently'),
  })
  .meta({ id: 'ImportReason', description: 'Why a row needs a person, or why it was refused' })
export type Reason = z.infer<typeof Reason>

export const Counts = z
  .strictObject({
    rows: z.int(),
    registered: z
      .int()
      .describe('Rows whose use case is in the register after it: all but the refused, also those in doubt'),
    created: z.int(),
    updated: z.int(),
    unchanged: z.int(),
    needsAttention: z.int().describe('Registered or updated with what is certain; a person decides the rest'),
    refused: z.int(),
    gone: z.int().describe('Rows of an earlier file of this register that this one lacks'),
    newUnits: z.int().describe('Org units that are made for it'),
    newSystems: z.int().describe('Systems that are made for it'),
  })
  .meta({
    id: 'ImportCounts',
    description:
      'How many rows end as what; created, updated, unchanged, needsAttention and refused add up to the rows',
  })
export type Counts = z.infer<typeof Counts>

/**
 * `reading` while rows are read and understood, `previewed` once each has its outcome, `applying` from the first row
 * that is written to the last, then `applied`.
 */
export const ImportState = z.enum(['reading', 'previewed', 'applying', 'applied']).meta({
  id: 'ImportState',
  description:
    '`reading`, then `previewed` once each row has its outcome, `applying` while rows are written, then `applied`',
})
export type ImportState = z.infer<typeof ImportState>

export const ImportColumn = z
  .strictObject({
    name: z.string(),
    fields: z.array(z.string()).describe('The facts that it gives; none: it is kept with the row'),
    confidence: z
      .number()
      .nullable()
      .describe('0 to 1 where the mapping was inferred; null where a profile or a person says so'),
  })
  .meta({ id: 'ImportColumn' })
export type ImportColumn = z.infer<typeof ImportColumn>

export const Import = z
  .strictObject({
    id: z.uuid(),
    revision: z.int().describe('Rises with each change; it is the ETag'),
    state: ImportState,
    fileName: z.string(),
    fileDigest: z.string().describe('`sha256:` and 64 hex digits'),
    format: z.enum(['csv', 'xlsx', 'ndjson']),
    encoding: z.string().nullable().describe('Null where the format has but one'),
    sheet: z.string().nullable().describe('Of a workbook'),
    headerRow: z.int().describe('From 1; 0 when the format has no header'),
    register: z.string().describe('Rows of another file of the same register are updates'),
    orgUnitId: z.uuid().describe('Units are found, or made, below this one'),
    profileFrom: z
      .enum(['chosen', 'detected', 'inferred', 'confirmed'])
      .describe('Who says how columns are understood'),
    needsConfirmation: z
      .boolean()
      .describe('The mapping was inferred; a person confirms or corrects it first'),
    profile: ImportProfile,
    columns: z.array(ImportColumn).describe('What each column of the file gives'),
    counts: Counts.nullable().describe(
      'What would become of the rows, then what did; null while they are read',
    ),
    createdBy: z.uuid().describe('Id of a person'),
    createdAt: z.iso.datetime(),
    appliedBy: z.uuid().nullable(),
    appliedAt: z.iso.datetime().nullable().describe('When the last row was written'),
  })
  .meta({ id: 'Import', examples: [examples.importRun] })
export type Import = z.infer<typeof Import>

/** A list of imports leaves out how columns were mapped. */
export const ImportSummary = Import.omit({ profile: true, columns: true }).meta({
  id: 'ImportSummary',
  description: 'An import without how its columns are understood',
  examples: [examples.importSummary],
})
export type ImportSummary = z.infer<typeof ImportSummary>

export const Raw = z.record(z.string(), z.string()).describe('The row as it came: column to cell')

const Understood = z.record(z.string(), z.unknown()).describe('What the row was understood to say')

export const ImportRow = z
  .strictObject({
    ordinal: z.int().describe('From 1, in the order of the file, without blank rows'),
    rowNumber: z.int().describe('As a person counts the rows of the file'),
    identity: z.string().describe('By which the next file knows the row again'),
    outcome: Outcome,
    reasons: z.array(Reason),
    useCaseId: z.uuid().nullable().describe('What it became; null while nothing'),
    raw: Raw,
    mapped: Understood,
  })
  .meta({ id: 'ImportRow', examples: [examples.importRow] })
export type ImportRow = z.infer<typeof ImportRow>

export const GoneRow = z
  .strictObject({
    useCaseId: z.uuid(),
    key: z.string(),
    title: z.string(),
    identity: z.string().describe('As the source names it'),
  })
  .meta({
    id: 'GoneRow',
    description: 'A use case that an earlier file of the register carried, and this one lacks',
    examples: [examples.goneRow],
  })
export type GoneRow = z.infer<typeof GoneRow>

export const Provenance = z
  .strictObject({
    register: z.string(),
    identity: z.string().describe('As the source names it'),
    importId: z.uuid().describe('The last import that carried it'),
    ordinal: z.int(),
    rowNumber: z.int(),
    raw: Raw,
    mapped: Understood,
  })
  .meta({
    id: 'Provenance',
    description: 'Where a use case came from; what the source says of decisions of its own clears nothing',
    examples: [examples.provenance],
  })
export type Provenance = z.infer<typeof Provenance>

const Slug = ImportProfile.shape.register

/** The fields of the form, before the file. */
export const UploadFields = z
  .strictObject({
    orgUnitId: z.uuid().optional().describe('Units are found, or made, below this one; the root if left out'),
    profile: ImportProfile.shape.id
      .optional()
      .describe('A profile by its id; found by the header if left out'),
    register: Slug.optional().describe('The register that the file is an edition of'),
    encoding: z.enum(['utf-8', 'windows-1252']).optional().describe('Of a CSV file; found out if left out'),
    headerRow: z.coerce.number().int().min(1).max(1000).optional().describe('From 1; found out if left out'),
    sheet: z.string().trim().min(1).max(200).optional().describe('Of a workbook; the first if left out'),
  })
  .meta({ examples: [examples.uploadFields] })
export type UploadFields = z.infer<typeof UploadFields>

/** The mapping that a person vouches for. */
export const Mapping = z
  .strictObject({ profile: ImportProfile.optional().describe('Left out: the mapping stays as proposed') })
  .meta({
    id: 'Mapping',
    description: 'How a person says that the file is to be understood',
    examples: examples.mappings,
  })
export type Mapping = z.infer<typeof Mapping>

/** @throws RegistryError `invalid` when a mapping answers a question nobody asks, or with an option nobody offers */
export function assertAnswerable({ answers }: ImportProfile, questions: readonly Question[]): void {
  const issues = Object.entries(answers).flatMap(([id, { values }]) => {
    const path = `/profile/answers/${id}`
    const question = questions.find((candidate) => candidate.id === id)
    if (!question) return [{ path, message: 'nobody asks this question; leave it out or correct its id' }]
    const offered = question.options.map((option) => option.id)
    const given = Object.values(values).filter((value) => typeof value === 'string')
    const strange = given.filter((option) => !offered.includes(option))
    if (strange.length === 0) return []
    return [{ path, message: `${strange.join(', ')} is not offered; choose from ${offered.join(', ')}` }]
  })
  const [first] = issues
  if (first)
    throw new RegistryError('invalid', `correct the mapping at ${first.path}: ${first.message}`, { issues })
}

interface Progress {
  state: ImportState
  profileFrom: Import['profileFrom']
  rowCount: number
}

/** @throws RegistryError `conflict` unless another mapping can still be tried */
export function assertMappable({ state, rowCount }: Progress): void {
  if (state === 'previewed' || (state === 'reading' && rowCount > 0)) return
  if (state === 'reading') throw unread()
  throw new RegistryError('conflict', 'this import was begun with the mapping it has; upload the file again')
}

/** @throws RegistryError `conflict` unless rows can be written */
export function assertApplicable(run: Progress): void {
  if (run.state === 'reading') throw unread()
  if (run.profileFrom !== 'inferred') return
  throw new RegistryError(
    'conflict',
    'the mapping of this file was inferred; look at it, then confirm or correct it before you apply',
  )
}

/** How often the revision rose since the preview: with the first row that is written, and after the last. */
const risen = { reading: 0, previewed: 0, applying: 1, applied: 2 } as const

/**
 * Rows are written as whoever applies saw them previewed. Asked again, after a crash or a lost answer, it may also
 * be the revision that applying them made.
 * @throws RegistryError `conflict`, marked stale, when somebody mapped the file anew in between
 */
export function assertPreviewSeen(run: { state: ImportState; revision: number }, seen: number): void {
  const previewed = run.revision - risen[run.state]
  if (seen < previewed || seen > run.revision) assertRevision(run, seen)
}

function unread(): RegistryError {
  return new RegistryError(
    'conflict',
    'the rows of this file are still being read, or reading them was interrupted; wait, or upload it again',
  )
}

/** The register a file without one belongs to: its own name, so that its next edition is known by it. */
export function registerOf(fileName: string): string {
  const slug = fileName
    .replace(/\.[a-z0-9]{1,5}$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
  return slug === '' ? 'imported' : slug
}
