import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { digestOf } from '../audit/digest.js'
import type { Database } from '../db/database.js'
import type { Selection } from '../db/selection.js'
import type { Snapshot } from '../db/snapshot.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import type { BlobStore } from '../evidence/blobs.js'
import { readPolicyFiles } from '../policy/load.js'
import type { Moment } from '../registers/register.js'
import { selectDecisions, selectGrants, selectUseCases, selectVotes } from '../registers/service.js'
import type { StoredFile } from './evidence-store.js'
import * as evidence from './evidence-store.js'
import { guide } from './guide.js'
import * as log from './log-store.js'
import {
  evidenceName,
  type PackageManifest,
  type PackageQuery,
  policyFolder,
  SUMS,
  sumLine,
} from './package.js'
import { type Reach, within } from './record-store.js'
import * as store from './store.js'
import type { TarFile } from './tar.js'

/** Where a package is read from. */
export interface Sources {
  pool: Database['exports']
  blobs: BlobStore
  /** The policy that this process runs with, and the folder it was loaded from. */
  policy: { digest: string; dir: string }
}

/** What a package is of, and who asked for it. */
export interface Task {
  tx: ReadTx
  sources: Sources
  query: PackageQuery
  useCase: { id: string; key: string } | undefined
  moment: Moment
  reach: Reach
}

/** A file whose content is at hand. */
export function contentOf(name: string, content: string | Buffer): TarFile {
  const bytes = Buffer.from(content)
  return { name, size: bytes.length, bytes: Readable.from([bytes]) }
}

/** One package on its way: its files in their order, of which the sums come last. */
export class Packing {
  readonly #task: Task
  readonly #snapshot: Snapshot
  readonly #sums: string[] = []
  readonly #records: PackageManifest['records'] = []
  readonly #policies: PackageManifest['policy']['named'] = []
  readonly #evidence = { files: 0, size: 0 }

  constructor(task: Task, snapshot: Snapshot) {
    this.#task = task
    this.#snapshot = snapshot
  }

  async *files(): AsyncGenerator<TarFile> {
    yield this.#small('README.txt', guide)
    yield* this.#recordFiles()
    const inForce = await log.findInForce(this.#snapshot, this.#task.moment.asOf)
    yield* this.#policyFiles(inForce)
    yield* this.#evidenceFiles()
    const manifest = await this.#manifest(inForce)
    yield this.#small('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`)
    yield this.#sumsFile()
  }

  #small(name: string, content: string | Buffer): TarFile {
    this.#sums.push(sumLine(digestOf(content), name))
    return contentOf(name, content)
  }

