import { RegistryError } from '../errors.js'

/**
 * Canonical JSON (RFC 8785): the same value always gives the same text, so that its digest can be compared.
 * Members whose value is `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws RegistryError `invalid` for numbers and strings that JSON or UTF-8 cannot hold.
 */
export function canonicalize(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new RegistryError('invalid', `${value} has no form in JSON; send a finite number`)
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((element) => canonicalize(element ?? null)).join(',')}]`
  return `{${members(value as Record<string, unknown>).join(',')}}`
}

function members(object: Record<string, unknown>): string[] {
  return Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort() // by UTF-16 code units, as RFC 8785 section 3.2.3 asks and JavaScript does
    .map((key) => `${quote(key)}:${canonicalize(object[key])}`)
}

function quote(value: string): string {
  if (!value.isWellFormed()) {
    throw new RegistryError('invalid', 'the text holds half of a character pair; send it as valid UTF-8')
  }
  return JSON.stringify(value)
}
