import { type Binding, textOf } from './bind.js'
import type { RawRow } from './table.js'
import { oneLine } from './wording.js'

/** What makes a row of a register the same use case when the register comes again. */
export interface Identity {
  /** `id`: the source's own id. `name`: where it was found, its name, and which of several equal ones it is. */
  kind: 'id' | 'name'
  value: string
}

/** Row number to identity, for one file. */
export type Identities = ReadonlyMap<number, Identity>

const dash = /[‐-―−]/g
const spacedDash = /\s*[-‐-―−]\s*/g
const apostrophe = /[‘’‛]/g
const quotes = /[“”‟]/g

/**
 * Reads the file through once, because only the whole file shows which ids occur twice. An id that does, or that is
 * a blank such as `TBD`, is not used: those rows go by (agency, name, ordinal among equals).
 */
export async function surveyIdentities(
  binding: Binding,
  rows: AsyncIterable<RawRow> | Iterable<RawRow>,
): Promise<Identities> {
  const keys: { number: number; id: string; name: string }[] = []
  const uses = new Map<string, number>()
  for await (const row of rows) {
    const id = idOf(binding, row)
    keys.push({ number: row.number, id, name: nameOf(binding, row) })
    uses.set(id, (uses.get(id) ?? 0) + 1)
  }
  const ordinals = new Map<string, number>()
  return new Map(
    keys.map(({ number, id, name }): [number, Identity] => {
      if (id !== '' && uses.get(id) === 1) return [number, { kind: 'id', value: id }]
      const ordinal = (ordinals.get(name) ?? 0) + 1
      ordinals.set(name, ordinal)
      return [number, { kind: 'name', value: `${name}#${ordinal}` }]
    }),
  )
}

/** `FDIC – 3`, `FDIC - 3` and `FDIC-3` are one id. */
function idOf(binding: Binding, row: RawRow): string {
  const { id } = binding.profile.identity
  return id === undefined ? '' : oneLine(textOf(binding, row, id).normalize('NFKC')).replace(spacedDash, '-')
}

/** A JSON list, so that no two different pairs are written alike. */
function nameOf(binding: Binding, row: RawRow): string {
  const { within, name } = binding.profile.identity
  return JSON.stringify([...within, name].map((from) => comparable(textOf(binding, row, from))))
}

/** Blanks, and the shape of dashes and quotes, vary between two exports of one register. */
function comparable(text: string): string {
  return oneLine(text.normalize('NFKC')).replace(dash, '-').replace(apostrophe, "'").replace(quotes, '"')
}
