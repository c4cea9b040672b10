import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { type DecisionRights, readRights } from '../../auth/decision-rights.js'
import { callersFolder } from '../../config.js'
import { type Issue, RegistryError } from '../../errors.js'
import { ImportProfile } from '../../imports/profile.js'
import { readPlaces } from '../../policy/json-text.js'
import { loadPolicies, type Policies } from '../../policy/load.js'
import { UsageError } from '../flags.js'

/** Something wrong in a policy file, where an editor finds it. */
export interface Problem {
  /** As the folder was given, and the name below it. */
  file: string
  line: number
  column: number
  /** JSON pointer of the value it is about; null when the text is no JSON, or the file is not there. */
  pointer: string | null
  sentence: string
}

export interface CheckedPolicies {
  policies: Policies<ImportProfile>
  rights: DecisionRights
}

const RIGHTS = 'decision-rights.json'

/**
 * Reads a policy folder as the service does at its start.
 * @returns the policy, or all that keeps it from coming into force
 * @throws UsageError when there is no such folder
 */
export function checkPolicies(dir: string): CheckedPolicies | { problems: Problem[] } {
  const folder = resolve(callersFolder(), dir)
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UsageError(`there is no folder ${dir}; name the one that holds the policy files`)
  }
  try {
    const policies = loadPolicies(folder, ImportProfile)
    return { policies, rights: readRightsOf(policies) }
  } catch (error) {
    if (!(error instanceof RegistryError) || error.issues.length === 0) throw error
    return { problems: locate(error.issues, { dir, folder }) }
  }
}

/** Names the file, as the other issues do. */
function readRightsOf({ decisionRights }: Policies<ImportProfile>): DecisionRights {
  try {
    return readRights(decisionRights)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    const issues = error.issues.map(({ path, message }) => ({
      path: `${RIGHTS}#${path}`,
      message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
    }))
    throw new RegistryError('invalid', error.message, { issues })
  }
}

function locate(issues: Issue[], { dir, folder }: { dir: string; folder: string }): Problem[] {
  const placesIn = new Map<string, ReturnType<typeof readPlaces>>()
  const problems = issues.map(({ path, message }) => {
    const [name = '', pointer] = path.split('#', 2)
    const placeOf = placesIn.get(name) ?? readPlaces(readText(join(folder, name)))
    placesIn.set(name, placeOf)
    // Where a text is no JSON, its line is said at its place and not once more.
    const sentence =
      pointer === undefined ? message.replace(/^Line \d+: ./, upperCaseLast) : named(pointer, message)
    return { file: join(dir, name), ...placeOf(pointer), pointer: pointer ?? null, sentence }
  })
  return problems.sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function upperCaseLast(match: string): string {
  return match.slice(-1).toUpperCase()
}

/** What is missing stands nowhere, so the sentence says its name; what is of a form of its own need not. */
function named(pointer: string, message: string): string {
  if (!/^(Is|Must|Has) /.test(message) || pointer === '') return message
  const name = pointer.slice(pointer.search(/\/[^/]*[^/\d][^/]*(\/\d+)*$/) + 1)
  return `${name.replaceAll(/\/(\d+)/g, '[$1]')} ${message.charAt(0).toLowerCase()}${message.slice(1)}`
}

/** Empty for what is not there: then everything stands at its beginning. */
function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** A folder as people read it: from where they stand, if it lies below. */
export function shownFolder(folder: string): string {
  const path = relative(callersFolder(), folder)
  return path === '' ? '.' : path.startsWith('..') ? folder : path
}
