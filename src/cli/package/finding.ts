import type { AnyManifest } from '../../packages/package.js'

/** What can be wrong with a package. Codes never change their meaning. */
export type Code =
  | 'TRUNCATED'
  | 'SUM_MISMATCH'
  | 'FILE_MISSING'
  | 'FILE_UNKNOWN'
  | 'UNREADABLE'
  | 'RECORDS_MISMATCH'
  | 'EVIDENCE_MISSING'
  | 'EVENT_NO_GAP'
  | 'LEAF_MISMATCH'
  | 'VOTE_MISSING'
  | 'EVENT_MISSING'
  | 'RECORD_MISMATCH'
  | 'RECORD_MISSING'
  | 'REQUIRED_MISSING'
  | 'CERTIFICATE_MISSING'
  | 'CATALOG_MISSING'
  | 'POLICY_MISMATCH'

export interface Finding {
  code: Code
  /** The file, and the record where there is one. */
  where: string
  message: string
}

export interface Checked {
  manifest: AnyManifest | undefined
  findings: Finding[]
  /** What is as it should be and still has to be known: what the package says of itself that it does not hold. */
  notes: string[]
  /** Why it broke off, as it says itself. */
  why?: string | undefined
}

/** A record, or a part of one, as it is read. */
export type Row = Record<string, unknown>

export function rowOf(value: unknown): Row {
  return typeof value === 'object' && value !== null ? (value as Row) : {}
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
