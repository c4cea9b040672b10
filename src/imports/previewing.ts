import { digestOfJson } from '../audit/digest.js'
import { authorize } from '../auth/decision-rights.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import type { Policies } from '../policy/load.js'
import { decide, loadNames, type Understood } from './deciding.js'
import type { Counts, Import } from './import.js'
import type { Names } from './names.js'
import type { ImportProfile } from './profile.js'
import { type ImportedRow, readRegister } from './register.js'
import * as store from './store.js'
import type { Column, RawRow, Table } from './table.js'

/** How a deed of several transactions gets each of them. */
export interface Steps {
  read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T>
  write<T>(work: (tx: WriteTx) => Promise<T>): Promise<T>
}

/** A file that was received, opened and understood well enough to be read. */
export interface Draft {
  orgUnitId: string
  fileName: string
  fileDigest: string
  table: Table
  profile: ImportProfile
  profileFrom: Import['profileFrom']
  /** Column name to confidence, where the profile was inferred. */
  proposals: Record<string, number> | null
}

/** Rows in one transaction: few enough that it ends soon, many enough that it pays. */
const BATCH = 500
/** UTF-16 code units of cells in one transaction. */
const BATCH_TEXT = 4_000_000

/** A row on its way from the file to the preview. */
interface Arrived extends Understood {
  cells: string[]
  problems: string[]
}

/**
 * Reads every row and keeps it with what would become of it. The file is gone through once before anything is
 * stored, so a file that cannot be read leaves nothing behind.
 * @param first the transaction that makes the import; under an Idempotency-Key it answers with the first one again
 * @returns the id of the import
 */
export async function preview(
  steps: Steps,
  first: (work: (tx: WriteTx) => Promise<{ id: string }>) => Promise<{ id: string; isNew: boolean }>,
  policies: Policies,
  draft: Draft,
): Promise<string> {
  const batches = batchesOf(arrivals(readRegister(remembering(draft.table), draft.profile)))
  const begun = await batches.next()
  if (begun.done) {
    throw new RegistryError('invalid', 'the file has a header and no rows under it; choose the one you mean')
  }
  const { id, isNew } = await first((tx) => begin(tx, draft))
  if (!isNew) return id
  const reading = { id, revision: FIRST_REVISION }
  const names = await keep(steps, policies, reading, begun.value)
  for await (const batch of batches) await keep(steps, policies, reading, batch, names)
  await steps.write((tx) => finish(tx, reading, names))
  return id
}

/** Goes through the stored rows again under another mapping. */
export async function previewAgain(
  steps: Steps,
  policies: Policies,
  run: store.RunRow,
  profile: ImportProfile,
): Promise<void> {
  const rows = readRegister(storedTable(steps, run), profile)
  let names: Names | undefined
  for await (const batch of batchesOf(arrivals(rows))) {
    names = await keep(steps, policies, run, batch, names)
  }
  await steps.write((tx) => finish(tx, run, names))
}

async function begin(tx: WriteTx, draft: Draft): Promise<{ id: string }> {
  const { table, proposals, profileFrom, orgUnitId, fileName, fileDigest } = draft
  const { personId: createdBy } = tx.principal
  const right = authorize(tx.ability, 'import', 'Import', { createdBy, orgUnitId })
  const { register } = draft.profile
  await store.insertRegister(tx, register)
  const { format, encoding, sheet, headerRow } = table
  const columns = table.columns.map(({ name, header }) => ({ name, header }))
  const run = await store.insertRun(tx, {
    ...{ id: newId(), register, orgUnitId, state: 'reading', fileName, fileDigest, format, encoding, sheet },
    ...{ headerRow, columns, rowCount: 0, profile: draft.profile, profileFrom, proposals },
    ...{ createdBy, createdAt: tx.now },
  })
  tx.record(run, {
    ...{ type: 'import.uploaded', right, orgUnitId, fileDigest },
    sealed: { fileName, register },
  })
  return { id: run.id }
}

/** @param known the names of the batches before, so that what is new in several of them counts once */
async function keep(
  steps: Steps,
  { riskTiers }: Policies,
  reading: Reading,
  batch: Arrived[],
  known?: Names,
): Promise<Names> {
  return await steps.write(async (tx) => {
    const { run, right } = await goOn(tx, reading)
    const names = known ?? (await loadNames(tx, run))
    const decided = await decide(tx, run, riskTiers.questions, names, batch)
    const rows = decided.map(({ row, plan: { outcome, reasons } }) => ({ ...row, outcome, reasons }))
    await store.keepRows(tx, run.id, rows)
    const doneThrough = batch.at(-1)?.ordinal ?? run.doneThrough
    await store.updateRun(tx, run, { doneThrough })
    tx.record(run, { type: 'import.advanced', right, state: run.state, through: doneThrough, sealed: {} })
    return names
  })
}

/** One going through of the rows: by the revision that it began with, it sees when another one took its place. */
type Reading = Pick<store.RunRow, 'id' | 'revision'>

const FIRST_REVISION = 1

