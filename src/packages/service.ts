import { createHash, type Hash } from 'node:crypto'
import { finished, Readable } from 'node:stream'
import { digestOf } from '../audit/digest.js'
import { authorize, authorizeKnown, authorizeSome } from '../auth/decision-rights.js'
import type { Database } from '../db/database.js'
import type { Selection } from '../db/selection.js'
import { Snapshot } from '../db/snapshot.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { BlobStore } from '../evidence/blobs.js'
import { readPolicyFiles } from '../policy/load.js'
import { type Moment, momentOf } from '../registers/register.js'
import { selectDecisions, selectGrants, selectUseCases, selectVotes } from '../registers/service.js'
import { inUnit } from '../standing/service.js'
import { getReadable } from '../use-cases/reading.js'
import { keyOf } from '../use-cases/use-case.js'
import { evidenceName, guide, type PackageManifest, type PackageQuery, SUMS, sumLine } from './package.js'
import * as store from './store.js'
import { type TarFile, tarOf } from './tar.js'

/** Where a package is read from. */
export interface Sources {
  pool: Database['exports']
  blobs: BlobStore
  /** The policy in force, and the folder it was loaded from. */
  policy: { digest: string; dir: string }
}

export interface Package extends Moment {
  /** The folder that everything lies in, and the name of the file. */
  name: string
  bytes: Readable
}

/**
 * Everything about one use case, as a tar.
 * @throws RegistryError `not_found` when it may not be seen, `forbidden` without the rights to export the register and
 *   to read its log, `invalid` for an instant in the future
 */
export async function packUseCase(
  tx: ReadTx,
  sources: Sources,
  useCase: string,
  query: PackageQuery,
): Promise<Package> {
  const row = await getReadable(tx, useCase)
  authorize(tx.ability, 'export', 'Register', row)
  authorizeKnown(tx.ability, 'read', 'Event', { ...row, aggregateId: row.id })
  return await pack(tx, sources, query, { key: keyOf(row.number), id: row.id })
}

/**
 * Everything about the use cases whose register the caller may export and whose log they may read, as a tar.
 * @throws RegistryError `forbidden` when that can be none, `invalid` for an instant in the future
 */
export async function packRegister(tx: ReadTx, sources: Sources, query: PackageQuery): Promise<Package> {
  authorizeSome(tx.ability, 'export', 'Register')
  authorizeSome(tx.ability, 'read', 'Event')
  return await pack(tx, sources, query)
}

interface Task {
  tx: ReadTx
  sources: Sources
  query: PackageQuery
  useCase: { id: string; key: string } | undefined
  moment: Moment
  reach: store.Reach
  policyFiles: ReadonlyMap<string, Buffer>
}

async function pack(
  tx: ReadTx,
  sources: Sources,
  query: PackageQuery,
  useCase?: Task['useCase'],
): Promise<Package> {
  const moment = momentOf(query.asOf, tx.now)
  const narrower = [
    ...(useCase ? [store.isUseCase(useCase.id)] : []),
    ...(query.orgUnit ? [inUnit(store.unitOfUseCase, query.orgUnit)] : []),
  ]
  const reach = store.reachOf(tx.ability, moment.asOf, narrower)
  const policyFiles = filesInForce(sources.policy)
  const task = { tx, sources, query, useCase, moment, reach, policyFiles }
  const name = `assent-${useCase?.key ?? 'register'}`
  const snapshot = await Snapshot.open(sources.pool)
  return { ...moment, name, bytes: streamOf(task, snapshot, name) }
}

function filesInForce({ digest, dir }: Sources['policy']): ReadonlyMap<string, Buffer> {
  const read = readPolicyFiles(dir)
  if (read.digest === digest) return read.files
  throw new RegistryError(
    'unavailable',
    'the policy folder no longer holds the policy in force; restart Assent, or put its files back',
  )
}

/** A stream that is left or fails has no end, and its connection is closed rather than used again. */
function streamOf(task: Task, snapshot: Snapshot, name: string): Readable {
  const at = Math.floor(Date.parse(task.moment.asOf) / 1000)
  const bytes = Readable.from(tarOf(foldered(name, filesOf(task, snapshot)), at), { objectMode: false })
  finished(bytes, (failure) => void snapshot.close(failure ?? undefined))
  return bytes
}

async function* foldered(folder: string, files: AsyncIterable<TarFile>): AsyncGenerator<TarFile> {
  for await (const file of files) yield { ...file, name: `${folder}/${file.name}` }
}