  async *#recordFiles(): AsyncGenerator<TarFile> {
    for (const [name, selection] of recordsOf(this.#task)) {
      const extent = await this.#snapshot.measure(selection)
      const hash = createHash('sha256')
      yield { name, size: extent.size, bytes: hashed(this.#snapshot.lines(selection), hash) }
      this.#sums.push(sumLine(`sha256:${hash.digest('hex')}`, name))
      this.#records.push({ name, ...extent })
    }
  }

  /** Those that are kept, and the one that this process runs with. */
  async *#policyFiles(inForce: string | null): AsyncGenerator<TarFile> {
    const { reach, sources } = this.#task
    const wanted = [sources.policy.digest, ...(inForce === null ? [] : [inForce])]
    for (const { digest, held } of await log.listPolicies(this.#snapshot, reach, wanted)) {
      const files = held
        ? await log.listPolicyFiles(this.#snapshot, digest)
        : filesThere(sources.policy, digest)
      const folder = policyFolder(digest)
      for (const { name, content } of files) yield this.#small(`${folder}/${name}`, content)
      this.#policies.push({ digest, folder: files.length > 0 ? folder : null })
    }
  }

  async *#evidenceFiles(): AsyncGenerator<TarFile> {
    for await (const stored of this.#stored()) {
      yield* evidenceFile(this.#task.sources.blobs, stored)
      this.#evidence.files += 1
      this.#evidence.size += stored.size
    }
  }

  async *#stored(): AsyncGenerator<StoredFile> {
    const { tx, reach, query } = this.#task
    if (query.evidence === 'bytes') yield* evidence.listFiles(this.#snapshot, tx.ability, reach)
  }

  /** A line for each file. Those of evidence are read once more: they are all of one length, and could be very many. */
  #sumsFile(): TarFile {
    const others = this.#sums.join('')
    const line = (digest: string) => sumLine(digest, evidenceName(digest))
    const stored = this.#stored()
    const bytes = async function* () {
      yield Buffer.from(others)
      for await (const { digest } of stored) yield Buffer.from(line(digest))
    }
    const size = Buffer.byteLength(others) + this.#evidence.files * line(digestOf('')).length
    return { name: SUMS, size, bytes: bytes() }
  }

  async #manifest(inForce: string | null): Promise<PackageManifest> {
    const { tx, query, useCase, moment, sources, reach } = this.#task
    const { personId: id, name } = tx.principal
    const withheld = await evidence.countWithheld(this.#snapshot, tx.ability, reach)
    return {
      ...{ format: 'assent-package', formatVersion: 2, ...moment, madeAt: tx.now, madeBy: { id, name } },
      of: { useCase: useCase?.key ?? null, orgUnit: query.orgUnit ?? null },
      policy: { inForce, inForceWhenMade: sources.policy.digest, named: this.#policies },
      records: this.#records,
      evidence: { form: query.evidence, ...this.#evidence, withheld },
    }
  }
}

/** The policy folder, while it holds the policy of this digest. */
function filesThere({ dir }: Sources['policy'], digest: string): { name: string; content: Buffer }[] {
  const { digest: there, files } = readPolicyFiles(dir)
  return there === digest ? [...files].map(([name, content]) => ({ name, content })) : []
}

async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}

/** Bytes that are missing, or are not what their digest says, break the package off. */
async function* evidenceFile(blobs: BlobStore, { digest, size }: StoredFile): AsyncGenerator<TarFile> {
  const content = await blobs.open({ digest, size }).catch((cause) => {
    throw notWhole(digest, cause instanceof RegistryError ? cause.message : 'it cannot be read', cause)
  })
  const hash = createHash('sha256')
  yield { name: evidenceName(digest), size, bytes: hashed(content, hash) }
  if (`sha256:${hash.digest('hex')}` !== digest) throw notWhole(digest, 'it was altered in its store')
}

function notWhole(digest: string, why: string, cause?: unknown): RegistryError {
  const instead = 'until then, a package with evidence=digests can be had'
  return new RegistryError('unavailable', `${digest}: ${why}; ${instead}`, { cause })
}

/** In the order in which they are best read. Names of people are left out where the caller may not read them. */
function recordsOf({ tx: { ability }, reach, moment, useCase }: Task): [string, Selection<object>][] {
  const reading = { ...moment, isPast: true, isPage: false }
  const register = store.withLastEvent(within(selectUseCases(ability, {}, reading), reach), reach)
  const grants = selectGrants(ability, {}, reading)
  return [
    ['register.ndjson', register],
    ['versions.ndjson', store.selectVersions(reach)],
    ['reviews.ndjson', store.selectReviews(ability, reach)],
    ['votes.ndjson', within(selectVotes(ability, {}, reading), reach)],
    ['decisions.ndjson', store.withGrounds(within(selectDecisions(ability, {}, reading), reach))],
    ['exceptions.ndjson', store.selectExceptions(ability, reach)],
    ['conditions.ndjson', store.selectConditions(ability, reach)],
    ['profiles.ndjson', evidence.selectProfiles(ability, reach)],
    ['suspensions.ndjson', store.selectSuspensions(ability, reach)],
    ['incidents.ndjson', store.selectIncidents(ability, reach)],
    ['break-glass.ndjson', store.selectBreakGlass(ability, reach)],
    ['delegations.ndjson', store.selectDelegations(ability, reach)],
    ['grants.ndjson', useCase ? store.above(grants, useCase.id) : grants],
    ['evidence.ndjson', evidence.selectEvidence(ability, reach)],
    ['retention.ndjson', evidence.selectRetention(ability, reach)],
    ['shortenings.ndjson', evidence.selectShortenings(ability, reach)],
    ['holds.ndjson', evidence.selectHolds(ability, reach)],
    ['disposals.ndjson', evidence.selectDisposals(ability, reach)],
    ['gate-answers.ndjson', log.selectGateAnswers(ability, reach)],
    ['refusals.ndjson', log.selectRefusals(ability, reach)],
    ['catalogs.ndjson', log.selectCatalogs(ability, reach)],
    ['events.ndjson', log.selectEvents(reach)],
  ]
}