async function goOn(tx: WriteTx, { id, revision }: Reading): Promise<{ run: store.RunRow; right: string }> {
  const run = await store.lockRun(tx, id)
  const right = authorize(tx.ability, 'import', 'Import', run)
  if (run.state === 'reading' && run.revision === revision) return { run, right }
  throw new RegistryError('conflict', 'somebody else mapped this import at the same moment; read it again')
}

async function finish(tx: WriteTx, reading: Reading, names: Names | undefined): Promise<void> {
  const { run, right } = await goOn(tx, reading)
  const editions = await store.findEditions(tx, run)
  const added = { newUnits: names?.newUnits.length ?? 0, newSystems: names?.newSystems.length ?? 0 }
  const counts = await countRows(tx, run, editions, added)
  const rowCount = counts.rows
  const change = { state: 'previewed', editions, counts, rowCount, doneThrough: 0 } as const
  await store.updateRun(tx, run, { ...change, revision: run.revision + 1 })
  const { fileDigest, fileName, profile } = run
  tx.record(run, {
    ...{ type: 'import.previewed', right, fileDigest, rows: rowCount },
    sealed: { fileName, profile: String(profile.id) },
  })
}

/** What became of the rows so far, and what is gone. */
export async function countRows(
  tx: ReadTx,
  run: store.RunRow,
  editions: string[],
  added: Pick<Counts, 'newUnits' | 'newSystems'>,
): Promise<Counts> {
  const outcomes = await store.countOutcomes(tx, run.id)
  const of = (outcome: Parameters<typeof outcomes.get>[0]) => outcomes.get(outcome) ?? 0
  const rows = [...outcomes.values()].reduce((sum, count) => sum + count, 0)
  return {
    rows,
    registered: rows - of('refused'),
    created: of('created'),
    updated: of('updated'),
    unchanged: of('unchanged'),
    needsAttention: of('needs_attention'),
    refused: of('refused'),
    gone: await store.countGone(tx, run, editions),
    ...added,
  }
}

/** Changes the mapping; the rows are then gone through again. */
export async function remap(tx: WriteTx, run: store.RunRow, profile: ImportProfile): Promise<store.RunRow> {
  const right = authorize(tx.ability, 'import', 'Import', run)
  const { register } = profile
  await store.insertRegister(tx, register)
  const mapping = { register, profile, profileFrom: 'confirmed', proposals: null, counts: null } as const
  const revision = run.revision + 1
  const changed = await store.updateRun(tx, run, { ...mapping, state: 'reading', doneThrough: 0, revision })
  const profileDigest = digestOfJson(profile)
  const sealed = { profile: profile.id, register }
  tx.record(run, { type: 'import.mapped', right, profileDigest, sealed })
  return changed
}

async function* arrivals(rows: AsyncIterable<ImportedRow>): AsyncGenerator<Arrived> {
  let ordinal = 0
  for await (const { number: rowNumber, identity, cells, problems, ...mapped } of rows) {
    ordinal += 1
    yield { ordinal, rowNumber, identity: `${identity.kind}:${identity.value}`, cells, problems, mapped }
  }
}

async function* batchesOf(rows: AsyncIterable<Arrived>): AsyncGenerator<Arrived[]> {
  let batch: Arrived[] = []
  let size = 0
  for await (const row of rows) {
    batch.push(row)
    size += row.cells.reduce((sum, cell) => sum + cell.length, 0)
    if (batch.length < BATCH && size < BATCH_TEXT) continue
    yield batch
    batch = []
    size = 0
  }
  if (batch.length > 0) yield batch
}

/** UTF-16 code units of a file that is kept in memory between its two readings. */
const REMEMBERED = 16_000_000

/** A table that is not read from disk again while it is small. */
function remembering(table: Table): Pick<Table, 'columns' | 'rows'> {
  let known: RawRow[] | undefined
  async function* rows(): AsyncGenerator<RawRow> {
    if (known) return yield* known
    const read: RawRow[] = []
    let size = 0
    for await (const row of table.rows()) {
      size += row.cells.reduce((sum, cell) => sum + cell.length, 0)
      if (size <= REMEMBERED) read.push(row)
      yield row
    }
    if (size <= REMEMBERED) known = read
  }
  return { columns: table.columns, rows }
}

/** The rows as they were stored, in the shape of a table that is read from a file. */
function storedTable(steps: Steps, run: store.RunRow): Pick<Table, 'columns' | 'rows'> {
  return { columns: columnsOf(run), rows: () => storedRows(steps, run) }
}

export function columnsOf({ columns }: store.RunRow): Column[] {
  return columns.map((column, index) => ({ index, ...column }))
}

async function* storedRows(steps: Steps, { id }: store.RunRow): AsyncGenerator<RawRow> {
  for (let ordinal = 0; ; ) {
    const after = { outcome: undefined, after: ordinal, limit: BATCH }
    const page = await steps.read((tx) => store.listRows(tx, id, after))
    for (const { rowNumber: number, cells, problems } of page) yield { number, cells, problems }
    const last = page.at(-1)
    if (!last || page.length < BATCH) return
    ordinal = last.ordinal
  }
}
