// A use case with its people, files on disk, and forms as browsers write them.
import { readdirSync } from 'node:fs'
import type { Test } from 'tap'
import { type Answer, ifMatch, type Person, startApp } from '../app.js'

export type World = Awaited<ReturnType<typeof startWorld>>

/** Everything here happens in the unit `claims`; `outsider` is a risk owner of another one. */
export async function startWorld(t: Test, env: Record<string, string> = {}) {
  const folder = t.testdir()
  const server = await startApp(t, { env: { ASSENT_EVIDENCE_DIR: folder, ...env } })
  const unitId = await server.unit('claims')
  const people = {
    business: await server.person('Bea', { rights: ['business_owner'], unitId }),
    risk: await server.person('Rui', { rights: ['risk_owner'], unitId }),
    judge: await server.person('Joy', { rights: ['committee_member', 'seat:risk'], unitId }),
    auditor: await server.person('Ada', { rights: ['auditor'], unitId }),
    outsider: await server.person('Oz', { rights: ['risk_owner'], unitId: await server.unit('sales') }),
  }
  const useCaseId = await registerCase(people.business, people.risk, unitId)
  return { ...server, ...people, folder, useCaseId, url: `/v1/use-cases/${useCaseId}/evidence` }
}

export async function registerCase(business: Person, risk: Person, orgUnitId: string): Promise<string> {
  const { body } = await business.post('/v1/use-cases', {
    title: 'Triage of incoming claims',
    purpose: 'Sorts claims by how urgent they are',
    orgUnitId,
    businessOwnerId: business.id,
    riskOwnerId: risk.id,
  })
  return body.id
}

export async function retire({ risk, useCaseId }: World): Promise<void> {
  const place = `/v1/use-cases/${useCaseId}`
  await risk.post(`${place}/retirement`, { reason: 'out of use' }, ifMatch(await risk.get(place)))
}

/** All that an act on evidence leaves behind: compared before and after a refusal. */
export async function trace({ owner, folder }: Pick<World, 'owner' | 'folder'>) {
  const { rows } = await owner.query(`select
    (select count(*)::int from evidence) as evidence,
    (select count(*)::int from evidence_verdict) as verdicts,
    (select json_agg(json_build_array(state, tries)) from evidence_scan) as scans,
    (select json_agg(type order by event_no) from audit_event where aggregate_kind = 'use_case') as events,
    (select json_build_object('revision', revision, 'events', last_event_no) from use_case
      order by number limit 1) as "useCase"`)
  return { ...rows[0], files: filesIn(folder) }
}

/** Names of every file in a folder and below. */
export function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

export interface FormFile {
  bytes: Buffer | string
  /** Between the quotes of `filename="…"`. */
  name?: string
  type?: string
}

const BOUNDARY = '----assent-test-boundary'
export const formType = `multipart/form-data; boundary=${BOUNDARY}`

/** What comes before the bytes of the file, and after them. */
export function formAround(
  fields: Record<string, string>,
  { name = 'report.pdf', type = 'text/plain' }: Omit<FormFile, 'bytes'> = {},
) {
  const parts = Object.entries(fields).map(
    ([field, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
  )
  const disposition = `Content-Disposition: form-data; name="file"; filename="${name}"`
  const head = `${parts.join('')}--${BOUNDARY}\r\n${disposition}\r\nContent-Type: ${type}\r\n\r\n`
  return { head: Buffer.from(head), tail: Buffer.from(`\r\n--${BOUNDARY}--\r\n`) }
}

/** What these bytes are, of the two that tests send most. */
export function typeOf(bytes: Buffer | string): string {
  return bytes.toString().startsWith('%PDF-') ? 'application/pdf' : 'text/plain'
}

export const fields = { kind: 'test_report', title: 'Test of triage' }

/** Sends a form; `undefined` takes a field out. */
export async function upload(
  { url }: World,
  person: Person,
  { bytes, ...file }: FormFile,
  change: Record<string, string | undefined> = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const given = Object.entries({ ...fields, ...change }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const { head, tail } = formAround(Object.fromEntries(given), { type: typeOf(bytes), ...file })
  const body = Buffer.concat([head, Buffer.from(bytes), tail])
  return await person.post(`${url}/files`, body, { 'content-type': formType, ...headers })
}
