import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { projectRoot } from '../../src/config.js'
import { ImportProfile } from '../../src/imports/profile.js'
import { loadPolicies, type Policies } from '../../src/policy/load.js'
import { scratch } from '../operation/service.js'

export const shippedPolicy = join(projectRoot, 'policies')

// biome-ignore lint/suspicious/noExplicitAny: a policy file as a test rewrites it
type Draft = any

/** A policy folder of the test's own: the shipped one without its requirements, with these files rewritten. */
export function policyFolder(t: Test, changes: Record<string, (draft: Draft) => void> = {}): string {
  const dir = scratch(t)
  cpSync(shippedPolicy, dir, { recursive: true })
  const asksForNothing = (draft: Draft) => Object.assign(draft, { requirements: [] })
  for (const [name, change] of Object.entries({ 'requirements.json': asksForNothing, ...changes })) {
    const draft = JSON.parse(readFileSync(join(dir, name), 'utf8'))
    change(draft)
    writeFileSync(join(dir, name), JSON.stringify(draft))
  }
  return dir
}

export function load(dir: string): Policies<ImportProfile> {
  return loadPolicies(dir, ImportProfile)
}

/** What customers see is high in this one, and was limited. */
export function stricter(draft: Draft): void {
  for (const rule of draft.rules) if (rule.id === 'RT-40') rule.tier = 'high'
}
