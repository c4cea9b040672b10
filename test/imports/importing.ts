// Imports as people make them: over HTTP, with a file.
import { type Answer, ifMatch, type Person, type TestApp } from '../app.js'
import { formAround, formType } from '../evidence/world.js'

/** Sends a file; the fields come before it. */
export async function upload(
  person: Person,
  bytes: Buffer | string,
  { name = 'register.csv', headers = {}, ...fields }: UploadOptions = {},
): Promise<Answer> {
  const { head, tail } = formAround(fields, { name, type: 'text/csv' })
  const body = Buffer.concat([head, Buffer.from(bytes), tail])
  return await person.post('/v1/imports', body, { 'content-type': formType, ...headers })
}

interface UploadOptions {
  name?: string
  headers?: Record<string, string>
  orgUnitId?: string
  profile?: string
  register?: string
  encoding?: string
  headerRow?: string
  sheet?: string
}

/** Applies an import as it was previewed. */
export async function apply(person: Person, previewed: Answer): Promise<Answer> {
  return await person.post(`/v1/imports/${previewed.body.id}/application`, undefined, ifMatch(previewed))
}

/** Uploads and applies; answers the applied import. */
export async function importFile(
  person: Person,
  bytes: Buffer | string,
  options?: UploadOptions,
): Promise<Answer> {
  return await apply(person, await upload(person, bytes, options))
}

export interface Row {
  ordinal: number
  rowNumber: number
  identity: string
  outcome: string
  reasons: { field: string | null; message: string; raw: string | null; conflict: unknown }[]
  useCaseId: string | null
  raw: Record<string, string>
}

/** Every row of an import, page by page. */
export async function rowsOf(person: Person, { body }: Answer, query = ''): Promise<Row[]> {
  const rows: Row[] = []
  let url: string | undefined = `/v1/imports/${body.id}/rows?limit=200${query}`
  while (url) {
    const page: Answer = await person.get(url)
    rows.push(...page.body.items)
    const next: string | null = page.body.next
    url = next
      ? `/v1/imports/${body.id}/rows?limit=200${query}&cursor=${encodeURIComponent(next)}`
      : undefined
  }
  return rows
}

/** All that an import can leave in the register: compared before and after. */
export async function register({ owner }: Pick<TestApp, 'owner'>) {
  const { rows } = await owner.query(`select
    (select coalesce(md5(string_agg(c::text, ',' order by id)), '') from use_case c) as "useCases",
    (select count(*)::int from use_case_version) as versions,
    (select count(*)::int from use_case_state) as states,
    (select count(*)::int from audit_event where aggregate_kind <> 'import_run' and aggregate_kind <> 'person') as events,
    (select count(*)::int from org_unit) as units,
    (select count(*)::int from system) as systems,
    (select count(*)::int from use_case_source) as sources`)
  return rows[0]
}

/** Imports and rows that are stored. */
export async function stored({ owner }: Pick<TestApp, 'owner'>) {
  const { rows } = await owner.query(
    `select (select count(*)::int from import_run) as imports, (select count(*)::int from import_row) as rows`,
  )
  return { ...rows[0], ...(await register({ owner })) }
}

/** A CSV file of Assent's own columns. */
export function csvOf(header: string[], ...rows: string[][]): string {
  const cell = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  return `${[header, ...rows].map((row) => row.map(cell).join(',')).join('\n')}\n`
}