/** Files in their order; the sums come last, of everything before them. */
async function* filesOf(task: Task, snapshot: Snapshot): AsyncGenerator<TarFile> {
  const sums: string[] = []
  const small = (name: string, content: string | Buffer): TarFile => {
    const bytes = Buffer.from(content)
    sums.push(sumLine(digestOf(bytes), name))
    return { name, size: bytes.length, bytes: Readable.from([bytes]) }
  }
  yield small('README.txt', guide)
  const records: PackageManifest['records'] = []
  for (const [name, selection] of recordsOf(task)) {
    const extent = await snapshot.measure(selection)
    const hash = createHash('sha256')
    yield { name, size: extent.size, bytes: hashed(snapshot.lines(selection), hash) }
    sums.push(sumLine(`sha256:${hash.digest('hex')}`, name))
    records.push({ name, ...extent })
  }
  for (const [name, content] of task.policyFiles) yield small(`policies/${name}`, content)
  const evidence = { form: task.query.evidence, files: 0, size: 0 }
  for await (const stored of storedFiles(task, snapshot)) {
    yield await evidenceFile(task.sources.blobs, stored)
    evidence.files += 1
    evidence.size += stored.size
  }
  const named = await store.listPolicyDigests(snapshot, task.reach)
  yield small('manifest.json', `${JSON.stringify(manifestOf(task, { records, evidence, named }), null, 2)}\n`)
  yield sumsOf(task, snapshot, sums, evidence.files)
}

/** In the order in which they are best read. Names of people are left out where the caller may not read them. */
function recordsOf({ tx: { ability }, reach, moment, useCase }: Task): [string, Selection<object>][] {
  const reading = { ...moment, isPast: true, isPage: false }
  const grants = selectGrants(ability, {}, reading)
  return [
    ['register.ndjson', store.within(selectUseCases(ability, {}, reading), reach)],
    ['versions.ndjson', store.selectVersions(reach)],
    ['reviews.ndjson', store.selectReviews(ability, reach)],
    ['votes.ndjson', store.within(selectVotes(ability, {}, reading), reach)],
    ['decisions.ndjson', store.within(selectDecisions(ability, {}, reading), reach)],
    ['conditions.ndjson', store.selectConditions(ability, reach)],
    ['suspensions.ndjson', store.selectSuspensions(ability, reach)],
    ['incidents.ndjson', store.selectIncidents(ability, reach)],
    ['grants.ndjson', useCase ? store.above(grants, useCase.id) : grants],
    ['evidence.ndjson', store.selectEvidence(ability, reach)],
    ['events.ndjson', store.selectEvents(reach)],
  ]
}

async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}

async function* storedFiles(
  { tx: { ability }, reach, query }: Task,
  snapshot: Snapshot,
): AsyncGenerator<store.StoredFile> {
  if (query.evidence === 'bytes') yield* store.listFiles(snapshot, ability, reach)
}

/** Bytes that are not what their digest says break the package off. */
async function evidenceFile(blobs: BlobStore, { digest, size }: store.StoredFile): Promise<TarFile> {
  const content = await blobs.open({ digest, size })
  const checked = async function* () {
    const hash = createHash('sha256')
    yield* hashed(content, hash)
    if (`sha256:${hash.digest('hex')}` !== digest) throw new Error(`${digest} was altered in its store`)
  }
  return { name: evidenceName(digest), size, bytes: checked() }
}

/** A line for each file. Those of evidence are read once more: they are all of one length, and could be very many. */
function sumsOf(task: Task, snapshot: Snapshot, sums: string[], files: number): TarFile {
  const others = sums.join('')
  const line = (digest: string) => sumLine(digest, evidenceName(digest))
  const bytes = async function* () {
    yield Buffer.from(others)
    for await (const { digest } of storedFiles(task, snapshot)) yield Buffer.from(line(digest))
  }
  const size = Buffer.byteLength(others) + files * line(digestOf('')).length
  return { name: SUMS, size, bytes: bytes() }
}

function manifestOf(
  { tx, query, useCase, moment, sources }: Task,
  { records, evidence, named }: Pick<PackageManifest, 'records' | 'evidence'> & { named: string[] },
): PackageManifest {
  const { personId: id, name } = tx.principal
  return {
    ...{ format: 'assent-package', formatVersion: 1, ...moment, madeAt: tx.now, madeBy: { id, name } },
    of: { useCase: useCase?.key ?? null, orgUnit: query.orgUnit ?? null },
    policy: { inForce: sources.policy.digest, named },
    ...{ records, evidence },
  }
}
