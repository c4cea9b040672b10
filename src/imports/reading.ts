import type { Binding } from './bind.js'
import type { RawRow } from './table.js'

/** Something about a row that a person has to decide. */
export interface Note {
  /** The fact in doubt: `stage`, `answers.personal_data`, `dates.retired`. */
  field: string
  message: string
  /** The cell as it came. */
  raw: string
}

/** One row while it is being mapped. */
export interface Reading {
  binding: Binding
  row: RawRow
  /** The source calls it retired: what is missing then needs no completing. */
  retired: boolean
  notes: Note[]
}

/** Asks a person about a field. */
export function doubt({ notes }: Reading, field: string, message: string, raw: string): void {
  notes.push({ field, message, raw })
}
