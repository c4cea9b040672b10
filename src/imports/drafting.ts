import { RegistryError } from '../errors.js'
import type { Policies } from '../policy/load.js'
import { detectProfile } from './detect.js'
import { registerOf, type UploadFields } from './import.js'
import { inferProfile } from './infer.js'
import type { Draft } from './previewing.js'
import type { ImportProfile } from './profile.js'
import { openTable, type ReadOptions } from './read.js'
import type { RawRow, Table } from './table.js'

/** A file on disk, and what whoever sent it says about it. */
export interface Received {
  path: string
  digest: string
  fileName: string
  orgUnitId: string
  fields: UploadFields
}

type Mapping = Pick<Draft, 'profile' | 'profileFrom' | 'proposals'>

/** Rows that are looked at to infer a mapping. */
const SAMPLE = 200

/**
 * Opens the file and finds out how its columns map to facts: by the profile that was chosen, else by the one that
 * fits its header, else by inference, which a person then confirms.
 * @throws RegistryError `invalid` for a file that cannot be read or a profile that is not there
 */
export async function draftImport(received: Received, policies: Policies<ImportProfile>): Promise<Draft> {
  const { path, digest: fileDigest, fileName, orgUnitId, fields } = received
  const chosen = fields.profile === undefined ? undefined : findProfile(policies, fields.profile)
  const table = await openTable(path, readOptions(fields, chosen))
  const mapping = chosen
    ? { profile: chosen, profileFrom: 'chosen' as const, proposals: null }
    : await mappingFor(table, fileName, policies)
  const register = fields.register ?? mapping.profile.register
  return { orgUnitId, fileName, fileDigest, table, ...mapping, profile: { ...mapping.profile, register } }
}

function findProfile({ importProfiles }: Policies<ImportProfile>, id: string): ImportProfile {
  const profile = importProfiles.find((candidate) => candidate.id === id)
  if (profile) return profile
  const known = importProfiles.map((candidate) => candidate.id).join(', ')
  throw new RegistryError(
    'invalid',
    `there is no mapping profile ${id}; choose from ${known}, or leave it out`,
  )
}

/** What a person says of the file counts before what its profile says. */
function readOptions(
  { encoding, headerRow, sheet }: UploadFields,
  chosen: ImportProfile | undefined,
): ReadOptions {
  const said = { encoding, headerRow, sheet }
  const given = Object.entries(said).filter(([, value]) => value !== undefined)
  return { ...chosen?.layout, ...Object.fromEntries(given) }
}

async function mappingFor(
  table: Table,
  fileName: string,
  policies: Policies<ImportProfile>,
): Promise<Mapping> {
  const detected = detectProfile(policies.importProfiles, table.columns)
  if (detected) return { profile: detected.profile, profileFrom: 'detected', proposals: null }
  const { questions } = policies.riskTiers
  const inferred = inferProfile(table.columns, await sampleOf(table), questions, registerOf(fileName))
  const proposals = inferred.proposals.map(({ column, confidence }) => [column, confidence])
  return { profile: inferred.profile, profileFrom: 'inferred', proposals: Object.fromEntries(proposals) }
}

async function sampleOf(table: Table): Promise<RawRow[]> {
  const rows: RawRow[] = []
  for await (const row of table.rows()) {
    rows.push(row)
    if (rows.length >= SAMPLE) break
  }
  return rows
}
