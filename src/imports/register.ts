import { bindProfile } from './bind.js'
import { type Identity, surveyIdentities } from './identity.js'
import { type MappedRow, mapRow } from './map.js'
import type { ImportProfile } from './profile.js'
import type { Table, Tally } from './table.js'

/** One row of a register: what it was understood to say, and the row as it came. */
export interface ImportedRow extends MappedRow {
  /** Row number in the file, from 1. */
  number: number
  identity: Identity
  /** As they came, in the order of the columns. */
  cells: string[]
  /** Why the row cannot be trusted; it is refused. */
  problems: string[]
}

/**
 * Every row of a table that is not blank, in the file's order, exactly once. The file is read twice: first for the
 * identities, then row by row.
 * @param tally counts what the second reading meets
 * @throws RegistryError `invalid` when the profile does not fit the file, or a limit is exceeded
 */
export async function* readRegister(
  table: Pick<Table, 'columns' | 'rows'>,
  profile: ImportProfile,
  tally?: Tally,
): AsyncGenerator<ImportedRow> {
  const binding = bindProfile(profile, table.columns)
  const identities = await surveyIdentities(binding, table.rows())
  for await (const row of table.rows(tally)) {
    const identity = identities.get(row.number)
    if (!identity) throw new Error(`row ${row.number} appeared between two readings of one file`)
    const { number, cells, problems } = row
    yield { number, identity, cells, problems, ...mapRow(binding, row) }
  }
}
