import { bindProfile } from './bind.js'
import {
  Counts,
  type Import,
  type ImportColumn,
  type ImportRow,
  type ImportSummary,
  Reason,
} from './import.js'
import { type From, ImportProfile } from './profile.js'
import type { listRows, RunRow } from './store.js'
import { rawRecord } from './table.js'

export function present(run: RunRow): Import {
  const profile = ImportProfile.parse(run.profile)
  return { ...summarize(run), profile, columns: describeColumns(run, profile) }
}

export function summarize(run: RunRow): ImportSummary {
  const { id, revision, state, fileName, fileDigest, format, encoding, sheet, headerRow, register } = run
  const { orgUnitId, profileFrom, counts, createdBy, createdAt, appliedBy, appliedAt } = run
  return {
    id,
    revision,
    state,
    fileName,
    fileDigest,
    format,
    encoding,
    sheet,
    headerRow,
    register,
    orgUnitId,
    profileFrom,
    needsConfirmation: profileFrom === 'inferred',
    counts: counts && Counts.parse(counts),
    createdBy,
    createdAt,
    appliedBy,
    appliedAt,
  }
}

export function presentRow(
  { columns }: RunRow,
  row: Awaited<ReturnType<typeof listRows>>[number],
): ImportRow {
  const { ordinal, rowNumber, identity, outcome, useCaseId, mapped } = row
  const raw = rawRecord(columns, row.cells)
  const reasons = Reason.array().parse(row.reasons)
  return { ordinal, rowNumber, identity, outcome, reasons, useCaseId, raw, mapped }
}

/** Which facts each column of the file gives under a mapping. */
function describeColumns({ columns, proposals }: RunRow, profile: ImportProfile): ImportColumn[] {
  const binding = bindProfile(
    profile,
    columns.map((column, index) => ({ index, ...column })),
  )
  const fields = new Map<string, string[]>(columns.map(({ name }) => [name, []]))
  for (const [field, from] of rulesOf(profile)) {
    const name = binding.columnOf(from)?.name
    if (name !== undefined) fields.get(name)?.push(field)
  }
  return columns.map(({ name, header }) => {
    const given = [...(fields.get(name) ?? []), ...answerIn(header, profile)]
    return { name, fields: [...new Set(given)], confidence: proposals?.[name] ?? null }
  })
}

function rulesOf({ identity, facts, answers, dates, retired }: ImportProfile): [field: string, from: From][] {
  const { orgUnit = [], ...named } = facts
  const rules: [string, From | undefined][] = [
    ['id', identity.id],
    ...Object.entries(named).map(([field, rule]): [string, From | undefined] => [field, rule.from]),
    ...orgUnit.map(({ from }): [string, From] => ['orgUnit', from]),
    ...Object.entries(answers).map(([id, { from }]): [string, From] => [`answers.${id}`, from]),
    ...Object.entries(dates).map(([name, { from }]): [string, From] => [`dates.${name}`, from]),
    ['retired', retired?.from],
  ]
  return rules.flatMap(([field, from]): [string, From][] => (from === undefined ? [] : [[field, from]]))
}

function answerIn(header: string, { answerPrefixes }: ImportProfile): string[] {
  const name = header.trim().toLowerCase()
  const prefix = answerPrefixes.find((candidate) => name.startsWith(candidate))
  return prefix === undefined || name === prefix ? [] : [`answers.${name.slice(prefix.length)}`]
}
