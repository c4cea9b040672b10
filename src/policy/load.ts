import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { digestOf } from '../audit/digest.js'
import { type Issue, RegistryError } from '../errors.js'
import { explain, issuesOf, pointer } from '../issues.js'
import { GateFile } from './gate-policy.js'
import { parseJson } from './json-text.js'
import { LanesFile } from './lanes.js'
import { DecisionRightsFile } from './rights-file.js'
import { RiskTiersFile } from './risk-tiers-file.js'

/** The policy in force, frozen. */
export interface Policies<Profile = unknown> {
  /** `sha256:` and 64 hex digits over every policy file; see `digestFiles`. */
  digest: string
  riskTiers: RiskTiersFile
  lanes: LanesFile
  gate: GateFile
  decisionRights: DecisionRightsFile
  /** `imports/*.json`, by file name. */
  importProfiles: Profile[]
}

const NAMES = ['decision-rights.json', 'gate.json', 'lanes.json', 'risk-tiers.json']

/** File name, relative to the policy folder and with `/`, to content. */
type Files = ReadonlyMap<string, Buffer>

/**
 * Reads the policy folder, whole or not at all.
 * @param dir holds the four files and, if there are any, `imports/*.json`
 * @param importProfile the shape of an import profile; left out, profiles are only read as JSON
 * @throws RegistryError `invalid` with one issue for each problem of any file; its path is `lanes.json#/lanes/0/id`
 */
export function loadPolicies(dir: string): Policies
export function loadPolicies<Profile>(dir: string, importProfile: z.ZodType<Profile>): Policies<Profile>
export function loadPolicies(dir: string, importProfile: z.ZodType = z.unknown()): Policies {
  const files = readFiles(dir)
  const issues = issuesOfNames(files)
  const riskTiers = parse(files, 'risk-tiers.json', RiskTiersFile, issues)
  const lanes = parse(files, 'lanes.json', LanesFile, issues)
  const gate = parse(files, 'gate.json', GateFile, issues)
  const decisionRights = parse(files, 'decision-rights.json', DecisionRightsFile, issues)
  const importProfiles = profileNames(files).map((name) => parse(files, name, importProfile, issues))
  if (riskTiers && lanes) issues.push(...issuesOfMaterialFacts(lanes, riskTiers))
  if (lanes && gate) issues.push(...issuesOfEnvironments(lanes, gate))
  if (!riskTiers || !lanes || !gate || !decisionRights || issues.length > 0) throw refusal(dir, issues)
  return freeze({ digest: digestFiles(files), riskTiers, lanes, gate, decisionRights, importProfiles })
}

/**
 * SHA-256 over one line a file, its SHA-256 in hex, two blanks, its name and a line feed, in the order of names;
 * what `sha256sum *.json imports/*.json | LC_ALL=C sort -k 2 | sha256sum` prints in the policy folder.
 */
function digestFiles(files: Files): string {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, content]) => line(name, content))
  return digestOf(lines.join(''))
}

function line(name: string, content: Buffer): string {
  return `${digestOf(content).slice('sha256:'.length)}  ${name}\n`
}

function readFiles(dir: string): Files {
  const names = [...listJson(dir), ...listJson(join(dir, 'imports')).map((name) => `imports/${name}`)]
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

function profileNames(files: Files): string[] {
  return [...files.keys()].filter((name) => name.startsWith('imports/'))
}

/** A misspelt name would leave a policy out without a word. */
function issuesOfNames(files: Files): Issue[] {
  const missing = NAMES.filter((name) => !files.has(name))
  const strangers = [...files.keys()].filter((name) => !name.startsWith('imports/') && !NAMES.includes(name))
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

/** Every place where lanes name a fact, an answer of which must be asked for. */
function issuesOfMaterialFacts({ changeClasses, lanes }: LanesFile, { questions }: RiskTiersFile): Issue[] {
  const asked = new Set(questions.map(({ id }) => `answers.${id}`))
  const named: { at: (string | number)[]; facts: readonly string[] }[] = [
    { at: ['changeClasses', 'minor'], facts: changeClasses.minor },
    { at: ['changeClasses', 'adaptive'], facts: changeClasses.adaptive },
    ...lanes.flatMap(({ materialFacts, precedent }, lane) => [
      { at: ['lanes', lane, 'materialFacts'], facts: materialFacts },
      { at: ['lanes', lane, 'precedent', 'sameFacts'], facts: precedent?.sameFacts ?? [] },
    ]),
  ]
  return named.flatMap(({ at, facts }) =>
    facts.flatMap((fact, index) =>
      fact.startsWith('answers.') && !asked.has(fact)
        ? [
            {
              path: placeOf('lanes.json', pointer([...at, index])),
              message: 'No such question in risk-tiers.json; correct one of them.',
            },
          ]
        : [],
    ),
  )
}

function issuesOfEnvironments({ lanes }: LanesFile, gate: GateFile): Issue[] {
  return lanes.flatMap(({ environments = [] }, lane) =>
    environments.flatMap((environment, index) =>
      Object.hasOwn(gate.environments, environment)
        ? []
        : [
            {
              path: placeOf('lanes.json', pointer(['lanes', lane, 'environments', index])),
              message: 'No such environment in gate.json; correct one of them.',
            },
          ],
    ),
  )
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
