import { createWriteStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { getTableName, isTable } from 'drizzle-orm'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { digestOf } from '../../audit/digest.js'
import { RegistryError } from '../../errors.js'
import { toInstant } from '../../instant.js'
import { pgErrorOf } from '../pg-error.js'
import * as schema from '../schema.js'
import { type Member, pack } from './archive.js'
import { columnList, inPublic, listTables, readSequences, textForms } from './catalog.js'
import {
  evidenceMember,
  type Manifest,
  manifestMember,
  sealMember,
  sealOf,
  type Table,
  tableMember,
} from './manifest.js'
import { Measure } from './measure.js'

export interface BackupSource {
  /** Connected as the owner of the schema. */
  client: pg.Client
  /** Where the bytes of evidence lie. */
  evidence: { open(stored: { digest: string; size: number }): Promise<AsyncIterable<Uint8Array>> }
  /** The version of Assent. */
  assent: string
}

/**
 * Writes a tar, gzipped if the file's name ends in `gz`: every row as of one instant and the files that the rows
 * name, while others go on writing. The file gets its name once it is whole and on disk.
 * @throws RegistryError `conflict` when there is such a file, `unavailable` when something is in the way
 */
export async function backUp(source: BackupSource, file: string, signal?: AbortSignal): Promise<Manifest> {
  assertFree(file)
  const draft = `${file}.partial-${process.pid}`
  try {
    const manifest = await openSnapshot(source)
    const bytes = Readable.from(pack(members(source, manifest)), { objectMode: false })
    const disk = createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true })
    if (file.endsWith('gz')) await pipeline(bytes, createGzip(), disk, { signal })
    else await pipeline(bytes, disk, { signal })
    await source.client.query('commit')
    assertFree(file)
    await rename(draft, file)
    await syncFolder(dirname(file))
    return manifest
  } catch (error) {
    await rm(draft, { force: true })
    throw explain(error)
  }
}

/** The lock makes a migration wait for the backup, and the backup for a migration: no table changes under it. */
async function openSnapshot({ client, assent }: BackupSource): Promise<Manifest> {
  await client.query('begin isolation level repeatable read read only')
  await client.query(`set local lock_timeout = '30s'; ${textForms}`)
  await client.query('lock table schema_migration in share mode')
  const taken = await client.query<{ at: Date }>('select statement_timestamp() as at')
  const { rows: migrations } = await client.query<{ name: string; digest: string }>(
    'select name, digest from schema_migration order by name',
  )
  return {
    ...{ format: 'assent-backup', formatVersion: 1, assent },
    takenAt: toInstant(taken.rows[0]?.at ?? new Date()),
    ...{ migrations, tables: [], sequences: [], evidence: { files: 0, size: 0, digest: digestOf('') } },
  }
}

/** Everything in order. The manifest is filled on the way, and comes last. */
async function* members(source: BackupSource, manifest: Manifest): AsyncGenerator<Member> {
  const tables = await listTables(source.client)
  assertOurs(tables)
  for (const table of tables) {
    const rows = new Measure()
    yield { name: `${tableMember}${table.name}`, bytes: rows.of(copyRows(source.client, table)) }
    manifest.tables.push({ ...table, rows: rows.lines, digest: rows.digest() })
  }
  manifest.sequences = await readSequences(source.client) // after the rows: never behind a number they hold
  yield* evidenceFiles(source, manifest)
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  yield { name: manifestMember, bytes: once(text) }
  yield { name: sealMember, bytes: once(sealOf(digestOf(text))) }
}

function copyRows(client: pg.Client, { name, columns }: Pick<Table, 'name' | 'columns'>): Readable {
  return client.query(copyTo(`copy (select ${columnList(columns)} from ${inPublic(name)}) to stdout`))
}

async function* evidenceFiles(
  { client, evidence }: BackupSource,
  manifest: Manifest,
): AsyncGenerator<Member> {
  const names = new Measure()
  for await (const stored of evidenceRows(client)) {
    const content = new Measure()
    const name = stored.digest.replace('sha256:', '')
    yield { name: `${evidenceMember}${name}`, bytes: content.of(await evidence.open(stored)) }
    if (content.digest() !== stored.digest) {
      throw unavailable(
        `the file of evidence ${stored.digest} was altered in its store; put the right one back`,
      )
    }
    names.add(Buffer.from(`${name}\n`))
    manifest.evidence.files += 1
    manifest.evidence.size += content.size
  }
  manifest.evidence.digest = names.digest()
}

/** An earlier version of Assent, which can be backed up as well, has no such column. */
const disposedAt = `to_jsonb(e) ->> 'disposed_at'`

/** Each file once, a thousand at a time. */
async function* evidenceRows(client: pg.Client): AsyncGenerator<{ digest: string; size: number }> {
  for (let last = ''; ; ) {
    const { rows } = await client.query<{ digest: string; size: string }>(
      `select distinct digest, size from evidence e
        where form = 'file' and ${disposedAt} is null and digest > $1 order by digest limit 1000`,
      [last],
    )
    for (const { digest, size } of rows) yield { digest, size: Number(size) }
    if (rows.length === 0) return
    last = rows.at(-1)?.digest ?? ''
  }
}

/** A table that no migration makes could not be restored: better to hear that now. */
function assertOurs(tables: Pick<Table, 'name'>[]): void {
  const ours = new Set<string>(Object.values(schema).filter(isTable).map(getTableName)).add(
    'schema_migration',
  )
  const other = tables.find(({ name }) => !ours.has(name))
  if (!other) return
  throw unavailable(
    `the table ${other.name} is not of this version of Assent; move it to another schema, or run the newer version`,
  )
}

function assertFree(file: string): void {
  if (!existsSync(file)) return
  throw new RegistryError('conflict', `there is a file ${file} already; name one that does not exist`)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

function explain(error: unknown): unknown {
  if (error instanceof RegistryError) return error
  if (pgErrorOf(error)?.code === '42P01') {
    return unavailable('this database holds no Assent; check DATABASE_URL or ASSENT_DATA_DIR', error)
  }
  const { message } = error as Error
  return unavailable(
    `the backup did not finish (${message}) and nothing was kept; mend that and try again`,
    error,
  )
}

function unavailable(message: string, cause?: unknown): RegistryError {
  return new RegistryError('unavailable', message, { cause })
}
