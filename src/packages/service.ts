import { finished, Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { authorize, authorizeKnown, authorizeSome } from '../auth/decision-rights.js'
import { Snapshot } from '../db/snapshot.js'
import type { ReadTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { type Moment, momentOf } from '../registers/register.js'
import { inUnit } from '../standing/service.js'
import { getReadable } from '../use-cases/reading.js'
import { keyOf } from '../use-cases/use-case.js'
import { INCOMPLETE, type PackageQuery } from './package.js'
import { contentOf, Packing, type Sources, type Task } from './packing.js'
import { isUseCase, reachOf, unitOfUseCase } from './record-store.js'
import { type TarFile, tarOf } from './tar.js'

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

async function pack(
  tx: ReadTx,
  sources: Sources,
  query: PackageQuery,
  useCase?: Task['useCase'],
): Promise<Package> {
  const moment = momentOf(query.asOf, tx.now)
  const narrower = [
    ...(useCase ? [isUseCase(useCase.id)] : []),
    ...(query.orgUnit ? [inUnit(unitOfUseCase, query.orgUnit)] : []),
  ]
  const reach = reachOf(tx.ability, moment.asOf, narrower)
  const task = { tx, sources, query, useCase, moment, reach }
  const name = `assent-${useCase?.key ?? 'register'}`
  const snapshot = await Snapshot.open(sources.pool)
  return { ...moment, name, bytes: streamOf(task, snapshot, name) }
}

/** A stream that is left or fails has no end, and its connection is closed rather than used again. */
function streamOf(task: Task, snapshot: Snapshot, name: string): Readable {
  const at = Math.floor(Date.parse(task.moment.asOf) / 1000)
  const files = foldered(name, orWhyNot(new Packing(task, snapshot).files()))
  const bytes = Readable.from(tarOf(files, at), { objectMode: false })
  finished(bytes, (failure) => void snapshot.close(failure ?? undefined))
  return bytes
}

async function* foldered(folder: string, files: AsyncIterable<TarFile>): AsyncGenerator<TarFile> {
  for await (const file of files) yield { ...file, name: `${folder}/${file.name}` }
}

/** What breaks off says why, as far as it concerns whoever reads it, before it does. */
async function* orWhyNot(files: AsyncIterable<TarFile>): AsyncGenerator<TarFile> {
  try {
    yield* files
  } catch (error) {
    const why = error instanceof RegistryError ? error.message : 'something went wrong on our side'
    yield contentOf(INCOMPLETE, `This package is not whole: ${why}.\n`)
    await nextTurn() // it is on its way before the connection is cut
    throw error
  }
}
