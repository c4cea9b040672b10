import { csvLine } from '../spreadsheet.js'
import type { ControlProfile, ProfileEntry } from './profile.js'

/** A cell of an entry; of several values one a `; `, as registers have it. */
type CellOf = (entry: ProfileEntry, names: ReadonlyMap<string, string>) => string | null

const several = (words: readonly (string | null)[]): string => words.map((word) => word ?? '').join('; ')

const columns: Record<string, CellOf> = {
  catalog: ({ catalog }) => catalog,
  version: ({ version }) => version,
  function: (entry) => entry.function,
  category: ({ category }) => category,
  control: ({ control }) => control,
  title: ({ title }) => title,
  applies: ({ applies }) => (applies ? 'yes' : 'no'),
  requirements: ({ asked }) => several(asked.map(({ requirement }) => requirement)),
  state: ({ state }) => state,
  note: ({ note }) => note,
  missing: ({ missing }) => several(missing),
  evidenceIds: ({ evidence }) => several(evidence.map(({ id }) => id)),
  evidenceDigests: ({ evidence }) => several(evidence.map(({ digest }) => digest)),
  evidenceCounting: ({ evidence }) => `${evidence.filter(({ counts }) => counts).length}`,
  assessedBy: ({ assessedBy }) => assessedBy,
  assessor: ({ assessedBy }, names) => (assessedBy === null ? null : (names.get(assessedBy) ?? null)),
  assessedAt: ({ assessedAt }) => assessedAt,
  copiedFrom: ({ copiedFrom }) => copiedFrom,
  assessments: ({ assessments }) => `${assessments}`,
}

/** A profile as CSV, a control a line, with cells that no spreadsheet runs. */
export function profileToCsv(
  { key, controls }: Pick<ControlProfile, 'key' | 'controls'>,
  names: ReadonlyMap<string, string>,
): string {
  const head = csvLine(['useCase', ...Object.keys(columns)])
  const lines = controls.map((entry) =>
    csvLine([key, ...Object.values(columns).map((cellOf) => cellOf(entry, names))]),
  )
  return [head, ...lines].join('')
}
