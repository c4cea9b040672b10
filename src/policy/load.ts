import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { digestOf } from '../audit/digest.js'
import { Catalog, CatalogMapping } from '../catalogs/catalog.js'
import { type Issue, RegistryError } from '../errors.js'
import { explain, issuesOf, pointer } from '../issues.js'
import { type CatalogFiles, findLooseEnds } from './catalog-files.js'
import { ConditionsFile } from './conditions-file.js'
import { findMisfits, type Misfit } from './cross-checks.js'
import { EvidenceFile } from './evidence-file.js'
import { GateFile } from './gate-policy.js'
import { IncidentsFile } from './incidents-file.js'
import { parseJson } from './json-text.js'
import { LanesFile } from './lanes.js'
import { OverlaysFile } from './overlays.js'
import { RequirementsFile } from './requirements.js'
import { RetentionFile } from './retention-file.js'
import { DecisionRightsFile } from './rights-file.js'
import { RiskTiersFile } from './risk-tiers-file.js'

/** The files that are always there. */
interface Parts {
  riskTiers: RiskTiersFile
  lanes: LanesFile
  overlays: OverlaysFile
  requirements: RequirementsFile
  conditions: ConditionsFile
  incidents: IncidentsFile
  evidence: EvidenceFile
  retention: RetentionFile
  gate: GateFile
  decisionRights: DecisionRightsFile
}

/** The policy in force, frozen. */
export interface Policies<Profile = unknown> extends Parts {
  /** `sha256:` and 64 hex digits over every policy file; see `digestFiles`. */
  digest: string
  /** `catalogs/*.json`, by file name. */
  catalogs: Catalog[]
  /** `mappings/*.json`, by file name. */
  mappings: CatalogMapping[]
  /** `imports/*.json`, by file name. */
  importProfiles: Profile[]
}

const NAMES = [
  'conditions.json',
  'decision-rights.json',
  'evidence.json',
  'gate.json',
  'incidents.json',
  'lanes.json',
  'overlays.json',
  'requirements.json',
  'retention.json',
  'risk-tiers.json',
]

const FOLDERS = ['catalogs', 'imports', 'mappings']

/** File name, relative to the policy folder and with `/`, to content. */
type Files = ReadonlyMap<string, Buffer>

/**
 * Reads the policy folder, whole or not at all.
 * @param dir holds the ten files and, if there are any, `catalogs/*.json`, `imports/*.json` and `mappings/*.json`
 * @param importProfile the shape of an import profile; left out, profiles are only read as JSON
 * @throws RegistryError `invalid` with one issue for each problem of any file; its path is `lanes.json#/lanes/0/id`
 */
export function loadPolicies(dir: string): Policies
export function loadPolicies<Profile>(dir: string, importProfile: z.ZodType<Profile>): Policies<Profile>
export function loadPolicies(dir: string, importProfile: z.ZodType = z.unknown()): Policies {
  const files = readFiles(dir)
  const issues = issuesOfNames(files)
  const parts = parseParts(files, issues)
  const importProfiles = parseFolder(files, 'imports', importProfile, issues)
  const catalogFiles = {
    catalogs: parseFolder(files, 'catalogs', Catalog, issues),
    mappings: parseFolder(files, 'mappings', CatalogMapping, issues),
  }
  issues.push(...issuesOfMisfits(parts, catalogFiles, issues), ...issuesOfLooseEnds(catalogFiles, issues))
  if (!areWhole(parts) || issues.length > 0) throw refusal(dir, issues)
  return freeze({
    digest: digestFiles(files),
    ...parts,
    catalogs: [...catalogFiles.catalogs.values()],
    mappings: [...catalogFiles.mappings.values()],
    importProfiles: [...importProfiles.values()],
  })
}

/** The policy folder as it lies there, and its digest. */
export function readPolicyFiles(dir: string): { digest: string; files: Files } {
  const files = readFiles(dir)
  return { digest: digestFiles(files), files }
}

/** A part is undefined when its file is missing or has a problem, which is among the issues then. */
type Parsed = { [Name in keyof Parts]: Parts[Name] | undefined }

function parseParts(files: Files, issues: Issue[]): Parsed {
  return {
    riskTiers: parse(files, 'risk-tiers.json', RiskTiersFile, issues),
    lanes: parse(files, 'lanes.json', LanesFile, issues),
    overlays: parse(files, 'overlays.json', OverlaysFile, issues),
    requirements: parse(files, 'requirements.json', RequirementsFile, issues),
    conditions: parse(files, 'conditions.json', ConditionsFile, issues),
    incidents: parse(files, 'incidents.json', IncidentsFile, issues),
    evidence: parse(files, 'evidence.json', EvidenceFile, issues),
    retention: parse(files, 'retention.json', RetentionFile, issues),
    gate: parse(files, 'gate.json', GateFile, issues),
    decisionRights: parse(files, 'decision-rights.json', DecisionRightsFile, issues),
  }
}

function areWhole(parts: Parsed): parts is Parts {
  return Object.values(parts).every((part) => part !== undefined)
}

function issuesOfMisfits(parts: Parsed, { catalogs }: CatalogFiles, issues: Issue[]): Issue[] {
  const areSound = !hasBrokenCatalog(issues)
  return findMisfits({ ...parts, catalogs: areSound ? [...catalogs.values()] : undefined }).map(issueIn)
}

/** Each file by its name, of those without a problem. */
function parseFolder<T>(
  files: Files,
  folder: string,
  shape: z.ZodType<T>,
  issues: Issue[],
): ReadonlyMap<string, T> {
  const names = [...files.keys()].filter((name) => name.startsWith(`${folder}/`))
  const parsed = names.map((name) => [name, parse(files, name, shape, issues)] as const)
  return new Map(parsed.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

/** Nothing is said of what hangs on a catalog that has a problem itself. */
function issuesOfLooseEnds(catalogFiles: CatalogFiles, issues: Issue[]): Issue[] {
  return hasBrokenCatalog(issues) ? [] : findLooseEnds(catalogFiles).map(issueIn)
}

function hasBrokenCatalog(issues: Issue[]): boolean {
  return issues.some(({ path }) => path.startsWith('catalogs/'))
}

function issueIn({ file, path, message }: Misfit): Issue {
  return { path: placeOf(file, pointer(path)), message: sentence(message) }
}

/**
 * SHA-256 over one line a file, its SHA-256 in hex, two blanks, its name and a line feed, in the order of names;
 * what `sha256sum *.json catalogs/*.json imports/*.json mappings/*.json | LC_ALL=C sort -k 2 | sha256sum` prints in the policy folder.
 */
function digestFiles(files: Files): string {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, content]) => line(name, content))
  return digestOf(lines.join(''))
}

function line(name: string, content: Buffer): string {
  return `${digestOf(content).slice('sha256:'.length)}  ${name}\n`
}

function readFiles(dir: string): Files {
  const inFolders = FOLDERS.flatMap((folder) =>
    listJson(join(dir, folder)).map((name) => `${folder}/${name}`),
  )
  const names = [...listJson(dir), ...inFolders]
  return new Map(names.map((name) => [name, readFileSync(join(dir, name))]))
}

/** No folder holds no files: what is missing is said file by file. */
function listJson(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** A misspelt name would leave a policy out without a word. */
function issuesOfNames(files: Files): Issue[] {
  const missing = NAMES.filter((name) => !files.has(name))
  const strangers = [...files.keys()].filter((name) => !name.includes('/') && !NAMES.includes(name))
  return [
    ...missing.map((path) => ({ path, message: 'This file is missing; add it.' })),
    ...strangers.map((path) => ({ path, message: `This is no policy file; they are ${NAMES.join(', ')}.` })),
  ]
}

function parse<T>(files: Files, name: string, shape: z.ZodType<T>, issues: Issue[]): T | undefined {
  const content = files.get(name)
  if (content === undefined) return undefined
  try {
    const parsed = shape.safeParse(parseJson(decode(content)), { error: explain })
    if (parsed.success) return parsed.data
    issues.push(
      ...issuesOf(parsed.error).map(({ path, message }) => ({
        path: placeOf(name, path),
        message: sentence(message),
      })),
    )
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    issues.push({ path: name, message: error.message })
  }
  return undefined
}

function decode(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (cause) {
    throw new RegistryError('invalid', 'This file is not UTF-8; save it as UTF-8.', { cause })
  }
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

function placeOf(name: string, path: string): string {
  return path === '' ? name : `${name}#${path}`
}

function refusal(dir: string, issues: Issue[]): RegistryError {
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join('\n')
  const message = `The policy in ${dir} cannot be used; correct what is listed and start again.\n${list}`
  return new RegistryError('invalid', message, { issues })
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) freeze(part)
  }
  return value
}
